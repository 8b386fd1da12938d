"""An incident taken out of its record, as the store keeps it from then on. Pure.

The record lay where others write. What comes out of it is bounded, has no text that a
database or a terminal stumbles over, and is over: nothing of it is asked of a recorder.
"""

import base64
import binascii
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import TypeVar

from evidenced.core.address import Address, address_of
from evidenced.core.alarms.alarm import Signal
from evidenced.core.alarms.payload import MAX_TOPIC, WHOLE_BYTES, Whole, one_line
from evidenced.core.errors import BadInput, Reason
from evidenced.core.ids import (
    CameraName,
    FieldValue,
    GroupKey,
    IncidentId,
    RecorderName,
    RuleName,
    is_id,
)
from evidenced.core.incidents.coverage import NOT_ASKED, Coverage, CoverageState
from evidenced.core.incidents.export import ExportedDevice, ExportRequest
from evidenced.core.incidents.incident import Clip, Incident
from evidenced.core.incidents.states import CLIPS, ClipState, ExportState
from evidenced.core.instants import ANCIENT, DAY, ZERO
from evidenced.core.keeping.evidence import RECORD
from evidenced.core.keeping.kept import KeptAlarm
from evidenced.core.keeping.still import MOST as MOST_STILLS
from evidenced.core.keeping.still import MOST_CAMERAS, Still, StillState
from evidenced.core.recorder import DeviceWindow
from evidenced.core.telling.said import Said, said_in
from evidenced.core.telling.written import WHAT, read_record
from evidenced.core.terms import Terms
from evidenced.core.window import Window

MOST_BYTES = 16 << 20
"""Of a record that is taken in: some hundred alarms as they are kept, escaped."""
MOST_CLIPS = 1_000
MOST_ALARMS = 200
MOST_EXPORTS = 1_000
MOST_DEVICES = 1_000
MOST_FIELDS = 100
MOST_GAPS = 1_000
MOST_PAYLOADS = 4 << 20
"""Bytes of all payloads of one incident; the store keeps three of these MiB itself."""
MOST_NUMBER = 2**31 - 1
"""What every database takes for a number."""
NAME = 100
TEXT = 500
NOT_YET = "it was not exported yet when its record was written"
_ENDED = frozenset(state for state in ClipState if CLIPS[state].is_ended)
_BESIDE = frozenset({"clip", "start", "end", "asked", "progress"})
"""Of a device in a record: what is no part of its address. Source: `objects`."""
_ABOUT = frozenset(
    {
        *("n", "camera", "label", "recorder", "start", "end", "state", "reason"),
        *("attempts", "code", "message", "next_try", "coverage", "stills"),
    }
)
"""The same of a clip."""

T = TypeVar("T")
W = TypeVar("W", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What the store takes of one record; `exports` are those to its folder.

    The numbers of exports are the record's: the store gives them its own.
    """

    incident: Incident
    alarms: tuple[KeptAlarm, ...]
    exports: tuple[ExportRequest, ...]
    stills: tuple[Still, ...]


def read_import(data: bytes, terms: Terms, path: str, now: datetime) -> Imported:
    """What a record says, to be kept from now on for its folder at `path`.

    `terms` are those of its destination, which say nothing of a rule.

    Raises:
        BadInput: it is no record, or says what no incident can have been.
    """
    if len(data) > MOST_BYTES:
        raise BadInput(f"{RECORD} is larger than {MOST_BYTES >> 20} MiB")
    written = read_record(data)
    whole = said_in(data, WHAT)
    said = whole.within("incident")
    try:
        incident = _incident(said, terms, now)
        return Imported(
            incident=incident,
            alarms=tuple(_alarms(said, incident)),
            exports=tuple(_exports(said, incident, written.folder, path)),
            stills=tuple(_stills(said, incident)),
        )
    except OverflowError:
        raise whole.damaged("an instant in it is none") from None


def _incident(said: Said, terms: Terms, now: datetime) -> Incident:
    name = said.text("id")
    if not is_id(name):
        raise said.damaged("its `incident.id` is none")
    opened = _instant(said, "opened")
    clips = tuple(_clip(each, opened) for each in _some(said, "clips", MOST_CLIPS))
    _distinct(said, "clips", (clip.n for clip in clips))
    if opened > now + DAY:
        raise said.damaged("its `incident.opened` is still to come")
    continues = said.maybe("continues", str) or ""
    times = [_instant(each, "time") for each in _some(said, "alarms", MOST_ALARMS)]
    return Incident(
        id=IncidentId(name),
        rule=RuleName(said.line("rule", NAME)),
        key=GroupKey(said.line("key")),
        opened_at=opened,
        first_at=opened,
        last_at=max([opened, *times]),
        is_open=False,
        fields=_fields(said),
        terms=_terms(said, terms),
        clips=clips,
        alarms=min(said.number("alarm_count"), MOST_NUMBER),
        reason=_word(Reason, said.maybe("reason", str)),
        continues=IncidentId(continues) if is_id(continues) else None,
        imported_at=now,
    ).settled(now)


def _terms(said: Said, terms: Terms) -> Terms:
    """By these nothing is asked for; a summary is a text by now, and no template."""
    summary = one_line(said.maybe("summary", str) or "", TEXT)
    return replace(
        terms,
        label=one_line(said.maybe("label", str) or "", NAME),
        summary=summary.replace("{", "(").replace("}", ")"),
    )


def _fields(said: Said) -> dict[str, FieldValue]:
    found = said.maybe("fields", dict) or {}
    if len(found) > MOST_FIELDS:
        raise said.damaged("it has too many `incident.fields`")
    return {
        one_line(str(name), NAME): (
            tuple(one_line(str(each), TEXT) for each in value[:MOST_FIELDS])
            if isinstance(value, list)
            else one_line(str(value), TEXT)
        )
        for name, value in found.items()
    }


def _clip(said: Said, opened: datetime) -> Clip:
    state = _word(ClipState, said.text("state"))
    if state is None:
        raise said.damaged("a clip of it has a state that there is not")
    is_over = state in _ENDED
    window = _window(said)
    message = one_line(said.maybe("message", str) or "", TEXT)
    return Clip(
        n=_number(said, "n"),
        camera=CameraName(said.line("camera", NAME)),
        label=said.line("label", NAME),
        recorder=RecorderName(said.line("recorder", NAME)),
        address=_address(said, _ABOUT),
        window=window,
        post_roll=ZERO,
        state=state if is_over else ClipState.MISSING,
        due_at=opened,
        rank=opened,
        attempts=_number(said, "attempts"),
        code=one_line(said.maybe("code", str) or "", NAME),
        message=message if is_over else NOT_YET,
        reason=_word(Reason, said.maybe("reason", str)),
        coverage=_coverage(said),
    )


def _coverage(said: Said) -> Coverage:
    """Never none: nothing of it is to be asked of a recorder."""
    found = said.maybe("coverage", dict)
    if found is None:
        return NOT_ASKED
    about = said.of(found, "coverage")
    state = _word(CoverageState, about.text("state"))
    return Coverage(
        state=state or CoverageState.UNKNOWN,
        gaps=tuple(_window(each) for each in _some(about, "gaps", MOST_GAPS)),
        is_loss=about.maybe("is_loss", bool) is True,
        text=one_line(about.maybe("message", str) or "", TEXT),
    )


def _alarms(said: Said, incident: Incident) -> Iterator[KeptAlarm]:
    room, numbers = MOST_PAYLOADS, list[int]()
    for each in _some(said, "alarms", MOST_ALARMS):
        payload = _payload(each)
        room -= len(payload)
        numbers.append(_number(each, "n"))
        if room < 0 or len(payload) > WHOLE_BYTES:
            raise said.damaged("its messages are longer than evidenced keeps any")
        signal = _word(Signal, each.text("signal"))
        if signal is None:
            raise said.damaged("an alarm of it is neither on nor off")
        yield KeptAlarm(
            incident=incident.id,
            n=numbers[-1],
            received_at=_instant(each, "received"),
            at=_instant(each, "time"),
            signal=signal,
            time_source=each.line("time_source", NAME),
            topic=each.line("topic", MAX_TOPIC),
            payload=payload,
            whole=_whole(each),
        )
    _distinct(said, "alarms", numbers)


def _payload(said: Said) -> bytes:
    text = said.text("payload")
    try:
        if said.text("encoding") == "base64":
            return base64.b64decode(text, validate=True)
        return text.encode()
    except (binascii.Error, ValueError):
        raise said.damaged("a message of it is none") from None


def _whole(said: Said) -> Whole | None:
    found = said.maybe("cut_from", dict)
    if found is None:
        return None
    about = said.of(found, "cut_from")
    return Whole(size=about.number("bytes"), sha256=about.digest("sha256"))


def _exports(
    said: Said, incident: Incident, folder: str, path: str
) -> Iterator[ExportRequest]:
    numbers = list[tuple[str, int]]()
    for each in _some(said, "exports", MOST_EXPORTS):
        is_here = each.text("path") == folder
        if not is_here or each.text("state") != ExportState.EXPORTED:
            continue
        recorder, n = RecorderName(each.line("recorder", NAME)), _number(each, "n")
        numbers.append((recorder, n))
        offset = timedelta(seconds=_offset(each))
        asked = _instant(each, "requested")
        yield ExportRequest(
            id=0,
            incident=incident.id,
            recorder=recorder,
            destination=incident.terms.destination,
            n=n,
            path=path,
            bandwidth=each.number("bandwidth"),
            devices=tuple(_device(one) for one in _some(each, "devices", MOST_DEVICES)),
            offset=offset,
            state=ExportState.EXPORTED,
            requested_at=asked,
            finished_at=_instant(each, "finished"),
            code=one_line(each.maybe("code", str) or "", NAME),
            text=one_line(each.maybe("message", str) or "", TEXT),
        )
    _distinct(said, "exports", numbers)


def _offset(said: Said) -> float:
    found = said.maybe("clock_offset_s", float)
    is_sane = found is not None and abs(found) < DAY.total_seconds()
    return found if is_sane and found is not None else 0.0


def _device(said: Said) -> ExportedDevice:
    asked = said.within("asked")
    return ExportedDevice(
        clip=_number(said, "clip"),
        asked=DeviceWindow(address=_address(said, _BESIDE), window=_window(asked)),
        percent=100.0,
    )


def _stills(said: Said, incident: Incident) -> Iterator[Still]:
    """Those whose pictures lie beside the footage."""
    numbers = list[int]()
    by_n = {clip.n: clip for clip in incident.clips}
    for clip in _some(said, "clips", MOST_CLIPS):
        of = by_n[_number(clip, "n")]
        for each in islice(clip.some("stills"), MOST_STILLS):
            if each.text("state") != StillState.KEPT:
                continue
            numbers.append(_number(each, "n"))
            yield Still(
                incident=incident.id,
                n=numbers[-1],
                camera=of.camera,
                recorder=of.recorder,
                address=of.address,
                wanted_at=_instant(each, "wanted"),
                state=StillState.KEPT,
                due_at=None,
                at=_instant(each, "at"),
                sha256=each.digest("sha256"),
                size_bytes=_number(each, "bytes"),
                width=_number(each, "width"),
                height=_number(each, "height"),
            )
    if len(numbers) > MOST_STILLS * MOST_CAMERAS:
        raise said.damaged("it has too many pictures")
    _distinct(said, "stills", numbers)


def _address(said: Said, beside: frozenset[str]) -> Address:
    """What a record says of a camera besides all that has a name: texts."""
    return address_of(
        {
            one_line(name, NAME): one_line(value, NAME)
            for name, value in islice(said.others(beside), 10)
            if isinstance(value, str)
        }
    )


def _window(said: Said) -> Window:
    start, end = _instant(said, "start"), _instant(said, "end")
    if start > end:
        raise said.damaged("a window of it ends before it begins")
    return Window(start=start, end=end)


def _instant(said: Said, key: str) -> datetime:
    found = said.instant(key).astimezone(UTC)
    if found < ANCIENT:
        raise said.damaged(f"its `{key}` is no instant that footage can have")
    return found.replace(microsecond=found.microsecond // 1000 * 1000)


def _number(said: Said, key: str) -> int:
    found = said.number(key)
    if found > MOST_NUMBER:
        raise said.damaged(f"its `{key}` is too large")
    return found


def _some(said: Said, key: str, most: int) -> list[Said]:
    found = list(islice(said.each(key), most + 1))
    if len(found) > most:
        raise said.damaged(f"it has more than {most} `{key}`")
    return found


def _distinct(said: Said, what: str, numbers: Iterable[object]) -> None:
    found = list(numbers)
    if len(set(found)) < len(found):
        raise said.damaged(f"two of its `{what}` have one number")


def _word(kind: type[W], text: str | None) -> W | None:
    """The word of that text; None where this version has none of it."""
    return next((word for word in kind if word.value == text), None)
