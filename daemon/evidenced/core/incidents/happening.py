"""An alarm on its way to an incident: its windows, and which incident it belongs to.

Rolls are added in `Happening.windows` and nowhere else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from evidenced.core.alarms.alarm import Moment, Reading
from evidenced.core.alarms.rules import Rule
from evidenced.core.camera import Camera
from evidenced.core.frozen import remembered
from evidenced.core.ids import CameraName, RecorderName
from evidenced.core.incidents.incident import Incident
from evidenced.core.trust import Now
from evidenced.core.window import Window

Settles = Mapping[RecorderName, timedelta]


@dataclass(frozen=True, kw_only=True)
class Happening:
    """An alarm with everything that the step needs to know besides the incident.

    Of its cameras, those that a silence is over are left out before: see `silence`.
    """

    rule: Rule
    reading: Reading
    cameras: tuple[Camera, ...]
    unknown: tuple[str, ...] = ()
    settles: Settles
    now: Now
    trigger: Mapping[str, object]

    @property
    def awaits_end(self) -> bool:
        """Whether its incident lasts until a clear, or until the end that it tells."""
        return self.rule.awaits_clear or self.reading.until is not None

    @remembered
    def windows(self) -> dict[Camera, Window]:
        """Each camera's window for this alarm by itself: the rolls around its moment.

        A rule that awaits a clear keeps it open until max_length after the alarm. The
        widening for our absence is bounded by max_length. Rolls of 0 s leave LEAST, so
        that the alarm's instant is in it.
        """
        return {camera: each.lasting() for camera, each in self._rolled.items()}

    @property
    def short(self) -> tuple[CameraName, ...]:
        """The cameras whose rolls alone would leave less than LEAST."""
        windows = self._rolled.items()
        return tuple(camera.name for camera, each in windows if each.is_short)

    @remembered
    def _rolled(self) -> dict[Camera, Window]:
        rule, moment, earliest = self.rule, self.reading.moment, self._earliest
        return {
            camera: Window(
                start=earliest - pre_roll_of(camera, rule),
                end=_open_end(rule, moment)
                if self.awaits_end
                else moment.latest + post_roll_of(camera, rule),
            )
            for camera in self.cameras
        }

    @remembered
    def span(self) -> Window:
        """From the first window's start to the last one's end, for the touch test."""
        windows = self.windows.values()
        if not windows:
            rule, moment = self.rule, self.reading.moment
            return Window(
                start=self._earliest - rule.pre_roll,
                end=moment.latest + rule.post_roll,
            )
        return Window(
            start=min(window.start for window in windows),
            end=max(window.end for window in windows),
        )

    @property
    def _earliest(self) -> datetime:
        """A local time that exists twice is an hour wide, whatever max_length says."""
        moment = self.reading.moment
        if not moment.is_from_receipt:
            return moment.earliest
        return max(moment.earliest, moment.at - self.rule.terms.max_length)


def _open_end(rule: Rule, moment: Moment) -> datetime:
    return max(moment.at + rule.terms.max_length, moment.latest)


def pre_roll_of(camera: Camera, rule: Rule) -> timedelta:
    return rule.pre_roll if camera.pre_roll is None else camera.pre_roll


def post_roll_of(camera: Camera, rule: Rule) -> timedelta:
    return rule.post_roll if camera.post_roll is None else camera.post_roll


def find_touching(
    incidents: Iterable[Incident], happening: Happening
) -> Incident | None:
    """The open incident that the alarm belongs to: the latest one that it touches.

    An incident without any known camera takes only alarms without any, so that a storm
    of them is one incident; one with cameras never brings it back to life.
    """
    span = happening.span
    return max(
        (
            each
            for each in incidents
            if each.is_open
            and (each.clips or not happening.cameras)
            and _is_touched(each, span, happening)
        ),
        key=lambda each: (each.first_at, each.id),
        default=None,
    )


def _is_touched(incident: Incident, span: Window, happening: Happening) -> bool:
    """One that awaits its clear goes on, even where its cut is overdue.

    Not where that clear is lost: time ends it as soon as it is looked at.
    """
    lost_at, moment = (
        happening.rule.clear_lost_at(incident.last_at),
        happening.reading.moment,
    )
    is_awaiting = lost_at is None or moment.earliest < lost_at
    # one further on would not be covered: it is never cut up to there
    is_awaiting = is_awaiting and moment.at <= happening.now.furthest
    goes_on = incident.is_active and is_awaiting and span.end >= incident.span.start
    return goes_on or incident.span.touches(span)


def find_agreeing(incidents: Iterable[Incident], over: Happening) -> list[Incident]:
    """The incidents that a clear ends: all that await one and agree with its names.

    A panel's disarm carries no zone, and ends all of them. Whether it is about an alarm
    is not asked of the times of the two, which two clocks may have told: what is open
    when a clear is read was received before it.
    """
    reading = over.reading
    return [
        each
        for each in incidents
        if each.is_active
        and (
            each.key == reading.key
            or all(each.fields.get(name) == at for name, at in reading.group.items())
        )
    ]
