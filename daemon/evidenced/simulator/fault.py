"""One fault of a scenario: when it strikes and what it does.

A call is struck when every condition that is given holds: it is of `command`, it comes
within `[at, at + lasts)` of the simulator's start, at least `nth` such calls were made,
fewer than `times` were struck, and the dice say so (`chance`).
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic import model_validator as validates

from evidenced.config.units import parse_duration

LONGEST = timedelta(days=999_999)
"""So that no sum of an instant and a duration leaves the calendar."""


def read_duration(value: object) -> object:
    """A timedelta for a text in our form; a timedelta stays what it is.

    Raises:
        ValueError: anything else; the text says what to write instead.
    """
    if isinstance(value, timedelta):
        return value
    try:
        length = parse_duration(str(value).removeprefix("-"))
    except (ValueError, OverflowError):
        length = None
    if not isinstance(value, str) or length is None or length > LONGEST:
        raise ValueError('write a duration like "250ms", "30s" or "1h30m"')
    return -length if value.startswith("-") else length


def read_moment(value: object) -> object:
    """An instant with its zone, or a duration counted from the simulator's start.

    Raises:
        ValueError: it is neither; the text says what to write instead.
    """
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("an instant needs its zone: 2026-01-31T12:00:00Z")
        return value
    return read_duration(value)


ScenarioDuration = Annotated[timedelta, BeforeValidator(read_duration)]
ScenarioMoment = Annotated[datetime | timedelta, BeforeValidator(read_moment)]


class Action(StrEnum):
    """What goes wrong: first on the wire, then at the recorder itself."""

    REFUSE = "refuse"
    """No connection: the request never arrives."""
    DELAY = "delay"
    """The answer comes `delay` late; the request is obeyed at once."""
    HANG = "hang"
    """No answer, ever."""
    CUT = "cut"
    """The connection breaks without an answer."""
    CUT_MIDDLE = "cut-middle"
    """The connection breaks within the answer; the request was obeyed."""
    STATUS = "status"
    """HTTP `status` and a page that says so."""
    GARBAGE = "garbage"
    """Bytes that are no XML."""
    TRUNCATE = "truncate"
    """A complete HTTP answer with half the XML; the request was obeyed."""
    HTML = "html"
    """HTTP 200 and a web page."""
    HUGE = "huge"
    """The answer with `size` bytes of blanks behind it."""
    CODE = "code"
    """A result with errorcode `code`."""

    FORGET = "forget"
    """The export is no longer known; its files stay as they are."""
    RESTART = "restart"
    """The plugin restarts: ids from 1; list and sessions go unless kept."""
    TAKE_ID = "take-id"
    """Somebody else's export is found under the export's id."""
    FAIL = "fail"
    """The export, or one `device` of it, fails at `percent`."""
    STALL = "stall"
    """The export stands still at `percent`, for `lasts` or for ever."""
    EMPTY = "empty"
    """The export runs and finishes as ever, and leaves its folder empty."""
    BLANK = "blank"
    """The same, with files that hold nothing."""
    WORD = "word"
    """The export's status is `word`, for `lasts` or for ever."""
    PAUSE = "pause"
    """For `lasts` no export moves and no request is answered."""


AT_RECORDER = frozenset(
    {
        Action.FORGET,
        Action.RESTART,
        Action.TAKE_ID,
        Action.FAIL,
        Action.STALL,
        Action.EMPTY,
        Action.BLANK,
        Action.WORD,
        Action.PAUSE,
    }
)
OBEYED_FIRST = frozenset(
    {Action.DELAY, Action.CUT_MIDDLE, Action.TRUNCATE, Action.HUGE}
)
"""Actions that change an answer, so that there has to be one."""

Percent = Annotated[float, Field(ge=0, le=100)]


class Strike(BaseModel):
    """`after`: the request is obeyed first, then struck."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: Action
    command: str | None = None
    nth: int = Field(default=1, ge=1)
    times: int | None = Field(default=None, ge=0)
    at: ScenarioDuration | None = None
    lasts: ScenarioDuration | None = None
    chance: float = Field(default=1.0, ge=0, le=1)
    after: bool = False
    delay: ScenarioDuration | None = None
    status: int = Field(default=500, ge=400, le=599)
    code: int = Field(default=-18, gt=-1_000_000, lt=1_000_000)
    size: int = Field(default=64 << 20, gt=0, le=1 << 32)
    percent: Percent = 0.0
    device: str | None = None
    exportid: int | None = Field(default=None, ge=1)
    word: str = "verarbeite"
    keep_list: bool = False
    keep_sessions: bool = False

    @property
    def is_at_recorder(self) -> bool:
        return self.action in AT_RECORDER

    @property
    def is_timed(self) -> bool:
        """Whether it strikes at an instant instead of at a call."""
        return self.is_at_recorder and self.command is None

    @property
    def is_before(self) -> bool:
        """Whether it strikes before the call is answered: a restart without `after`.

        What strikes an export strikes afterwards, so that a fault of exportVideo can
        strike the export that this very call began.
        """
        return self.action is Action.RESTART and not self.after

    @property
    def is_obeyed(self) -> bool:
        """Whether the struck request is obeyed all the same."""
        return self.after or self.action in OBEYED_FIRST

    @property
    def limit(self) -> float:
        """How many calls are struck at most."""
        if self.times is not None:
            return self.times or float("inf")
        is_once = self.chance == 1 and (self.lasts is None or self.is_at_recorder)
        return 1 if is_once else float("inf")

    @validates(mode="after")
    def _is_complete(self) -> Self:
        if self.is_timed and self.at is None:
            raise ValueError(f"{self.action} needs `at` or `command`: when it strikes")
        if self.action is Action.PAUSE and (not self.is_timed or self.lasts is None):
            raise ValueError("pause needs `at` and `lasts`, and no `command`")
        if self.action is Action.DELAY and self.delay is None:
            raise ValueError("delay needs `delay`: how late the answer comes")
        return self
