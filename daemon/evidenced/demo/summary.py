"""The end of the demo: what came of it, where it lies, and what the record says."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

from evidenced.core.ids import IncidentId
from evidenced.core.incidents.history import Event
from evidenced.core.incidents.states import ExportState, IncidentState
from evidenced.core.instants import render_utc
from evidenced.core.keeping.kept import AuditHead, Dossier
from evidenced.core.telling.sentences import count, sentence
from evidenced.demo.installation import RULES, Home
from evidenced.demo.show import Show


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoResult:
    """What a run of the demo led to. `alarms` counts messages by their outcome."""

    dossiers: Sequence[Dossier]
    recorded: frozenset[IncidentId]
    alarms: dict[str, int]
    head: AuditHead
    seconds: float
    zone: tzinfo

    @property
    def missing(self) -> list[str]:
        """What should have been exported and was not, one sentence each."""
        incidents = [dossier.incident for dossier in self.dossiers]
        seen = {incident.rule for incident in incidents}
        return [
            *(f"{rule}: no incident opened" for rule in RULES if rule not in seen),
            *(
                f"{incident.rule} {incident.id}: {incident.state}"
                for incident in incidents
                if incident.state is not IncidentState.EXPORTED
            ),
            *(
                f"{incident.rule} {incident.id}: no evidence record"
                for incident in incidents
                if incident.id not in self.recorded
            ),
        ]


def report(show: Show, home: Home, result: DemoResult) -> None:
    """Print the summary."""
    show.say()
    if result.missing:
        show.say(f"Not everything was exported ({result.seconds:.0f} s):", "bold red")
        for sentence in result.missing:
            show.say(f"  {sentence}")
    else:
        incidents = count(len(result.dossiers), "incident")
        took = f"in {result.seconds:.0f} seconds"
        text = f"All {incidents} exported, hashed and signed, {took}."
        show.say(text, "bold green")
    show.say(f"Messages: {_tally(result.alarms)}.")
    show.say()
    show.say("Exported folders", "bold")
    for dossier in result.dossiers:
        _folders(show, home, dossier)
    _story(show, result)
    show.say()
    show.say(f"All of it is in the audit chain: {result.head.seq} entries, the last")
    show.say(f"has the hash {result.head.hash}")
    show.say()
    show.say("Look closer", "bold")
    command = _command()
    for arguments in ("check", "audit verify"):
        show.say(f"  {command} {arguments} -c {home.config}")
    alarm = "--topic panel/Get/Zone5 --payload ALARM"
    show.say(f"  {command} explain -c {home.config} {alarm}")
    for folder in _exported(home, result.dossiers[:1]):
        show.say(f"  {command} verify {folder} --key {home.public_key}")
    show.say(f"  the daemon's own log: {home.log}")


def _command() -> str:
    return sys.argv[0] if Path(sys.argv[0]).name == "evidenced" else "evidenced"


def propose(show: Show, home: Home, result: DemoResult) -> None:
    """What to try while it goes on, as lines to copy."""
    own = f"-c {home.config}"
    tries = {
        "is it safe, in one sentence": f"status {own}",
        "what has happened": f"incidents list {own}",
        "footage by hand": f"save {own} --camera lobby --from 2m --to now "
        "--comment 'somebody was there'",
        "nothing from the panel for a while": f"silences add {own} --rule panel-alarm "
        "--for 2m --comment 'it is being tested'",
    }
    show.say()
    show.say("Now try", "bold")
    for words, arguments in tries.items():
        show.say(f"  {words}:", "dim")
        show.say(f"    {_command()} {arguments}")
    for folder in _exported(home, result.dossiers[:1]):
        show.say("  change a file of the evidence, and see that it is found:", "dim")
        show.say(f"    echo x >> {folder}/export.dvi; {_command()} verify {folder}")
    show.say(
        "  the page: a camera of gate-open is dead, and its loss wants to be "
        "acknowledged;",
        "dim",
    )
    show.say("  after two minutes the recorder goes away for a while", "dim")
    show.say()


def _tally(alarms: dict[str, int]) -> str:
    return ", ".join(f"{number} {outcome}" for outcome, number in alarms.items())


def _folders(show: Show, home: Home, dossier: Dossier) -> None:
    for folder in _exported(home, [dossier]):
        show.say(f"  {folder}")
        for file in sorted(folder.iterdir()) if folder.is_dir() else ():
            show.say(f"      {file.name}  {file.stat().st_size} bytes", "dim")


def _exported(home: Home, dossiers: Sequence[Dossier]) -> list[Path]:
    return [
        home.find(export.path)
        for dossier in dossiers
        for export in dossier.exports
        if export.state is ExportState.EXPORTED
    ]


def _story(show: Show, result: DemoResult) -> None:
    """One incident's record: the one that was refused most often says most."""
    told = max(
        result.dossiers,
        key=lambda each: sum(e.event == Event.REFUSED for e in each.history),
        default=None,
    )
    if told is None:
        return
    show.say()
    show.say(f"What the record says of {told.incident.rule}", "bold")
    for entry in told.history:
        words = sentence(entry, result.zone)
        show.say(f"  {render_utc(entry.at)}  {entry.event:<10} {words}")
