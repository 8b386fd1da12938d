"""Rows and values: what is written is what is read, with every field of its class."""

from dataclasses import fields, replace
from datetime import timedelta

import pytest

from evidenced.core.errors import Reason
from evidenced.core.ids import IncidentId
from evidenced.core.incidents.incident import Clip, Incident
from evidenced.core.incidents.states import ClipState
from evidenced.core.instants import MILLISECOND, from_ms, to_ms
from evidenced.core.severity import Severity
from evidenced.store.incidents import CLIP, INCIDENT
from evidenced.store.ledger import clip_row, incident_row
from fakes.clock import START
from fakes.incident import GATE, LOBBY, ended, happening, opened

FRESH = opened(happening("12:00", LOBBY, GATE))
WAITED = ended(LOBBY, GATE)
REFUSED = WAITED.clips[0].moved(
    ClipState.MISSING,
    attempts=3,
    no_video=2,
    cohort=1,
    code="-48",
    message="no video",
    reason=Reason.NO_VIDEO,
)
OVER = replace(
    WAITED,
    clips=(REFUSED, *WAITED.clips[1:]),
    reason=Reason.NO_VIDEO,
    continues=IncidentId("i0"),
    fields={"door": "north", "zones": ("a", "b")},
    finished_at=START,
    is_late_told=True,
    alarms=7,
    terms=replace(WAITED.terms, severity=Severity.CRITICAL),
)


def read_back(incident: Incident) -> Incident:
    clips = [clip_row(incident, clip) for clip in incident.clips]
    read = tuple(CLIP.value(row) for row in clips)
    return INCIDENT.value(incident_row(incident), clips=read)


@pytest.mark.parametrize("incident", [FRESH, WAITED, OVER])
def test_an_incident_is_read_as_it_was_written(incident: Incident) -> None:
    found = read_back(incident)
    assert found == incident
    assert found.state is incident.state
    assert found.span == incident.span


@pytest.mark.parametrize("incident", [FRESH, OVER])
def test_what_is_read_has_every_field_and_nothing_else(incident: Incident) -> None:
    found = read_back(incident)
    assert vars(found).keys() == {each.name for each in fields(Incident)}
    for clip in found.clips:
        assert vars(clip).keys() == {each.name for each in fields(Clip)}


@pytest.mark.parametrize("at", [0, 1, 999, 1000, -1, -1000, 1795658751696])
def test_milliseconds_are_exact_both_ways(at: int) -> None:
    assert to_ms(from_ms(at)) == at
    assert from_ms(at + 1) - from_ms(at) == MILLISECOND
    assert from_ms(at).utcoffset() == timedelta(0)
