"""`evidenced check`."""

from pathlib import Path

import typer

from evidenced.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile
from evidenced.cli.terminal import Failed, complain, say, say_json, warn
from evidenced.config import Config, ConfigUnreadable, Loaded, load
from evidenced.core.errors import ConfigError

PROBLEMS = 1
UNREADABLE = 2


def register(app: typer.Typer) -> None:
    app.command()(check)


def check(
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Check the configuration; every fault is told at once, with its place.

    Exit 0: fine (warnings allowed). 1: problems. 2: the file cannot be read.

    Example: [bold]evidenced check -c evidenced.toml[/bold]
    """
    loaded, problems = _load(config)
    warnings = loaded.warnings if loaded else ()
    if as_json:
        say_json({"problems": problems, "warnings": list(warnings)})
    else:
        for problem in problems:
            complain(f"{config}: {problem}")
        for warning in warnings:
            warn(f"{config}: {warning}")
        if loaded:
            say(f"{config}: fine: {_summary(loaded.config)}")
    raise typer.Exit(PROBLEMS if problems else 0)


def _load(path: Path) -> tuple[Loaded | None, list[str]]:
    try:
        return load(path), []
    except ConfigUnreadable as error:
        raise Failed(str(error), code=UNREADABLE) from None
    except ConfigError as error:
        return None, error.problems


def _summary(config: Config) -> str:
    counts = (
        ("rule", config.rules),
        ("camera", config.cameras),
        ("recorder", config.recorders),
        ("destination", config.destinations),
    )
    return ", ".join(
        f"{len(things)} {word}{'' if len(things) == 1 else 's'}"
        for word, things in counts
    )
