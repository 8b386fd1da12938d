"""What a rule reads beside the time: named values, the group key, the cameras meant.

Values come from payloads and topics, so they are bounded and free of control characters
here, once; whoever builds a path or a page of them escapes for that place.
"""

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import islice, product
from json import JSONEncoder

from evidenced.core.alarms.braces import NAMED
from evidenced.core.alarms.payload import one_line
from evidenced.core.camera import CameraRef
from evidenced.core.ids import FieldValue, GroupKey

MAX_VALUE = 200
"""Characters of one value: a name, a plate, a card; not a document."""

MAX_ITEMS = 1000
"""Items kept of a list, and names that a rule's templates can give: what `cameras` may
hold. More is told as a fault, and as a camera that nobody configured."""

_PADDING = " \t\r\n\0"

MAX_NAMES = 10_000
"""Names that one template can give at all: two lists of a thousand give a million."""


def field_value(value: object) -> FieldValue | None:
    """A captured level or an expression's value as text; None when there is none.

    White space and NUL at its ends are left out: panels pad names.

    A list gives one text for each item that has one; an object gives compact JSON, so
    that what was asked for is seen even if it was not what was meant.
    Null, an empty list and numbers that are not finite give none.
    """
    if isinstance(value, list):
        texts = (_text(item) for item in islice(value, MAX_ITEMS))
        return tuple(text for text in texts if text is not None) or None
    return _text(value)


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return one_line(value.strip(_PADDING), MAX_VALUE)
    if value is None:
        return None
    if isinstance(value, float):
        return _number(value)
    try:
        # true, false and integers are spelt as JSON spells them, too.
        return one_line(_JSON.encode(value), MAX_VALUE)
    except (TypeError, ValueError, RecursionError):
        return None  # an expression reference (&name), or a structure jmespath made


def _number(value: float) -> str | None:
    """Digits as JSON wrote them: no exponent, and 5.0 is 5, for they are the same.

    Source: RFC 8259, 6: JSON has one kind of number.
    """
    if not math.isfinite(value):
        return None
    if value.is_integer():
        return one_line(str(int(value)), MAX_VALUE)
    return one_line(format(Decimal(repr(value)), "f"), MAX_VALUE)


def id_text(value: object) -> str:
    """A source's own id as text, whole: two that differ anywhere are two. "": none."""
    if isinstance(value, str):
        return value.strip(_PADDING)
    return _text(value) or ""


def group_key(names: Iterable[str], fields: Mapping[str, FieldValue]) -> GroupKey:
    """The values of a rule's `group_by`: what is kept of them differs, or is one key.

    Joined by "/"; "%", "/" and "," inside are escaped as in addresses; each item of a
    list is followed by ",". A missing field (or an empty list) counts as "".
    """
    return GroupKey("/".join(_key_part(fields.get(name, "")) for name in names))


def _key_part(value: FieldValue) -> str:
    if isinstance(value, tuple):
        return "".join(f"{_escape(item)}," for item in value)
    return _escape(value)


def _escape(text: str) -> str:
    # Nearly no name has any of the three.
    if "%" in text or "/" in text or "," in text:
        return text.replace("%", "%25").replace("/", "%2F").replace(",", "%2C")
    return text


def expand_cameras(
    templates: Iterable[str], fields: Mapping[str, FieldValue]
) -> tuple[CameraRef, ...]:
    """The cameras and groups that templates mean with these values, each once.

    A list gives one name for each item. A field that is missing or empty keeps its
    braces in the name, which then is a name that nobody configured, and is told.
    """
    refs: dict[CameraRef, None] = {}
    left_out = 0
    for template in templates:
        for name in _expand(template.removeprefix("@"), fields):
            ref = CameraRef(name, template.startswith("@"))
            if len(refs) < MAX_ITEMS or ref in refs:
                refs[ref] = None
            else:
                left_out += 1
    if left_out:
        refs[CameraRef(f"{left_out} more than the {MAX_ITEMS} that are used")] = None
    return tuple(refs)


def _expand(text: str, fields: Mapping[str, FieldValue]) -> Iterable[str]:
    if "{" not in text:
        return (text,)
    # split gives literal, name, literal, name, ..., literal
    parts = NAMED.split(text)
    choices = [
        _choices(part, fields) if index % 2 else (part,)
        for index, part in enumerate(parts)
    ]
    return map("".join, islice(product(*choices), MAX_NAMES))


def _choices(name: str, fields: Mapping[str, FieldValue]) -> tuple[str, ...]:
    value = fields.get(name) or ()
    values = (value,) if isinstance(value, str) else value
    return tuple(text for text in values if text) or (f"{{{name}}}",)


_JSON = JSONEncoder(
    ensure_ascii=False, check_circular=False, separators=(",", ":"), sort_keys=True
)
