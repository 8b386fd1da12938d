"""What is lost is a row until somebody takes note of it, or it comes after all."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from evidenced.core.errors import BadInput, NotFound, Reason, Refused
from evidenced.core.ids import IncidentId
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.operating import retry
from evidenced.core.incidents.states import ClipState
from evidenced.core.keeping.loss import Loss, LossKind
from evidenced.core.keeping.still import NOTHING, TRIES, StillState, give_up
from fakes.clock import FakeClock
from fakes.house import House
from fakes.incident import DOOR, LOBBY, ended, pictured, t
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


async def test_a_pruned_incident_takes_its_loss_along(house: House) -> None:
    await saved(house, None, lost(ended(LOBBY), 1))
    house.clock.advance(timedelta(days=100))
    now = house.clock.now()
    await house.store.write(lambda tx: tx.past.prune(now - timedelta(days=9), now, 9))
    assert await house.incidents() == []
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
