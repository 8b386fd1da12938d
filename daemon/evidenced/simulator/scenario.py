"""What kind of recorder is played: every key of a scenario file, with its default.

The defaults are a recorder that behaves well; each choice is something that the
vendor's text leaves open (sense-api.md B12) or that goes wrong in the field. README.md
beside this file explains the keys to users.
"""

import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)
from pydantic import model_validator as validates
from pydantic_core import ErrorDetails

from evidenced.config.units import parse_rate, parse_size
from evidenced.core.alarms.payload import one_line
from evidenced.core.errors import ConfigError
from evidenced.core.instants import HOUR, ZERO
from evidenced.core.wording import MAX_SHOWN, suggest
from evidenced.simulator.fault import ScenarioDuration, ScenarioMoment, Strike
from evidenced.simulator.places import split

FILE_LIMIT = 1 << 20
"""A scenario is written by hand: a larger file is a mistake, not a scenario."""
MANY = 1 << 60


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"no such time zone: {name!r}") from error
    return name


def _root(path: str) -> str:
    split(path)
    return path


Id = Annotated[str, Field(pattern=r"^[0-9]{1,20}$")]


def _counted(read: Callable[[str], int], such_as: str) -> Callable[[object], object]:
    """Of a number of bytes: plain, or as the configuration has it."""

    def parse(value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return read(value)
        except ValueError:
            raise ValueError(f"must be {such_as}, or plain bytes") from None

    return parse


_NUMBER = Field(gt=0, le=MANY)
Rate = Annotated[
    int,
    BeforeValidator(_counted(parse_rate, 'a rate such as "100 MB/s"')),
    _NUMBER,
]
Size = Annotated[
    int, BeforeValidator(_counted(parse_size, 'a size such as "10 GB"')), _NUMBER
]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Negative = Annotated[int, Field(lt=0, gt=-1_000_000)]
ZoneName = Annotated[str, AfterValidator(_zone)]
Root = Annotated[str, AfterValidator(_root)]


class ScenarioPart(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LoginScenario(ScenarioPart):
    users: Mapping[str, str] = Field(default={"export": "secret"}, repr=False)
    kinds: tuple[Literal["digest", "plain"], ...] = ("digest", "plain")
    nonce: str = "AR5chsWVZagPfMpB"
    digest_tolerance: ScenarioDuration = timedelta(minutes=5)
    key_in: Literal[
        "element",
        "nested-element",
        "session-element",
        "attribute",
        "key-attribute",
        "cookie",
    ] = "element"
    failure: Literal["code", "401", "403", "no-key", "html"] = "code"
    failure_code: Negative = -18


class SessionScenario(ScenarioPart):
    """A lifetime of zero is for ever; `limit` 0 is as many as are wanted."""

    lifetime: ScenarioDuration = ZERO
    idle: ScenarioDuration = ZERO
    limit: Count = 0
    past_limit: Literal["end-oldest", "refuse"] = "end-oldest"
    expiry: Literal["401", "403", "302", "html", "code"] = "401"
    expiry_code: Negative = -18


class InfoScenario(ScenarioPart):
    form: Literal["normal", "malformed", "absent"] = "normal"
    version: str = "2.7.3"


class Jump(ScenarioPart):
    at: ScenarioDuration
    by: ScenarioDuration


class OwnClock(ScenarioPart):
    """The recorder's clock, as it differs from the true time."""

    offset: ScenarioDuration = ZERO
    drift_ppm: float = Field(default=0.0, gt=-500_000, lt=500_000)
    jumps: tuple[Jump, ...] = ()


class Gap(ScenarioPart):
    """Nothing was recorded in `[start, end)`, by the recorder's clock."""

    start: ScenarioMoment
    end: ScenarioMoment


class Recording(ScenarioPart):
    """How every camera records, unless it says otherwise itself."""

    lag: ScenarioDuration = timedelta(seconds=2)
    rate: Rate = 500_000
    retention: ScenarioDuration = timedelta(days=30)


class CameraScenario(ScenarioPart):
    server: Id
    device: Id
    name: str = ""
    dead: bool = False
    gaps: tuple[Gap, ...] = ()
    lag: ScenarioDuration | None = None
    rate: Rate | None = None
    retention: ScenarioDuration | None = None


class ExportsScenario(ScenarioPart):
    disk_speed: Rate = 100_000_000
    disk_space: Size = MANY
    parallel: Count = 0
    roots: tuple[Root, ...] = ()
    unwritable: tuple[Root, ...] = ()
    ids: Literal["session", "plugin"] = "session"
    listed: Literal["all", "session"] = "all"
    listed_after: ScenarioDuration = ZERO
    listed_before: Annotated[int, Field(ge=0, le=20_000)] = 0
    completed_listed: ScenarioDuration = HOUR
    deleted: Literal["removed", "listed"] = "removed"
    unknown_id: Literal["code", "empty"] = "code"
    unknown_id_code: Negative = -9


class TagsScenario(ScenarioPart):
    """Tags on footage. `effect` none: Ok, and no tag (sense-api.md B9)."""

    effect: Literal["set", "none"] = "set"
    limit: Count = 0
    full_code: Negative = -18
    listed_after: ScenarioDuration = ZERO
    empty: Literal["list", "code"] = "list"
    entry: Literal["elements", "attributes"] = "elements"
    title_length: int = Field(default=255, ge=0, le=10_000)


class WordsScenario(ScenarioPart):
    """The status words: none is documented (sense-api.md 2.8)."""

    pending: str = "pending"
    running: str = "busy"
    done: str = "finished"
    failed: str = "failed"
    cancelled: str = "cancelled"


class Xml(ScenarioPart):
    tag_case: Literal["lower", "upper", "title"] = "lower"
    extra_nodes: bool = False
    descriptions: bool = True
    success_code: int = Field(default=0, ge=0, le=1_000_000)
    malformed_list: bool = False
    times: Literal["ms", "s"] = "ms"
    zone: ZoneName = "UTC"
    progress: Literal["percent", "decimal", "sign", "absent", "zero"] = "percent"
    status_as: Literal["text", "description"] = "text"
    trailing_blanks: bool = False
    image_entry: Literal["img", "image"] = "img"
    image_time: Literal["element", "attribute"] = "element"


class Scenario(ScenarioPart):
    """One recorder to be played. `Scenario()` behaves well and has four cameras."""

    seed: int = 1
    licensed: bool = True
    login: LoginScenario = LoginScenario()
    session: SessionScenario = SessionScenario()
    info: InfoScenario = InfoScenario()
    clock: OwnClock = OwnClock()
    recording: Recording = Recording()
    devices: tuple[CameraScenario, ...] = tuple(
        CameraScenario(server="1001", device=f"200{n}", name=f"Camera {n}")
        for n in range(1, 5)
    )
    exports: ExportsScenario = ExportsScenario()
    words: WordsScenario = WordsScenario()
    tags: TagsScenario = TagsScenario()
    xml: Xml = Xml()
    faults: tuple[Strike, ...] = ()

    @validates(mode="after")
    def _each_camera_once(self) -> Self:
        counts = Counter((camera.server, camera.device) for camera in self.devices)
        twice = sorted(pair for pair, count in counts.items() if count > 1)
        if twice:
            raise ValueError(f"devices: {twice[0]} is there twice, keep one of them")
        return self


def load_scenario(path: Path) -> Scenario:
    """The scenario of a TOML file.

    Raises:
        ConfigError: it cannot be read or is wrong; one sentence for each fault.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_LIMIT + 1)
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}."]) from error
    return read_scenario(raw, path)


def read_scenario(raw: bytes, path: Path) -> Scenario:
    """The scenario that these bytes say; `path` is what messages name them.

    Raises:
        ConfigError: as above.
    """
    if len(raw) > FILE_LIMIT:
        raise ConfigError([f"{path}: larger than {FILE_LIMIT} bytes, no scenario."])
    try:
        return Scenario.model_validate(tomllib.loads(raw.decode()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError([f"{path}: not a TOML file: {error}."]) from error
    except ValidationError as error:
        raise ConfigError(_sentences(path, error)) from error


def _sentences(path: Path, error: ValidationError) -> list[str]:
    """One sentence for each fault: file, place, what to write."""
    return [
        f"{path}: {'.'.join(map(str, fault['loc'])) or 'scenario'}: {_told(fault)}"
        for fault in error.errors(include_url=False)
    ]


def _told(fault: ErrorDetails) -> str:
    """What to write there, in the words of the configuration's faults."""
    if fault["type"] == "extra_forbidden":
        known = sorted(_keys(Scenario))
        return f"is no key here; {suggest(str(fault['loc'][-1]), known, what='keys')}"
    text = fault["msg"].removeprefix("Value error, ")
    for theirs, ours in _OURS:
        text = text.replace(theirs, ours)
    if not text.startswith("must be"):
        return text
    return f"{text}, not {one_line(repr(fault['input']), MAX_SHOWN)}"


_OURS = (
    (", unable to parse string as an integer", ""),
    ("Input should be a valid integer", "must be a whole number"),
    ("Input should be a valid string", "must be a text in quotes"),
    ("Input should be a valid boolean", "must be true or false"),
    ("Input should be", "must be"),
    ("Field required", "is missing"),
)
"""The library's words, and ours."""


def _keys(model: type[BaseModel]) -> Iterator[str]:
    """All keys of a scenario, wherever they stand."""
    for name, field in model.model_fields.items():
        yield name
        for part in (field.annotation, *get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from _keys(part)
