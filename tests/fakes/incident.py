"""Incidents, clips and exports as tests need them, at instants that read as times."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise

from evidenced.core.alarms.alarm import Moment, Reading, Signal, TimeSource
from evidenced.core.alarms.rules import Rule
from evidenced.core.camera import Camera
from evidenced.core.errors import Reason
from evidenced.core.exports.exporting import Intent, request
from evidenced.core.exports.retry import Patience, RetryPolicy
from evidenced.core.ids import (
    CameraName,
    GroupKey,
    IncidentId,
    RecorderName,
)
from evidenced.core.incidents import lifecycle
from evidenced.core.incidents.cutting import NewId
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.happening import Happening, Settles
from evidenced.core.incidents.history import Change
from evidenced.core.incidents.incident import Clip, Incident
from evidenced.core.incidents.lifecycle import open_incident
from evidenced.core.incidents.states import ClipState
from evidenced.core.instants import render_utc
from evidenced.core.recorder import Answer
from evidenced.core.trust import exactly
from evidenced.core.window import Window
from evidenced.sense.address import sense_address
from fakes.rule import make_rule

MAIN = RecorderName("main")
ANNEX = RecorderName("annex")
SETTLES = {MAIN: timedelta(seconds=15), ANNEX: timedelta(seconds=5)}


def t(clock: str, day: int = 23) -> datetime:
    """`12:30`, `12:30:10` or `12:30:10.250` on one day, UTC."""
    text = f"2026-11-{day:02}T{clock if clock.count(':') == 2 else clock + ':00'}"
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def s(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def m(minutes: float) -> timedelta:
    return timedelta(minutes=minutes)


def window(start: str, end: str) -> Window:
    return Window(start=t(start), end=t(end))


def camera(
    name: str,
    recorder: RecorderName = MAIN,
    *,
    pre_roll: timedelta | None = None,
    post_roll: timedelta | None = None,
) -> Camera:
    return Camera(
        name=CameraName(name),
        recorder=recorder,
        address=sense_address("1001", f"device-{name}"),
        label=name.title(),
        pre_roll=pre_roll,
        post_roll=post_roll,
    )


LOBBY = camera("lobby")
DOOR = camera("door")
GATE = camera("gate", ANNEX)


def rule(
    *,
    clear: bool = False,
    max_length: timedelta = timedelta(minutes=30),
    pre_roll: timedelta = timedelta(seconds=30),
    post_roll: timedelta = timedelta(minutes=2),
    priority: int = 50,
) -> Rule:
    made = make_rule("t", clear="clear" if clear else "")
    terms = replace(made.terms, max_length=max_length, priority=priority)
    return replace(made, pre_roll=pre_roll, post_roll=post_roll, terms=terms)


PLAIN = rule()
AWAITS = rule(clear=True)


def moment(
    at: datetime,
    *,
    earliest: datetime | None = None,
    latest: datetime | None = None,
    source: TimeSource = TimeSource.PAYLOAD,
) -> Moment:
    return Moment(at=at, earliest=earliest or at, latest=latest or at, source=source)


def happening(
    at: str | datetime | Moment,
    *cameras: Camera,
    rule: Rule = PLAIN,
    now: str | datetime | None = None,
    signal: Signal = Signal.ACTIVE,
    unknown: tuple[str, ...] = (),
) -> Happening:
    """An alarm (or clear) for these cameras; `now` is its own time unless said."""
    instant = t(at) if isinstance(at, str) else at
    when = instant if isinstance(instant, Moment) else moment(instant)
    seen = t(now) if isinstance(now, str) else now
    return Happening(
        rule=rule,
        reading=Reading(
            rule=rule.name, signal=signal, moment=when, key=GroupKey("site/door")
        ),
        cameras=cameras,
        unknown=unknown,
        settles=SETTLES,
        now=exactly(seen or when.at),
        trigger={"topic": "t", "time": render_utc(when.at)},
    )


class Ids:
    """Ids of incidents: `i1`, `i2` and so on."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def __call__(self, at: datetime) -> IncidentId:
        assert at.tzinfo is UTC
        return IncidentId(f"i{next(self._numbers)}")


def opened(alarm: Happening, ids: Ids | None = None) -> Incident:
    return open_incident(alarm, ids or Ids()).after


def ended(
    *cameras: Camera, at: str = "12:00", rule: Rule = PLAIN, settles: Settles = SETTLES
) -> Incident:
    """An incident whose windows have all ended: its clips are due."""
    incident = opened(happening(at, *(cameras or (LOBBY,)), rule=rule))
    return turn(incident, incident.span.end, settles, Ids())[-1].after


def turn(
    incident: Incident,
    now: datetime,
    settles: Settles,
    new_id: NewId,
    *,
    may_go_on: bool = True,
    clear_within: timedelta | None = None,
) -> list[Change]:
    """What time does by a clock that is right."""
    return lifecycle.turn(
        incident,
        exactly(now),
        settles,
        new_id,
        may_go_on=may_go_on,
        clear_within=clear_within,
    )


def intent(now: datetime, n: int = 1, path: str = r"V:\evidence\i1") -> Intent:
    return Intent(id=n, n=n, path=path, bandwidth=1000, offset=timedelta(0), now=now)


def requested(
    incident: Incident, *, n: int = 1, now: datetime | None = None
) -> tuple[Incident, ExportRequest]:
    """All its due clips, asked for in one request."""
    clips = [clip for clip in incident.clips if clip.state is ClipState.DUE]
    change, export = request(incident, clips, intent(now or clips[0].due_at, n))
    return change.after, export


def patience(now: datetime, jitter: float = 1.0, **policy: object) -> Patience:
    made = RetryPolicy(**policy)  # type: ignore[arg-type]
    return Patience(policy=made, now=exactly(now), jitter=jitter)


OK = Answer(code="0", text="NoError")
NO_VIDEO = Answer(reason=Reason.NO_VIDEO, code="-48", text="No video data")


def windows(incident: Incident) -> dict[str, list[tuple[str, str]]]:
    """Each camera's windows as clock times, for reading and comparing."""
    found: dict[str, list[tuple[str, str]]] = {}
    for clip in incident.clips:
        shown = (_clock(clip.window.start), _clock(clip.window.end))
        found.setdefault(clip.camera, []).append(shown)
    return found


def _clock(at: datetime) -> str:
    text = f"{at:%H:%M:%S}"
    return text.removesuffix(":00")


def states(incident: Incident) -> list[str]:
    return [str(clip.state) for clip in incident.clips]


def clip_of(incident: Incident, camera: Camera) -> Clip:
    return next(clip for clip in incident.clips if clip.camera == camera.name)


def check_change(change: Change) -> None:
    """What holds of every change, whatever the step was."""
    after = change.after
    assert (after.finished_at is not None) == after.is_ended
    assert len({clip.n for clip in after.clips}) == len(after.clips)
    if after.is_active:
        assert after.is_open
        assert after.clips
        live = {clip.state for clip in after.clips if not clip.is_ended}
        assert live == {ClipState.RECORDING}
    assert all(clip.window.length or clip.is_void for clip in after.clips)
    check_windows(after.clips)
    assert after.is_ended or after.turn_at or _is_asked(after)


def _is_asked(incident: Incident) -> bool:
    states = {clip.state for clip in incident.clips}
    return bool(states & {ClipState.DUE, ClipState.REQUESTED, ClipState.EXPORTING})


def check_windows(clips: Iterable[Clip]) -> None:
    """Windows of one camera that still record neither overlap nor touch."""
    by_camera: dict[str, list[Window]] = {}
    for clip in clips:
        if clip.state is ClipState.RECORDING:
            by_camera.setdefault(clip.camera, []).append(clip.window)
    for mine in by_camera.values():
        mine.sort()
        for before, after in pairwise(mine):
            assert before.end < after.start


def pictured(incident: Incident, number: int = 3) -> Incident:
    """Of a rule that wants so many pictures of each camera."""
    return replace(incident, terms=replace(incident.terms, stills=number))
