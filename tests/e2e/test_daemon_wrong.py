"""What is wrong is said once, clearly, and goes on by itself once it is put right."""

import signal
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from fakes.installation import Installation, InstallationFactory, Recorder, active
from fakes.mosquitto import Mosquitto, Peer, ServerTls, free_port

DOWN = "recorder does not answer; incidents wait"
AWAY = "no connection to the broker"

MosquittoFactory = Callable[..., Mosquitto]


async def test_a_wrong_password_of_the_recorder(site: Installation) -> None:
    secret = site.folder / "recorder-password"
    secret.write_text("wrong\n")
    site.config["recorders"]["main"]["password"] = {"file": str(secret)}
    daemon = await site.start()
    line = await daemon.line(DOWN)
    assert (line["level"], line["reason"]) == ("warning", "login-refused")
    assert "wrong" not in line["why"]
    with Peer(site.broker.port) as peer:
        peer.publish("access/hq/forced", active())
    await site.all_in("waiting")
    [row] = (await site.get("/api/recorders"))["recorders"]
    assert (row["up"], row["reason"]) == (False, "login-refused")
    secret.write_text("secret\n")
    await site.all_in("exported")
    assert len(daemon.find(DOWN)) == 1


async def test_a_wrong_password_of_the_broker(
    installation_factory: InstallationFactory, mosquitto_factory: MosquittoFactory
) -> None:
    broker = mosquitto_factory(users={"evidenced": "right", "panel": "panel"})
    site = await installation_factory(broker)
    secret = site.folder / "mqtt-password"
    secret.write_text("wrong\n")
    site.config["mqtt"] |= {
        "username": "evidenced",
        "password": {"file": str(secret)},
    }
    daemon = await site.start(is_subscribed=False)
    line = await daemon.line(AWAY)
    assert line["level"] == "warning"
    assert "refuses the login with user 'evidenced'" in line["problem"]
    assert line["problem"] in (await site.get("/readyz"))["reasons"]
    secret.write_text("right\n")
    await daemon.subscribed()
    with Peer(broker.port, username="panel", password="panel") as peer:
        peer.publish("access/hq/forced", active())
    await site.all_in("exported")
    assert len(daemon.find(AWAY)) == 1


async def test_a_port_that_is_taken_stops_no_alarm(site: Installation) -> None:
    """Whoever is first may have it; alarms become footage all the same."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", site.web_port))
        other.listen()
        daemon = await site.start()
        line = await daemon.line("the page is not as it should be")
        assert line["level"] == "warning"
        assert "is taken by another program" in line["why"]
        with Peer(site.broker.port) as peer:
            peer.publish("access/hq/forced", active())
            await daemon.line("incident opened")
    await daemon.line("page and API listen")
    await site.all_in("exported")
    assert len(daemon.find("the page is not as it should be")) == 1


async def test_a_page_that_moves_keeps_the_broker(site: Installation) -> None:
    """Another address after a reload: nothing but the page is opened anew."""
    daemon = await site.start()
    site.web_port = free_port()
    site.config["web"]["listen"] = f"127.0.0.1:{site.web_port}"
    site.write()
    daemon.signal(signal.SIGHUP)
    await daemon.line("page and API listen", 2)
    with Peer(site.broker.port) as peer:
        peer.publish("access/hq/forced", active())
    await site.all_in("exported")
    assert len(daemon.find("alarms are subscribed")) == 1


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    """Signs the servers; `wrong.pem` in the folder is of another one."""
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "wrong.pem"))
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "right.pem"))
    return ca


def replace(file: Path, *, by: Path) -> None:
    file.write_bytes(by.read_bytes())


async def test_a_wrong_ca_of_the_broker(
    installation_factory: InstallationFactory,
    mosquitto_factory: MosquittoFactory,
    authority: trustme.CA,
    tmp_path: Path,
) -> None:
    server = authority.issue_cert("127.0.0.1", "localhost")
    server.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    server.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    tls = ServerTls(
        ca=tmp_path / "right.pem", cert=tmp_path / "cert.pem", key=tmp_path / "key.pem"
    )
    broker = mosquitto_factory(tls=tls)
    site = await installation_factory(broker)
    trusted = tmp_path / "ca.pem"
    replace(trusted, by=tmp_path / "wrong.pem")
    site.config["mqtt"] |= {
        "url": f"mqtts://127.0.0.1:{broker.port}",
        "ca_file": str(trusted),
    }
    daemon = await site.start(is_subscribed=False)
    line = await daemon.line(AWAY)
    assert "is not trusted: name" in line["problem"]
    assert str(trusted) in line["problem"]
    assert line["problem"] in (await site.get("/readyz"))["reasons"]
    replace(trusted, by=tmp_path / "right.pem")
    await daemon.subscribed()
    assert (await site.get("/readyz"))["status"] == "ok"
    assert len(daemon.find(AWAY)) == 1


async def test_a_wrong_ca_of_the_recorder(
    installation_factory: InstallationFactory, authority: trustme.CA, tmp_path: Path
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    recorder = Recorder(tls=context)
    site = await installation_factory(main=recorder)
    trusted = tmp_path / "ca.pem"
    replace(trusted, by=tmp_path / "wrong.pem")
    site.config["recorders"]["main"]["ca_file"] = str(trusted)
    daemon = await site.start()
    line = await daemon.line(DOWN)
    assert "its certificate is not trusted" in line["why"]
    [row] = (await site.get("/api/recorders"))["recorders"]
    assert (row["up"], row["problem"]) == (False, line["why"])
    with Peer(site.broker.port) as peer:
        peer.publish("access/hq/forced", active())
    replace(trusted, by=tmp_path / "right.pem")
    await site.all_in("exported")
