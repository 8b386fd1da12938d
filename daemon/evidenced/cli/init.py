"""`evidenced init`: from nothing to a configuration that works."""

import re
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from evidenced.cli.asking import BAD_INPUT, PROBLEMS, Asker, NewFolder
from evidenced.cli.interview import Given, GivenLogin, Interview, check_zone
from evidenced.cli.newconfig import render
from evidenced.cli.options import read_duration
from evidenced.cli.terminal import Failed, complain, say, warn
from evidenced.config import load
from evidenced.core.errors import ConfigError

File = Annotated[Path | None, typer.Option(metavar="FILE", show_default=False)]


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="Where evidenced.toml is written.")
    ] = Path(),
    broker: Annotated[
        str | None,
        typer.Option(metavar="URL", help="mqtt://, mqtts://, ws:// or wss://."),
    ] = None,
    mqtt_user: Annotated[
        str | None, typer.Option(metavar="NAME", help="The account there.")
    ] = None,
    mqtt_password_file: File = None,
    mqtt_ca_file: File = None,
    mqtt_client_cert: File = None,
    mqtt_client_key: File = None,
    recorder: Annotated[
        str | None, typer.Option(metavar="URL", help="http:// or https://.")
    ] = None,
    recorder_user: Annotated[
        str | None, typer.Option(metavar="NAME", help="The account there.")
    ] = None,
    recorder_password_file: File = None,
    recorder_ca_file: File = None,
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
        str | None, typer.Option(metavar="ZONE", help="'' is this host's.")
    ] = None,
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
        text = f"{file} is there already: change that, or choose another folder"
        raise Failed(text, code=BAD_INPUT)
    certificate = _both(mqtt_client_cert, mqtt_client_key)
    check_zone(timezone or "")
    given = Given(
        instance=instance,
        timezone=timezone,
        broker=GivenLogin(
            broker, mqtt_user, mqtt_password_file, mqtt_ca_file, certificate
        ),
        recorder=GivenLogin(
            recorder, recorder_user, recorder_password_file, recorder_ca_file
        ),
        recorder_keys=_keys(recorder_key or ()),
        listen=read_duration(listen, "--listen"),
        systems=system,
        topic=topic,
        destination=destination,
        mount=mount,
    )
    with home.made():
        answers = Interview(Asker(is_interactive=sys.stdin.isatty()), home, given).all()
        home.write(file, render(answers), 0o640)
    raise typer.Exit(_verdict(file))


def _both(certificate: Path | None, key: Path | None) -> tuple[Path, Path] | None:
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        text = "--mqtt-client-cert and --mqtt-client-key go together"
        raise Failed(text, code=BAD_INPUT)
    return certificate, key


def _keys(said: Sequence[str]) -> dict[str, str]:
    keys = {key: text for key, _, text in (each.partition("=") for each in said)}
    for key in keys:
        if not re.fullmatch(r"[a-z_]+", key):
            text = f"--recorder-key {key!r} is none; write for example timeout=1m"
            raise Failed(text, code=BAD_INPUT)
    return keys


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
    for name, destination in loaded.config.destinations.items():
        if destination.mount is None:
            say(
                f"destinations.{name}: whether the recorder can write to "
                f"{destination.root or destination.path.text}, the first export tells"
            )
    say(f"it works. Now: evidenced run -c {file}")
    say(f"and, once each sensor was tried: evidenced commission -c {file}")
    return 0
