"""Whoever carries messages to people."""

from typing import Protocol

from evidenced.core.errors import EvidencedError
from evidenced.core.telling.mail import Message


class NotSent(EvidencedError):  # noqa: N818 - says what became of it
    """The message did not reach its receiver, as far as we know; never its address."""


class Messenger(Protocol):
    """Receivers by their names in the configuration."""

    async def send(self, to: str, message: Message) -> None:
        """Taken by the receiver's service when this returns. Tries once.

        Cancel-safe; a call that was cancelled may still send it.

        Raises:
            NotSent: it was not taken within the receiver's time, or not at all.
        """
