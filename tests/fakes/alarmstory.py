"""A story of alarms, clears, silences and time as the pipeline tells it, in any order.

Every step goes through `save`, which holds each change to what must be true of it. The
state machines of the property tests draw the steps.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from evidenced.core.alarms.alarm import Signal
from evidenced.core.alarms.rules import Rule
from evidenced.core.camera import Camera
from evidenced.core.ids import CameraName, IncidentId, SilenceId
from evidenced.core.incidents import lifecycle, silence
from evidenced.core.incidents.happening import (
    Happening,
    find_agreeing,
    find_touching,
    post_roll_of,
)
from evidenced.core.incidents.history import Change, Replay, entry_of
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.silence import Silence, SilenceOrder, Silences, Subject
from evidenced.core.incidents.states import ClipState
from evidenced.core.incidents.withheld import Withheld
from evidenced.core.instants import MILLISECOND
from evidenced.core.trust import exactly
from evidenced.core.window import Window, merge
from fakes import incident as fake
from fakes.incident import SETTLES, Ids, camera, check_change, happening, s, t

CAMERAS = (
    camera("a"),
    camera("b", pre_roll=s(1), post_roll=s(400)),
    camera("c", fake.ANNEX, post_roll=s(0)),
    camera("d", pre_roll=s(0), post_roll=s(0)),
)
END_WITH_ALARMS = ("c", "d")
"""Without a post-roll: the alarm's instant may be the end of their windows."""
KINDS = tuple(
    fake.rule(clear=clear, max_length=s(300), pre_roll=s(60), post_roll=s(30))
    for clear in (False, True)
)


class AlarmStory(RuleBasedStateMachine):
    """Incidents as a dictionary would store them; nothing is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.now = t("12:00")
        self.ids = Ids()
        self.incidents: dict[IncidentId, Incident] = {}
        self.accepted: list[tuple[datetime, CameraName]] = []
        self.rolls: list[tuple[Window, CameraName]] = []
        """Of alarms that were told at once: nothing of a roll is a piece's before."""
        self.silences: list[Silence] = []
        self.withheld: list[tuple[Happening, Withheld]] = []
        self.replays: dict[IncidentId, Replay] = {}

    # ---- saving

    def save(self, changes: Sequence[Change]) -> None:
        for change in changes:
            check_change(change)
            self.check_told(change)
            assert change.before == self.incidents.get(change.after.id)
            self.incidents[change.after.id] = change.after

    def check_told(self, change: Change) -> None:
        """The entries alone say what every incident and clip came to."""
        entry = entry_of(change, self.now)
        replay = self.replays.setdefault(change.after.id, Replay())
        if entry is not None:
            replay.read(entry.detail)
        assert replay.state == change.after.state
        assert replay.clips == _states(change.after)

    # ---- alarms and time

    @rule(
        kind=st.sampled_from(KINDS),
        cameras=st.sets(st.sampled_from(CAMERAS)),
        late=st.integers(0, 2000),
    )
    def alarm(self, kind: Rule, cameras: set[Camera], late: int) -> None:
        in_order = sorted(cameras, key=lambda each: each.name)
        at = self.now - s(late)
        seen = happening(at, *in_order, rule=kind, now=self.now)
        heard = self.heard(seen, self.now)
        if heard is not None:
            self.take(heard)

    def take(self, seen: Happening) -> None:
        touched = find_touching(self.incidents.values(), seen)
        self.save(
            [lifecycle.open_incident(seen, self.ids)]
            if touched is None
            else lifecycle.extend(touched, seen, self.ids)
        )
        at = seen.reading.moment.at
        self.accepted += [(at, each.name) for each in seen.cameras]
        if at == self.now:
            self.rolls += [
                (Window(start=at, end=at + post_roll_of(each, seen.rule)), each.name)
                for each in seen.cameras
            ]

    @rule(late=st.integers(0, 900))
    def clear(self, late: int) -> None:
        at = self.now - s(late)
        over = happening(at, rule=KINDS[1], now=self.now, signal=Signal.CLEAR)
        self.withheld.clear()
        for active in find_agreeing(self.incidents.values(), over):
            self.save(lifecycle.clear(active, over, self.ids))

    # ---- silences

    @rule(
        name=st.sampled_from(["", *(each.name for each in CAMERAS)]),
        seconds=st.integers(1, 900),
    )
    def silence(self, name: str, seconds: int) -> None:
        order = SilenceOrder(
            subject=Subject.CAMERA if name else Subject.RULE,
            name=name or KINDS[0].name,
            until=self.now + s(seconds),
            comment="works",
        )
        number = SilenceId(f"s{len(self.silences)}")
        self.silences.append(silence.begin(order, number, "ann", self.now))

    def heard(self, seen: Happening, at: datetime) -> Happening | None:
        """The alarm without its silenced cameras; None where nothing is left of it."""
        heard, held = Silences(self.silences).part(seen, "t", at)
        if held is not None:
            self.withheld.append((seen, held))
        return heard if held is None or heard.cameras else None

    def resume(self) -> None:
        """What is still on as its silence ends is an alarm from then on."""
        known, self.withheld = self.withheld, []
        for seen, held in known:
            if held.until is None or held.until > self.now:
                self.withheld.append((seen, held))
                continue
            left = tuple(each for each in seen.cameras if each.name in held.cameras)
            again = replace(seen, cameras=left, now=exactly(self.now))
            heard = self.heard(again, held.until) if held.is_on(seen.rule) else None
            if heard is not None:
                reading = replace(heard.reading, moment=held.resumed())
                self.take(replace(heard, reading=reading))

    @rule(seconds=st.integers(1, 700))
    def time_passes(self, seconds: int) -> None:
        self.now += s(seconds)

    @rule(
        may_go_on=st.sampled_from((True, True, False)),
        clear_within=st.sampled_from((None, None, 1, 200, 1000)),
    )
    def turn(self, may_go_on: bool, clear_within: int | None) -> None:
        within = None if clear_within is None else s(clear_within)
        for incident in list(self.incidents.values()):
            turn_at = incident.turn_at
            if turn_at is not None and turn_at <= self.now:
                changes = lifecycle.turn(
                    incident,
                    exactly(self.now),
                    SETTLES,
                    self.ids,
                    may_go_on=may_go_on,
                    clear_within=within,
                )
                assert changes
                self.save(changes)
        self.resume()

    # ---- what always holds

    @invariant()
    def every_alarm_s_instant_lies_in_a_clip_of_each_of_its_cameras(self) -> None:
        clips = [clip for each in self.incidents.values() for clip in each.clips]
        for at, name in self.accepted:
            last = at if name in END_WITH_ALARMS else at + MILLISECOND
            assert any(
                clip.camera == name
                and clip.window.start <= at
                and last <= clip.window.end
                for clip in clips
            ), (at, name)

    @invariant()
    def what_follows_an_alarm_is_in_clips_once_its_clear_is_known(self) -> None:
        if any(each.is_active for each in self.incidents.values()):
            return
        clips = [clip for each in self.incidents.values() for clip in each.clips]
        for roll, name in self.rolls:
            windows = merge(
                each.window
                for each in clips
                if each.camera == name and each.window.length
            )
            assert (
                any(
                    each.start <= roll.start and roll.end <= each.end
                    for each in windows
                )
                or not roll.length
            ), (roll, name)


def _states(incident: Incident) -> dict[int, ClipState]:
    return {clip.n: clip.state for clip in incident.clips}
