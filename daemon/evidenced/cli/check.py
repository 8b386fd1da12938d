"""`evidenced check` and `evidenced schema`."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from evidenced.cli.certificate import certificate_faults
from evidenced.cli.options import DEFAULT_CONFIG, ConfigFile, placed
from evidenced.cli.terminal import AsJson, Failed, complain, say, say_json, warn
from evidenced.config import Config, ConfigUnreadable, Loaded, load
from evidenced.config.schema import render_schema
from evidenced.config.secret import Origin
from evidenced.core.errors import ConfigError
from evidenced.host.clock import SystemClock

PROBLEMS = 1
UNREADABLE = 2


def check(
    config: ConfigFile = DEFAULT_CONFIG,
    online: Annotated[
        bool,
        typer.Option(
            "--online",
            help="Also try the broker, each recorder's login, clock and cameras, a "
            "database that hosts share, and the mounts. Changes nothing there.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check the configuration; every fault is told at once, with its place.

    Exit 0: fine (warnings allowed). 1: problems. 2: the file cannot be read.

    Example: `evidenced check -c evidenced.toml --online`
    """
    loaded, problems = _load(config)
    warnings = list(loaded.warnings) if loaded else []
    fine: list[str] = []
    if loaded:
        faults = certificate_faults(loaded.config, SystemClock().now())
        # Without --online, as a reload asks: an old certificate keeps no rule out.
        (problems if online else warnings).extend(faults)
    if loaded and not online:
        warnings += _missing_secrets(loaded.config)
    if loaded and online:
        _try_online(loaded.config, {"problem": problems, "warning": warnings}, fine)
    if as_json:
        say_json({"problems": problems, "warnings": warnings, "fine": fine})
    else:
        for problem in problems:
            complain(placed(config, problem))
        for warning in warnings:
            warn(placed(config, warning))
        for line in fine:
            say(f"{config}: {line}")
        if not problems and loaded:
            say(f"{config}: fine: {_summary(loaded.config)}")
    raise typer.Exit(PROBLEMS if problems else 0)


def _load(path: Path) -> tuple[Loaded | None, list[str]]:
    try:
        return load(path), []
    except ConfigUnreadable as error:
        raise Failed(str(error), code=UNREADABLE) from None
    except ConfigError as error:
        return None, error.problems


def _missing_secrets(config: Config) -> list[str]:
    """Files of secrets that are not there. `--online` also reads all secrets.

    One that only root or the service may see is not ours to doubt.
    """
    return [
        f"{'.'.join(map(str, place))}: the secret file {secret.where} is not there"
        for place, secret in config.secrets()
        if secret.origin is Origin.FILE and _is_missing(Path(secret.where))
    ]


def _is_missing(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _try_online(
    config: Config, faults: Mapping[str, list[str]], fine: list[str]
) -> None:
    """Put what was found where it belongs: problems, warnings, or what is fine."""
    # the daemon's adapters: not loaded for the sake of a plain check
    for finding in import_module("evidenced.cli.online").check_online(config):
        faults.get(finding.verdict, fine).append(f"{finding.place}: {finding.text}")


def _summary(config: Config) -> str:
    counts = (
        ("rule", [rule for rule in config.rules if rule.enabled]),
        ("camera", config.cameras),
        ("recorder", config.recorders),
        ("destination", config.destinations),
    )
    return ", ".join(
        f"{len(things)} {word}{'' if len(things) == 1 else 's'}"
        for word, things in counts
    )


def schema() -> None:
    """Print the JSON Schema of the configuration, for editors.

    Example: `evidenced schema > evidenced.schema.json`, and in the first
    line of the file `#:schema ./evidenced.schema.json`.
    """
    typer.echo(render_schema(), nl=False)
