"""Sending through Apprise: each message on a thread of its own, within a deadline.

Apprise takes a quarter of a second to import, so it is loaded when something is sent.
Its sending blocks (requests, smtplib) and cannot be cancelled; a thread that hangs is
left behind, and nothing more is sent to that receiver until it has ended.

Receivers' addresses hold tokens. What Apprise, requests and urllib3 log may contain
them, so it goes nowhere but into the sentence of a failure, with every part of the
address masked.
"""

import logging
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from evidenced.core.alarms.payload import one_line
from evidenced.core.errors import BadInput
from evidenced.core.severity import Severity
from evidenced.core.telling.mail import Message
from evidenced.host.threads import HangingError, Threads
from evidenced.ports.messenger import NotSent

MAX_WHY = 300
MASK = "***"
LEAST_SECRET = 3
"""Parts of an address that are shorter stand in every sentence."""
CHATTY = ("apprise", "requests", "urllib3")
_APP = "evidenced"
_JOINTS = re.compile(r"[^\w.-]+")
"""Between words of an address; a token has none of these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Where messages of one name go; the address is read when it is needed."""

    url: Callable[[], str] = field(repr=False)
    timeout: timedelta


class AppriseMessenger:
    """`ports.Messenger` over Apprise."""

    def __init__(self, receivers: Mapping[str, Receiver]) -> None:
        self._receivers = dict(receivers)
        self._threads = Threads()
        for name in CHATTY:
            quiet = logging.getLogger(name)
            quiet.propagate = False
            quiet.setLevel(logging.WARNING)
            if not quiet.handlers:
                quiet.addHandler(logging.NullHandler())

    async def send(self, to: str, message: Message) -> None:
        """See ports.Messenger."""
        receiver = self._receivers[to]
        work = partial(deliver, receiver.url, message)
        try:
            await self._threads.run(work, to, receiver.timeout)
        except HangingError:
            raise NotSent("the message before is still being sent") from None
        except TimeoutError:
            seconds = receiver.timeout.total_seconds()
            raise NotSent(f"it was not sent within {seconds:g} s") from None


def deliver(url: Callable[[], str], message: Message) -> None:
    """Send it now. Blocks for as long as the service does.

    Raises:
        NotSent: the address means nothing to Apprise, or its service took nothing.
    """
    import apprise  # noqa: PLC0415 - see above

    try:
        address = url()
    except BadInput as error:
        raise NotSent(str(error)) from None
    told: list[str] = []
    with _overheard(told):
        taken = _notify(apprise, address, message)
    if taken:
        return
    why = told[-1] if told else "the service did not take it"
    raise NotSent(one_line(masked(why, address), MAX_WHY))


def _notify(apprise: Any, address: str, message: Message) -> bool:  # noqa: ANN401
    asset = apprise.AppriseAsset(app_id=_APP, app_desc=_APP, app_url="")
    try:
        service = apprise.Apprise.instantiate(address, asset=asset)
        taken = service and service.notify(
            body=message.body,
            title=message.title,
            notify_type=_kind(apprise, message),
            body_format=apprise.NotifyFormat.TEXT,
            attach=_attached(apprise, message),
        )
    except Exception as error:  # noqa: BLE001 - plugins of others raise what they like
        why = masked(f"{type(error).__name__}: {error}", address)
        raise NotSent(one_line(why, MAX_WHY)) from None
    if service is None:
        raise NotSent("the address is not one that Apprise knows; see its services")
    return bool(taken)


def _attached(apprise: Any, message: Message) -> Any:  # noqa: ANN401 - likewise
    """The pictures; a service that takes none leaves them out."""
    if not message.pictures:
        return None
    from apprise.attachment import memory  # noqa: PLC0415 - see above

    kind: Any = memory.AttachMemory
    return apprise.AppriseAttachment(
        [
            kind(each.data, name=each.name, mimetype="image/jpeg")
            for each in message.pictures
        ]
    )


def _kind(apprise: Any, message: Message) -> Any:  # noqa: ANN401 - Apprise's words
    if message.is_good:
        return apprise.NotifyType.SUCCESS
    if message.severity is Severity.CRITICAL:
        return apprise.NotifyType.FAILURE
    return apprise.NotifyType.WARNING


def masked(text: str, address: str) -> str:
    """The text without any part of the address that may be a secret."""
    for part in sorted(_parts(address), key=len, reverse=True):
        text = text.replace(part, MASK)
    return text


def _parts(address: str) -> set[str]:
    """Everything of the address but its scheme, host and port; also as decoded."""
    found = {address}
    with suppress(ValueError):
        url = urlsplit(address)
        raw = [url.username, url.password, url.query, url.fragment]
        raw += url.path.split("/")
        raw += [value for _, value in parse_qsl(url.query)]
        if url.username is None and url.hostname:
            raw.append(url.netloc)  # of many services the host is a token
            raw.append(url.hostname)
        found |= {part for part in raw if part}
    found |= {unquote(part) for part in found}
    found |= {piece for part in found for piece in _JOINTS.split(part)}
    return {part for part in found if len(part) >= LEAST_SECRET}


class _Ear(logging.Handler):
    """Keeps what this thread's sending says of its failure."""

    def __init__(self, told: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._told = told
        self._thread = threading.get_ident()

    # typing.override is there from 3.12 on
    def emit(self, record: logging.LogRecord) -> None:  # type: ignore[explicit-override]
        if record.thread == self._thread:
            with suppress(Exception):
                self._told.append(record.getMessage())


@contextmanager
def _overheard(told: list[str]) -> Iterator[None]:
    ear, logger = _Ear(told), logging.getLogger("apprise")
    logger.addHandler(ear)
    try:
        yield
    finally:
        logger.removeHandler(ear)
