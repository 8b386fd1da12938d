"""What an operator does by hand, where other decisions meet it."""

from dataclasses import replace

import pytest

from evidenced.core.errors import Reason, Refused
from evidenced.core.incidents.incident import Clip, Incident
from evidenced.core.incidents.operating import cancel, retry
from evidenced.core.incidents.states import ClipState, IncidentState
from evidenced.core.keeping.loss import loss_of
from fakes.incident import GATE, LOBBY, ended, t

NOW = t("13:00")


def with_states(*clips: Clip) -> Incident:
    return replace(ended(LOBBY, GATE), clips=clips)


def test_an_incident_that_has_ended_is_not_cancelled() -> None:
    lobby, gate = ended(LOBBY, GATE).clips
    incident = with_states(
        *(replace(each, state=ClipState.EXPORTED) for each in (lobby, gate))
    )
    with pytest.raises(Refused, match="is exported: nothing to cancel"):
        cancel(incident, "anna", NOW)


def test_what_is_asked_for_again_forgets_who_cancelled_it() -> None:
    incident = cancel(ended(LOBBY, GATE), "anna", NOW).after
    again = retry(incident, "ben", NOW).after
    assert [(clip.reason, clip.message) for clip in again.clips] == [(None, "")] * 2


def test_what_the_recorder_said_stays_with_a_clip_that_is_asked_for_again() -> None:
    lobby, gate = ended(LOBBY, GATE).clips
    lost = replace(lobby, state=ClipState.MISSING, reason=Reason.NO_VIDEO, message="no")
    again = retry(with_states(lost, replace(gate, state=ClipState.EXPORTED)), "b", NOW)
    assert again.after.clips[0].message == "no"


def test_neither_a_retry_nor_its_withdrawal_hides_what_is_lost() -> None:
    lobby, gate = ended(LOBBY, GATE).clips
    lost = replace(lobby, state=ClipState.MISSING, reason=Reason.NO_VIDEO)
    incident = with_states(lost, replace(gate, state=ClipState.EXPORTED))
    said = loss_of(incident)
    assert "missing, no-video" in said
    again = retry(incident, "ben", NOW).after
    assert (again.state, loss_of(again)) == (IncidentState.WAITING, said)
    over = cancel(again, "ann", NOW, "no use").after
    assert (over.state, loss_of(over)) == (IncidentState.PARTIAL, said)
    assert over.clips[0].message == "cancelled by ann: no use"
    assert (over.reason, over.is_withdrawn) == (Reason.NO_VIDEO, False)
    # an export of before may still run: what is asked for now is another clip
    anew = retry(over, "ben", NOW).after
    assert lost.n not in {clip.n for clip in anew.clips}
    assert loss_of(anew) == said
    brought = replace(
        anew,
        clips=tuple(replace(clip, state=ClipState.EXPORTED) for clip in anew.clips),
    )
    assert loss_of(brought) == ""
