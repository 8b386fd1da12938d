"""From the history to messages, over a real store; a restart repeats nothing."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from evidenced.core.ids import IncidentId
from evidenced.core.incidents.history import Change, Entry, Event
from evidenced.core.keeping.jpeg import picture_size
from evidenced.core.keeping.still import take
from evidenced.core.phrase import LANGUAGES
from evidenced.core.site import NoticePlan
from evidenced.core.telling.mail import Message
from evidenced.core.telling.notice import UNASKED, NoticeKind
from evidenced.core.telling.routing import Route
from evidenced.core.telling.trouble import Trouble
from evidenced.metrics import Metrics
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.notify import Notify
from evidenced.pipeline.storewatch import StoreWatch
from evidenced.pipeline.troubles import write_troubles
from evidenced.ports import NotSent, Tx
from evidenced.simulator.drawn import draw
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.clock import START, FakeClock
from fakes.incident import DOOR, LOBBY, ended, pictured
from fakes.running import Log
from fakes.world import make_site, make_world

DUTY = Route(
    name="duty",
    events=frozenset(UNASKED),
    group_wait=timedelta(seconds=10),
    group_interval=timedelta(minutes=5),
    repeat=timedelta(hours=4),
)
CALM = replace(DUTY, name="calm", events=frozenset({NoticeKind.SILENCE}))
TROUBLE = Trouble(kind=NoticeKind.RECORDER, name="main", text="refused", since=START)


class Told:
    """`ports.Messenger` that takes what it is told to take."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Message]] = []
        self.why: str | None = None
        self.told = asyncio.Event()

    async def send(self, to: str, message: Message) -> None:
        if self.why is not None:
            raise NotSent(self.why)
        self.sent.append((to, message))
        self.told.set()

    @property
    def titles(self) -> list[str]:
        return [message.title for _, message in self.sent]


class Bench:
    """One run's notifications, by hand; `restart` is another process."""

    def __init__(self, directory: Path) -> None:
        self.clock, self.log = FakeClock(), Log()
        self.messenger, self.metrics = Told(), Metrics("test")
        self.directory = directory
        self.routes: tuple[Route, ...] = (DUTY, CALM)
        self.open()

    def open(self) -> None:
        self.store: SqlStore = open_store(StoreSettings(directory=self.directory))
        site = replace(make_site(), notices=NoticePlan(routes=self.routes))
        self.world = make_world(self.store, self.clock, self.log, site)
        self.agenda = Agenda(self.clock)
        self.notify = Notify(
            self.world, self.messenger, self.agenda, self.metrics, self.log.bound
        )

    def restart(self) -> None:
        self.store.close()
        self.open()

    async def gather(self) -> None:
        """Everything that the history has not given yet."""
        cursor = await self.notify.start(self.routes)
        while (after := await self.notify.gather_once(cursor, self.routes)) != cursor:
            cursor = after
        await self.notify.repeat_once(self.routes)

    async def tell(self, after: timedelta) -> list[bool | None]:
        self.clock.advance(after)
        return [
            await self.notify.tell_once(route, self.messenger) for route in self.routes
        ]

    async def trouble(self, *changed: Trouble) -> None:
        now = self.clock.now()
        await self.store.write(lambda tx: write_troubles(tx, changed, now))

    async def silence(self, n: int) -> None:
        entry = Entry(
            incident=None,
            at=self.clock.now(),
            event=Event.SILENCE_BEGUN,
            detail={"rule": f"r{n}", "until": "T", "by": "ann", "comment": "c"},
        )
        await self.store.write(lambda tx: tx.history.write(entry))


@pytest.fixture
async def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path / "state")
    await made.gather()
    return made


@pytest.fixture(autouse=True)
def _closed(bench: Bench) -> Iterator[None]:
    yield
    bench.store.close()


async def test_what_was_before_the_first_start_is_told_nobody(tmp_path: Path) -> None:
    fresh = Bench(tmp_path / "other")
    await fresh.trouble(TROUBLE)
    await fresh.gather()
    assert await fresh.tell(timedelta(hours=1)) == [None, None]
    fresh.store.close()


async def test_each_receiver_gets_its_own_after_its_wait(bench: Bench) -> None:
    await bench.trouble(TROUBLE)
    await bench.silence(1)
    await bench.gather()
    assert await bench.tell(timedelta(seconds=9)) == [None, None]
    assert await bench.tell(timedelta(seconds=1)) == [True, True]
    assert bench.messenger.titles == [
        "evidenced site-1: recorder main is in trouble",
        "evidenced site-1: rule r1 is silent",
    ]
    assert await bench.tell(timedelta(hours=1)) == [None, None]


async def test_each_receiver_is_told_in_its_language(bench: Bench) -> None:
    routes = {code: replace(DUTY, name=code, language=code) for code in LANGUAGES}
    bench.routes = tuple(routes.values())
    bench.restart()
    await bench.trouble(TROUBLE)
    await bench.gather()
    assert await bench.tell(timedelta(minutes=1)) == [True, True, True]
    assert {to: message.title for to, message in bench.messenger.sent} == {
        "en": "evidenced site-1: recorder main is in trouble",
        "nl": "evidenced site-1: recorder main: storing",
        "de": "evidenced site-1: Rekorder main: gestört",
    }


async def test_a_restart_neither_forgets_nor_repeats(bench: Bench) -> None:
    await bench.trouble(TROUBLE)
    bench.restart()
    await bench.gather()
    bench.restart()
    await bench.gather()
    await bench.tell(timedelta(seconds=10))
    bench.restart()
    await bench.gather()
    await bench.tell(timedelta(hours=1))
    assert len(bench.messenger.sent) == 1


async def test_a_node_that_stood_still_tells_nothing_until_it_leads(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one may have sent the same meanwhile; this one's commit would fail."""
    await bench.trouble(TROUBLE)
    await bench.gather()
    with monkeypatch.context() as patch:
        patch.setattr(bench.store, "left", lambda _lease: timedelta())
        assert await bench.tell(timedelta(minutes=1)) == [False, None]
    assert bench.messenger.sent == []
    assert await bench.tell(timedelta(minutes=1)) == [True, None]


async def test_a_receiver_that_is_down_gets_it_all_in_one_when_it_is_back(
    bench: Bench,
) -> None:
    bench.messenger.why = "error=503"
    for n in range(300):
        await bench.silence(n % 3)
    await bench.gather()
    assert await bench.tell(timedelta(seconds=10)) == [None, False]
    assert await bench.tell(timedelta(seconds=10)) == [None, False]
    assert bench.notify.notes() == ["notify.calm takes no messages: error=503"]
    assert bench.log.events("warning") == ["messages do not get through"]
    bench.messenger.why = None
    assert await bench.tell(timedelta(seconds=10)) == [None, True]
    [title] = bench.messenger.titles
    assert title.count("is silent") == 3
    assert bench.notify.notes() == []
    failed = bench.metrics.notifications.labels("calm", "failed")
    assert failed._value.get() == 2


async def test_trouble_that_goes_on_is_told_again_and_then_its_end(
    bench: Bench,
) -> None:
    await bench.trouble(TROUBLE)
    await bench.gather()
    await bench.tell(timedelta(seconds=10))
    bench.clock.advance(timedelta(hours=3))
    await bench.gather()
    assert await bench.tell(timedelta(seconds=10)) == [None, None]
    bench.clock.advance(timedelta(hours=1))
    await bench.gather()
    await bench.gather()
    await bench.tell(timedelta(seconds=10))
    await bench.trouble(replace(TROUBLE, ended_at=bench.clock.now()))
    await bench.gather()
    await bench.tell(timedelta(minutes=5))
    assert [title.rpartition("main ")[2] for title in bench.messenger.titles] == [
        "is in trouble",
        "is still in trouble",
        "is in order again",
    ]


async def test_what_was_told_by_a_clock_that_was_ahead_is_told_again(
    bench: Bench,
) -> None:
    await bench.trouble(TROUBLE)
    await bench.gather()
    years = timedelta(days=3650)
    bench.clock.jump(years)
    await bench.tell(timedelta(seconds=10))
    bench.clock.jump(-years)
    await bench.gather()
    await bench.tell(timedelta(seconds=10))
    bench.clock.jump(timedelta(seconds=-1))
    await bench.gather()
    await bench.tell(timedelta(minutes=10))
    assert [title.rpartition("main ")[2] for title in bench.messenger.titles] == [
        "is in trouble",
        "is still in trouble",
    ]


async def test_without_receivers_the_past_is_let_go(bench: Bench) -> None:
    bench.routes = ()
    bench.restart()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(bench.notify.run())
        while await bench.store.read(lambda view: view.notes.get("notify")):
            pass  # each look waits for a thread of the store
        task.cancel()
    await bench.trouble(TROUBLE)
    bench.routes = (DUTY,)
    bench.restart()
    await bench.gather()
    assert await bench.tell(timedelta(hours=1)) == [None]


async def test_the_loops_tell_by_themselves(bench: Bench) -> None:
    bench.routes = (replace(DUTY, group_wait=timedelta(0)),)
    bench.restart()
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        task = group.create_task(bench.notify.run())
        await bench.trouble(TROUBLE)
        bench.agenda.hint("notify")
        await bench.messenger.told.wait()
        task.cancel()
    assert bench.messenger.titles == ["evidenced site-1: recorder main is in trouble"]


async def test_an_incident_that_was_pruned_stops_nothing(bench: Bench) -> None:
    detail = {"state": {"from": "exporting", "to": "failed"}}
    entry = Entry(
        incident=IncidentId("gone"), at=START, event=Event.FAILED, detail=detail
    )
    await bench.store.write(lambda tx: tx.history.write(entry))
    await bench.gather()
    assert await bench.tell(timedelta(hours=1)) == [None, None]


async def test_a_store_that_takes_nothing_is_told_all_the_same(bench: Bench) -> None:
    watch = StoreWatch(bench.world, bench.messenger, bench.agenda, bench.notify)
    bench.world._store_failed("write", "disk full")
    await watch.once()
    bench.clock.advance(timedelta(seconds=59))
    await watch.once()
    assert bench.messenger.sent == []
    bench.clock.advance(timedelta(seconds=1))
    await watch.once()
    await watch.once()
    bench.world._store_works("write")
    bench.messenger.why = "down"
    await watch.once()
    bench.messenger.why = None
    await watch.once()
    await watch.once()
    assert bench.messenger.titles == [
        "evidenced site-1: store is in trouble",
        "evidenced site-1: store is in order again",
    ]
    await bench.gather()
    assert await bench.tell(timedelta(hours=1)) == [None, None]
    entries = await bench.store.read(lambda view: view.history.after(0, 9))
    assert [entry.event for _, entry in entries] == ["trouble-begun", "trouble-ended"]
    assert await bench.store.read(lambda view: view.troubles.open()) == []


async def told_of_an_incident(bench: Bench) -> IncidentId:
    """An incident whose footage is late, with pictures of two cameras."""
    incident = pictured(ended(LOBBY, DOOR))
    opened = Change(before=None, after=incident, event=Event.OPENED)
    late = Entry(
        incident=incident.id, at=bench.clock.now(), event=Event.LATE, detail={}
    )
    data = draw("lobby", incident.opened_at)

    def write(tx: Tx) -> None:
        tx.ledger.save([opened], incident.opened_at)
        for still in tx.stills.of([incident.id]):
            tx.stills.keep(take(still, still.wanted_at, data), data)
        tx.history.write(late)

    await bench.store.write(write)
    await bench.gather()
    return incident.id


async def test_pictures_of_each_camera_go_with_the_message(bench: Bench) -> None:
    name = await told_of_an_incident(bench)
    await bench.tell(timedelta(seconds=10))
    [(_, message)] = bench.messenger.sent
    assert [each.name for each in message.pictures] == [
        f"{name}-incident.still-11.jpg",
        f"{name}-incident.still-21.jpg",
    ]
    assert all(picture_size(each.data) for each in message.pictures)


async def test_a_receiver_that_refused_is_tried_without_pictures(bench: Bench) -> None:
    await told_of_an_incident(bench)
    bench.messenger.why = "552 too large"
    await bench.tell(timedelta(seconds=10))
    bench.messenger.why = None
    await bench.tell(timedelta(seconds=10))
    [(_, message)] = bench.messenger.sent
    assert message.pictures == ()
