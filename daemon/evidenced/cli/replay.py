"""`evidenced replay`."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from evidenced.cli.alarms import recordings
from evidenced.cli.options import DEFAULT_CONFIG, ConfigFile, load_config, parse_time
from evidenced.cli.replaying import Difference, DifferenceKind, compare
from evidenced.cli.replaying import replay as run
from evidenced.cli.terminal import AsJson, say, say_json, say_labelled
from evidenced.config.compile import build_site
from evidenced.config.units import parse_duration
from evidenced.core.alarms.alarm import BY_HAND
from evidenced.host.clock import SystemClock

DIFFERENT = 1


def replay(
    config: ConfigFile = DEFAULT_CONFIG,
    since: Annotated[
        str,
        typer.Option(
            metavar="TIME",
            help="Messages from then on: ISO 8601 (without a zone local time), or how "
            "long ago, such as 2h or 7d.",
        ),
    ] = "24h",
    as_json: AsJson = False,
) -> None:
    """Run the messages that the store keeps against the rules in FILE.

    Shows which incidents would come out otherwise; nothing is exported and nothing is
    stored. Of a storm's alarms only the first and last are kept, so of those a replay
    sees no more. Exit 0: nothing would change. 1: something would. 2: bad input.

    Example: `evidenced replay -c new-rules.toml --since 7d`
    """
    loaded = load_config(config)
    site = build_site(loaded)
    now = SystemClock().now()
    try:
        at = now - parse_duration(since)
    except (ValueError, OverflowError):
        at = parse_time(since, site.zone, option="--since")
    with recordings(loaded) as kept:
        found = [each for each in kept.since(at) if each.alarm.topic != BY_HAND]
        before = kept.incidents(found)
    with _bar() as bar:
        task = bar.add_task("replaying", total=len(found))
        replayed = run(site, found, lambda done: bar.advance(task, done))
    differences = compare(before, replayed)
    changed = [each for each in differences if each.kind is not DifferenceKind.SAME]
    if as_json:
        say_json(_as_json(len(found), differences))
    else:
        _tell(len(found), changed, Counter(each.kind for each in differences))
    raise typer.Exit(DIFFERENT if changed else 0)


def _bar() -> Progress:
    """On stderr, and on a terminal only: stdout is for the result."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _tell(
    messages: int, changed: Iterable[Difference], counts: Mapping[DifferenceKind, int]
) -> None:
    for each in changed:
        incident = each.incident
        name = incident.id if each.kind is not DifferenceKind.NEW else "(new)"
        key = f" {incident.key}" if incident.key else ""
        say_labelled(each.kind, [f"{name} {incident.rule}{key}", *each.what])
    told = ", ".join(f"{counts.get(kind, 0)} {kind}" for kind in DifferenceKind)
    number = "1 message" if messages == 1 else f"{messages} messages"
    say(f"{number} replayed; incidents: {told}")


def _as_json(messages: int, differences: Iterable[Difference]) -> dict[str, object]:
    return {
        "messages": messages,
        "incidents": [
            {
                "kind": each.kind,
                "incident": None
                if each.kind is DifferenceKind.NEW
                else each.incident.id,
                "rule": each.incident.rule,
                "key": each.incident.key,
                "what": list(each.what),
            }
            for each in differences
        ],
    }
