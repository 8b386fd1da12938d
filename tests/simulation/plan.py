"""What happens in a run: the site, the alarms, the faults; printable beforehand.

`allows` says which checks the faults of this plan make pointless, because the world
outside breaks them: a recorder that lies about a failure gets a second request.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from evidenced.core.ids import RecorderName
from evidenced.simulator import Scenario, Strike
from simulation.receivers import MessagePlan
from simulation.recording import RecordPlan
from simulation.site import Shape

ACTIVE_S = 240.0
"""Alarms and faults happen within so many seconds; then everything heals."""

ONE_FOLDER = "one-folder"
MAIN, ANNEX = RecorderName("main"), RecorderName("annex")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens at `at` seconds; `kind` is a method of the run."""

    at: float
    kind: str
    value: Any = None


@dataclass(slots=True)
class Plan:
    seed: int
    shape: Shape
    window: int = 8
    grows: bool = True
    shuffles: bool = False
    events: list[Event] = field(default_factory=list)
    faults: dict[RecorderName, list[Strike]] = field(
        default_factory=lambda: {MAIN: [], ANNEX: []}
    )
    scenarios: dict[RecorderName, Scenario] = field(default_factory=dict)
    families: list[str] = field(default_factory=list)
    allows: set[str] = field(default_factory=set)
    blind: set[str] = field(default_factory=set)
    """Devices without video, at times or at all."""
    crash_before: set[int] = field(default_factory=set)
    crash_after: set[int] = field(default_factory=set)
    crash_turns: set[int] = field(default_factory=set)
    jumps: list[float] = field(default_factory=list)
    """When the host's clock is set."""
    lasts: float = 0.0
    """How many seconds the run goes on for after everything has ended."""
    ahead: float = 0.0
    quiet_s: float = 3000.0
    """After the faults: until then all that is wanted has an end."""
    """How many seconds ahead the host's clock is at the most."""
    recording: RecordPlan | None = None
    messages: MessagePlan | None = None

    @property
    def is_calm(self) -> bool:
        return not self.families

    def told(self) -> str:
        lines = [
            f"seed {self.seed}: {', '.join(self.families) or 'no faults'}",
            f"  {self.shape} window={self.window} grows={self.grows}",
            f"  shuffles={self.shuffles} allows={sorted(self.allows)}",
            f"  crash before commits {sorted(self.crash_before)}",
            f"  crash after commits {sorted(self.crash_after)}",
            f"  crash at turns {sorted(self.crash_turns)}",
            f"  {self.recording}",
            f"  {self.messages}",
        ]
        for name, faults in self.faults.items():
            scenario = self.scenarios[name].model_dump(
                exclude_defaults=True, exclude={"faults", "seed"}
            )
            lines.append(f"  {name}: {scenario}")
            lines += [
                f"    {fault.model_dump(mode='json', exclude_defaults=True)}"
                for fault in faults
            ]
        lines += [
            f"  {event.at:8.3f} {event.kind} {str(event.value)[:150]}"
            for event in self.events
        ]
        return "\n".join(lines)


def put_records(plan: Plan, recording: RecordPlan) -> None:
    """Let evidence records be written, whatever else the plan has."""
    plan.recording = recording
    _reshape(plan, mounted=True, recorded=True, is_partly=recording.is_partly)
    for start, end in recording.lost:
        plan.events.append(Event(start, "share_lost", True))
        plan.events.append(Event(end, "share_lost", False))
    for start, end in recording.hangs:
        plan.events.append(Event(start, "share_hangs", end - start))


def put_mount(plan: Plan) -> None:
    """Let the share be mounted, at every reload too."""
    _reshape(plan, mounted=True)


def put_watch(plan: Plan, seconds: int) -> None:
    """Let cameras be watched, each so often."""
    _reshape(plan, watch=seconds)


def put_pictures(plan: Plan, number: int) -> None:
    """Let rules want so many pictures of each camera."""
    _reshape(plan, stills=number)


def put_one_folder(plan: Plan) -> None:
    """Let both recorders export into folders of one name, as far as they may."""
    plan.families.append(ONE_FOLDER)
    _reshape(plan, is_one_folder=True)


def put_messages(plan: Plan, messages: MessagePlan) -> None:
    """Let people be told, whatever else the plan has."""
    plan.messages = messages
    _reshape(plan, notified=True)


def put_near_priorities(plan: Plan) -> None:
    """Let the rules' priorities differ by minutes, so that waiting counts."""
    _reshape(plan, is_near=True)


def _reshape(plan: Plan, **update: Any) -> None:
    """At every reload too."""
    plan.shape = replace(plan.shape, **update)
    for n, event in enumerate(plan.events):
        if isinstance(event.value, Shape):
            shape = replace(event.value, **update)
            plan.events[n] = replace(event, value=shape)


def change(plan: Plan, name: RecorderName, **update: Any) -> None:
    plan.scenarios[name] = plan.scenarios[name].model_copy(update=update)
