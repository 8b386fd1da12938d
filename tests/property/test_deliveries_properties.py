"""Brokers of every kind, cut lines, equal texts: each message is stored once.

The broker is a model: what it sends again, under which identifiers and with which
flags. The daemon's side is its own: Inbox, Deliveries, and `accept` over marks in a
dictionary.
"""

from collections import Counter, deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidenced.core.alarms.alarm import Alarm
from evidenced.core.alarms.deliveries import Deliveries, DeliveryMark, Over
from evidenced.mqtt.backlog import BUSY_S
from evidenced.mqtt.inbox import Inbox
from evidenced.mqtt.publish import Publish
from evidenced.pipeline.intake import accept
from evidenced.ports import Delivery, Tx
from evidenced.store.messages import InboxSize
from fakes.clock import FakeClock

WINDOW = 4
TEXTS = (b"ALARM", b"alarm")


@dataclass
class Kind:
    """`ids`: "lowest" free one, "on" counts on, "anew" counts from 1 on each line."""

    ids: str
    has_dup: bool = True


@dataclass
class ModelBroker:
    """One session of it; a message is (uid, text)."""

    kind: Kind
    queue: deque[tuple[int, bytes]] = field(default_factory=deque)
    inflight: dict[int, tuple[int, bytes]] = field(default_factory=dict)
    last: int = 100

    def connect(self) -> list[tuple[int, Publish]]:
        """What it sends again, in order."""
        again = list(self.inflight.items())
        if self.kind.ids == "anew":
            self.inflight = {n: held for n, (_, held) in enumerate(again, start=1)}
            self.last = len(again)
        return [
            (uid, Publish("a", text, mid, self.kind.has_dup))
            for mid, (uid, text) in self.inflight.items()
        ]

    def send(self) -> list[tuple[int, Publish]]:
        """What the window has room for."""
        sent = []
        while self.queue and len(self.inflight) < WINDOW:
            uid, text = self.queue.popleft()
            if self.kind.ids == "lowest":
                self.last = 0
            self.last += 1
            while self.last in self.inflight:
                self.last += 1
            self.inflight[self.last] = uid, text
            sent.append((uid, Publish("a", text, self.last)))
        return sent


class Kept:
    """`tx.inbox`, as much of it as `accept` needs."""

    def __init__(self) -> None:
        self.alarms: list[Alarm] = []

    def save(self, alarms: Sequence[Alarm]) -> None:
        self.alarms += alarms

    def waiting(self) -> InboxSize:
        return InboxSize(0, 0)


class Marks:
    """`tx.deliveries` in a dictionary."""

    def __init__(self) -> None:
        self.by_id: dict[int, DeliveryMark] = {}

    def marks(
        self, packet_ids: Collection[int], digests: Collection[str]
    ) -> set[DeliveryMark]:
        return {
            mark
            for mark in self.by_id.values()
            if mark.packet_id in packet_ids or mark.digest in digests
        }

    def save(self, marks: Iterable[DeliveryMark]) -> None:
        self.by_id.update({mark.packet_id: mark for mark in marks})

    def forget(self, over: Over) -> None:
        for mark in list(self.by_id.values()):
            if over.since <= mark.number < over.before:
                del self.by_id[mark.packet_id]


class Play:
    """Both sides, one step after another."""

    def __init__(self, kind: Kind) -> None:
        self.clock = FakeClock()
        self.broker = ModelBroker(kind)
        listed = SimpleNamespace(save=len)
        self.tx = SimpleNamespace(inbox=Kept(), deliveries=Marks(), refused=listed)
        self.inbox = Inbox(self.clock, WINDOW, None)
        self.inbox.begin(away_since=None)
        self.inbox.backlog.subscribed(self.clock.monotonic())
        self.uids: dict[int, int] = {}
        self.stored: Counter[int] = Counter()
        self.published = 0

    def publish(self, text: int) -> None:
        self.broker.queue.append((self.published, TEXTS[text]))
        self.published += 1

    def arrive(self, sent: Iterable[tuple[int, Publish]]) -> None:
        for uid, packet in sent:
            self.inbox.accept([packet])
            self.uids[self.inbox.deliveries.number] = uid

    def store(self, count: int) -> list[Delivery]:
        queue = self.inbox._queue
        taken = [queue.popleft() for _ in range(min(count, len(queue)))]
        before = len(self.tx.inbox.alarms)
        alarms = [each.alarm for each in taken]
        accept(cast("Tx", self.tx), alarms)
        new = {id(alarm.stamp) for alarm in self.tx.inbox.alarms[before:]}
        for each in taken:
            self.stored[self.uids[each.number]] += id(each.alarm.stamp) in new
        return taken

    def acknowledge(self, taken: Iterable[Delivery], *, is_heard: bool) -> None:
        told = [each for each in taken if self.inbox.settle(each)]
        if is_heard:
            for each in told:
                assert each.alarm.stamp is not None
                self.broker.inflight.pop(each.alarm.stamp.packet_id)

    def confirm(self) -> None:
        """What was acknowledged is heard, and then the probe is answered."""
        if (what := self.inbox.confirmable()) is not None:
            self.inbox.deliveries.confirm(what)
            self.tx.deliveries.forget(self.inbox.deliveries.over)

    def cut(self, *, is_crash: bool) -> None:
        self.inbox.end()
        if is_crash:
            last = max((m.number for m in self.tx.deliveries.by_id.values()), default=0)
            deliveries = Deliveries(session=self.inbox.deliveries.session, last=last)
            self.inbox = Inbox(self.clock, WINDOW, self.clock.now(), deliveries)
        self.inbox.begin(away_since=self.clock.now())
        self.inbox.backlog.subscribed(self.clock.monotonic())
        self.arrive(self.broker.connect())


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("publish"), st.integers(0, 1)),
        st.tuples(st.just("arrive"), st.just(0)),
        st.tuples(st.just("lost"), st.booleans()),
        st.tuples(st.just("store"), st.integers(1, 4)),
        st.tuples(st.just("unheard"), st.integers(1, 4)),
        st.tuples(st.just("crash"), st.integers(0, 4)),
        st.tuples(st.just("pass"), st.sampled_from([0.1, 3.0, BUSY_S])),
    ),
    max_size=60,
)


def _steps(play: Play) -> dict[str, Any]:
    def lost(is_crash: bool) -> None:
        """It leaves the broker and the line is cut before it is here."""
        play.broker.send()
        play.cut(is_crash=is_crash)

    def stored(count: int) -> None:
        play.acknowledge(play.store(count), is_heard=True)
        play.confirm()

    def unheard(count: int) -> None:
        play.acknowledge(play.store(count), is_heard=False)
        play.cut(is_crash=False)

    def crash(count: int) -> None:
        play.store(count)
        play.cut(is_crash=True)

    return {
        "publish": play.publish,
        "arrive": lambda _: play.arrive(play.broker.send()),
        "lost": lost,
        "store": stored,
        "unheard": unheard,
        "crash": crash,
        "pass": play.clock.advance,
    }


def finish(play: Play) -> None:
    """Everything comes through."""
    for _ in range(3):
        play.cut(is_crash=False)
        while play.inbox._queue or play.broker.queue or play.broker.inflight:
            play.arrive(play.broker.send())
            play.acknowledge(play.store(9), is_heard=True)
        play.clock.advance(BUSY_S)
        play.confirm()


KINDS = {
    "HiveMQ": Kind("lowest"),
    "mosquitto": Kind("on"),
    "RabbitMQ": Kind("anew"),
    "aedes": Kind("on", has_dup=False),
}


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=150, deadline=None)
@given(steps=STEPS)
def test_each_message_is_stored_once(name: str, steps: list[tuple[str, Any]]) -> None:
    play = Play(KINDS[name])
    work = _steps(play)
    for what, value in steps:
        work[what](value)
    finish(play)
    assert play.stored == Counter(dict.fromkeys(range(play.published), 1))
