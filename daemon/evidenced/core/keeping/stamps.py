"""Time stamps: an authority elsewhere signs, once a day, that a head was there by then.

So nobody can make a chain of earlier days anew, not even who has the store, the shares
and the evidence key: of a head that it never saw the authority gives no old stamp. A
line each in a file at the root of every destination, and an entry of the chain:

    {"at":"2026-11-23T06:00:00.000Z","hash":"...","instance":"hq","seq":17}

and behind a tab the authority's response, DER in base64. What it signs is that text.
Pure. Source: RFC 3161.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from evidenced.core.exports.retry import RetryPolicy
from evidenced.core.incidents.history import Entry, Event
from evidenced.core.instants import DAY, HOUR, MINUTE, ZERO, render_utc
from evidenced.core.keeping.heads import KeptHead, read_text, text_of

STAMP_EVERY = DAY
ASK_AGAIN = RetryPolicy(first=5 * MINUTE, longest=HOUR)
"""When an authority that gave no stamp is asked again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """What an authority's response says, once it is verified: when, and who it is."""

    response: bytes
    at: datetime
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptStamp:
    """A head and the response about it; nothing of it is verified."""

    head: KeptHead
    response: bytes

    @property
    def text(self) -> str:
        """What the authority signed the hash of."""
        return text_of(self.head)


def stamps_name(instance: str) -> str:
    """The file with the time stamps of one instance, at a destination's root."""
    return f"evidenced-stamps-{instance}.txt"


def line_of(stamp: KeptStamp) -> str:
    """As it stands in that file."""
    return f"{stamp.text}\t{base64.b64encode(stamp.response).decode()}"


def read_line(line: str, place: str) -> KeptStamp:
    """The other way.

    Raises:
        ValueError: it is none; a crash or a full disk may have cut it off.
    """
    text, tab, response = line.partition("\t")
    if not tab:
        raise ValueError("no stamp")
    return KeptStamp(head=read_text(text, place), response=_decoded(response))


def entry_of_stamp(head: KeptHead, vouched: Vouched) -> Entry:
    """The chain keeps it too, behind the head that it is of."""
    detail = {
        **json.loads(text_of(head)),
        "time": render_utc(vouched.at),
        "by": vouched.by,
        "response": base64.b64encode(vouched.response).decode(),
    }
    return Entry(incident=None, at=head.at, event=Event.STAMPED, detail=detail)


def of_detail(detail: Mapping[str, object], place: str) -> KeptStamp:
    """The stamp that an entry of the chain keeps.

    Raises:
        ValueError: it keeps none.
    """
    head = read_text(json.dumps(dict(detail)), place)
    return KeptStamp(head=head, response=_decoded(str(detail.get("response"))))


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error


def is_stamp_due(last: KeptStamp | None, now: datetime) -> bool:
    """Whether a head is to be stamped now.

    A clock that jumps has one stamped too many, never one too few.
    """
    return last is None or not ZERO <= now - last.head.at < STAMP_EVERY
