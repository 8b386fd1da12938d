"""`evidenced simulate`: a recorder to commission against, without a license."""

import asyncio
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from evidenced.cli.terminal import Failed, say
from evidenced.config.special import split_listen
from evidenced.config.tomltext import to_toml
from evidenced.core.errors import ConfigError
from evidenced.core.instants import render_utc
from evidenced.host.clock import SystemClock
from evidenced.simulator import (
    RequestRecord,
    Scenario,
    Simulator,
    SimulatorServer,
    load_scenario,
)

DEFAULT_LISTEN = "127.0.0.1:8480"
LOOK_S = 0.2
"""How often new requests are told."""


def simulate(
    listen: Annotated[
        str,
        typer.Option(metavar="HOST:PORT", help="Where to listen; port 0 takes any."),
    ] = DEFAULT_LISTEN,
    directory: Annotated[
        Path | None,
        typer.Option(
            "--dir", metavar="DIR", help="Write exported folders here, as on a share."
        ),
    ] = None,
    scenario: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Devices, dialect and faults, as TOML."),
    ] = None,
) -> None:
    """Play a VDG Sense recorder, and tell each request, until Ctrl-C.

    Example: `evidenced simulate --dir ./exports`, then put the printed
    table into the configuration.
    """
    try:
        host, port = split_listen(listen)
    except ValueError:
        raise Failed(
            f"--listen {listen!r} is no address and port; "
            f"write for example {DEFAULT_LISTEN}",
            code=2,
        ) from None
    try:
        played = load_scenario(scenario) if scenario else Scenario()
    except ConfigError as error:
        raise Failed(*error.problems, code=2) from None
    simulator = Simulator(played, SystemClock(), directory=directory)
    server = SimulatorServer(simulator, host, port)
    try:
        asyncio.run(
            _serve(simulator, server, played, directory and directory.resolve())
        )
    except BrokenPipeError:  # nobody reads what is told: not the listener's fault
        raise
    except OSError as error:
        why = error.strerror or str(error)
        raise Failed(f"cannot listen on {listen}: {why}", code=1) from None


async def _serve(
    simulator: Simulator,
    server: SimulatorServer,
    scenario: Scenario,
    directory: Path | None,
) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):  # the way to end it
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with server:
        say(f"# listening on {server.url}, journal at {server.url}/simulator/journal")
        for line in recorder_table(server.url, scenario):
            say(line)
        if directory is not None:
            say(f"# an export to V:\\evidence lies here in {directory}/V/evidence")
        sys.stdout.flush()
        told: RequestRecord | None = None
        while not stop.is_set():
            for record in _since(told, simulator.journal.requests):
                say(_render(record))
                told = record
            sys.stdout.flush()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_S)


def recorder_table(url: str, scenario: Scenario) -> list[str]:
    """The table that makes the daemon use this simulator, as lines of TOML."""
    login = scenario.login
    username, password = next(iter(login.users.items()), ("", ""))
    lines = [
        "[recorders.simulated]",
        f"url = {to_toml(url)}",
        f"username = {to_toml(username)}",
        f"password = {to_toml(password)}",
    ]
    if "digest" in login.kinds:
        return [*lines, f"nonce = {to_toml(login.nonce)}"]
    return [*lines, 'auth = "plain"']


def _since(
    told: RequestRecord | None, requests: Sequence[RequestRecord]
) -> list[RequestRecord]:
    """Those that came after `told`; the journal is bounded, so it may be gone."""
    new: list[RequestRecord] = []
    for record in reversed(requests):
        if record is told:
            break
        new.append(record)
    return new[::-1]


def _render(record: RequestRecord) -> str:
    """One line: when, what, how it was answered, and what was asked for."""
    parts = [render_utc(record.at), record.command, record.outcome]
    if record.status is not None:
        parts.append(f"HTTP {record.status}")
    if record.code is not None:
        parts.append(f"code {record.code}")
    if record.order is not None:
        devices = len(record.order.devices)
        parts.append(f"{devices} device{'' if devices == 1 else 's'}")
        parts.append(f"to {record.order.path}")
    if record.exportid is not None:
        parts.append(f"export {record.exportid}")
    return "  ".join(parts)
