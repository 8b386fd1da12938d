"""A request that certainly never left costs one row, one entry, and no allowance."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typing_extensions import override

from evidenced.core.address import Handle
from evidenced.core.errors import Reason, RecorderError
from evidenced.core.ids import IncidentId, SessionId
from evidenced.core.incidents.allowance import Limits
from evidenced.core.incidents.operating import cancel
from evidenced.core.incidents.states import ExportState
from evidenced.core.recorder import Answer, ExportOrder, SessionInfo
from evidenced.core.site import Site
from evidenced.core.trust import exactly
from evidenced.pipeline import planner as planning
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.exporting import Exporting
from fakes.incident import ended, t
from fakes.world import ScriptedRecorder, make_site

INFO = SessionInfo(session=SessionId("s"), offset=None, version="")
FULL = Answer(reason=Reason.DISK_FULL, code="-60", text="full")
MINUTE = timedelta(minutes=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


class Forbidding(ScriptedRecorder):
    """Logs in, and refuses each export before it looks at it, until it is `well`."""

    def __init__(self) -> None:
        super().__init__(lambda: INFO)
        self.tries = 0
        self.taken: list[ExportOrder] = []
        self.is_well = False
        self.is_wary = False

    @override
    async def export(self, order: ExportOrder) -> tuple[SessionInfo, Answer]:
        self.tries += 1
        if not self.is_well:
            raise RecorderError(Reason.LOGIN_REFUSED, "HTTP 403", is_sent=self.is_wary)
        self.taken.append(order)
        return INFO, Answer(code="0", handle=Handle(f"n={len(self.taken)}"))


def limited(most: int, max_exports: int = 8) -> Site:
    site = replace(make_site(), limits=Limits(exports_per_recorder=most))
    settings = next(iter(site.recorders.values()))
    settings = replace(settings, max_exports=max_exports)
    return replace(site, recorders={settings.name: settings})


async def hours(bench: Exporting, number: float) -> None:
    """Dispatch alone: nothing runs that could be tracked."""
    for _ in range(int(number * 60)):
        await bench.send()
        bench.clock.advance(MINUTE)


async def test_a_recorder_that_refuses_all_exports_costs_one_row_and_one_entry(
    store: SqlStore,
) -> None:
    recorder = Forbidding()
    bench = Exporting(store, recorder)
    await bench.wait_for("i0", "i1")
    await hours(bench, 3)
    assert 20 < recorder.tries < 60  # no faster than retry.max, about
    assert (await bench.events()).count("requested") == 2
    assert (await bench.events()).count("not-sent") == 2
    assert len(bench.log.events("warning")) == 1
    rows = await bench.exports("i0", "i1")
    assert [row.state for row in rows] == [ExportState.REQUESTED] * 2
    assert sum(row.unsent for row in rows) == recorder.tries
    recorder.is_well = True
    await hours(bench, 0.3)
    assert len(recorder.taken) == 2
    after = await bench.exports("i0", "i1")
    assert [(row.id, row.path) for row in after] == [(r.id, r.path) for r in rows]
    assert {row.state for row in after} == {ExportState.EXPORTING}


async def test_requests_that_never_left_use_up_no_allowance(store: SqlStore) -> None:
    recorder = Forbidding()
    bench = Exporting(store, recorder, site=limited(3))
    await bench.wait_for("i0", "i1", "i2")
    await hours(bench, 0.5)
    assert bench.link.limited_until is None
    recorder.is_well = True
    await hours(bench, 0.4)
    assert len(recorder.taken) == 3
    await bench.wait_for("i3")
    await bench.send()
    assert bench.link.limited_until is not None  # those three were sent, and count


async def test_it_is_known_after_a_restart_that_it_was_not_sent(
    store: SqlStore,
) -> None:
    await (first := Exporting(store, Forbidding())).wait_for("i0")
    await first.send()
    recorder = Forbidding()
    recorder.is_well = True
    second = Exporting(store, recorder, clock=first.clock)
    await second.send()
    [row] = await second.exports("i0")
    assert (row.state, len(recorder.taken)) == (ExportState.EXPORTING, 1)


async def test_one_that_may_have_arrived_is_not_sent_again_before_a_look(
    store: SqlStore,
) -> None:
    recorder = Forbidding()
    bench = Exporting(store, recorder)
    await bench.wait_for("i0")
    await bench.send()
    recorder.is_wary = True
    await hours(bench, 0.5)
    assert recorder.tries == 2
    [row] = await bench.exports("i0")
    assert not row.is_unsent


async def test_what_would_be_another_request_by_now_is_taken_back(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Forbidding()
    bench = Exporting(store, recorder)
    await bench.wait_for("i0")
    await bench.send()
    monkeypatch.setattr(planning, "folder_for", lambda *_: r"V:\evidence\other")
    recorder.is_well = True
    await hours(bench, 0.4)
    old, new = await bench.exports("i0")
    assert (old.state, new.state) == (ExportState.REFUSED, ExportState.EXPORTING)
    assert [order.path for order in recorder.taken] == [r"V:\evidence\other"]
    assert "taken-back" in await bench.events()


async def test_it_holds_up_no_other_destination(store: SqlStore) -> None:
    """Its own is held by now: the slot goes to those that can be sent."""
    recorder = Forbidding()
    bench = Exporting(store, recorder, site=limited(0, max_exports=1))
    await bench.wait_for("i0")
    await bench.send()
    patience = bench.link.patience(exactly(bench.clock.now()))
    for _ in range(3):
        bench.link.holds.answered(ended().terms.destination, FULL, patience)
    bench.clock.advance(MINUTE)
    await bench.send()
    [row] = await bench.exports("i0")
    assert row.state is ExportState.REFUSED
    live = await store.read(lambda v: v.exports.live(row.recorder))
    assert live == []


async def test_one_that_nobody_wants_any_more_is_never_sent(store: SqlStore) -> None:
    recorder = Forbidding()
    bench = Exporting(store, recorder)
    await bench.wait_for("i0")
    await bench.send()
    [incident] = await store.read(lambda v: v.incidents.get([IncidentId("i0")]))
    change = cancel(incident, "ann", bench.clock.now())
    await store.write(lambda tx: tx.ledger.save([change], t("13:01")))
    recorder.is_well = True
    await hours(bench, 0.4)
    [row] = await bench.exports("i0")
    assert (row.state, recorder.taken) == (ExportState.CANCELLED, [])


@pytest.mark.parametrize("most", [1, 2])
async def test_a_limit_that_was_met_meanwhile_gives_the_slot_away(
    store: SqlStore, most: int
) -> None:
    recorder = Forbidding()
    bench = Exporting(store, recorder, site=limited(most, max_exports=2))
    await bench.wait_for("i0", "i1")
    await bench.send()
    recorder.is_well = True
    await hours(bench, 0.4)
    assert len(recorder.taken) == most
    assert bool(bench.link.limited_until) is (most == 1)
