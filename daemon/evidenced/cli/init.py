"""`evidenced init`: from nothing to a configuration that works."""

import asyncio
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from evidenced.cli.asking import BAD_INPUT, PROBLEMS, Asker, NewFolder, NotGood
from evidenced.cli.discover import name_devices
from evidenced.cli.newconfig import (
    Answers,
    ChosenSystem,
    OwnRule,
    ServerLogin,
    broker_lines,
    recorder_lines,
    render,
)
from evidenced.cli.options import read_duration
from evidenced.cli.recognise import Recogniser
from evidenced.cli.terminal import Failed, complain, note, say, warn
from evidenced.config import Config, load, load_text
from evidenced.config.compile import zone_of
from evidenced.core.alarms.alarm import Alarm
from evidenced.core.alarms.payload import PayloadFormat, one_line
from evidenced.core.errors import BadInput, ConfigError, EvidencedError, RecorderError
from evidenced.core.recorder import Device
from evidenced.core.spoken import spoken
from evidenced.kinds import DEFAULT_KIND, KINDS

AT_ONCE = 64
SHOWN_TOPICS = 10
EXAMPLE_PATH = r"V:\evidence\{opened:%Y}\{opened:%m-%d}\{rule}-{id}"
NOTHING_HEARD = "alarms/#"

File = Annotated[Path | None, typer.Option(metavar="FILE", show_default=False)]


class _Options(NamedTuple):
    """What was given for the broker, or for the recorder."""

    url: str | None
    user: str | None
    password_file: Path | None


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="Where evidenced.toml is written.")
    ] = Path(),
    broker: Annotated[
        str | None, typer.Option(metavar="URL", help="mqtt:// or mqtts://.")
    ] = None,
    mqtt_user: Annotated[
        str | None, typer.Option(metavar="NAME", help="The account there.")
    ] = None,
    mqtt_password_file: File = None,
    recorder: Annotated[
        str | None, typer.Option(metavar="URL", help="http:// or https://.")
    ] = None,
    recorder_user: Annotated[
        str | None, typer.Option(metavar="NAME", help="The account there.")
    ] = None,
    recorder_password_file: File = None,
    recorder_key: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=TEXT", help="A further key of its table; repeat it."),
    ] = None,
    listen: Annotated[
        str, typer.Option(metavar="DURATION", help="How long, such as 10m.")
    ] = "1m",
    system: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[=CAMERA,...]",
            help="Ready-made rules and their cameras. Default: those recognised, all.",
        ),
    ] = None,
    topic: Annotated[
        str | None, typer.Option(metavar="TOPIC", help="For a rule of your own.")
    ] = None,
    destination: Annotated[
        str | None, typer.Option(metavar="PATH", help="A path on the recorder.")
    ] = None,
    mount: Annotated[
        str | None,
        typer.Option(metavar="FOLDER", help="That share on this host; '' nowhere."),
    ] = None,
    instance: Annotated[str, typer.Option(metavar="NAME")] = "site-1",
    timezone: Annotated[
        str, typer.Option(metavar="ZONE", help="'' is this host's.")
    ] = "",
) -> None:
    """Ask for broker, recorder and destination, listen, and write the configuration.

    The broker is listened to for a minute, and the ready-made rules for what is heard
    are proposed; the recorder tells its cameras. Passwords go into files that only you
    can read. Every answer can be given as an option; without a terminal nothing is
    asked. At the end all of it is tried, as check --online does. Nothing is changed at
    broker and recorder.

    Exit 0: written, and it works. 1: something does not work. 2: bad input.

    Example: `evidenced init /etc/evidenced`
    """
    home = NewFolder(folder.absolute())
    file = home.folder / "evidenced.toml"
    if file.exists():
        raise Failed(f"{file} is there already: choose another folder", code=BAD_INPUT)
    limit = read_duration(listen, "--listen")
    _check_zone(timezone)
    more = _keys(recorder_key or ())
    asker = Asker(is_interactive=sys.stdin.isatty())
    at_broker, heard = asker.until_it_works(
        lambda: _ask_broker(
            asker, home, _Options(broker, mqtt_user, mqtt_password_file)
        ),
        lambda account: _listen(account, limit),
    )
    _tell_heard(heard)
    at_recorder, devices = asker.until_it_works(
        lambda: _ask_recorder(
            asker,
            home,
            _Options(recorder, recorder_user, recorder_password_file),
            more,
        ),
        _devices,
    )
    cameras = name_devices(devices, {}, ())
    names = [name for name, _ in cameras]
    note(f"the recorder has {len(names)} cameras: {', '.join(names)}")
    systems = _systems(asker, heard, system, names, is_own=topic is not None)
    own = None if systems and topic is None else _own(asker, heard, topic, names)
    path = asker.text(
        destination, "--destination", "Where footage goes on the recorder", EXAMPLE_PATH
    )
    seen = asker.text(mount, "--mount", "That share on this host (empty: nowhere)", "")
    answers = Answers(
        instance=instance,
        timezone=timezone,
        broker=at_broker,
        recorder=at_recorder,
        cameras=cameras,
        systems=systems,
        own=own,
        destination=path,
        mount=Path(seen).absolute() if seen else None,
    )
    home.write(file, render(answers), 0o640)
    raise typer.Exit(_verdict(file))


def _check_zone(name: str) -> None:
    try:
        zone_of(name)
    except (ValueError, LookupError, OSError, EvidencedError):
        text = f"--timezone {name!r} is none; write for example Europe/Amsterdam"
        raise Failed(text, code=BAD_INPUT) from None


def _ask_broker(asker: Asker, home: NewFolder, given: _Options) -> ServerLogin:
    url = asker.text(given.url, "--broker", "Address of the broker", "mqtt://localhost")
    user = asker.text(given.user, "--mqtt-user", "Account there (empty: none)", "")
    if not user:
        return ServerLogin(url=url)
    file = asker.secret(
        given.password_file,
        "--mqtt-password-file",
        f"Password of {user}",
        home.keeper("mqtt-password"),
    )
    return ServerLogin(url=url, username=user, password_file=file)


def _ask_recorder(
    asker: Asker, home: NewFolder, given: _Options, more: Mapping[str, str]
) -> ServerLogin:
    url = asker.text(given.url, "--recorder", "Address of the recorder (http://...)")
    user = asker.text(given.user, "--recorder-user", "Account there")
    file = asker.secret(
        given.password_file,
        "--recorder-password-file",
        f"Password of {user}",
        home.keeper("recorder-password"),
    )
    asked = {
        key: asker.text(more.get(key), "--recorder-key", question, "")
        for key, question in KINDS[DEFAULT_KIND].asks.items()
    }
    said = {key: text for key, text in {**more, **asked}.items() if text}
    return ServerLogin(url=url, username=user, password_file=file, more=said)


def _keys(said: Sequence[str]) -> dict[str, str]:
    keys = {key: text for key, _, text in (each.partition("=") for each in said)}
    for key in keys:
        if not re.fullmatch(r"[a-z_]+", key):
            text = f"--recorder-key {key!r} is none; write for example timeout=1m"
            raise Failed(text, code=BAD_INPUT)
    return keys


def _draft(lines: Sequence[str]) -> Config:
    """So much of a configuration as is needed to try it.

    Raises:
        NotGood: what was said makes none.
    """
    try:
        return load_text("\n".join(lines)).config
    except ConfigError as error:
        raise NotGood("; ".join(error.problems)) from None


def _listen(account: ServerLogin, limit: timedelta) -> Recogniser:
    """What is heard in so long a time, Ctrl-C ends it before.

    Raises:
        NotGood: the broker does not let us listen.
    """
    config = _draft(broker_lines(account))
    heard = Recogniser.of_shipped()
    with suppress(KeyboardInterrupt):
        problem = asyncio.run(_receive(config, heard, limit))
        if problem is not None:
            raise NotGood(f"mqtt: {problem}")
    return heard


async def _receive(config: Config, heard: Recogniser, limit: timedelta) -> str | None:
    # the daemon's adapters: not loaded for the sake of `--help`
    trial = import_module("evidenced.cli.trial")
    try:
        broker = trial.trial_broker(config, ["#"])
    except ValueError as error:
        return str(error)
    ours = f"{config.mqtt.publish_prefix}/"
    async with trial.running(broker):
        problem: str | None = await trial.connect(broker)
        if problem is not None:
            return problem
        note(f"connected; listening for {spoken(limit)}, Ctrl-C goes on at once")
        with suppress(TimeoutError):
            async with asyncio.timeout(limit.total_seconds()):
                while True:
                    deliveries = await broker.receive(AT_ONCE)
                    for delivery in deliveries:
                        _hear(heard, delivery.alarm, ours)
                    broker.acknowledge(deliveries)
    return None


def _hear(heard: Recogniser, alarm: Alarm, ours: str) -> None:
    """One message; who waits is told of each system when it is heard first."""
    if alarm.topic.startswith(ours):
        return
    before = {each.system for each in heard.likely()}
    heard.hear(alarm)
    for one in heard.likely():
        if one.system not in before:
            note(f"  heard {one.system}: {one_line(alarm.topic, 200)}")


def _tell_heard(heard: Recogniser) -> None:
    note(f"{heard.messages} messages on {len(heard.topics)} topics")
    for one in heard.likely():
        note(f"  {one.system}: {one.title}: {one.understood} alarms or ends of them")
    for one in heard.possible():
        note(f"  {one.system}: {one.title}, perhaps: its topics, but no alarm")
    if not heard.found:
        for topic in list(heard.topics)[:SHOWN_TOPICS]:
            note(f"  {one_line(topic, 200)}")


def _devices(account: ServerLogin) -> tuple[Device, ...]:
    """What the recorder lists.

    Raises:
        NotGood: it gives no usable answer, or lists nothing.
    """
    config = _draft(["[mqtt]", 'url = "mqtt://localhost"', *recorder_lines(account)])
    online = import_module("evidenced.cli.online")
    try:
        devices: tuple[Device, ...] = online.list_devices(config, "main")
    except (RecorderError, BadInput) as error:
        raise NotGood(f"recorder: {error}") from None
    if not devices:
        raise NotGood("recorder: it lists no device that this account may see")
    return devices


def _systems(
    asker: Asker,
    heard: Recogniser,
    given: Sequence[str] | None,
    cameras: Sequence[str],
    *,
    is_own: bool,
) -> list[ChosenSystem]:
    """The ready-made rules that are to be used."""
    proposed = [each.system for each in heard.likely()] if not is_own else []
    if given is not None or is_own or not asker.is_interactive:
        said = proposed if given is None else given
        _, names = asker.until_it_works(lambda: said, partial(_known, heard), BAD_INPUT)
    else:
        note(f"ready-made rules there are for: {', '.join(heard.titles)}")
        question = "Which to use, with commas between (empty: a rule of your own)"
        _, names = asker.until_it_works(
            lambda: _parts(asker.text(None, "--system", question, ", ".join(proposed))),
            partial(_known, heard),
        )
    return [
        _chosen(asker, heard, system, named, cameras) for system, named in names.items()
    ]


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _known(heard: Recogniser, said: Sequence[str]) -> dict[str, str]:
    """Each system with the cameras that were named beside it."""
    names = {name: named for name, _, named in (each.partition("=") for each in said)}
    for system in names:
        if system not in heard.titles:
            raise NotGood(f"there are no ready-made rules for {system!r}")
    return names


def _chosen(
    asker: Asker, heard: Recogniser, system: str, named: str, cameras: Sequence[str]
) -> ChosenSystem:
    title, by_group = heard.titles[system], heard.rules_naming_cameras(system)
    theirs = heard.found[system].cameras if system in heard.found else set()
    if by_group and theirs and theirs <= set(cameras) and not named:
        return ChosenSystem(system=system, title=title, cameras=())
    question = f"Cameras that alarms of {system} export, or all"
    _, wanted = asker.until_it_works(
        lambda: _parts(asker.text(named or None, "--system", question, "all")),
        partial(_cameras, cameras),
        BAD_INPUT,
    )
    return ChosenSystem(system=system, title=title, cameras=wanted, by_group=by_group)


def _cameras(known: Sequence[str], said: Sequence[str]) -> Sequence[str]:
    if list(said) == ["all"]:
        return known
    for name in said:
        if name not in known:
            raise NotGood(f"there is no camera {name!r}; there are {', '.join(known)}")
    if not said:
        raise NotGood("name one camera at least")
    return said


def _own(
    asker: Asker, heard: Recogniser, topic: str | None, cameras: Sequence[str]
) -> OwnRule:
    if topic is None and not asker.is_interactive:
        raise Failed(
            "--system or --topic is missing: nothing was heard that a ready-made rule "
            "knows",
            code=BAD_INPUT,
        )
    first = next(iter(heard.topics), NOTHING_HEARD)
    said = asker.text(topic, "--topic", "Topic of your alarms (+ and # work)", first)
    return OwnRule(
        topic=said, format=heard.topics.get(said, PayloadFormat.ANY), cameras=cameras
    )


def _verdict(file: Path) -> int:
    """Try what was written; the exit code."""
    say(f"{file} is written")
    try:
        loaded = load(file)
    except ConfigError as error:
        for problem in error.problems:
            complain(f"{file}: {problem}")
        return PROBLEMS
    for warning in loaded.warnings:
        warn(f"{file}: {warning}")
    findings = import_module("evidenced.cli.online").check_online(loaded.config)
    tell = {"problem": complain, "warning": warn}
    for finding in findings:
        tell.get(finding.verdict, say)(f"{finding.place}: {finding.text}")
    if any(finding.verdict == "problem" for finding in findings):
        say(f"correct {file}, then: evidenced check --online -c {file}")
        return PROBLEMS
    say(f"it works. Now: evidenced run -c {file}")
    say(f"and, once each sensor was tried: evidenced commission -c {file}")
    return 0
