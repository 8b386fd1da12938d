"""Silenced alarms change nothing about the footage of the others."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from evidenced.core.incidents.incident import Clip, Incident
from evidenced.core.incidents.lifecycle import extend, open_incident
from evidenced.core.incidents.states import ClipState, IncidentState
from fakes.incident import Ids, camera, happening, rule, s, t

BASE = t("12:00")
CAMERAS = (camera("a"), camera("b", pre_roll=s(5), post_roll=s(300)))
LONG = rule(max_length=timedelta(hours=2))
Alarms = list[tuple[int, bool]]
"""Seconds after BASE, and whether a silence is over it."""

alarms = st.lists(
    st.tuples(st.integers(0, 1500), st.booleans()), min_size=1, max_size=8
)


def joined(many: Alarms) -> Incident | None:
    """One incident that takes all alarms, whether or not each touches by itself."""
    incident: Incident | None = None
    for offset, is_silenced in many:
        alarm = happening(
            BASE + s(offset),
            *CAMERAS,
            rule=LONG,
            now=BASE,
            silenced=CAMERAS if is_silenced else (),
        )
        incident = (
            open_incident(alarm, Ids()).after
            if incident is None
            else extend(incident, alarm, Ids())[-1].after
        )
    return incident


def kept(clips: tuple[Clip, ...]) -> set[tuple[object, ...]]:
    return {(c.camera, c.window, c.due_at, c.rank, c.state) for c in clips}


@given(alarms)
def test_what_is_wanted_is_what_the_loud_alarms_make_alone(many: Alarms) -> None:
    both, loud = joined(many), joined([each for each in many if not each[1]])
    assert both is not None
    assert kept(both.wanted) == kept(loud.clips if loud else ())


@given(alarms)
def test_what_is_silenced_is_what_the_quiet_alarms_make_alone(many: Alarms) -> None:
    both, quiet = joined(many), joined([each for each in many if each[1]])
    assert both is not None
    silenced = tuple(clip for clip in both.clips if clip.is_silenced)
    assert kept(silenced) == kept(quiet.clips if quiet else ())


@given(alarms)
def test_only_what_is_wanted_makes_the_state(many: Alarms) -> None:
    both = joined(many)
    assert both is not None
    over = both.with_clips(
        *(
            clip.moved(ClipState.CANCELLED if clip.is_silenced else ClipState.DUE)
            for clip in both.clips
        )
    )
    expected = IncidentState.WAITING if both.wanted else IncidentState.CANCELLED
    assert over.state is expected
