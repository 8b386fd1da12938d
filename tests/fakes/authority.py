"""A real authority for time stamps on loopback: `openssl ts` behind a little HTTP.

Its certificate is signed by a root that exists for one test, or by another's.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509 import (
    AuthorityKeyIdentifier,
    BasicConstraints,
    Certificate,
    CertificateBuilder,
    ExtendedKeyUsage,
    ExtensionType,
    Name,
    NameAttribute,
    SubjectKeyIdentifier,
    random_serial_number,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

OPENSSL = shutil.which("openssl") or ""
NAME = "Time of the Test"
_CONFIG = """\
[tsa]
default_tsa = it
[it]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = {digests}
ess_cert_id_alg = sha256
"""

Reply = Callable[[bytes], Awaitable[web.Response]]


class AuthorityDouble:
    """`root` is what is believed; `asked` counts questions.

    `reply` may be replaced, and `granted` makes what it would have said.
    """

    def __init__(self, folder: Path, digests: str = "sha256, sha512") -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.root = folder / "root.pem"
        self.asked = 0
        self.url = ""
        self.reply: Reply = self.granted
        self._make()
        (folder / "serial").write_text("01\n")
        config = _CONFIG.format(folder=folder, digests=digests)
        (folder / "ts.cnf").write_text(config)

    def _make(self) -> None:
        root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        root = _certificate("Root", root_key, root_key, BasicConstraints(True, None))
        use = ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        mine = _certificate(NAME, key, root_key, use)
        self.root.write_bytes(root.public_bytes(Encoding.PEM))
        (self.folder / "tsa.pem").write_bytes(mine.public_bytes(Encoding.PEM))
        (self.folder / "tsa.key").write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )

    async def granted(self, request: bytes) -> web.Response:
        """What openssl makes of it; a refusal where it does not like it."""
        query = self.folder / "query"
        query.write_bytes(request)
        made = await asyncio.create_subprocess_exec(
            *(OPENSSL, "ts", "-reply", "-config", str(self.folder / "ts.cnf")),
            *("-queryfile", str(query)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        body, _ = await made.communicate()
        return web.Response(body=body, content_type="application/timestamp-reply")

    @asynccontextmanager
    async def running(self) -> AsyncIterator["AuthorityDouble"]:
        app = web.Application()
        app.router.add_post("/tsa", self._answer)
        runner = web.AppRunner(app, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/tsa"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        assert request.content_type == "application/timestamp-query"
        return await self.reply(await request.read())


def _certificate(
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    by: ec.EllipticCurvePrivateKey,
    extension: ExtensionType,
) -> Certificate:
    now = datetime.now(UTC)
    public, signer = key.public_key(), by.public_key()
    builder = (
        CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name("Root"))
        .public_key(public)
        .serial_number(random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(extension, critical=True)
        .add_extension(SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False
        )
    )
    return builder.sign(by, SHA256())


def _name(text: str) -> Name:
    return Name([NameAttribute(NameOID.COMMON_NAME, text)])
