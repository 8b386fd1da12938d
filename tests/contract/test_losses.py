"""What is lost is a row until somebody takes note of it, or it comes after all."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest

from evidenced.core.errors import BadInput, NotFound, Reason, Refused
from evidenced.core.ids import IncidentId
from evidenced.core.incidents.coverage import Coverage, CoverageState
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.operating import retry
from evidenced.core.incidents.states import ClipState, IncidentState
from evidenced.core.keeping.loss import Loss, LossKind, last_of, loss_about
from evidenced.core.keeping.still import NOTHING, TRIES, StillState, give_up
from evidenced.core.telling.judgement import Mood, Surroundings
from evidenced.core.telling.verdict import verdict
from evidenced.core.window import Window
from evidenced.ports import Tx
from fakes.clock import FakeClock
from fakes.house import House
from fakes.incident import DOOR, LOBBY, camera, ended, pictured, t
from fakes.world import TOML, build_site, load_text

WHO = "anna"
READS = """time = "at"
when = "state == 'on'"
"""


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    text = TOML.format(destination="", cameras='"lobby"') + READS
    house = House(tmp_path, FakeClock(), build_site(load_text(text).config))
    yield house
    house.store.close()


async def losses(house: House) -> list[Loss]:
    found: list[Loss] = await house.read(lambda view: view.losses.open(100))
    return found


async def saved(house: House, before: Incident | None, after: Incident) -> None:
    change = Change(before=before, after=after, event=Event.ENDED)
    at = house.clock.now()
    await house.store.write(lambda tx: tx.ledger.save([change], at))


def lost(incident: Incident, *numbers: int) -> Incident:
    """The same after the recorder had no video of these clips."""
    gone = [
        clip.moved(ClipState.MISSING, reason=Reason.NO_VIDEO)
        for clip in incident.clips
        if clip.n in numbers
    ]
    return incident.with_clips(*gone).settled(t("12:30"))


async def test_missing_footage_is_a_loss_until_it_is_acknowledged(
    house: House,
) -> None:
    first = ended(LOBBY, DOOR)
    await saved(house, None, first)
    assert await losses(house) == []
    await saved(house, first, lost(first, 1))
    [loss] = await losses(house)
    assert (loss.incident, loss.text) == (
        first.id,
        "no footage of Lobby (missing, no-video)",
    )
    await house.operate.acknowledge(first.id, "cable cut, police has it", WHO)
    assert await losses(house) == []
    dossier = await house.read(lambda view: view.dossier(first.id))
    known = dossier.loss.acknowledged
    assert (known.by, known.comment) == (WHO, "cable cut, police has it")
    assert (await house.events())[-1] == "acknowledged"


async def test_what_is_lost_besides_is_open_again(house: House) -> None:
    first = ended(LOBBY, DOOR)
    one, both = lost(first, 1), lost(first, 1, 2)
    await saved(house, None, first)
    await saved(house, first, one)
    await house.operate.acknowledge(first.id, "known", WHO)
    await saved(house, one, both)
    [loss] = await losses(house)
    assert "Door (missing, no-video)" in loss.text


async def test_footage_that_came_after_a_retry_ends_a_loss_and_the_retry_does_not(
    house: House,
) -> None:
    gone = lost(ended(LOBBY), 1)
    await saved(house, None, gone)
    again = retry(gone, WHO, house.clock.now()).after
    await saved(house, gone, again)
    assert [each.name for each in await losses(house)] == [gone.id]
    await saved(house, again, lost(again, 1))
    assert [each.name for each in await losses(house)] == [gone.id]
    [clip] = again.clips
    exported = clip.moved(ClipState.REQUESTED).moved(ClipState.EXPORTING)
    brought = again.with_clips(exported.moved(ClipState.EXPORTED))
    await saved(house, again, brought.settled(house.clock.now()))
    assert await losses(house) == []


@pytest.mark.parametrize("again", [False, True])
async def test_pictures_that_could_not_be_had_are_asked_for_once_more(
    house: House, *, again: bool
) -> None:
    first = pictured(ended(LOBBY))
    gone = lost(first, 1)
    await saved(house, None, first)
    await saved(house, first, gone)
    of_incident = lambda view: view.stills.of([first.id])  # noqa: E731
    kept, *others = await house.read(of_incident)
    given_up = [replace(give_up(each, NOTHING), tries=TRIES) for each in others]
    kept = kept.moved(StillState.KEPT, due_at=None)
    await house.store.write(lambda tx: tx.stills.save([kept, *given_up]))
    await house.operate.retry(first.id, WHO, again=again)
    now = house.clock.now()
    assert await house.read(of_incident) == [
        kept,
        *(replace(each, due_at=max(each.wanted_at, now)) for each in others),
    ]


async def test_what_a_person_cancelled_is_no_loss(house: House) -> None:
    await house.operate.trigger("panic", {"zone": "a"}, None, WHO)
    [incident] = await house.incidents()
    await house.operate.cancel(incident.id, WHO)
    assert await losses(house) == []


async def test_an_incident_without_a_camera_is_a_loss(house: House) -> None:
    await saved(house, None, replace(ended(LOBBY), clips=()).settled(house.clock.now()))
    [loss] = await losses(house)
    assert loss.text == "no camera of it is configured"


async def pruned(house: House) -> None:
    house.clock.advance(timedelta(days=100))
    now = house.clock.now()
    before = now - timedelta(days=9)

    def step(tx: Tx) -> None:
        tx.losses.prune(before)
        tx.past.prune(before, now, 9)

    await house.store.write(step)
    assert await house.incidents() == []


async def test_what_nobody_acknowledged_outlives_its_incident(house: House) -> None:
    gone = lost(ended(LOBBY), 1)
    await saved(house, None, gone)
    await pruned(house)
    [loss] = await losses(house)
    assert loss.incident == gone.id
    assert loss.text == (
        "no footage of Lobby (missing, no-video); it was rule-0 (site/door), alarm at "
        "2026-11-23T12:00:00.000Z"
    )
    facts = await house.read(lambda view: view.facts.read(None, gone.opened_at, UTC))
    assert facts.lost == 1
    told = verdict(replace(facts, around=Surroundings()))
    assert told.mood is Mood.BAD
    assert told.text.endswith("it was rule-0 (site/door), alarm at 12:00:00.")
    await house.operate.acknowledge(gone.id, "known", WHO)
    assert await losses(house) == []
    await pruned(house)
    assert await house.read(lambda view: view.losses.of(gone.id)) == []


async def test_a_pruned_incident_takes_along_what_was_acknowledged(
    house: House,
) -> None:
    gone = lost(ended(LOBBY), 1)
    await saved(house, None, gone)
    await house.operate.acknowledge(gone.id, "known", WHO)
    await pruned(house)
    await pruned(house)
    assert await house.read(lambda view: view.losses.of(gone.id)) == []


async def test_less_of_what_is_known_is_no_new_loss(house: House) -> None:
    gone = lost(ended(LOBBY, DOOR), 1, 2)
    await saved(house, None, gone)
    await house.operate.acknowledge(gone.id, "known", WHO)
    again = retry(gone, WHO, house.clock.now()).after
    await saved(house, gone, again)
    first, _ = again.clips
    exported = first.moved(ClipState.REQUESTED).moved(ClipState.EXPORTING)
    brought = again.with_clips(exported.moved(ClipState.EXPORTED))
    await saved(house, again, brought)
    assert await losses(house) == []
    [known] = await house.read(lambda view: view.losses.of(gone.id))
    assert (known.acknowledged.by, known.text) == (
        WHO,
        "no footage of Door (missing, no-video)",
    )


async def test_one_more_camera_is_a_new_loss_however_many_there_are(
    house: House,
) -> None:
    clips = [camera(f"camera-{n}-of-the-hall") for n in range(20)]
    first = ended(*clips)
    most = lost(first, *range(1, 20))
    await saved(house, None, most)
    await house.operate.acknowledge(first.id, "known", WHO)
    await saved(house, most, lost(most, 20))
    assert len(await losses(house)) == 1


async def test_an_hour_lacks_what_is_lost_also_by_a_gap_and_nothing_cancelled(
    house: House,
) -> None:
    gap = Coverage(
        state=CoverageState.GAPS,
        gaps=(Window(start=t("11:59:50"), end=t("12:00:20")),),
        is_loss=True,
    )
    first = ended(LOBBY, DOOR)

    def all_of(incident: Incident, **changes: Any) -> Incident:
        went = [ClipState.REQUESTED, ClipState.EXPORTING, ClipState.EXPORTED]
        clips = incident.clips
        for state in went:
            clips = tuple(clip.moved(state) for clip in clips)
        done = [replace(clip, **changes) for clip in clips]
        return incident.with_clips(*done).settled(t("12:30"))

    gapped = all_of(first, coverage=gap)
    told = all_of(
        replace(first, id=IncidentId("i2")), coverage=replace(gap, is_loss=False)
    )
    other = replace(first, id=IncidentId("i3"))
    withdrawn = other.with_clips(
        *(clip.moved(ClipState.CANCELLED) for clip in other.clips)
    ).settled(t("12:30"))
    half = replace(first, id=IncidentId("i4"))
    one = half.clips[0].moved(ClipState.REQUESTED).moved(ClipState.EXPORTING)
    half = half.with_clips(
        one.moved(ClipState.EXPORTED), half.clips[1].moved(ClipState.CANCELLED)
    ).settled(t("12:30"))
    gone = lost(replace(first, id=IncidentId("i5")), 1, 2)
    for each in (gapped, told, withdrawn, half, gone):
        await saved(house, None, each)
    assert half.state is IncidentState.PARTIAL
    hours = await house.read(lambda view: view.incidents.hours(t("11:00"), 3))
    assert hours == [(0, 0), (5, 2), (0, 0)]
    await house.operate.acknowledge(gone.id, "known", WHO)
    hours = await house.read(lambda view: view.incidents.hours(t("12:00"), 1))
    assert hours == [(5, 1)]


async def test_one_acknowledgement_is_of_all_that_is_lost_of_an_incident(
    house: House,
) -> None:
    gone = lost(ended(LOBBY), 1)
    await saved(house, None, gone)
    now = house.clock.now()
    more = loss_about(LossKind.UNRECORDED, gone.id, "no footage lies there", now)
    await house.store.write(
        lambda tx: tx.losses.settle(LossKind.UNRECORDED, gone.id, more)
    )
    assert len(await losses(house)) == 2
    await house.operate.acknowledge(gone.id, "known", WHO)
    assert await losses(house) == []
    assert (await house.events()).count("acknowledged") == 2


async def test_a_camera_that_nobody_configured_is_told_beside_those_that_go_on(
    house: House,
) -> None:
    first = ended(LOBBY)
    for names in (["attic"], ["attic", "barn"], ["attic"]):
        detail = {"unknown_cameras": names}
        change = Change(before=None, after=first, event=Event.OPENED, detail=detail)
        at = house.clock.now()
        await house.store.write(lambda tx, c=change, a=at: tx.ledger.save([c], a))
    [loss] = await losses(house)
    assert loss.kind is LossKind.UNPLACED
    assert loss.text == "the alarm names cameras that nobody configured: attic, barn"
    await house.operate.acknowledge(first.id, "not ours", WHO)
    assert await losses(house) == []


async def test_messages_that_cannot_be_read_are_one_loss_of_their_rule(
    house: House,
) -> None:
    for _ in range(3):
        await house.arrive(b'{"state": "on"')
    [loss] = await losses(house)
    assert (loss.kind, loss.name, loss.number) == (LossKind.UNREADABLE, "panic", 3)
    assert (await house.events()).count("unreadable") == 1
    assert await house.operate.acknowledge_unreadable("test sender", WHO) == 3
    assert await losses(house) == []
    with pytest.raises(Refused, match="no message that could not be read"):
        await house.operate.acknowledge_unreadable("again", WHO)
    await house.arrive(b"\x00\x01")
    assert [each.number for each in await losses(house)] == [1]
    assert (await house.events()).count("unreadable") == 2


async def test_an_alarm_that_is_too_old_is_no_good_verdict(house: House) -> None:
    """The clock of its source may be wrong: then every alarm of it is lost."""
    told = await house.read(lambda v: v.facts.read(Surroundings(), t("12:00"), UTC))
    assert verdict(told).mood is Mood.GOOD
    for _ in range(2):
        await house.arrive(b'{"state": "on", "at": "2015-01-01T00:00:07Z"}')
    [loss] = await losses(house)
    assert (loss.kind, loss.name, loss.number) == (LossKind.STALE, "panic", 2)
    assert await house.incidents() == []
    told = await house.read(lambda v: v.facts.read(Surroundings(), t("12:00"), UTC))
    assert verdict(told).mood is Mood.WARN
    assert "2 alarms of panic were too old" in verdict(told).text
    assert (await house.events()).count("unreadable") == 1
    assert await house.operate.acknowledge_unreadable("its battery", WHO) == 2
    assert await losses(house) == []


async def test_what_was_lost_after_it_was_shown_stays_open(house: House) -> None:
    """Nobody has taken note of what came while they wrote why."""
    await house.arrive(b"no JSON")
    gone = lost(ended(LOBBY, DOOR), 1)
    await saved(house, None, gone)
    shown = last_of(await losses(house))
    house.clock.advance(timedelta(seconds=20))
    more = lost(gone, 2)
    await saved(house, gone, more)
    await house.arrive(b"\x00\x01")
    for work in (
        house.operate.acknowledge(gone.id, "known", WHO, shown),
        house.operate.acknowledge_unreadable("known", WHO, shown),
    ):
        with pytest.raises(Refused, match="more was lost since that was shown"):
            await work
    assert len(await losses(house)) == 2
    shown = last_of(await losses(house))
    await house.operate.acknowledge(gone.id, "known", WHO, shown)
    assert await house.operate.acknowledge_unreadable("known", WHO, shown) == 2
    assert last_of(await losses(house)) is None


async def test_what_cannot_be_acknowledged_is_told(house: House) -> None:
    gone = lost(ended(LOBBY), 1)
    await saved(house, None, gone)
    with pytest.raises(NotFound):
        await house.operate.acknowledge(IncidentId("none"), "x", WHO)
    for comment in ("", "  ", "two\nlines", "x" * 501):
        with pytest.raises(BadInput, match="1 to 500 characters"):
            await house.operate.acknowledge(gone.id, comment, WHO)
    await house.operate.acknowledge(gone.id, "seen", WHO)
    with pytest.raises(Refused, match=r"anna acknowledged it at .*: seen"):
        await house.operate.acknowledge(gone.id, "me too", "ben")
