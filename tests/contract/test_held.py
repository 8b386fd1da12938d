"""What somebody holds stays, whatever its age, until it is released."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from evidenced.core.errors import BadInput, NotFound, Refused
from evidenced.core.ids import IncidentId
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.operating import cancel
from evidenced.core.telling.objects import incident_object
from fakes.clock import FakeClock
from fakes.house import House
from fakes.incident import ended

WHO, WHY = "anna", "police, file 2026/311"
YEAR = timedelta(days=365)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    house = House(tmp_path, FakeClock())
    yield house
    house.store.close()


@pytest.fixture
async def old(house: House) -> Incident:
    """An incident that has ended and is old enough to be pruned."""
    at = house.clock.now()
    opened = Change(before=None, after=ended(), event=Event.OPENED)
    over = cancel(opened.after, "ann", at)
    await house.store.write(lambda tx: tx.ledger.save([opened, over], at))
    house.clock.advance(YEAR)
    return over.after


async def prune(house: House) -> list[IncidentId]:
    now = house.clock.now()
    limit = now - timedelta(days=90)
    return await house.store.write(lambda tx: tx.past.prune(limit, now, 9))


async def test_what_is_held_is_not_pruned_until_it_is_released(
    house: House, old: Incident
) -> None:
    await house.operate.hold(old.id, WHO, WHY)
    assert await prune(house) == []
    dossier = await house.read(lambda view: view.dossier(old.id))
    held = incident_object(dossier)["held"]
    assert isinstance(held, dict)
    assert (held["by"], held["comment"]) == (WHO, WHY)
    assert dossier.history[-1].event == Event.HELD
    assert dossier.history[-1].detail == {"by": WHO, "comment": WHY}

    await house.operate.release(old.id, "ben", "")
    dossier = await house.read(lambda view: view.dossier(old.id))
    assert incident_object(dossier)["held"] is None
    assert dossier.history[-1].event == Event.RELEASED
    assert await prune(house) == [old.id]


async def test_it_is_held_once_and_released_once(house: House, old: Incident) -> None:
    await house.operate.hold(old.id, WHO, WHY)
    with pytest.raises(Refused, match=f"held already, since .* by {WHO}: {WHY}"):
        await house.operate.hold(old.id, "ben", "me too")
    await house.operate.release(old.id, WHO, "")
    with pytest.raises(Refused, match="nobody holds"):
        await house.operate.release(old.id, WHO, "")


async def test_what_cannot_be_held(house: House, old: Incident) -> None:
    with pytest.raises(NotFound, match="there is no incident"):
        await house.operate.hold(IncidentId("nobody"), WHO, WHY)
    with pytest.raises(BadInput, match="at most 500 characters"):
        await house.operate.hold(old.id, WHO, "x" * 501)
    assert (await house.events())[-1] == Event.CANCELLED
