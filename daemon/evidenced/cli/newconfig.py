"""The configuration that `evidenced init` writes, with comments for who changes it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from evidenced.cli.discover import tables
from evidenced.config.tomltext import to_toml
from evidenced.core.alarms.payload import PayloadFormat
from evidenced.core.recorder import Device


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLogin:
    """How to reach the broker or the recorder; the secret stands in a file.

    `more` are further keys of its table: files for TLS, and what the kind of recorder
    asks for.
    """

    url: str
    username: str = ""
    password_file: Path | None = None
    protocol: str = "5"
    more: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenSystem:
    """Ready-made rules and the cameras of their group; none: alarms name cameras.

    `by_group` are rules whose alarms name cameras otherwise than we do: they export the
    group instead.
    """

    system: str
    title: str
    cameras: Sequence[str]
    by_group: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRule:
    """A rule for messages that no ready-made rule knows."""

    topic: str
    format: PayloadFormat
    cameras: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """All that was asked for."""

    instance: str
    timezone: str
    broker: ServerLogin
    recorder: ServerLogin
    cameras: Sequence[tuple[str, Device]]
    systems: Sequence[ChosenSystem]
    own: OwnRule | None
    destination: str
    mount: Path | None


def broker_lines(broker: ServerLogin) -> list[str]:
    """The table of the broker."""
    return [
        "[mqtt]",
        f"url = {to_toml(broker.url)}",
        *([f"protocol = {to_toml(broker.protocol)}"] if broker.protocol != "5" else []),
        *_account(broker),
        *(f"{key} = {to_toml(said)}" for key, said in broker.more.items()),
    ]


def recorder_lines(recorder: ServerLogin) -> list[str]:
    """The table of the recorder."""
    return [
        "[recorders.main]",
        f"url = {to_toml(recorder.url)}",
        *_account(recorder),
        *(f"{key} = {to_toml(said)}" for key, said in recorder.more.items()),
    ]


def _account(account: ServerLogin) -> Iterator[str]:
    if account.username:
        yield f"username = {to_toml(account.username)}"
    if account.password_file is not None:
        yield f"password = {{ file = {to_toml(str(account.password_file))} }}"


def render(answers: Answers) -> str:
    """The whole file."""
    includes = [f"systems/{each.system}.toml" for each in answers.systems]
    lines = [
        "# Written by `evidenced init`. After each change: evidenced check --online",
        "# Every key is in config/README.md, `evidenced schema` tells editors of them.",
        *([f"include = {to_toml(includes)}"] if includes else []),
        "",
        "[daemon]",
        f"instance = {to_toml(answers.instance)}",
        "# of paths, and of alarms whose times have no zone",
        f"timezone = {to_toml(answers.timezone)}",
        "# the store, the one thing to back up; under systemd: leave this out",
        '# state_dir = "/var/lib/evidenced"',
        "",
        *broker_lines(answers.broker),
        "",
        *recorder_lines(answers.recorder),
        '# what exports may take of the network, all together, such as "20 Mbit/s"',
        "bandwidth = 0",
        "",
        *tables(answers.cameras, {}, "main"),
        *_groups(answers.systems),
        "[destinations.main]",
        "# on the recorder; other fields: {rule} {key} {ended:FORMAT}, captured names",
        f"path = {to_toml(answers.destination)}",
        *_mount(answers),
        "",
        *_changes(answers.systems),
        *_own_rule(answers.own),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


def _groups(systems: Sequence[ChosenSystem]) -> Iterator[str]:
    grouped = [each for each in systems if each.cameras]
    if grouped:
        yield "[groups]"
    for each in grouped:
        yield f"# exported by the alarms of: {each.title}"
        yield f"{each.system} = {to_toml(list(each.cameras))}"
    if grouped:
        yield ""


def _mount(answers: Answers) -> Iterator[str]:
    if answers.mount is None:
        yield "# where this host sees the same share: then footage is looked at, and"
        yield "# evidence records are written beside it"
        yield '# mount = "/mnt/evidence"'
        return
    yield "# where this host sees the same share"
    yield f"mount = {to_toml(str(answers.mount))}"


def _changes(systems: Sequence[ChosenSystem]) -> Iterator[str]:
    """Changes of included rules; one shows how, where none is needed."""
    for each in systems:
        for rule in each.by_group:
            yield "[[rules]]"
            yield f"name = {to_toml(rule)}"
            yield "# its alarms name cameras: with the same names leave this out"
            yield f"cameras = {to_toml([f'@{each.system}'])}"
            yield ""
    if systems:
        yield "# A rule of an included rule's name changes that one, key by key:"
        yield "# [[rules]]"
        yield '# name = "NAME"'
        yield '# pre_roll = "1m"'
        yield ""


def _own_rule(own: OwnRule | None) -> Iterator[str]:
    if own is None:
        return
    yield "[[rules]]"
    yield 'name = "alarm"'
    yield f"topics = {to_toml([own.topic])}"
    yield f"format = {to_toml(own.format)}"
    yield "# without `when` every message is an alarm; see what yours say with"
    yield f"# evidenced listen '{own.topic}', and try it with evidenced explain"
    if own.format is PayloadFormat.TEXT:
        yield "# when = \"payload == 'ALARM'\""
        yield "# clear = \"payload == 'OK'\""
    elif own.format is PayloadFormat.JSON:
        yield "# when = \"state == 'active'\""
        yield "# clear = \"state == 'cleared'\""
    yield f"cameras = {to_toml(list(own.cameras))}"
    yield 'pre_roll = "30s"'
    yield 'post_roll = "2m"'
