"""`evidenced status`: is the footage safe, in one sentence, and what it rests on."""

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import typer

from evidenced.cli.control import NotRunning
from evidenced.cli.options import (
    DEFAULT_CONFIG,
    ConfigFile,
    InUtc,
    Url,
    User,
    daemon_of,
    load_config,
    show_times,
)
from evidenced.cli.table import local
from evidenced.cli.terminal import (
    ELSEWHERE,
    LABEL_WIDTH,
    AsJson,
    Failed,
    folded,
    note,
    say_json,
    say_labelled,
)
from evidenced.config.compile import zone_of
from evidenced.connections import store_settings
from evidenced.core.cluster import ALL
from evidenced.core.errors import StoreError
from evidenced.core.incidents.silence import Subject, held_back_words
from evidenced.core.spoken import size_words, spoken
from evidenced.core.telling.judgement import Mood, verdict_object
from evidenced.core.telling.verdict import verdict
from evidenced.host.clock import SystemClock
from evidenced.store.snapshot import open_snapshot, read_cluster

NOTHING_KNOWN = 2
NOT_GOOD = 1

Json = Mapping[str, Any]


def status(
    config: ConfigFile = DEFAULT_CONFIG,
    url: Url = "",
    user: User = "",
    utc: InUtc = False,
    as_json: AsJson = False,
) -> None:
    """Say whether the footage is safe, why not, and what is under way.

    The running daemon is asked; where none answers, the store is read, which then says
    so. Exit 0: good, or footage is under way. 1: something is wrong. 2: nothing is
    known: no daemon and no store.

    Example: `evidenced status --json`
    """
    if url:
        ELSEWHERE.set((url, user))
    found = _asked(config)
    if as_json:
        say_json(found)
    else:
        show_times(config, utc=utc)
        for label, lines in status_lines(found):
            say_labelled(label, lines)
    mood = Mood(found["verdict"]["mood"])
    raise typer.Exit(0 if mood in {Mood.GOOD, Mood.WAIT} else NOT_GOOD)


def _asked(file: Path) -> Json:
    """What the daemon says, else what the store says.

    Raises:
        Failed: exit 2, neither says anything.
    """
    try:
        answer: Json = daemon_of(file).get("/api/status")
    except NotRunning as silent:
        if ELSEWHERE.get()[0]:
            raise Failed(*silent.lines, code=NOTHING_KNOWN) from None
        note("; ".join(silent.lines))
    except Failed as refused:  # it may be well: nothing is known
        raise Failed(*refused.lines, code=NOTHING_KNOWN) from None
    else:
        return answer
    config = load_config(file)
    web = import_module("evidenced.web.status")  # not loaded where a daemon answers
    try:
        settings = store_settings(config, os.environ)
        with open_snapshot(settings) as view:
            now, zone = SystemClock().now(), zone_of(config.daemon.timezone)
            facts = view.facts.read(None, now, zone)
            stored: Json = web.stored_status(view)
        cluster = read_cluster(settings)
        return {
            "verdict": verdict_object(verdict(facts)),
            **stored,
            "nodes": [web.node_object(each) for each in cluster.nodes],
        }
    except StoreError as error:
        raise Failed(str(error), code=NOTHING_KNOWN) from None


def status_lines(found: Json) -> Iterator[tuple[str, list[str]]]:
    judged = found["verdict"]
    told = [judged["text"], *filter(None, [judged.get("more")])]
    yield judged["mood"], _prose(told)
    others = [each["text"] for each in judged["reasons"][1:]]
    if others:
        yield "also", _prose(others)
    queue = found["queue"]
    waiting = [f"{n} {state}" for state, n in queue["incidents"].items() if n]
    yield "incidents", [", ".join(waiting) or "none"]
    if queue["messages"]:
        yield "unread", [f"{queue['messages']} messages"]
    if "broker" in found:
        broker = found["broker"]
        yield "broker", ["connected"] if broker["up"] else list(broker["problems"])
    for each in found.get("recorders", []):
        yield "recorder", [f"{each['name']}: {_state(each)}"]
    yield from _node_lines(found)
    dead = [each for each in found.get("cameras", []) if each["records"] is False]
    if dead:
        yield (
            "not recording",
            [f"{each['label']} since {local(each['silent_since'])}" for each in dead],
        )
    shares = list(map(_share, found.get("shares", [])))
    if shares:
        yield "shares", shares
    silences = list(map(_silence, found.get("silences", [])))
    if silences:
        yield "silences", _prose(silences)
    last = found.get("last_alarm")
    if last:
        yield (
            "last alarm",
            [f"{local(last['at'])}, {last['label']}, {last['incident']}"],
        )


def _prose(sentences: Iterable[str]) -> list[str]:
    taken = LABEL_WIDTH + 1
    return [line for each in sentences for line in folded(each, taken)]


def _state(each: Json) -> str:
    return "up" if each["up"] else f"down: {each.get('problem') or 'not told why'}"


def _silence(silence: Json) -> str:
    about = next(silence[name] for name in Subject if silence.get(name))
    told = f"{about} until {local(silence['until'])}: {silence['comment']}"
    number = silence.get("held_back")
    return f"{told}; {held_back_words(number)}" if number else told


def _node_lines(found: Json) -> Iterator[tuple[str, list[str]]]:
    for each in found.get("nodes", []):
        yield "node", [f"{each['name']}: {_node(each)}"]
    if database := found.get("database"):
        yield "database", [_database(database)]


def _node(node: Json) -> str:
    if not node["up"]:
        return f"away, seen last {local(node['seen'])}"
    holds = node["holds"]
    number = len([name for name in holds if name != ALL])
    words = "1 recorder" if number == 1 else f"{number} recorders"
    if ALL in holds:
        return f"takes alarms since {local(holds[ALL])}, {words}"
    return f"stands by since {local(node['since'])}, {words}"


def _database(database: Json) -> str:
    """Of the nodes that share one: whether it answers, and its standbys."""
    answer, number = database["answer_s"], database["standbys"]
    words = "does not answer" if answer is None else f"answers in {answer} s"
    if not number:
        return f"{words}, no standby"
    behind = database["behind_s"]
    lag = "lag not told (pg_monitor)" if behind is None else f"{behind} s behind"
    return f"{words}, {number} {'standby' if number == 1 else 'standbys'}, {lag}"


def _share(share: Json) -> str:
    """Whether it is there, how much room it has, and for how long."""
    words = [f"{share['destination']}: {'up' if share['up'] else share['problem']}"]
    if share["free_bytes"] is not None:
        words.append(f"{size_words(share['free_bytes'])} free")
    if share["full_in_s"] is not None:
        words.append(f"full in about {spoken(timedelta(seconds=share['full_in_s']))}")
    return ", ".join(words)
