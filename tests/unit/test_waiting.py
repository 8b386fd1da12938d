"""What an incident waits for, in the words of whoever looks at the list."""

from evidenced.core.incidents.states import IncidentState
from evidenced.core.telling.story import Story, why
from fakes.dossiers import waiting


def test_what_waits_says_for_what() -> None:
    case = waiting()
    incident = case.dossier.incident
    assert incident.state is IncidentState.WAITING
    story = Story(dossier=case.dossier, now=case.now)
    assert "does not answer" not in why(story)
    name = incident.clips[0].recorder
    away = Story(dossier=case.dossier, now=case.now, away={name})
    assert why(away) == f"waits: recorder {name} does not answer"
    place = incident.terms.destination
    held = Story(dossier=case.dossier, now=case.now, held={place})
    assert why(held) == f"waits: {place} takes nothing"
