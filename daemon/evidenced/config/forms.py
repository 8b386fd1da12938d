"""Forms: what one key may hold. Each reads, says what it must be, and renders back.

A form is put beside the type of a key (`Annotated[timedelta, duration(...)]`) and is
all that reads that key, so the wording of every fault, the key reference and the JSON
Schema come from one place.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from evidenced.config.units import (
    parse_duration,
    parse_rate,
    parse_size,
    render_duration,
    render_rate,
    render_size,
)
from evidenced.core.errors import BadInput
from evidenced.core.wording import one_of, show

MAX_TEXT = 4096
"""Characters of any text: longer ones are no configuration but an accident."""
MAX_RATE = 2**31 - 1
"""What fits a signed 32-bit number (assumed: what the recorder takes is unknown,
sense-api.md B "unknown" 10)."""
MAX_SIZE = 10**15


def _as_it_is(value: Any) -> object:  # noqa: ANN401 - each form knows its own
    return value


@dataclass(frozen=True, kw_only=True)
class Form:
    """What a key may hold, in words, as a check, and as a JSON Schema.

    `must_be` is such that "must be ..., not ..." is a sentence. `parse` gives the
    checked value; it raises BadInput where what is wrong has a sentence of its own,
    else ValueError. `render` gives the value as TOML would hold it. `wrong` is a value
    that is refused, for the key reference. What was found is never repeated if
    `is_secret`. `wording` is how a wrong value is refused; of text (`is_text`) a number
    only lacks its quotes.
    """

    must_be: str
    parse: Callable[[Any], Any]
    schema: dict[str, Any] = field(default_factory=lambda: {"type": "string"})
    render: Callable[[Any], object] = _as_it_is
    wrong: object = False
    is_secret: bool = False
    wording: str = "must be {must_be}, not {shown}"
    is_text: bool = False

    def refuse(self, value: object) -> str:
        """The sentence about a value that is none."""
        shown = show(value, is_secret=self.is_secret)
        if self.is_text and isinstance(value, int) and not isinstance(value, bool):
            shown = f"the number {shown}"
            return f"must be {self.must_be}, in quotes, not {shown}"
        return self.wording.format(must_be=self.must_be, shown=shown)

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.any_schema(
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda value: None if value is None else self.render(value)
            ),
        )


def text_of(value: object, *, most: int = MAX_TEXT) -> str:
    """The value if it is text of a bearable length.

    Raises:
        ValueError: it is not.
    """
    if not isinstance(value, str) or len(value) > most:
        raise ValueError
    return value


def check_length(text: str, most: int) -> None:
    """Nothing, where the text is of at most so many characters.

    Raises:
        BadInput: it is longer.
    """
    if len(text) > most:
        raise BadInput(f"must have at most {most} characters, not {len(text)}")


def duration(*, most: str, least: str = "0s", such_as: str = "30s") -> Form:
    """A duration within bounds, both included."""
    shortest, longest = parse_duration(least), parse_duration(most)

    def parse(value: object) -> timedelta:
        found = parse_duration(text_of(value))
        if not shortest <= found <= longest:
            raise ValueError
        return found

    units = "".join(rf"( *[0-9]{{1,9}} *{unit})?" for unit in "dhms")
    return Form(
        must_be=f'a duration from "{least}" to "{most}" such as "{such_as}"',
        parse=parse,
        schema={"type": "string", "pattern": rf"^{units}( *[0-9]{{1,9}} *ms)? *$"},
        render=render_duration,
        wrong="30 parsecs",
    )


def _amount(
    read: Callable[[str], int],
    tell: Callable[[int], str],
    *,
    most: int,
    pattern: str,
    must_be: str,
    wrong: str,
) -> Form:
    """A number from 0 to `most`, that may be written with a unit.

    The bound comes last in what it must be, so what was found comes first.
    """

    def parse(value: object) -> int:
        amount: object = read(value) if isinstance(value, str) else value
        if not isinstance(amount, int) or isinstance(amount, bool):
            raise ValueError  # noqa: TRY004 - one kind of error
        if not 0 <= amount <= most:
            raise ValueError
        return amount

    either = [
        {"type": "string", "pattern": pattern},
        {"type": "integer", "minimum": 0, "maximum": most},
    ]
    return Form(
        parse=parse,
        schema={"anyOf": either},
        render=lambda amount: tell(amount) if amount else 0,
        wording="{shown} is not {must_be}",
        must_be=must_be,
        wrong=wrong,
    )


def rate() -> Form:
    """Bytes per second; 0 is unlimited."""
    return _amount(
        parse_rate,
        render_rate,
        most=MAX_RATE,
        pattern="^ *[0-9.]+ *([kKMG]i?)?(B|bit)/s *$",
        must_be='a rate such as "20 Mbit/s", "2 MB/s" or "500 kB/s", or plain bytes '
        "per second, below 2 GiB/s; 0 is unlimited",
        wrong="20 Mb/s",
    )


def size() -> Form:
    """Room on a disk, in bytes."""
    return _amount(
        parse_size,
        render_size,
        most=MAX_SIZE,
        pattern="^ *[0-9.]+ *([kKMG]i?)?B *$",
        must_be='a size such as "10 GB" or "500 MB", or plain bytes; 0 asks for none',
        wrong="plenty",
    )


def text(
    what: str,
    *,
    pattern: str = r"[^\x00-\x1f\x7f]+",
    most: int = 512,
    is_secret: bool = False,
) -> Form:
    """Printable text; `pattern` narrows it."""
    is_one = re.compile(pattern).fullmatch

    def parse(value: object) -> str:
        found = text_of(value, most=len(value) if isinstance(value, str) else most)
        if is_one(found[:most]) is None:
            raise ValueError
        check_length(found, most)
        return found

    return Form(
        must_be=what,
        parse=parse,
        schema={"type": "string", "maxLength": most},
        wrong=1001,
        is_secret=is_secret,
        is_text=not is_secret,
    )


def file(
    what: str = "the absolute path of a file", such_as: str = "/etc/evidenced/ca.pem"
) -> Form:
    """The path of a file or folder on this host, absolute."""

    def parse(value: object) -> Path:
        path = text_of(value)
        if not path.startswith("/") or "\0" in path:
            raise ValueError
        return Path(path)

    return Form(
        must_be=f'{what} such as "{such_as}"', parse=parse, render=str, wrong="ca.pem"
    )


def whole(least: int, most: int) -> Form:
    """A whole number within bounds, both included."""

    def parse(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueError  # noqa: TRY004 - one kind of error
        if not least <= value <= most:
            raise ValueError
        return value

    return Form(
        must_be=f"a whole number from {least} to {most}",
        parse=parse,
        schema={"type": "integer", "minimum": least, "maximum": most},
        wrong="many",
    )


def flag() -> Form:
    """Yes or no."""

    def parse(value: object) -> bool:
        if not isinstance(value, bool):
            raise ValueError  # noqa: TRY004 - one kind of error
        return value

    return Form(
        must_be="true or false", parse=parse, schema={"type": "boolean"}, wrong="yes"
    )


def choice(*words: str | int) -> Form:
    """One of a few words or numbers."""

    def parse(value: object) -> str | int:
        # 1 == 1.0 == True in Python, not in TOML
        if isinstance(value, str | int) and not isinstance(value, bool):
            for word in words:
                if word == value:
                    return word
        raise ValueError

    listed = one_of(map(str, words))
    return Form(
        must_be=listed if isinstance(words[0], str) else listed.replace('"', ""),
        parse=parse,
        schema={"enum": list(words)},
        wrong="other",
    )
