"""What a day's report counts in the store."""

from collections.abc import Iterator
from datetime import datetime

import pytest

from evidenced.core.alarms.alarm import Outcome
from evidenced.core.keeping.kept import REFUSED_ALARMS, RefusedAlarm
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.incident import t


@pytest.fixture
def store(settings: StoreSettings) -> Iterator[SqlStore]:
    made = open_store(settings)
    yield made
    made.close()


def refused(at: datetime, outcome: Outcome) -> RefusedAlarm:
    return RefusedAlarm(
        received_at=at, outcome=outcome, rule=None, detail="", topic="t", payload=""
    )


async def test_messages_that_opened_nothing_are_counted_by_their_day(
    store: SqlStore,
) -> None:
    alarms = [
        refused(t("23:59"), Outcome.STALE),
        refused(t("00:00", 24), Outcome.UNMATCHED),
        refused(t("12:00", 24), Outcome.UNMATCHED),
        refused(t("12:00", 24), Outcome.INVALID),
        refused(t("00:00", 25), Outcome.UNMATCHED),
    ]
    await store.write(lambda tx: tx.refused.save(alarms))
    day = t("00:00", 24), t("00:00", 25), t("07:00", 25)
    found = await store.read(lambda view: view.figures.between(*day))
    assert found.not_taken == {"invalid": 1, "unmatched": 2}
    assert not found.is_cut


async def test_a_flood_of_them_is_told_as_at_least_so_many(store: SqlStore) -> None:
    flood = [refused(t("12:00", 24), Outcome.UNMATCHED)] * (REFUSED_ALARMS + 5)
    await store.write(lambda tx: tx.refused.save(flood))
    day = t("00:00", 24), t("00:00", 25), t("07:00", 25)
    found = await store.read(lambda view: view.figures.between(*day))
    assert found.not_taken == {"unmatched": REFUSED_ALARMS}
    assert found.is_cut
    later = t("12:00", 24), t("12:00", 25), t("07:00", 26)
    assert not (await store.read(lambda view: view.figures.between(*later))).is_cut


async def test_none_at_all_is_no_row(store: SqlStore) -> None:
    day = t("00:00", 24), t("00:00", 25), t("07:00", 25)
    found = await store.read(lambda view: view.figures.between(*day))
    assert (found.not_taken, found.is_cut) == ({}, False)
