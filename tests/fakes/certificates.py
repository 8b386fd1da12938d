"""Certificates of an authority of the test's own, as files."""

import ssl
from datetime import datetime
from pathlib import Path

import trustme


class Certificates:
    """`page.pem` and `page.key` in the folder, made anew by each `issue`."""

    def __init__(self, folder: Path) -> None:
        self.authority = trustme.CA()
        self.certificate = folder / "page.pem"
        self.key = folder / "page.key"

    def issue(
        self, *names: str, until: datetime | None = None, since: datetime | None = None
    ) -> None:
        made = self.authority.issue_cert(
            *(names or ("127.0.0.1", "localhost")), not_after=until, not_before=since
        )
        self.certificate.write_bytes(b"".join(p.bytes() for p in made.cert_chain_pems))
        self.key.write_bytes(made.private_key_pem.bytes())

    def trusting(self) -> ssl.SSLContext:
        """A client that trusts the authority."""
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        return context
