"""A mail server on loopback that takes whatever comes. Source: RFC 5321, section 3."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

ANSWERS = {
    "EHLO": b"250-loopback\r\n250 8BITMIME\r\n",
    "QUIT": b"221 bye\r\n",
}
TAKEN = b"250 ok\r\n"


@dataclass
class MailServer:
    """`refuses` is what it says to a recipient instead of ok."""

    port: int = 0
    refuses: bytes = b""
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(b"220 loopback\r\n")
        while line := await reader.readline():
            word = line[:4].decode().strip().upper()
            if word == "DATA":
                writer.write(b"354 go on\r\n")
                self._take(await reader.readuntil(b"\r\n.\r\n"))
                writer.write(TAKEN)
            elif word == "RCPT":
                self.recipients.append(line.decode().partition("<")[2].split(">")[0])
                writer.write(self.refuses or TAKEN)
            else:
                writer.write(ANSWERS.get(word, TAKEN))
            if word == "QUIT":
                break
        writer.close()

    def _take(self, data: bytes) -> None:
        body = data[:-3].replace(b"\r\n..", b"\r\n.")
        mail = message_from_bytes(body, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)


@asynccontextmanager
async def mailing() -> AsyncIterator[MailServer]:
    made = MailServer()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made
