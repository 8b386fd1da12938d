"""Certificates of a CA that exists for one test."""

from pathlib import Path
from typing import Any

import trustme

from fakes.mosquitto import ServerTls


class BrokerCertificates:
    """PEM files in a folder, all signed by one CA."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca = trustme.CA()
        self.ca_file = self.write("ca.pem", self.ca.cert_pem.bytes())

    def write(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path

    def issue(self, name: str, **options: Any) -> tuple[Path, Path]:
        leaf = self.ca.issue_cert(name, **options)
        chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
        return (
            self.write(f"{name}.crt", chain),
            self.write(f"{name}.key", leaf.private_key_pem.bytes()),
        )

    def server(self, name: str = "127.0.0.1", **options: Any) -> ServerTls:
        demands_client = options.pop("demands_client", False)
        cert, key = self.issue(name, **options)
        return ServerTls(
            ca=self.ca_file, cert=cert, key=key, demands_client=demands_client
        )
