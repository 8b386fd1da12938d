"""An export that was given up for lost, and that the recorder shows after all."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from typing_extensions import override

from evidenced.core.address import Handle
from evidenced.core.errors import Reason, RecorderError
from evidenced.core.exports.following import Followed, Verdict
from evidenced.core.ids import SessionId
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.states import ExportState
from evidenced.core.recorder import Answer, ExportOrder, SessionInfo
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.exporting import Exporting
from fakes.world import ScriptedRecorder

S = SessionId("s")
INFO = SessionInfo(session=S, offset=None, version="")
REFUSED = Answer(reason=Reason.RECORDER_FAULT, code="-18")
EVERY = timedelta(seconds=15)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


class Slow(ScriptedRecorder):
    """Its first answer is lost, and it lists what it took when it is told to."""

    def __init__(self) -> None:
        super().__init__(lambda: INFO)
        self.orders: list[ExportOrder] = []
        self.shown: set[int] = set()
        self.over: frozenset[int] = frozenset()
        self.deleted: list[Handle] = []
        self.number_of: dict[int, int] = {}
        self.answer = Answer(code="0")

    @override
    async def export(self, order: ExportOrder) -> tuple[SessionInfo, Answer]:
        self.orders.append(order)
        number = len(self.orders)
        if number == 1:
            raise RecorderError(Reason.TIMEOUT, "no answer", is_sent=True)
        self.shown.add(number)
        return INFO, Answer(code="0", handle=Handle(f"n={number}"))

    @override
    async def delete_export(self, handle: Handle) -> Answer:
        self.deleted.append(handle)
        if self.answer.reason is None:
            self.shown.discard(int(handle.removeprefix("n=")))
        return self.answer

    @override
    async def follow(self, exports: Sequence[ExportRequest]) -> Followed:
        numbers = {order.path: n for n, order in enumerate(self.orders, start=1)}
        verdicts = {}
        for export in exports:
            number = numbers.get(export.path, 0)
            clips = frozenset(device.clip for device in export.devices)
            if number in self.shown:
                verdicts[export.id] = Verdict(
                    devices=export.devices,
                    done=clips if number in self.over else frozenset(),
                    failed=frozenset(),
                    handle=Handle(f"n={self.number_of.get(number, number)}"),
                )
        return Followed(session=S, verdicts=verdicts)


async def asked_twice(store: SqlStore) -> tuple[Exporting, Slow]:
    recorder = Slow()
    bench = Exporting(store, recorder)
    await bench.wait_for("i0")
    await bench.go(timedelta(minutes=3), EVERY)
    assert len(recorder.orders) == 2
    return bench, recorder


async def test_one_that_turns_up_late_is_counted_and_deleted(store: SqlStore) -> None:
    bench, recorder = await asked_twice(store)
    recorder.shown.add(1)
    recorder.answer = REFUSED
    await bench.go(timedelta(minutes=1), EVERY)
    assert bench.link.doubles == (0,)
    recorder.answer = Answer(code="0")
    await bench.go(timedelta(minutes=1), EVERY)
    assert recorder.deleted[-1] == Handle("n=1")
    assert bench.link.doubles == ()
    first, second = await bench.exports("i0")
    assert (first.state, second.state) == (
        ExportState.CANCELLED,
        ExportState.EXPORTING,
    )
    assert (await bench.events()).count("turned-up") == 1
    count = len(recorder.deleted)
    await bench.go(timedelta(minutes=2), EVERY)
    assert len(recorder.deleted) == count


async def test_a_double_takes_a_slot_while_it_runs(store: SqlStore) -> None:
    bench, recorder = await asked_twice(store)
    recorder.shown.add(1)
    recorder.answer = REFUSED  # it cannot be deleted: max_exports is 2
    await bench.go(timedelta(minutes=1), EVERY)
    await bench.wait_for("i1")
    await bench.go(timedelta(minutes=2), EVERY)
    assert len(recorder.orders) == 2
    recorder.answer = Answer(code="0")
    await bench.go(timedelta(minutes=2), EVERY)
    assert len(recorder.orders) == 3


async def test_a_number_that_another_one_has_by_now_deletes_nothing(
    store: SqlStore,
) -> None:
    """Seen in the simulation: a session counts anew, and what was deleted by the number
    of an earlier session's export was the good one."""
    bench, recorder = await asked_twice(store)
    recorder.number_of[1] = 2
    recorder.shown.add(1)
    await bench.go(timedelta(minutes=2), EVERY)
    assert (recorder.deleted, bench.link.doubles) == ([], (0,))
    recorder.number_of.clear()
    await bench.go(timedelta(minutes=1), EVERY)
    assert recorder.deleted == [Handle("n=1")]


async def test_one_that_is_done_already_is_left_alone(store: SqlStore) -> None:
    bench, recorder = await asked_twice(store)
    recorder.shown.add(1)
    recorder.over = frozenset({1})
    await bench.go(timedelta(minutes=2), EVERY)
    assert (recorder.deleted, bench.link.doubles) == ([], ())


async def test_after_an_hour_nobody_looks_for_it(store: SqlStore) -> None:
    bench, recorder = await asked_twice(store)
    bench.clock.advance(timedelta(hours=1))
    recorder.shown.add(1)
    await bench.go(timedelta(minutes=2), EVERY)
    assert recorder.deleted == []
