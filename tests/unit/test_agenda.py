"""Who looks next, where clocks jump and timers sleep."""

from datetime import timedelta

from evidenced.pipeline.agenda import Agenda
from fakes.clock import FakeClock

SOON = timedelta(seconds=5)


def test_what_comes_later_than_the_plan_wakes_nobody() -> None:
    clock = FakeClock()
    agenda = Agenda(clock)
    agenda.plan("turn", clock.now() + SOON)
    agenda.sooner("turn", clock.now() + 2 * SOON)
    assert not agenda._event("turn").is_set()


def test_a_plan_that_is_past_is_not_waited_for() -> None:
    """The host was suspended: the timer of that plan slept as well."""
    clock = FakeClock()
    agenda = Agenda(clock)
    agenda.plan("turn", clock.now() + SOON)
    clock.jump(10 * SOON)
    agenda.sooner("turn", clock.now() + SOON)
    assert agenda._event("turn").is_set()
