"""Certificates that are replaced on disk, without a restart of the process."""

import signal
from pathlib import Path

import trustme

from conftest import MosquittoFactory
from fakes.installation import InstallationFactory
from fakes.mosquitto import ServerTls


def issued(folder: Path, authority: trustme.CA, name: str) -> tuple[Path, Path]:
    leaf = authority.issue_cert(name)
    cert, key = folder / f"{name}.crt", folder / f"{name}.key"
    cert.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    key.write_bytes(leaf.private_key_pem.bytes())
    return cert, key


async def test_sighup_takes_a_new_client_certificate_into_use(
    installation_factory: InstallationFactory,
    mosquitto_factory: MosquittoFactory,
    tmp_path: Path,
) -> None:
    authority = trustme.CA()
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    cert, key = issued(tmp_path, authority, "127.0.0.1")
    ours, our_key = issued(tmp_path, authority, "client.example")
    broker = mosquitto_factory(
        tls=ServerTls(ca=ca_file, cert=cert, key=key, demands_client=True)
    )
    site = await installation_factory(broker)
    site.config["mqtt"] |= {
        "url": f"mqtts://127.0.0.1:{broker.port}",
        "ca_file": str(ca_file),
        "client_cert": str(ours),
        "client_key": str(our_key),
    }
    daemon = await site.start()
    daemon.signal(signal.SIGHUP)  # the same files: the connection stands
    await daemon.line("configuration read and in force")
    issued(tmp_path, authority, "client.example")
    daemon.signal(signal.SIGHUP)
    await daemon.line("configuration read; connections are made anew")
    await daemon.subscribed(2)
    assert await daemon.stop() == 0
