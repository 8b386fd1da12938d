"""Forms: what one key may hold. Each parses, says what it must be, and renders back.

A form is put beside the type of a key (`Annotated[timedelta, Duration(...)]`) and is
all that reads that key, so the wording of every fault, the key reference
and the JSON Schema come from one place.
"""

import re
from abc import abstractmethod
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema
from typing_extensions import override

from evidenced.config.units import (
    parse_duration,
    parse_rate,
    parse_size,
    render_duration,
    render_rate,
    render_size,
)
from evidenced.core.wording import one_of, show

MAX_TEXT = 4096
"""Characters of any text: longer ones are no configuration but an accident."""


def text_of(value: object, *, most: int = MAX_TEXT) -> str:
    """The value if it is text of a bearable length.

    Raises:
        ValueError: it is not.
    """
    if not isinstance(value, str) or len(value) > most:
        raise ValueError
    return value


@dataclass(frozen=True, kw_only=True)
class Form:
    """What a key may hold, in words, as a check, and as a JSON Schema."""

    wrong: ClassVar[object] = False
    """A value that the form refuses, for the key reference."""

    @property
    @abstractmethod
    def must_be(self) -> str:
        """What it must be, so that "must be ..., not ..." is a sentence."""

    @abstractmethod
    def parse(self, value: object) -> object:
        """The checked value.

        Raises:
            BadInput: it is wrong in a way that has a sentence of its own.
            ValueError: it is not in this form.
        """

    @property
    def is_secret(self) -> bool:
        """Whether what was found must not be repeated."""
        return False

    @property
    def schema(self) -> dict[str, Any]:
        return {"type": "string"}

    def render(self, value: Any) -> object:  # noqa: ANN401 - each form knows its own
        """The value as TOML would hold it."""
        return value

    def refuse(self, value: object) -> str:
        shown = show(value, is_secret=self.is_secret)
        return f"must be {self.must_be}, not {shown}"

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.any_schema(
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda value: None if value is None else self.render(value)
            ),
        )


@dataclass(frozen=True, kw_only=True)
class Duration(Form):
    """A duration within bounds, both included."""

    least: str = "0s"
    most: str
    such_as: str = "30s"
    wrong: ClassVar[object] = "30 parsecs"

    @property
    @override
    def must_be(self) -> str:
        return (
            f'a duration from "{self.least}" to "{self.most}" such as "{self.such_as}"'
        )

    @override
    def parse(self, value: object) -> timedelta:
        duration = parse_duration(text_of(value))
        if not parse_duration(self.least) <= duration <= parse_duration(self.most):
            raise ValueError
        return duration

    @property
    @override
    def schema(self) -> dict[str, Any]:
        units = "".join(rf"( *[0-9]{{1,9}} *{unit})?" for unit in "dhms")
        return {"type": "string", "pattern": rf"^{units}( *[0-9]{{1,9}} *ms)? *$"}

    @override
    def render(self, value: Any) -> object:
        return render_duration(value)


@dataclass(frozen=True, kw_only=True)
class _Amount(Form):
    """A number from 0 to MOST, that may be written with a unit."""

    MOST: ClassVar[int]
    PATTERN: ClassVar[str]

    @staticmethod
    @abstractmethod
    def read(text: str) -> int:
        """The number that the text says; ValueError where it says none."""

    @staticmethod
    @abstractmethod
    def tell(amount: int) -> str:
        """The number with its unit."""

    @override
    def parse(self, value: object) -> int:
        amount = -1
        if isinstance(value, str):
            amount = self.read(value)
        elif isinstance(value, int) and not isinstance(value, bool):
            amount = value
        if not 0 <= amount <= self.MOST:
            raise ValueError
        return amount

    @override
    def refuse(self, value: object) -> str:
        """The bound comes last in `must_be`, so what was found comes first."""
        return f"{show(value)} is not {self.must_be}"

    @property
    @override
    def schema(self) -> dict[str, Any]:
        return {
            "anyOf": [
                {"type": "string", "pattern": self.PATTERN},
                {"type": "integer", "minimum": 0, "maximum": self.MOST},
            ]
        }

    @override
    def render(self, value: Any) -> object:
        return self.tell(value) if value else 0


@dataclass(frozen=True, kw_only=True)
class Rate(_Amount):
    """Bytes per second; 0 is unlimited.

    At most what fits a signed 32-bit number (assumed: what the recorder takes is
    unknown, sense-api.md B "unknown" 10).
    """

    MOST: ClassVar[int] = 2**31 - 1
    PATTERN: ClassVar[str] = "^ *[0-9.]+ *([kKMG]i?)?(B|bit)/s *$"
    wrong: ClassVar[object] = "20 Mb/s"

    @staticmethod
    @override
    def read(text: str) -> int:
        return parse_rate(text)

    @staticmethod
    @override
    def tell(amount: int) -> str:
        return render_rate(amount)

    @property
    @override
    def must_be(self) -> str:
        return (
            'a rate such as "20 Mbit/s", "2 MB/s" or "500 kB/s", or plain bytes per '
            "second, below 2 GiB/s; 0 is unlimited"
        )


@dataclass(frozen=True, kw_only=True)
class Size(_Amount):
    """Room on a disk, in bytes."""

    MOST: ClassVar[int] = 10**15
    PATTERN: ClassVar[str] = "^ *[0-9.]+ *([kKMG]i?)?B *$"
    wrong: ClassVar[object] = "plenty"

    @staticmethod
    @override
    def read(text: str) -> int:
        return parse_size(text)

    @staticmethod
    @override
    def tell(amount: int) -> str:
        return render_size(amount)

    @property
    @override
    def must_be(self) -> str:
        return 'a size such as "10 GB" or "500 MB", or plain bytes; 0 asks for none'


@dataclass(frozen=True, kw_only=True)
class Text(Form):
    """Printable text; `pattern` and `must` narrow it."""

    what: str
    pattern: str = r"[^\x00-\x1f\x7f]+"
    most: int = 512
    is_private: bool = False
    wrong: ClassVar[object] = 1001

    @property
    @override
    def must_be(self) -> str:
        return self.what

    @override
    def parse(self, value: object) -> object:
        text = text_of(value, most=self.most)
        if re.fullmatch(self.pattern, text) is None:
            raise ValueError
        return text

    @property
    @override
    def schema(self) -> dict[str, Any]:
        return {"type": "string", "maxLength": self.most}

    @property
    @override
    def is_secret(self) -> bool:
        return self.is_private

    @override
    def refuse(self, value: object) -> str:
        if self.is_secret:
            return super().refuse(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return f"must be {self.must_be}, in quotes, not the number {show(value)}"
        return super().refuse(value)


@dataclass(frozen=True, kw_only=True)
class File(Form):
    """The path of a file or folder on this host, absolute."""

    what: str = "the absolute path of a file"
    such_as: str = "/etc/evidenced/ca.pem"
    wrong: ClassVar[object] = "ca.pem"

    @property
    @override
    def must_be(self) -> str:
        return f'{self.what} such as "{self.such_as}"'

    @override
    def parse(self, value: object) -> Path:
        text = text_of(value)
        if not text.startswith("/") or "\0" in text:
            raise ValueError
        return Path(text)

    @override
    def render(self, value: Any) -> object:
        return str(value)


@dataclass(frozen=True, kw_only=True)
class WholeNumber(Form):
    """A whole number within bounds, both included."""

    least: int
    most: int
    wrong: ClassVar[object] = "many"

    @property
    @override
    def must_be(self) -> str:
        return f"a whole number from {self.least} to {self.most}"

    @override
    def parse(self, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueError  # noqa: TRY004 - one kind of error
        if not self.least <= value <= self.most:
            raise ValueError
        return value

    @property
    @override
    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True, kw_only=True)
class Flag(Form):
    wrong: ClassVar[object] = "yes"

    @property
    @override
    def must_be(self) -> str:
        return "true or false"

    @override
    def parse(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise ValueError  # noqa: TRY004 - one kind of error
        return value

    @property
    @override
    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclass(frozen=True, kw_only=True)
class Choice(Form):
    """One of a few words or numbers."""

    words: tuple[str | int, ...]
    wrong: ClassVar[object] = "other"

    @property
    @override
    def must_be(self) -> str:
        if isinstance(self.words[0], int):
            return one_of(map(str, self.words)).replace('"', "")
        return one_of(map(str, self.words))

    @override
    def parse(self, value: object) -> object:
        # 1 == 1.0 == True in Python, not in TOML
        if isinstance(value, str | int) and not isinstance(value, bool):
            for word in self.words:
                if word == value:
                    return word
        raise ValueError

    @property
    @override
    def schema(self) -> dict[str, Any]:
        return {"enum": list(self.words)}
