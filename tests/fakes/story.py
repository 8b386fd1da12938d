"""The same story with exports and operators: their answers, looks, ends and orders."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from typing_extensions import override

from evidenced.core.address import Handle
from evidenced.core.camera import Camera
from evidenced.core.errors import BadInput, Reason, Refused
from evidenced.core.exports import answers, exporting
from evidenced.core.exports.following import Verdict
from evidenced.core.incidents import byhand, operating
from evidenced.core.incidents.byhand import Hand, MoreOrder
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.history import Change
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.states import ClipState
from evidenced.core.recorder import Answer
from fakes import incident as fake
from fakes.alarmstory import CAMERAS, AlarmStory
from fakes.incident import SETTLES

REFUSALS = (
    Reason.NO_VIDEO,
    Reason.NO_DEVICE,
    Reason.BAD_REQUEST,
    Reason.BAD_PATH,
    Reason.DISK_FULL,
    Reason.RECORDER_FAULT,
)
ANSWERS = st.sampled_from((None, None, None, *REFUSALS))
picks = st.integers(0, 999)


class Story(AlarmStory):
    """Incidents and exports as a dictionary would store them."""

    def __init__(self) -> None:
        super().__init__()
        self.exports: dict[int, ExportRequest] = {}

    @override
    def save(self, changes: Sequence[Change]) -> None:
        super().save(changes)
        for change in changes:
            for export in change.exports:
                self.exports[export.id] = export

    # ---- exports

    def due(self) -> list[tuple[Incident, str]]:
        return [
            (incident, recorder)
            for incident in self.incidents.values()
            for recorder in SETTLES
            if any(
                clip.state is ClipState.DUE
                and clip.recorder == recorder
                and clip.due_at <= self.now
                for clip in incident.clips
            )
        ]

    @precondition(lambda self: self.due())
    @rule(pick=picks)
    def request(self, pick: int) -> None:
        due = self.due()
        incident, recorder = due[pick % len(due)]
        clips = [
            clip
            for clip in incident.clips
            if clip.state is ClipState.DUE
            and clip.recorder == recorder
            and clip.due_at <= self.now
        ]
        for clip in clips:
            assert clip.window.end + SETTLES[clip.recorder] <= self.now
        mine = [e for e in self.exports.values() if e.incident == incident.id]
        n = 1 + sum(export.recorder == recorder for export in mine)
        number = len(self.exports) + 1
        intent = replace(fake.intent(self.now, n), id=number)
        for part in exporting.split(clips, 2)[:1]:
            change, _ = exporting.request(incident, part, intent)
            self.save([change])

    def live(self) -> list[ExportRequest]:
        return [each for each in self.exports.values() if each.finished_at is None]

    def picked(self, pick: int) -> tuple[Incident, ExportRequest]:
        live = self.live()
        export = live[pick % len(live)]
        return self.incidents[export.incident], export

    @precondition(lambda self: self.live())
    @rule(
        pick=picks,
        why=ANSWERS,
        is_sent=st.booleans(),
    )
    def answer(self, pick: int, why: Reason | None, *, is_sent: bool) -> None:
        incident, export = self.picked(pick)
        if export.handle is not None:
            return
        answer = Answer(reason=why, handle=None if why else Handle("n=1"))
        if not is_sent and why:
            text, reason = "down", Reason.UNREACHABLE
            change = answers.not_sent(incident, export, reason, text)
        elif why:
            change = answers.refuse(incident, export, answer, fake.patience(self.now))
        else:
            change = exporting.accept(incident, export, answer, self.now)
        self.save([change])

    @precondition(lambda self: self.live())
    @rule(pick=picks, is_found=st.booleans())
    def look(self, pick: int, *, is_found: bool) -> None:
        incident, export = self.picked(pick)
        if export.is_unsent:
            self.save([answers.take_back(incident, export, "other", self.now)])
        elif not is_found:
            patience = fake.patience(self.now)
            self.save([exporting.vanish(incident, export, "lost", patience)])
        elif export.handle is None:
            handle = Handle("n=2")
            self.save([exporting.adopt(incident, export, handle, self.now)])
        elif not exporting.is_wanted(incident, export):
            self.save([exporting.withdraw(incident, export, "deleted", self.now)])

    @precondition(lambda self: self.live())
    @rule(pick=picks, failing=st.integers(0, 3))
    def finish(self, pick: int, failing: int) -> None:
        incident, export = self.picked(pick)
        if export.handle is None:
            return
        numbers = [device.clip for device in export.devices]
        verdict = Verdict(
            devices=export.devices,
            done=frozenset(n for n in numbers if n % 4 != failing),
            failed=frozenset(n for n in numbers if n % 4 == failing),
        )
        patience = fake.patience(self.now)
        self.save([exporting.finish(incident, export, verdict, patience)])

    # ---- operators

    @precondition(lambda self: self.incidents)
    @rule(
        pick=picks,
        step=st.sampled_from(
            [operating.cancel, operating.retry, partial(operating.retry, again=True)]
        ),
    )
    def operate(self, pick: int, step: Callable[..., Change]) -> None:
        incident = list(self.incidents.values())[pick % len(self.incidents)]
        try:
            change = step(incident, "ann", self.now)
        except Refused:
            return
        self.save([change])
        if step is operating.cancel:
            self.rolls.clear()  # no further piece of it is wanted

    @precondition(lambda self: self.incidents)
    @rule(
        pick=picks,
        minutes=st.integers(-5, 5),
        cameras=st.sets(st.sampled_from(CAMERAS)),
    )
    def add(self, pick: int, minutes: int, cameras: set[Camera]) -> None:
        incident = list(self.incidents.values())[pick % len(self.incidents)]
        until = incident.span.end + timedelta(minutes=minutes) if minutes else None
        in_order = sorted(cameras, key=lambda each: each.name)
        hand = Hand(who="ann", now=self.now, settles=SETTLES)
        try:
            change = byhand.add(incident, MoreOrder(until=until), in_order, hand)
        except BadInput:
            return
        self.save([change])

    # ---- what always holds

    @invariant()
    def a_clip_that_is_asked_for_is_in_one_live_export(self) -> None:
        for incident in self.incidents.values():
            asked = [
                device.clip
                for export in self.live()
                if export.incident == incident.id
                for device in export.devices
            ]
            for clip in incident.clips:
                if clip.state in {ClipState.REQUESTED, ClipState.EXPORTING}:
                    assert asked.count(clip.n) == 1

    @override
    def teardown(self) -> None:
        """Once faults stop, every clip ends; nothing keeps an incident waiting."""
        self.now += timedelta(minutes=1)
        for _ in range(3):
            self.clear(0)
        for incident in list(self.incidents.values()):
            if incident.is_active:
                self.save([operating.cancel(incident, "end", self.now)])
        for _ in range(60):
            self.now += timedelta(days=1)
            self.turn(may_go_on=True, clear_within=None)
            while self.live():
                incident, export = self.picked(0)
                if export.handle is not None:
                    self.finish(0, 9)
                else:
                    self.answer(0, 0, is_sent=True)
            while self.due():
                self.request(0)
            if all(incident.is_ended for incident in self.incidents.values()):
                break
        for incident in self.incidents.values():
            assert incident.is_ended
            assert incident.finished_at is not None
            assert all(clip.is_ended for clip in incident.clips)
