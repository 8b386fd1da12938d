"""A host's clock that is wrong for a while decides nothing: real loops, real rows."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from evidenced.config.compile import build_site
from evidenced.config.load import load_text
from evidenced.core.alarms.alarm import Outcome
from evidenced.core.errors import Refused
from evidenced.core.ids import RuleName
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.silence import Silence, SilenceOrder, Subject
from evidenced.core.site import Site
from evidenced.ports import Tx
from fakes.clock import FakeClock
from fakes.house import House
from fakes.world import TOML, make_site

PANIC = RuleName("panic")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MINUTE, YEAR = timedelta(minutes=1), timedelta(days=365)

Open = Callable[..., "House"]


@pytest.fixture
async def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def start(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Open]:
    """Start the daemon, or start it again."""
    houses: list[House] = []

    def started(site: Site | None = None) -> House:
        for house in houses:
            house.store.close()
        houses.append(House(tmp_path / "state", clock, site))
        return houses[-1]

    yield started
    houses[-1].store.close()


def site_of(rule: str) -> Site:
    return build_site(
        load_text(TOML.format(destination="", cameras='"lobby"') + rule).config
    )


AWAITING = """when = "state == 'on'"\nclear = "state == 'off'"\nclear_within = "0s"\n"""
TIMED = 'time = "time"\n'


async def fill(house: House, days: int) -> None:
    """An incident a day, each over at once."""
    for day in range(days):
        await house.janitor.note()
        made = await house.operate.trigger(PANIC, {"zone": str(day)}, None, "ann")
        await house.operate.cancel(made.id, "ann")
        house.clock.advance(DAY)
    await house.janitor.note()


@pytest.mark.parametrize("sync", [(True, False, True), (None, None, None)])
async def test_a_start_with_a_clock_that_is_behind_deletes_nothing(
    start: Open, clock: FakeClock, sync: tuple[bool | None, ...]
) -> None:
    """A dead battery: 200 days behind for five minutes, then NTP sets it."""
    before, behind, after = sync
    clock.sync = before
    house = start()
    await fill(house, 60)
    clock.jump(-200 * DAY)
    clock.sync = behind
    house = await start().start()
    await house.live(5 * MINUTE)
    clock.jump(200 * DAY)
    clock.sync = after
    await house.live(3 * HOUR)
    assert len(await house.incidents()) == 60
    assert "old incidents pruned" not in house.log.events("info")


async def test_what_ends_by_a_clock_that_is_behind_is_not_old_when_it_is_right(
    start: Open, clock: FakeClock
) -> None:
    house = start()
    await fill(house, 1)
    clock.jump(-200 * DAY)
    clock.sync = False
    house = await start().start()
    made = await house.operate.trigger(PANIC, {"zone": "b"}, None, "ann")
    await house.operate.cancel(made.id, "ann")
    await house.live(5 * MINUTE)
    clock.jump(200 * DAY)
    clock.sync = True
    await house.live(3 * HOUR)
    assert len(await house.incidents()) == 2


async def test_what_ends_by_a_clock_that_is_ahead_is_deleted_at_last(
    start: Open, clock: FakeClock
) -> None:
    house = start()
    await house.live(MINUTE)
    made = await house.operate.trigger(PANIC, {"zone": "a"}, None, "ann")
    clock.jump(20 * YEAR)
    await house.operate.cancel(made.id, "ann")
    clock.jump(-20 * YEAR)
    await house.live(2 * HOUR)
    assert len(await house.incidents()) == 1
    clock.advance(house.janitor.retain)
    await house.live(2 * HOUR)
    assert await house.incidents() == []


async def test_a_clock_that_is_wrong_for_a_while_deletes_nothing(
    start: Open, clock: FakeClock
) -> None:
    house = start()
    await fill(house, 3)
    await house.live(2 * HOUR)
    clock.jump(YEAR)
    await house.live(HOUR - MINUTE)
    clock.jump(-YEAR)
    await house.live(2 * HOUR)
    assert len(await house.incidents()) == 3


async def test_a_clock_that_nobody_keeps_deletes_after_a_day(
    start: Open, clock: FakeClock
) -> None:
    clock.sync = False
    house = start()
    await fill(house, 1)
    clock.advance(house.janitor.retain)
    house = await start().start()
    await house.live(2 * HOUR)
    assert len(await house.incidents()) == 1
    await house.live(2 * DAY)
    assert await house.incidents() == []


async def silence(house: House) -> Silence:
    until = house.clock.now() + 8 * HOUR
    order = SilenceOrder(
        subject=Subject.RULE, name="panic", until=until, comment="works"
    )
    return await house.silencing.begin(order, "ann")


async def test_a_silence_that_is_told_to_have_ended_silences_nothing(
    start: Open, clock: FakeClock
) -> None:
    """And one that goes on can be ended, whatever the clock said meanwhile."""
    house = start()
    made = await silence(house)
    clock.jump(DAY)
    await house.live(MINUTE)
    clock.jump(-DAY)
    assert "silence-ended" not in await house.events()
    await house.silencing.end(made.id, "ann")
    await house.arrive()
    [incident] = await house.incidents()
    assert incident.wanted
    with pytest.raises(Refused, match="already"):
        await house.silencing.end(made.id, "ann")


async def test_a_silence_can_be_ended_while_the_clock_is_ahead(
    start: Open, clock: FakeClock
) -> None:
    house = start()
    made = await silence(house)
    clock.jump(DAY)
    over = await house.silencing.end(made.id, "ann")
    assert over.is_over
    assert over.ends_at == made.starts_at  # a day has not passed


async def test_an_alarm_with_a_right_time_of_its_own_is_not_stale(
    start: Open, clock: FakeClock
) -> None:
    clock.sync = False
    house = start(site_of(TIMED))
    right = clock.now()
    clock.advance(MINUTE)
    house.world.now()
    clock.jump(400 * DAY)
    await house.arrive(b'{"time":"%s"}' % right.isoformat().encode())
    [incident] = await house.incidents()
    assert incident.opened_at == right
    made = await house.operate.trigger(PANIC, {"zone": "b"}, right, "ann")
    assert made.opened_at == right


async def test_an_alarm_that_is_old_by_what_is_sure_is_stale_all_the_same(
    start: Open, clock: FakeClock
) -> None:
    house = start(site_of(TIMED))
    old = clock.now() - 8 * DAY
    house.world.now()
    clock.jump(400 * DAY)
    await house.arrive(b'{"time":"%s"}' % old.isoformat().encode())
    refused = await house.read(lambda view: view.refused.newest(5))
    assert [each.outcome for each in refused] == [Outcome.STALE]


async def opened(house: House) -> Incident:
    """An incident that awaits its clear."""
    await house.arrive(b'{"state":"on"}')
    await house.live(MINUTE)
    [incident] = await house.incidents()
    assert incident.is_active
    return incident


async def test_a_clock_that_is_ahead_cuts_nothing(
    start: Open, clock: FakeClock
) -> None:
    house = start(site_of(AWAITING))
    await opened(house)
    clock.jump(YEAR)  # a bad time server, for a minute
    await house.live(MINUTE)
    clock.jump(-YEAR)
    await house.live(MINUTE)
    await house.arrive(b'{"state":"off"}')
    await house.live(10 * MINUTE)
    [incident] = await house.incidents()
    assert incident.span.length < 6 * MINUTE


async def test_a_cut_that_has_come_for_sure_is_made_while_the_clock_is_ahead(
    start: Open, clock: FakeClock
) -> None:
    house = start(site_of(AWAITING))
    whole = await opened(house)
    clock.jump(YEAR)
    await house.live(whole.terms.max_length + 10 * MINUTE)
    pieces = await house.incidents()
    assert {each.opened_at for each in pieces} == {whole.opened_at, whole.cut_at}


async def test_a_clock_that_was_behind_makes_no_alarm_of_months(
    start: Open, clock: FakeClock
) -> None:
    site = site_of(AWAITING)
    house = start(site)
    await house.live(MINUTE)
    clock.jump(-200 * DAY)
    clock.sync = False
    house = await start(site).start()
    await house.arrive(b'{"state":"on"}')
    await house.live(MINUTE)
    clock.jump(200 * DAY)
    clock.sync = True
    await house.live(HOUR)
    [incident] = await house.incidents()
    assert incident.span.length < 5 * MINUTE


@pytest.mark.parametrize("state", ["on", "off"])
async def test_a_message_of_a_clock_that_is_ahead_cuts_no_thousand_pieces(
    start: Open, clock: FakeClock, state: str
) -> None:
    house = start(site_of(AWAITING))
    await opened(house)
    clock.jump(YEAR)
    await house.arrive(b'{"state":"%s"}' % state.encode())
    found = await house.incidents()
    assert len(found) < 60
    clock.jump(-YEAR)
    await house.live(MINUTE)
    ends = max(clip.window.end for each in found for clip in each.clips)
    assert (ends - clock.now() < 2 * DAY) == (state == "off")


async def test_a_start_after_a_long_night_cuts_up_to_now_once_the_clock_is_right(
    start: Open, clock: FakeClock
) -> None:
    """The host was off for half a day, and nobody says whether its clock is right."""
    site = site_of(AWAITING)
    house = start(site)
    whole = await opened(house)
    clock.advance(12 * HOUR)
    clock._monotonic = 2.0
    house = await start(site).start()
    await house.live(MINUTE)
    assert len(await house.incidents()) == 1
    await house.arrive(b'{"state":"on"}')  # a message says that so much time passed
    assert len(await house.incidents()) == 25
    await house.arrive(b'{"state":"off"}')
    last = max(await house.incidents(), key=lambda each: each.opened_at)
    assert not last.is_active
    assert last.span.end == clock.now() + 2 * MINUTE
    assert whole.terms.max_length == 30 * MINUTE


async def test_footage_is_late_by_what_is_sure(start: Open, clock: FakeClock) -> None:
    house = start(site_of('alert_after = "10m"\n'))
    await house.arrive()
    await house.live(5 * MINUTE)
    clock.jump(YEAR)
    await house.live(MINUTE)
    assert "late" not in await house.events()
    await house.live(10 * MINUTE)
    assert "late" in await house.events()


def _save(tx: Tx, before: Incident, after: Incident) -> None:
    change = Change(before=before, after=after, event=Event.REFUSED)
    tx.ledger.save([change], before.opened_at)


async def test_what_was_postponed_by_a_clock_that_was_ahead_waits_no_more(
    start: Open,
) -> None:
    house = start()
    await house.arrive()
    await house.live(5 * MINUTE)
    [incident] = await house.incidents()
    first = incident.clips[0].due_at
    far = [replace(clip, due_at=first + 20 * YEAR) for clip in incident.clips]
    await house.store.write(
        partial(_save, before=incident, after=incident.with_clips(*far))
    )
    await house.live(2 * MINUTE)
    [incident] = await house.incidents()
    assert [clip.due_at for clip in incident.clips] == [first]
    assert "the clock was ahead: the next try is sooner" in house.log.events("warning")
    await house.live(2 * MINUTE)
    assert len(house.log.events("warning")) == 1


async def test_a_doubtful_clock_is_told_once_and_its_end_too(
    start: Open, clock: FakeClock
) -> None:
    house = start(make_site())
    await house.live(MINUTE)
    clock.jump(YEAR)
    await house.live(2 * HOUR)
    assert house.log.events("warning") == [
        "the host's clock was set; what time decides waits until it is right"
    ]
    assert "the host's clock is trusted again" in house.log.events("info")
