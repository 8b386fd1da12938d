"""What broker, store and recorder each say happened, and whether they agree."""

import asyncio
import json
import re
import shutil
import sqlite3
import sys
from asyncio.subprocess import PIPE, STDOUT, create_subprocess_exec
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from chaos.load import Load
from fakes.installation import Installation

DATABASE = "evidenced.sqlite3"
STUCK_S = 60.0
"""Without one incident more that ends, it will not go on by itself."""
CLIENT = "evidenced-test"
SENT = re.compile(rf"Sending PUBLISH to {CLIENT} \(d\d, q1, r\d, m(\d+), '([^']+)'")
STARTED = re.compile(r"mosquitto version \S+ starting")
LET_GO = re.compile(rf"Received PUBACK from {CLIENT} \(Mid: (\d+), RC:(\d+)\)")
PATH = re.compile(r"V:\\evidence\\forced-(\d+-\d+-\w+)(?:-\d+)?")
TOPICS = """
SELECT topic FROM inbox UNION ALL SELECT topic FROM alarms UNION ALL
SELECT topic FROM refused_alarms WHERE outcome <> 'duplicate'
"""
"""Repeats are listed beside the alarm that they repeat."""
ALARM = re.compile(r"access/s\d+/forced")


class Acknowledged:
    """The broker's log: what it gave to the daemon, and what came back acknowledged."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._read = 0
        self._topics: dict[str, str] = {}
        self.let_go: set[str] = set()

    def look(self) -> set[str]:
        """Topics of alarms that the daemon has acknowledged by now."""
        with self._log.open("rb") as file:
            file.seek(self._read)
            new = file.read()
        new = new[: new.rfind(b"\n") + 1]
        self._read += len(new)
        for line in new.decode(errors="replace").splitlines():
            if STARTED.search(line):
                self._topics.clear()  # what it still knows it gives again
            elif found := SENT.search(line):
                self._topics[found[1]] = found[2]
            elif found := LET_GO.search(line):
                topic = self._topics.pop(found[1], "")
                if ALARM.fullmatch(topic):
                    self.let_go.add(topic)
        return set(self.let_go)

    def owed(self) -> set[str]:
        """Alarms that were given to the daemon and are not acknowledged."""
        return {topic for topic in self._topics.values() if ALARM.fullmatch(topic)}


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What a store holds."""

    topics: Sequence[str]
    """One for each alarm, wherever it is: in the inbox, in an incident, refused."""
    incidents: int
    clips: frozenset[str]
    waiting: int


def stored_now(database: Path) -> Stored:
    """What a reader sees in the store of a daemon that may be running."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        db.execute("BEGIN")  # one moment for all
        topics = [topic for (topic,) in db.execute(TOPICS)]
        [(incidents,)] = db.execute("SELECT count(*) FROM incidents")
        clips = frozenset(s for (s,) in db.execute("SELECT DISTINCT state FROM clips"))
        [(waiting,)] = db.execute("SELECT count(*) FROM inbox")
    return Stored(topics=topics, incidents=incidents, clips=clips, waiting=waiting)


def stored_by(database: Path) -> Stored:
    """What a daemon that was killed left; nothing is mended by looking."""
    with TemporaryDirectory() as folder:
        for end in ("", "-wal"):
            if (found := database.with_name(database.name + end)).exists():
                shutil.copy(found, folder)
        copy = Path(folder) / database.name
        if not copy.exists():
            return Stored(topics=[], incidents=0, clips=frozenset(), waiting=0)
        sqlite3.connect(copy).execute("PRAGMA quick_check").connection.close()
        return stored_now(copy)


def ended_now(database: Path, last: str) -> tuple[int, bool]:
    """How many incidents have ended; whether it is all of them, up to that alarm's."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        db.execute("BEGIN")  # one moment for all
        states = dict(db.execute("SELECT state, incidents FROM tally"))
        known = db.execute("SELECT 1 FROM alarms WHERE topic = ?", (last,)).fetchone()
        waiting = db.execute("SELECT 1 FROM inbox").fetchone()
    ended = sum(states.get(word, 0) for word in ("exported", "partial", "failed"))
    is_all = known is not None and waiting is None and ended == sum(states.values())
    return ended, is_all


def exports_by_incident(paths: Iterable[str]) -> Counter[str]:
    """How often each incident was exported; a second folder has a suffix."""
    found = [PATH.fullmatch(path) for path in paths]
    return Counter(each[1] for each in found if each)


@dataclass(frozen=True, kw_only=True)
class Figures:
    """`confirmed` by the broker; `lost` of those; `acknowledged` by the daemon."""

    confirmed: int
    lost: int
    acknowledged: int
    incidents: int
    exports: int
    second_exports: int


class Books:
    """One installation's, from its first daemon on."""

    def __init__(self, site: Installation, load: Load) -> None:
        self.database = Path(site.config["daemon"]["state_dir"]) / DATABASE
        self.acknowledged = Acknowledged(site.broker.folder / "mosquitto.log")
        self._site = site
        self._load = load

    def nothing_lost_so_far(self) -> None:
        """After a kill: what the daemon acknowledged, its store has."""
        missing = self.acknowledged.look() - set(stored_by(self.database).topics)
        assert missing == set()

    def nothing_lost_yet(self) -> None:
        """While it runs: likewise, the acknowledgements first."""
        let_go = self.acknowledged.look()
        assert let_go - set(stored_now(self.database).topics) == set()

    async def settled(self) -> None:
        """The last alarm has arrived, so all before it have, and all have ended.

        The broker delivers to a session in the order in which it confirmed.
        """
        loop = asyncio.get_running_loop()
        before = -1
        async with asyncio.timeout(STUCK_S) as deadline, self._site.events() as events:
            while not (now := ended_now(self.database, self._load.last))[1]:
                if now[0] != before:  # it goes on, however much there is to do
                    before = now[0]
                    deadline.reschedule(loop.time() + STUCK_S)
                await anext(events)

    async def close(self, paths: Sequence[str]) -> Figures:
        """All has settled: every account must agree."""
        stored = stored_now(self.database)
        topics = set(stored.topics)
        let_go = self.acknowledged.look()
        assert let_go - topics == set(), "an acknowledged alarm is lost"
        assert self.acknowledged.owed() == set(), "given, and never acknowledged"
        assert len(stored.topics) == len(topics) == stored.incidents, "kept twice"
        assert stored.clips == {"exported"}, stored.clips
        made = exports_by_incident(paths)
        assert len(made) == stored.incidents
        assert await verified(self._site), "the audit chain is broken"
        return Figures(
            confirmed=len(self._load.confirmed),
            lost=len(self._load.confirmed - topics),
            acknowledged=len(let_go),
            incidents=stored.incidents,
            exports=made.total(),
            second_exports=made.total() - len(made),
        )


async def verified(site: Installation) -> bool:
    process = await create_subprocess_exec(
        *(sys.executable, "-m", "evidenced", "audit", "verify", "--json"),
        *("-c", str(site.file)),
        stdout=PIPE,
        stderr=STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    return bool(json.loads(out)["intact"])
