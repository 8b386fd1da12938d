"""`evidenced status`: is the footage safe, in one sentence, and what it rests on."""

import os
from collections.abc import Iterator, Mapping
from datetime import timedelta
from importlib import import_module
from typing import Any

import typer

from evidenced.cli.control import NotRunning, find_daemon
from evidenced.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile, load_config
from evidenced.cli.terminal import Failed, note, say_json, say_labelled
from evidenced.cli.verify import size_words
from evidenced.config import Config
from evidenced.config.compile import zone_of
from evidenced.connections import store_settings
from evidenced.core.errors import StoreError
from evidenced.core.spoken import spoken
from evidenced.core.telling.verdict import Mood, verdict, verdict_object
from evidenced.host.clock import SystemClock
from evidenced.store.snapshot import open_snapshot, read_cluster

NOTHING_KNOWN = 2
NOT_GOOD = 1

Json = Mapping[str, Any]


def status(config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Say whether the footage is safe, why not, and what is under way.

    The running daemon is asked; where none answers, the store is read, which then says
    so. Exit 0: good, or footage is under way. 1: something is wrong. 2: nothing is
    known: no daemon and no store.

    Example: `evidenced status --json`
    """
    loaded = load_config(config)
    found = _asked(loaded)
    if as_json:
        say_json(found)
    else:
        for label, lines in status_lines(found):
            say_labelled(label, lines)
    mood = Mood(found["verdict"]["mood"])
    raise typer.Exit(0 if mood in {Mood.GOOD, Mood.WAIT} else NOT_GOOD)


def _asked(config: Config) -> Json:
    """What the daemon says, else what the store says.

    Raises:
        Failed: exit 2, neither says anything.
    """
    try:
        answer: Json = find_daemon(config).get("/api/status")
    except NotRunning as silent:
        note("; ".join(silent.lines))
    except Failed as refused:  # it may be well: nothing is known
        raise Failed(*refused.lines, code=NOTHING_KNOWN) from None
    else:
        return answer
    web = import_module("evidenced.web.status")  # not loaded where a daemon answers
    try:
        settings = store_settings(config, os.environ)
        with open_snapshot(settings) as view:
            now, zone = SystemClock().now(), zone_of(config.daemon.timezone)
            facts = view.facts.read(None, now, zone)
            stored: Json = web.stored_status(view)
        nodes = read_cluster(settings).nodes
        return {
            "verdict": verdict_object(verdict(facts)),
            **stored,
            "nodes": [web.node_object(each) for each in nodes],
        }
    except StoreError as error:
        raise Failed(str(error), code=NOTHING_KNOWN) from None


def status_lines(found: Json) -> Iterator[tuple[str, list[str]]]:
    judged = found["verdict"]
    yield judged["mood"], [judged["text"], *filter(None, [judged.get("more")])]
    others = [each["text"] for each in judged["reasons"][1:]]
    if others:
        yield "also", others
    queue = found["queue"]
    waiting = [f"{n} {state}" for state, n in queue["incidents"].items() if n]
    yield "incidents", [", ".join(waiting) or "none"]
    if queue["messages"]:
        yield "unread", [f"{queue['messages']} messages"]
    if "broker" in found:
        broker = found["broker"]
        yield "broker", ["connected"] if broker["up"] else list(broker["problems"])
    for each in found.get("recorders", []):
        yield "recorder", [f"{each['name']}: {'up' if each['up'] else 'down'}"]
    for each in found.get("nodes", []):
        yield "node", [f"{each['name']}: {_node(each)}"]
    dead = [each for each in found.get("cameras", []) if each["records"] is False]
    if dead:
        yield (
            "not recording",
            [f"{each['label']} since {each['silent_since']}" for each in dead],
        )
    shares = list(map(_share, found.get("shares", [])))
    if shares:
        yield "shares", shares
    if found.get("silences"):
        yield "silences", [str(len(found["silences"]))]
    last = found.get("last_alarm")
    if last:
        yield "last alarm", [f"{last['at']}, {last['label']}, {last['incident']}"]


def _node(node: Json) -> str:
    if not node["up"]:
        return f"away, seen last {node['seen']}"
    if node["holds"]:
        return f"works since {min(node['holds'].values())}"
    return f"stands by since {node['since']}"


def _share(share: Json) -> str:
    """Whether it is there, how much room it has, and for how long."""
    words = [f"{share['destination']}: {'up' if share['up'] else share['problem']}"]
    if share["free_bytes"] is not None:
        words.append(f"{size_words(share['free_bytes'])} free")
    if share["full_in_s"] is not None:
        words.append(f"full in about {spoken(timedelta(seconds=share['full_in_s']))}")
    return ", ".join(words)
