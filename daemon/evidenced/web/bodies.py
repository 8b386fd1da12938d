"""Bodies of requests: read within bounds of time, and held to a model if they matter.

aiohttp bounds their size.
"""

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Annotated, Literal, Self, TypeVar
from urllib.parse import parse_qsl

from aiohttp import web
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from evidenced.config.units import parse_duration
from evidenced.core.alarms.fields import MAX_VALUE
from evidenced.core.alarms.payload import one_line
from evidenced.core.errors import BadInput
from evidenced.core.ids import DestinationName
from evidenced.core.incidents.byhand import FootageOrder, MoreOrder
from evidenced.core.incidents.silence import SilenceOrder, Subject
from evidenced.core.instants import ZERO, floor_ms, render_utc
from evidenced.core.keeping.importing import ImportOrder
from evidenced.core.phrase import kept, phrase
from evidenced.web.doors import awaited
from evidenced.web.query import MAX_TEXT, read_time

BODY_S = 10.0
"""Time for a body to arrive; ours are a few hundred bytes."""
FORM = "application/x-www-form-urlencoded"
UTF_8 = "utf-8"
"""Any other coding that a request names is refused: some are none of text at all."""
MAX_FIELD = 2000
MAX_FIELDS = 32
"""Named values of a trigger; rules have a handful."""
MAX_AUTHOR = 60
MAX_CAMERAS = 200
"""Named at once, by hand; a form may have a box for each."""


async def read_body(request: web.Request) -> bytes:
    """All of it, also where it means nothing: it has to be off the wire.

    Raises:
        BadInput: it did not arrive in time, or not whole.
    """
    try:
        async with asyncio.timeout(BODY_S), awaited(request):
            return await request.read()
    except TimeoutError:
        raise BadInput(
            phrase("the body did not arrive within {body_s} s", body_s=f"{BODY_S:.0f}")
        ) from None
    except ConnectionError:  # nobody is there to read this, and no bug is to be logged
        raise BadInput(
            phrase("the connection was lost before the body's end")
        ) from None


async def read_form(request: web.Request) -> Mapping[str, str]:
    """The fields of a form, all of them text.

    Raises:
        BadInput: it is too large, no form as pages send it, or not whole.
    """
    return form_fields(await _form_body(request))


async def _form_body(request: web.Request) -> bytes:
    if request.content_type != FORM or (request.charset or UTF_8).lower() != UTF_8:
        raise BadInput(phrase("a form is {form} in UTF-8", form=FORM))
    return await read_body(request)


def form_fields(raw: bytes) -> Mapping[str, str]:
    """What a form says; of a name that comes twice the last.

    Raises:
        BadInput: too many fields, or one too long.
    """
    return dict(_pairs(raw, MAX_FIELDS))


def _pairs(raw: bytes, most: int) -> list[tuple[str, str]]:
    text = raw.decode("utf-8", "replace")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=most)
    except ValueError:
        raise BadInput(phrase("a form has at most {most} fields", most=most)) from None
    for name, text in pairs:
        if len(text) > MAX_FIELD:
            raise BadInput(
                phrase(
                    "{name} is longer than {max_field}",
                    name=one_line(name, 40),
                    max_field=MAX_FIELD,
                )
            )
    return pairs


@dataclass(frozen=True, slots=True)
class BoxForm:
    """A form with boxes, of which these were chosen, and its other fields."""

    chosen: tuple[str, ...]
    fields: Mapping[str, str]

    def at(self, name: str, zone: tzinfo) -> str:
        """The instant of a field whose time is local, as a body has it; "" if empty.

        Raises:
            BadInput: it is no time.
        """
        text = self.fields.get(name, "").strip()
        try:
            return text and render_utc(
                floor_ms(datetime.fromisoformat(text).replace(tzinfo=zone))
            )
        except (ValueError, OverflowError):
            raise BadInput(
                phrase(
                    "{name}: write a date and a time, as 2026-11-23 06:15", name=name
                )
            ) from None


async def read_boxes(request: web.Request, box: str = "camera") -> BoxForm:
    """Such a form, whose boxes are all called so. Raises as `read_form`."""
    pairs = _pairs(await _form_body(request), MAX_FIELDS + MAX_CAMERAS)
    chosen = tuple(text for name, text in pairs if name == box)
    return BoxForm(chosen, {name: text for name, text in pairs if name != box})


def _line(most: int) -> AfterValidator:
    def check(text: str) -> str:
        if one_line(text, most) != text:
            raise ValueError(
                phrase("write at most {most} characters on one line", most=most)
            )
        return text

    return AfterValidator(check)


def _instant(name: str, value: object) -> object:
    if value is not None and not isinstance(value, str):
        raise ValueError(phrase("write a text such as 2026-11-23T06:15:30Z"))
    return read_time(name, value) if value else None


def _by_field_name(value: object, info: ValidationInfo) -> object:
    return _instant(info.field_name or "", value)


def _length(value: object) -> object:
    try:
        return parse_duration(str(value)) if value else None
    except (ValueError, OverflowError):
        raise ValueError(phrase("write a duration such as 90m, 2h or 3d")) from None


TextLine = Annotated[str, _line(MAX_TEXT)]


def _digest(text: str) -> str:
    if not re.fullmatch("[0-9a-f]{64}", text):
        raise ValueError("write 64 digits, 0-9 and a-f")
    return text


Digest = Annotated[str, AfterValidator(_digest)]
FolderName = Annotated[str, _line(255)]
Value = Annotated[str, _line(MAX_VALUE)]
Named = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
Instant = Annotated[datetime | None, BeforeValidator(_by_field_name)]
From = Annotated[
    datetime | None,
    BeforeValidator(lambda value: _instant("from", value)),
    Field(alias="from"),
]
To = Annotated[
    datetime | None,
    BeforeValidator(lambda value: _instant("to", value)),
    Field(alias="to"),
]
Length = Annotated[timedelta | None, BeforeValidator(_length)]


class Body(BaseModel):
    """What a POST says. Null is as good as absent where there is a default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        return {key: said for key, said in value.items() if said is not None}


class TriggerBody(Body):
    """An incident to be opened by hand; `at` None is now."""

    rule: Annotated[str, StringConstraints(min_length=1), _line(MAX_TEXT)]
    fields: Annotated[dict[Named, Value], Field(max_length=MAX_FIELDS)] = {}
    at: Instant = None


class CommentBody(Body):
    """A text that somebody adds to an incident."""

    comment: Annotated[str, StringConstraints(min_length=1), _line(MAX_TEXT)]


class AcknowledgeBody(CommentBody):
    """Somebody takes note of what is lost, as it was shown up to `seen`."""

    seen: Instant = None


CameraNames = Annotated[tuple[TextLine, ...], Field(max_length=MAX_CAMERAS)]


class SaveBody(CommentBody):
    """Footage by hand: which cameras, from when to when, and why; where to."""

    cameras: CameraNames
    start: From
    end: To
    destination: TextLine = ""

    def order(self) -> FootageOrder:
        """What is asked for.

        Raises:
            BadInput: a time is empty.
        """
        if self.start is None or self.end is None:
            raise BadInput(phrase("say from when and to when"))
        return FootageOrder(
            cameras=self.cameras,
            start=self.start,
            end=self.end,
            comment=self.comment,
            destination=self.destination,
        )


class MoreBody(Body):
    """More of an incident; one of the two at least."""

    until: Instant = None
    cameras: CameraNames = ()

    def order(self) -> MoreOrder:
        return MoreOrder(until=self.until, cameras=self.cameras)


class MovedBody(Body):
    """What became of footage by somebody's hands: moved to a place, or deleted."""

    became: Literal["disposed", "moved"]
    to: TextLine = ""
    comment: TextLine = ""

    @model_validator(mode="after")
    def _has_place(self) -> Self:
        if (self.became == "moved") != bool(self.to):
            raise ValueError(phrase('say where it was moved to ("to"), and only then'))
        return self


class ImportBody(Body):
    """A folder whose record is to be taken into the store; see `ImportOrder`."""

    destination: TextLine
    folder: Annotated[tuple[FolderName, ...], Field(max_length=32)]
    record: Digest
    key: Annotated[str, AfterValidator(lambda text: text and _digest(text))] = ""
    unsigned: bool = False
    instance: TextLine = ""

    def order(self) -> ImportOrder:
        return ImportOrder(
            destination=DestinationName(self.destination),
            way=self.folder,
            record=self.record,
            key=bytes.fromhex(self.key) or None,
            is_unsigned=self.unsigned,
            instance=self.instance,
        )


class OrderBody(Body):
    """An order about an incident, and why; most need no reason.

    `again` asks for what is exported, too.
    """

    comment: TextLine = ""
    again: bool = False


class SilenceBody(Body):
    """A silence to begin; an empty text is as good as none, as forms send it."""

    rule: TextLine = ""
    camera: TextLine = ""
    topic: str = ""
    start: From = None
    until: Instant = None
    length: Annotated[Length, Field(alias="for")] = None
    comment: str = ""
    author: Annotated[str, _line(MAX_AUTHOR)] = ""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if sum(bool(getattr(self, each)) for each in Subject) != 1:
            raise ValueError(
                phrase("say one of rule, camera and topic: what is to be silent")
            )
        if (self.until is None) == (self.length is None):
            raise ValueError(
                phrase('say until when ("until": a time) or how long ("for": "2h")')
            )
        return self

    def order(self, now: datetime) -> SilenceOrder:
        """What is asked for, at this instant; its length counts from its start.

        Raises:
            BadInput: it would end after the last year there is.
        """
        subject = next(each for each in Subject if getattr(self, each))
        try:
            until = self.until or max(self.start or now, now) + (self.length or ZERO)
        except OverflowError:
            raise BadInput(phrase("for is too long")) from None
        return SilenceOrder(
            subject=subject,
            name=getattr(self, subject).strip(),
            until=until,
            comment=self.comment.strip(),
            start=self.start,
        )


B = TypeVar("B", bound=Body)

_SAID = {
    "string_type": phrase("write a text"),
    "string_too_short": phrase("write a name"),
    "string_pattern_mismatch": phrase("use letters, digits and _"),
    "dict_type": phrase("write an object of named texts"),
    "too_long": phrase("at most {max_fields} are read", max_fields=MAX_FIELDS),
}


def read_json(model: type[B], raw: bytes) -> B:
    """What a body in JSON says.

    Raises:
        BadInput: no JSON object, or a key that is unknown, missing or wrong: which.
    """
    return _held(model, lambda: model.model_validate_json(raw))


def read_hand(raw: bytes) -> SaveBody | TriggerBody:
    """An incident by hand: footage of cameras, else as an alarm of a rule would.

    Raises:
        BadInput: as `read_json`.
    """
    try:
        said = json.loads(raw)
    except (ValueError, RecursionError):
        said = None
    is_footage = isinstance(said, dict) and "cameras" in said
    return read_json(SaveBody, raw) if is_footage else read_json(TriggerBody, raw)


def read_fields(model: type[B], fields: Mapping[str, object]) -> B:
    """The same of a form.

    Raises:
        BadInput: as `read_json`.
    """
    return _held(model, lambda: model.model_validate(dict(fields)))


def _held(model: type[B], read: Callable[[], B]) -> B:
    try:
        return read()
    except ValidationError as error:
        raise BadInput(_sentence(model, error)) from None


def _sentence(model: type[Body], error: ValidationError) -> str:
    """The first fault, with its place; pydantic's own words where we have none."""
    fault = error.errors(include_url=False)[0]
    why = (
        str(fault["ctx"]["error"]) if "error" in fault.get("ctx", {}) else fault["msg"]
    )
    place = ".".join(str(each) for each in fault["loc"] if each != "[key]")
    if fault["type"] == "extra_forbidden":
        keys = (each.alias or name for name, each in model.model_fields.items())
        return phrase(
            "a key is {place}; there are {keys}",
            place=repr(place),
            keys=", ".join(keys),
        )
    if fault["type"] == "json_invalid":
        return phrase("the body is not JSON in UTF-8 ({why})", why=one_line(why, 100))
    if fault["type"] == "missing":
        return phrase("{place} is missing", place=place)
    if fault["type"] == "model_type":
        return "the body has to be a JSON object"
    if not place:
        return kept(why)
    shown = one_line(repr(fault["input"]), 80)
    return phrase(
        "{place} is {shown}; {type}",
        place=place,
        shown=shown,
        type=_SAID.get(fault["type"]) or kept(why),
    )
