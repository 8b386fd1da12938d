"""What pruning takes away when the host's clock was wrong for a while."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import product

import pytest
from sqlalchemy import select

from evidenced.core.alarms.alarm import Outcome
from evidenced.core.ids import IncidentId
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.operating import cancel
from evidenced.core.keeping.kept import IncidentFilter, RefusedAlarm
from evidenced.ports import Tx
from evidenced.store import SqlStore, StoreSettings, database_of, open_store
from evidenced.store.audit import verify_store
from evidenced.store.retrace import differences
from evidenced.store.schema import history
from evidenced.store.seal import SEALED_EVENT
from evidenced.store.snapshot import connected
from fakes.incident import ended, t

YEARS = timedelta(days=20 * 365)
DAY = timedelta(days=1)
ALL = IncidentFilter(limit=99)


@pytest.fixture
def store(settings: StoreSettings) -> Iterator[SqlStore]:
    made = open_store(settings)
    yield made
    made.close()


def save(tx: Tx, change: Change, at: datetime) -> None:
    tx.ledger.save([change], at)


async def put(
    store: SqlStore, name: str, opened: datetime, over: datetime | None
) -> None:
    """An incident that was opened and, if so, cancelled then, by the host's clock."""
    incident: Incident = replace(ended(), id=IncidentId(name), opened_at=opened)
    change = Change(before=None, after=incident, event=Event.OPENED)
    await store.write(partial(save, change=change, at=opened))
    if over is not None:
        change = cancel(incident, "ann", over)
        await store.write(partial(save, change=change, at=over))


async def prune(
    store: SqlStore, before: datetime, now: datetime | None = None
) -> list[IncidentId]:
    def step(tx: Tx) -> list[IncidentId]:
        return tx.past.prune(before, now or before + DAY, 9)

    gone = await store.write(step)
    await store.write(step)
    return gone


async def told(store: SqlStore) -> list[str]:
    """What the history has left of incidents, and whether it says that it was cut."""
    found = await store.read(lambda view: view.history.after(0, 99))
    return [f"{each.incident or ''} {each.event}".strip() for _, each in found]


async def test_a_clock_that_was_ahead_does_not_keep_history_for_years(
    store: SqlStore, settings: StoreSettings
) -> None:
    noon = t("12:00")
    await put(store, "first", noon, t("12:30") + YEARS)
    await put(store, "second", noon + YEARS, t("12:31") + YEARS)
    await put(store, "old", t("12:30"), t("13:00"))
    assert await prune(store, t("13:15"), t("13:30")) == ["old"]
    assert len(await told(store)) == 6  # the others are here
    await put(store, "young", t("14:30"), t("15:00"))
    assert await prune(store, t("14:00")) == ["first", "second"]
    assert await told(store) == ["young opened", "young cancelled", "pruned"]
    assert await prune(store, t("14:00") + DAY) == ["young"]
    assert await told(store) == ["pruned", "pruned"]
    assert verify_store(database_of(settings)).fault is None


async def test_rows_of_the_future_stay_until_an_old_one_follows(
    store: SqlStore,
) -> None:
    """Nothing else tells how old they are."""
    await put(store, "ahead", t("12:00") + YEARS, t("12:01") + YEARS)
    assert await prune(store, t("12:00"), t("12:02")) == []
    await put(store, "young", t("15:00"), None)
    assert await prune(store, t("14:00")) == ["ahead"]
    assert await told(store) == ["ahead opened", "ahead cancelled", "young opened"]


async def test_no_row_of_an_incident_that_is_still_here_is_pruned(
    store: SqlStore, settings: StoreSettings
) -> None:
    """However the clock jumped between its entries."""
    jumps = (timedelta(0), YEARS, -YEARS, timedelta(minutes=1))
    for n, (opened, over) in enumerate(product(jumps, jumps)):
        at = t("12:10") + over if n % 3 else None
        await put(store, f"i{n:02}", t("12:00") + opened, at)
    for before in (t("11:00"), t("12:05"), t("13:00"), t("13:00") + 2 * YEARS):
        for _ in range(3):
            await prune(store, before)
        for each in await store.read(lambda view: view.incidents.search(ALL)):
            dossier = await store.read(lambda view, name=each.id: view.dossier(name))
            assert dossier is not None
            assert dossier.history[0].event == Event.OPENED
        assert verify_store(database_of(settings)).fault is None
        assert differences(database_of(settings)) == []


async def test_rows_that_outlive_the_history_are_sealed_anew(
    store: SqlStore, settings: StoreSettings
) -> None:
    """What opened nothing is kept by number, texts of rules for good: not by age."""
    refused = RefusedAlarm(
        received_at=t("11:00"),
        outcome=Outcome.INVALID,
        rule=None,
        detail="",
        topic="t",
        payload="p",
    )
    await store.write(lambda tx: tx.refused.save([refused]))
    await store.write(lambda tx: tx.settings.keep({"digest": "{}"}))
    for n in range(3):
        await put(store, f"i{n}", t("12:00"), t("12:30"))
    await put(store, "young", t("15:00"), None)
    assert len(await prune(store, t("14:00"))) == 3
    audit = verify_store(database_of(settings), retain=DAY)
    assert audit.fault is None
    assert audit.pruning is not None
    assert audit.rows < audit.head.seq
    assert differences(database_of(settings)) == []


async def test_what_is_pruned_leaves_one_mark_and_no_row_of_it(
    store: SqlStore, settings: StoreSettings
) -> None:
    """With its incident all rows go; the chain need not name each."""
    await put(store, "old", t("12:00"), t("12:30"))
    await put(store, "young", t("15:00"), None)
    before = await store.read(lambda view: view.history.head())
    await store.write(lambda tx: tx.past.prune(t("14:00"), t("14:30"), 9))
    with connected(settings) as connection:
        (detail,) = connection.execute(
            select(history.c.detail).where(
                history.c.seq > before.seq, history.c.event == SEALED_EVENT
            )
        ).scalars()
    assert json.loads(detail)["rows"] == {"incidents": [["old", None]]}
    assert differences(database_of(settings)) == []
