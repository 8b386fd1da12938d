"""Tags: the loop over a real store, the real client and the strict double."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from evidenced.core.errors import Reason, RecorderError
from evidenced.core.ids import SessionId
from evidenced.core.incidents import operating
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.incident import Incident
from evidenced.core.keeping.loss import LossKind
from evidenced.core.keeping.tag import ALL_TOO_OLD, Tag, TagOrder, TagState
from evidenced.core.window import Window
from evidenced.metrics import Metrics
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.link import Link
from evidenced.pipeline.protect import Protect
from evidenced.sense import Auth, SenseClient, SenseSettings
from evidenced.sense.address import sense_address
from evidenced.simulator import (
    Action,
    Ending,
    Request,
    Scenario,
    Simulator,
    SimulatorServer,
    Strike,
)
from evidenced.simulator.scenario import OwnClock, TagsScenario, Xml
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.clock import START, FakeClock
from fakes.incident import LOBBY, happening, opened
from fakes.proofs import tagged_everything
from fakes.running import Log
from fakes.world import FixedDice, make_site, make_world


class Bench:
    """One camera of a protected incident, and a recorder that is to keep it."""

    def __init__(
        self, store: SqlStore, simulator: "Heard", client: SenseClient, clock: Any
    ) -> None:
        self.store, self.simulator, self.clock = store, simulator, clock
        self.log = Log()
        self.metrics = Metrics("test")
        world = make_world(store, clock, self.log)
        settings = next(iter(world.site.recorders.values()))
        agenda = Agenda(clock)
        self.link = Link(settings, client, clock, FixedDice(), self.log.bound)
        self.loop = Protect(world, self.link, agenda, self.metrics, self.log.bound)
        self.incident = protected()

    async def save(self, before: Incident | None, after: Incident) -> None:
        change = Change(before=before, after=after, event=Event.EXTENDED)
        now = self.clock.now()
        await self.store.write(lambda tx: tx.ledger.save([change], now))
        self.incident = after

    async def begin(self) -> None:
        await self.save(None, self.incident)

    async def go(self, rounds: int = 1, wait: float = 3.0) -> None:
        for _ in range(rounds):
            await self.loop.once()
            self.clock.advance(wait)

    async def tag(self) -> Tag:
        name = self.incident.id
        [tag] = await self.store.read(lambda view: view.tags.of([name]))
        return tag

    async def events(self) -> list[str]:
        name = self.incident.id
        dossier = await self.store.read(lambda view: view.dossier(name))
        assert dossier is not None
        return [entry.event for entry in dossier.history]

    @property
    def asked(self) -> list[Any]:
        return list(self.simulator.journal.tags)


def protected(end: float = 60.0) -> Incident:
    """Its window ends `end` seconds after START."""
    incident = opened(happening("12:00", LOBBY))
    window = Window(
        start=START - timedelta(seconds=30), end=START + timedelta(seconds=end)
    )
    clip = replace(
        incident.clips[0],
        window=window,
        address=sense_address("1001", "2001"),
    )
    terms = replace(incident.terms, protect=True)
    return replace(incident, clips=(clip,), terms=terms)


class Heard(Simulator):
    """Tells when it was asked for a tag."""

    def __init__(self, scenario: Scenario, clock: FakeClock) -> None:
        super().__init__(scenario, clock)
        self.asked = asyncio.Event()

    @override
    def handle(self, request: Request) -> Ending:
        outcome = super().handle(request)
        if self.journal.tags:
            self.asked.set()
        return outcome


@asynccontextmanager
async def bench(folder: Path, scenario: Scenario) -> AsyncIterator[Bench]:
    clock = FakeClock()
    simulator = Heard(scenario, clock)
    store = open_store(StoreSettings(directory=folder / "state"))
    async with SimulatorServer(simulator, "127.0.0.1", 0) as server:
        numbers = count(1)
        settings = SenseSettings(
            name="main",
            url=server.url,
            username="export",
            password=lambda: "secret",
            auth=Auth.PLAIN,
            nonce="",
            timeout=timedelta(seconds=10),
        )
        client = SenseClient(settings, clock, lambda: SessionId(f"s{next(numbers)}"))
        try:
            yield Bench(store, simulator, client, clock)
        finally:
            await client.close()
            store.close()


VARIANTS = {
    "plain": Scenario(),
    "attributes": Scenario(
        tags=TagsScenario(entry="attributes"), xml=Xml(tag_case="upper")
    ),
    "nodes": Scenario(xml=Xml(extra_nodes=True, zone="Europe/Amsterdam", times="s")),
    "late": Scenario(tags=TagsScenario(listed_after=timedelta(seconds=8))),
    "empty-code": Scenario(
        tags=TagsScenario(empty="code", listed_after=timedelta(seconds=8)),
        xml=Xml(success_code=1),
    ),
    "short-titles": Scenario(tags=TagsScenario(title_length=200)),
    "clock": Scenario(clock=OwnClock(offset=timedelta(minutes=7))),
}


@pytest.mark.parametrize("variant", VARIANTS)
async def test_a_tag_is_asked_for_once_and_confirmed_by_the_list(
    tmp_path: Path, variant: str
) -> None:
    async with bench(tmp_path, VARIANTS[variant]) as site:
        await site.begin()
        await site.go(6)
        tag = await site.tag()
        assert (tag.state, tag.due_at) == (TagState.CONFIRMED, None)
        [record] = site.asked
        assert (record.server, record.device) == ("1001", "2001")
        assert record.before >= 30
        assert record.after >= 60
        assert record.title == f"evidenced {site.incident.id}/1"
        assert await site.events() == [Event.EXTENDED, "tag-asked", "tagged"]
        assert tagged_everything(site.simulator.journal) == []


async def test_an_incident_that_grows_is_tagged_on_and_no_more(tmp_path: Path) -> None:
    async with bench(tmp_path, Scenario()) as site:
        await site.begin()
        await site.go(3)
        await site.save(site.incident, replace(protected(300), id=site.incident.id))
        await site.go(3)
        assert (await site.tag()).state is TagState.CONFIRMED
        first, second = site.asked
        assert second.title == f"evidenced {site.incident.id}/2"
        assert second.after >= 290
        assert second.before < first.before
        await site.save(site.incident, replace(site.incident, is_late_told=True))
        await site.go(3)
        assert len(site.asked) == 2


async def test_what_was_asked_before_a_crash_is_looked_up_not_asked_again(
    tmp_path: Path,
) -> None:
    async with bench(tmp_path, Scenario()) as site:
        cut = Strike(action=Action.CUT, command="executeAction", after=True)
        site.simulator.inject(cut)
        await site.begin()
        await site.go(30, wait=1.0)
        assert (await site.tag()).state is TagState.CONFIRMED
        assert len(site.asked) == 1


async def test_what_never_arrived_is_asked_once_more(tmp_path: Path) -> None:
    async with bench(tmp_path, Scenario()) as site:
        site.simulator.inject(Strike(action=Action.CUT, command="executeAction"))
        await site.begin()
        await site.go(30, wait=5.0)
        assert (await site.tag()).state is TagState.CONFIRMED
        [record] = site.asked
        assert record.title.endswith("/2")


async def test_without_a_licence_people_are_told_at_once_and_it_ends(
    tmp_path: Path,
) -> None:
    async with bench(tmp_path, Scenario(licensed=False)) as site:
        await site.begin()
        await site.go()
        assert (await site.tag()).reason is Reason.NO_LICENSE
        warned = "footage cannot be protected from being overwritten"
        assert site.log.events("warning") == [warned]
        await site.go(3, wait=3600 * 24)
        tag = await site.tag()
        assert (tag.state, tag.due_at) == (TagState.REFUSED, None)
        assert (await site.events()).count(Event.UNTAGGED) == 2
        assert site.metrics.tags.labels("main", "refused")._value.get() == 1
        [lost] = await site.store.read(lambda view: view.losses.open(9))
        assert (lost.kind, lost.incident) == (LossKind.UNTAGGED, site.incident.id)


async def test_what_is_out_of_reach_is_told_and_never_asked_for(tmp_path: Path) -> None:
    """Seen: confirmed, by a tag over footage of a day later."""
    async with bench(tmp_path, Scenario()) as site:
        await site.begin()
        site.clock.advance(3600 * 30)
        await site.go(3)
        tag = await site.tag()
        assert (tag.state, tag.message) == (TagState.REFUSED, ALL_TOO_OLD)
        assert site.asked == []
        assert (await site.events()).count(Event.UNTAGGED) == 1
        assert site.log.events("warning") == [
            "footage cannot be protected from being overwritten"
        ]


@pytest.mark.parametrize(
    "scenario",
    [Scenario(tags=TagsScenario(effect="none")), Scenario(tags=TagsScenario(limit=1))],
)
async def test_an_ok_without_an_effect_and_a_full_recorder_are_told(
    tmp_path: Path, scenario: Scenario
) -> None:
    async with bench(tmp_path, scenario) as site:
        if scenario.tags.limit:
            other = replace(protected(), id=f"{site.incident.id}x")  # type: ignore[arg-type]
            await site.save(None, other)
            await site.go(2)
            site.incident = protected()
        await site.begin()
        await site.go(60, wait=20.0)
        assert (await site.tag()).state is not TagState.CONFIRMED
        assert (await site.tag()).failures >= 3
        warned = site.log.events("warning")
        assert warned.count("footage cannot be protected from being overwritten") == 1


async def test_a_cancelled_incident_keeps_its_tag_and_says_so(tmp_path: Path) -> None:
    async with bench(tmp_path, Scenario()) as site:
        await site.begin()
        await site.go(3)
        change = operating.cancel(site.incident, "eve", site.clock.now())
        assert "until a person releases it" in str(change.detail["tags"])
        await site.store.write(lambda tx: tx.ledger.save([change], site.clock.now()))
        await site.go(3)
        assert (await site.tag()).state is TagState.CONFIRMED
        commands = {r.command for r in site.simulator.journal.requests}
        assert commands == {"info", "login", "executeAction", "getVideoTagList"}


async def test_one_cancelled_before_it_was_asked_for_is_not_tagged(
    tmp_path: Path,
) -> None:
    async with bench(tmp_path, Scenario()) as site:
        await site.begin()
        change = operating.cancel(site.incident, "eve", site.clock.now())
        await site.store.write(lambda tx: tx.ledger.save([change], site.clock.now()))
        await site.go(3)
        assert (await site.tag()).state is TagState.WITHDRAWN
        assert site.asked == []
        again = operating.retry(change.after, "eve", site.clock.now())
        await site.store.write(lambda tx: tx.ledger.save([again], site.clock.now()))
        await site.go(3)
        assert (await site.tag()).state is TagState.CONFIRMED


@pytest.mark.parametrize(
    ("server", "device"),
    [
        ("", "2001"),
        ("1001", ""),
        ("0", "2001"),
        ("1001", "0"),
        ("1001", "000"),
        ("1001", " "),
        ("1001", "-1"),
        ("1001", "2001x"),
        ("18446744073709551616", "1"),
        ("1001", "\u0660\u0661"),
    ],
)
async def test_a_tag_that_might_be_everybodys_is_never_sent(
    tmp_path: Path, server: str, device: str
) -> None:
    async with bench(tmp_path, Scenario()) as site:
        order = TagOrder(
            address=sense_address(server, device),
            window=Window(start=START, end=START),
            title="t",
            comment="c",
        )
        with pytest.raises(RecorderError, match="every camera") as refused:
            await site.link.port.tag(order)
        assert refused.value.reason is Reason.BAD_REQUEST
        assert not refused.value.is_sent
        assert (
            site.simulator.journal.requests == type(site.simulator.journal.requests)()
        )


async def test_a_rule_without_protect_tags_nothing(tmp_path: Path) -> None:
    async with bench(tmp_path, Scenario()) as site:
        plain = protected()
        await site.save(None, replace(plain, terms=replace(plain.terms, protect=False)))
        await site.go(2)
        assert await site.store.read(lambda view: view.tags.of([plain.id])) == []
        assert not make_site().rules[0].terms.protect


async def test_a_list_that_cannot_be_had_proves_nothing(tmp_path: Path) -> None:
    async with bench(tmp_path, Scenario()) as site:
        code = Strike(
            action=Action.CODE, command="getVideoTagList", code=-18, nth=1, times=4
        )
        site.simulator.inject(code)
        await site.begin()
        await site.go()
        await site.go()
        tag = await site.tag()
        assert (tag.state, tag.failures) == (TagState.ASKED, 1)
        assert site.link.is_up
        await site.go(8, wait=100)
        assert (await site.tag()).state is TagState.CONFIRMED
        assert len(site.asked) == 1
        hidden = Strike(
            action=Action.STATUS, command="getVideoTagList", status=503, times=0
        )
        site.simulator.inject(hidden)
        await site.save(site.incident, replace(protected(300), id=site.incident.id))
        await site.go(2)
        assert site.link.problem is not None
        await site.go(2, wait=3600 * 48)
        assert (await site.tag()).state is TagState.REFUSED


async def test_requests_behind_one_that_failed_wait_with_it(tmp_path: Path) -> None:
    async with bench(tmp_path, Scenario()) as site:
        await site.begin()
        other = replace(protected(), id=f"{site.incident.id}x")  # type: ignore[arg-type]
        await site.save(None, other)
        down = Strike(action=Action.REFUSE, command="executeAction")
        site.simulator.inject(down)
        await site.go()
        assert (site.asked, (await site.tag()).state) == ([], TagState.WANTED)
        await site.go(8, wait=60)
        assert (await site.tag()).state is TagState.CONFIRMED
        assert len(site.asked) == 2


async def test_the_loop_asks_by_itself_and_stops_with_the_daemon(
    tmp_path: Path,
) -> None:
    async with bench(tmp_path, Scenario()) as site:
        await site.begin()
        async with asyncio.TaskGroup() as group:
            task = group.create_task(site.loop.run())
            async with asyncio.timeout(60):
                await site.simulator.asked.wait()
            assert (await site.tag()).state is TagState.ASKED
            task.cancel()
        await site.save(site.incident, replace(protected(300), id=site.incident.id))
        site.loop._world.is_stopping = True
        assert not await site.loop.once()
        tags = await site.store.read(lambda view: view.tags.of([site.incident.id]))
        await site.loop._ask([replace(tags[0], n=9)])
        assert len(site.asked) == 1
        await site.loop._ask(tags)
        assert (await site.tag()).state is TagState.ASKED  # the next start looks for it
        assert len(site.asked) == 1
