"""`evidenced discover`: a recorder's devices as tables for the configuration."""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from importlib import import_module
from typing import Annotated

import typer

from evidenced.cli.options import DEFAULT_CONFIG, ConfigFile, load_config, recorders
from evidenced.cli.terminal import AsJson, Failed, say, say_json
from evidenced.config import Config
from evidenced.config.tomltext import to_toml
from evidenced.core.address import Address, parts_of
from evidenced.core.alarms.payload import one_line
from evidenced.core.errors import BadInput, RecorderError
from evidenced.core.recorder import Device

MAX_NAME = 48
MAX_LABEL = 200
NO_ANSWER = 1
BAD_INPUT = 2


def discover(
    recorder: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="The recorder to ask.", autocompletion=recorders
        ),
    ],
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Print a recorder's devices as ready camera tables for the configuration.

    Devices that the configuration has already are printed as comments. Exit 0: the
    recorder answered. 1: it did not. 2: bad input.

    Example: `evidenced discover -c evidenced.toml --recorder main`
    """
    loaded = load_config(config)
    if recorder not in loaded.recorders:
        names = ", ".join(loaded.recorders) or "none"
        raise Failed(f"there is no recorder {recorder!r}; there is {names}", code=2)
    devices = _ask(loaded, recorder)
    known = configured(loaded, recorder)
    named = name_devices(devices, known, loaded.cameras)
    if as_json:
        say_json(
            [_as_json(name, device, known) for name, device in named],
        )
        return
    for line in tables(named, known, recorder):
        say(line)


def _ask(config: Config, recorder: str) -> tuple[Device, ...]:
    # the daemon's adapters: not loaded for the sake of `--help`
    online = import_module("evidenced.cli.online")
    try:
        devices: tuple[Device, ...] = online.list_devices(config, recorder)
    except RecorderError as error:
        raise Failed(
            f"recorder {recorder}: {error} ({error.reason})", code=NO_ANSWER
        ) from None
    except BadInput as error:
        raise BadInput(f"recorder {recorder}: {error}") from None
    return devices


def configured(config: Config, recorder: str) -> dict[Address, str]:
    """Names that the configuration has for devices of this recorder."""
    return {
        camera.address: name
        for name, camera in config.cameras.items()
        if config.recorder_of(camera) == recorder
    }


def name_devices(
    devices: Sequence[Device], known: Mapping[Address, str], taken: Collection[str]
) -> list[tuple[str, Device]]:
    """A name for each device: the configured one, else a new one made of its own.

    New names are slugs, unique also beside those in the configuration.
    """
    used = {name.casefold() for name in taken}
    named = []
    for device in devices:
        name = known.get(device.address)
        if name is None:
            name = _unique(_slug(device.name) or f"camera-{_number(device)}", used)
            used.add(name)
        named.append((name, device))
    return named


def _number(device: Device) -> str:
    """The last part of its address, which tells it from its neighbours best."""
    return list(parts_of(device.address).values())[-1]


def _slug(text: str) -> str:
    """Lower-case ASCII letters, digits and "-"; empty where nothing is left."""
    plain = unicodedata.normalize("NFKD", text[: 4 * MAX_NAME])
    plain = plain.encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_NAME].rstrip("-")


def _unique(name: str, used: Collection[str]) -> str:
    n, found = 1, name
    while found in used:
        n += 1
        found = f"{name}-{n}"
    return found


def tables(
    named: Sequence[tuple[str, Device]], known: Mapping[Address, str], recorder: str
) -> list[str]:
    """Lines of TOML: a table for each new device, a comment for each known one."""
    lines = []
    for name, device in named:
        if device.address in known:
            label = one_line(device.name, MAX_LABEL)
            lines += [f"# configured as {name}: {label}", ""]
            continue
        about = ", ".join(
            one_line(each, MAX_LABEL)
            for each in (device.kind, device.location, device.status)
            if each
        )
        lines += [
            *([f"# {about}"] if about else []),
            f"[cameras.{name}]",
            f"recorder = {to_toml(recorder)}",
            *(
                f"{key} = {to_toml(part)}"
                for key, part in parts_of(device.address).items()
            ),
            f"label = {to_toml(one_line(device.name, MAX_LABEL))}",
            "",
        ]
    return lines or ["# the recorder has no devices that this account may see"]


def _as_json(
    name: str, device: Device, known: Mapping[Address, str]
) -> dict[str, object]:
    return {
        "name": name,
        "configured": device.address in known,
        **parts_of(device.address),
        "label": device.name,
        "kind": device.kind,
        "status": device.status,
        "location": device.location,
    }
