"""The checks of messages can fail, and a receiver that hangs holds up nobody.

Mutants as in test_checks.py.
"""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from evidenced.core.incidents.history import Event
from evidenced.core.telling import notice
from evidenced.core.telling.routing import Pile, Route
from evidenced.pipeline.dispatch import Dispatch
from evidenced.pipeline.intake import Intake
from evidenced.pipeline.notify import Notify
from evidenced.ports import NotSent
from simulation.comparing import held_up
from simulation.drawing import draw
from simulation.invariants import violations
from simulation.mutant import Mutant, Patch
from simulation.plan import ACTIVE_S, Plan, put_messages
from simulation.receivers import MessagePlan, SimMessenger
from simulation.run import Run, simulate

CALM = (0, 8, 16)
"""Seeds without faults."""


def _takes_every_message_for_sent(patch: Patch) -> None:
    send = SimMessenger.send

    async def sent(messenger: Any, to: str, message: Any) -> None:
        try:
            await send(messenger, to, message)
        except NotSent:
            return

    patch.setattr(SimMessenger, "send", sent)


def _tells_again_and_again(patch: Patch) -> None:
    patch.setattr(Pile, "told", lambda pile, _, now: replace(pile, told_at=now))


def _forgets_the_past_at_a_start(patch: Patch) -> None:
    start = Notify.start

    async def anew(notify: Any, routes: Any) -> int:
        await notify._world.write(lambda tx: tx.notes.save("notify", ""))
        return await start(notify, routes)

    patch.setattr(Notify, "start", anew)


def _does_not_tell_what_is_late(patch: Patch) -> None:
    kind_of = notice._kind_of
    patch.setattr(
        notice,
        "_kind_of",
        lambda entry: None if entry.event == Event.LATE else kind_of(entry),
    )


def _tells_everyone_everything(patch: Patch) -> None:
    patch.setattr(Route, "refusal", lambda *_: None)


def _loses_what_comes_while_it_tells(patch: Patch) -> None:
    told = Pile.told

    def forgetful(pile: Pile, _: Pile, now: Any) -> Pile:
        return told(pile, pile, now)

    patch.setattr(Pile, "told", forgetful)


def _is_told(plan: Plan) -> bool:
    return plan.messages is not None


def _is_down(plan: Plan) -> bool:
    return plan.messages is not None and bool(plan.messages.down)


def _is_slow(plan: Plan) -> bool:
    return plan.messages is not None and plan.messages.slowest > 1


MUTANTS = {
    "takes every message for sent": Mutant(
        "messages: duty was told", _takes_every_message_for_sent, fits=_is_down
    ),
    "tells again and again": Mutant(
        "messages: duty was told", _tells_again_and_again, fits=_is_told
    ),
    "forgets the past at a start": Mutant(
        "messages: duty was told", _forgets_the_past_at_a_start, "crash", fits=_is_told
    ),
    "does not tell what is late": Mutant(
        "messages: duty was told 0", _does_not_tell_what_is_late, fits=_is_told
    ),
    "tells everyone everything": Mutant(
        "messages: night", _tells_everyone_everything, fits=_is_told
    ),
    "loses what comes while it tells": Mutant(
        "messages: ", _loses_what_comes_while_it_tells, fits=_is_slow
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_fault_of_messages_is_found(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not MUTANTS[name].is_found(monkeypatch):
        pytest.fail(f"no seed notices that it {name}", pytrace=False)


def _told_of(seed: int, messages: MessagePlan) -> Run:
    plan = draw(seed)
    put_messages(plan, messages)
    run = simulate(plan)
    assert violations(run) == []
    return run


FAULTS = {
    "hangs": MessagePlan(hangs=((0.0, ACTIVE_S),)),
    "is slow": MessagePlan(slowest=12.0),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("seed", CALM)
def test_a_bad_receiver_holds_up_neither_alarms_nor_exports(
    seed: int, fault: str
) -> None:
    calm, bad = _told_of(seed, MessagePlan()), _told_of(seed, FAULTS[fault])
    assert list(held_up(calm, bad)) == []


@pytest.mark.parametrize(("loop", "step"), [(Dispatch, "once"), (Intake, "_room")])
def test_a_loop_that_waits_for_a_receiver_is_seen(
    loop: type, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calm = _told_of(CALM[1], MessagePlan())
    go_on, send, under_way = getattr(loop, step), SimMessenger.send, Counter[str]()

    async def sends(messenger: Any, to: str, message: Any) -> None:
        under_way[to] += 1
        try:
            await send(messenger, to, message)
        finally:
            under_way[to] -= 1

    async def waits(*values: Any) -> Any:
        while under_way.total():
            await asyncio.sleep(0.5)
        return await go_on(*values)

    monkeypatch.setattr(SimMessenger, "send", sends)
    monkeypatch.setattr(loop, step, waits)
    plan = draw(CALM[1])
    put_messages(plan, FAULTS["is slow"])
    assert list(held_up(calm, simulate(plan)))
