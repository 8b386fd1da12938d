"""How faults are said: one pattern for places, found values and nearest names."""

import difflib
import json
import re
from collections.abc import Iterable
from datetime import date, datetime, time
from itertools import islice

KeyPath = tuple[str | int, ...]
"""Where in the file: keys and list positions, ("rules", 2, "cameras", 0)."""

MAX_SHOWN = 60
"""Characters of a wrong value that are repeated in a sentence."""
MAX_COMPARED = 1000
"""Known names among which the nearest is looked for; each comparison takes its time."""
HUGE = 10**18
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_USERINFO = re.compile(r"//[^/@]*@")


def render_place(place: KeyPath) -> str:
    """The TOML path: rules[2].cameras[0], cameras."door 1".device."""
    text = ""
    for part in place:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + render_key(part)
    return text


def render_key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else quote(key)


def quote(text: str) -> str:
    """Quoted as TOML would, one line, bounded, nothing that a terminal acts upon."""
    if len(text) > MAX_SHOWN:
        text = text[: MAX_SHOWN - 3] + "..."
    text = _USERINFO.sub("//***@", text)
    is_plain = "'" not in text and ('"' in text or "\\" in text)
    quoted = f"'{text}'" if is_plain else json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in quoted)


def show(value: object, *, is_secret: bool = False) -> str:
    """A value that was found, short enough for a sentence; a secret's kind only."""
    match value:
        case bool():
            shown, kind = str(value).lower(), "true or false"
        case int():
            shown = str(value) if abs(value) < HUGE else "a huge number"
            kind = "a number"
        case float():
            shown, kind = str(value), "a number"
        case str():
            shown, kind = quote(value), "this text"
        case datetime() | date() | time():
            shown = kind = "a date or time without quotes"
        case dict():
            shown = kind = "a table"
        case _:
            shown = kind = "a list"
    return kind if is_secret else shown


def one_of(names: Iterable[str]) -> str:
    """'"a", "b" or "c"', in the order given."""
    quoted = [quote(name) for name in names]
    if len(quoted) < 2:  # noqa: PLR2004 - one name needs no "or"
        return "".join(quoted)
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def nearest(wrong: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant; None when none is near."""
    by_folded = {name.casefold(): name for name in islice(known, MAX_COMPARED)}
    found = difflib.get_close_matches(wrong[:MAX_SHOWN].casefold(), by_folded, n=1)
    return by_folded[found[0]] if found else None


def suggest(wrong: str, known: Iterable[str], *, what: str) -> str:
    """The end of a sentence about an unknown name: what to write instead.

    `what` is the plural of the things known ("cameras").
    """
    known = tuple(known)
    near = nearest(wrong, known)
    if near is not None:
        return f"did you mean {quote(near)}?"
    if not known:
        return f"there are no {what}"
    listed = ", ".join(quote(name) for name in sorted(known)[:12])
    more = ", ..." if len(known) > 12 else ""  # noqa: PLR2004 - as cut above
    return f"the {what} are {listed}{more}"


def shortened(text: str, most: int) -> str:
    """At most so many characters, by its beginning and its end.

    What people count up (`Camera of the north wing 03`) differs at its end.
    """
    if len(text) <= most:
        return text
    end = (most - 1) // 3
    return f"{text[: most - 1 - end]}…{text[len(text) - end :]}"
