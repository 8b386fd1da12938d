"""`evidenced`: its commands, and what its exits and errors look like.

A command's module is imported when it is asked for: `check` must not wait for the
libraries of the daemon.
"""

import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from types import ModuleType
from typing import Annotated

import typer
from typer.models import CommandInfo

from evidenced.cli.options import Url, User
from evidenced.cli.terminal import (
    ELSEWHERE,
    FAULT,
    Failed,
    complain,
    prepare_streams,
    silence_stdout,
)
from evidenced.core.errors import BadInput, ConfigError, EvidencedError

COMMANDS = {
    "init": "evidenced.cli.init",
    "run": "evidenced.cli.run",
    "check": "evidenced.cli.check",
    "explain": "evidenced.cli.explain",
    "demo": "evidenced.cli.run",
    "simulate": "evidenced.cli.simulate",
    "discover": "evidenced.cli.discover",
    "listen": "evidenced.cli.listen",
    "status": "evidenced.cli.status",
    "commission": "evidenced.cli.commission",
    "incidents": "evidenced.cli.incidents",
    "alarms": "evidenced.cli.alarms",
    "replay": "evidenced.cli.replay",
    "footage": "evidenced.cli.footage",
    "silences": "evidenced.cli.silences",
    "notify": "evidenced.cli.notify",
    "report": "evidenced.cli.report",
    "trigger": "evidenced.cli.trigger",
    "save": "evidenced.cli.save",
    "audit": "evidenced.cli.audit",
    "verify": "evidenced.cli.verify",
    "keygen": "evidenced.cli.verify",
    "passwd": "evidenced.cli.passwd",
    "backup": "evidenced.cli.backup",
    "restore": "evidenced.cli.backup",
    "store": "evidenced.cli.store",
    "schema": "evidenced.cli.check",
}
"""A module has a function of the command's name, or a `family` of several.

In the order of `evidenced --help`.
"""

PARTS = {
    ("incidents", "export"): ("evidenced.cli.taking", "export"),
    ("incidents", "import"): ("evidenced.cli.importing", "import_records"),
}
"""Commands of a family that need more than its others: the store, what checks files.

Imported when they are asked for, or when somebody looks what there is.
"""

INTERRUPTED = 130
"""128 and the number of SIGINT, as a shell would report it."""
PIPE_CLOSED = 1
"""As typer does it for pipes that it finds closed itself."""
BAD_INPUT = 2


def run(args: Sequence[str]) -> int:
    """Run one command; its exit code. Never shows a traceback.

    Raises:
        SystemExit: typer found a closed pipe; nothing else.
    """
    prepare_streams()
    try:
        code = make_app(args)(
            args=list(args) or ["--help"],
            prog_name="evidenced",
            standalone_mode=False,
        )
        sys.stdout.flush()
    except BrokenPipeError:
        silence_stdout()
        return PIPE_CLOSED
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the boundary
        lines, failure = _ended_by(error)
        for line in lines:
            complain(line)
        return failure
    return int(code or 0)


_OF_TYPER = "Value error, "
"""Before its sentence about a word that is none of those that an option takes."""


def _ended_by(error: BaseException) -> tuple[Sequence[str], int]:
    """What to say of an error, and the exit code."""
    match error:
        case Failed():
            return error.lines, error.code
        case KeyboardInterrupt() | typer.Abort():
            return (), INTERRUPTED
        case typer.TyperException():
            context = getattr(error, "ctx", None)
            command = context.command_path if context else "evidenced"
            text = error.format_message().rstrip(".").replace(_OF_TYPER, "")
            return [f"{text}; see {command} --help"], BAD_INPUT
        case ConfigError():
            return error.problems, BAD_INPUT
        case EvidencedError():
            is_input = isinstance(error, BadInput)
            return [str(error)], BAD_INPUT if is_input else 1
        case _:
            return [_own_fault(error)], FAULT


def make_app(args: Sequence[str]) -> typer.Typer:
    """The commands that these arguments may mean, no more."""
    app = typer.Typer(
        name="evidenced",
        help=(
            "Turns alarms on MQTT into exported video evidence.\n\n"
            "Start with `evidenced init`, see what a message would "
            "cause with `evidenced explain`, then `evidenced "
            "run`."
        ),
        rich_markup_mode="markdown",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_global_options)
    for name, module in COMMANDS.items():
        if name in _wanted(args):
            _add(app, name, import_module(module), args[1:2])
    return app


def _add(
    app: typer.Typer, name: str, module: ModuleType, second: Sequence[str]
) -> None:
    if not hasattr(module, "family"):
        app.command()(getattr(module, name))
        return
    known = {_name(command) for command in module.family.registered_commands}
    for (first, part), (place, function) in PARTS.items():
        if first == name and part not in known and known.isdisjoint(second):
            module.family.command(part)(getattr(import_module(place), function))
    app.add_typer(module.family, name=name)


def _name(command: CommandInfo) -> str:
    return str(command.name or getattr(command.callback, "__name__", ""))


def _wanted(args: Sequence[str]) -> Sequence[str]:
    first = args[0] if args else ""
    if first in COMMANDS:
        return [first]
    return [] if first == "--version" else list(COMMANDS)


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"evidenced {version('evidenced')}")
        raise typer.Exit


def _global_options(
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            is_eager=True,
            callback=_print_version,
            help="Print the version and exit.",
        ),
    ] = False,
    url: Url = "",
    user: User = "",
) -> None:
    ELSEWHERE.set((url, user))


def _own_fault(error: BaseException) -> str:
    """One line; the traceback only for those who ask for it."""
    if os.environ.get("EVIDENCED_TRACEBACK") == "1":
        traceback.print_exception(error)
    return (
        f"a fault in evidenced: {type(error).__name__}: {error}; please report it "
        "with the output of the same command under EVIDENCED_TRACEBACK=1"
    )
