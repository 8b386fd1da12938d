"""Incidents in every state with all that is kept of them, for pictures and pages."""

from dataclasses import dataclass, replace
from datetime import datetime

from evidenced.core.address import handle_of
from evidenced.core.alarms.alarm import Signal
from evidenced.core.camera import Camera
from evidenced.core.errors import Reason
from evidenced.core.exports import answers, exporting
from evidenced.core.exports.following import Verdict
from evidenced.core.incidents import lifecycle, operating
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.history import Change, Entry, entry_of
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.states import ClipState
from evidenced.core.keeping.kept import Dossier, KeptAlarm
from evidenced.core.recorder import Answer
from evidenced.core.trust import exactly
from fakes import incident as fake
from fakes.incident import DOOR, GATE, LOBBY, SETTLES, Ids, happening, s, t

DISK_FULL = Answer(reason=Reason.DISK_FULL, code="-60", text="Disk full")


@dataclass
class Case:
    """An incident on its way; each step is a change and its entry."""

    incident: Incident
    exports: dict[int, ExportRequest]
    history: list[Entry]
    alarms: list[KeptAlarm]
    now: datetime
    ids: Ids

    @property
    def dossier(self) -> Dossier:
        return Dossier(
            incident=self.incident,
            alarms=tuple(self.alarms),
            exports=tuple(self.exports.values()),
            history=tuple(self.history),
        )

    def save(self, *changes: Change) -> None:
        for change in changes:
            self.incident = change.after
            self.exports |= {export.id: export for export in change.exports}
            entry = entry_of(change, self.now)
            if entry is not None:
                self.history.append(entry)

    def alarm(self, at: datetime, *cameras: Camera, signal: Signal) -> None:
        self.now = max(self.now, at)
        rule = fake.AWAITS if signal is Signal.CLEAR else self.rule
        told = happening(at, *cameras, rule=rule, now=self.now, signal=signal)
        step = lifecycle.clear if signal is Signal.CLEAR else lifecycle.extend
        self.save(*step(self.incident, told, self.ids))
        self.keep(at, signal)

    rule = fake.PLAIN

    def keep(self, at: datetime, signal: Signal, payload: bytes = b"{}") -> None:
        self.alarms.append(
            KeptAlarm(
                incident=self.incident.id,
                n=len(self.alarms) + 1,
                received_at=at + s(0.4),
                at=at,
                signal=signal,
                time_source="payload",
                topic="access/hq/door-3/forced",
                payload=payload,
            )
        )

    def turn(self, now: datetime) -> None:
        self.now = now
        self.save(*lifecycle.turn(self.incident, exactly(now), SETTLES, self.ids))

    def ask(self, now: datetime, recorder: str, offset: float = 0) -> ExportRequest:
        self.now = now
        due = [
            clip
            for clip in self.incident.clips
            if clip.state is ClipState.DUE
            and clip.recorder == recorder
            and clip.due_at <= now
        ]
        clips = [clip for clip in due if clip.cohort == due[0].cohort]
        n = len(self.exports) + 1
        path = rf"V:\evidence\2026\11-23\door-forced-{self.incident.id}-{n}"
        intent = replace(fake.intent(now, n, path), offset=s(offset))
        change, export = exporting.request(self.incident, clips, intent)
        self.save(change)
        return export

    def answer(self, export: ExportRequest, answer: Answer) -> None:
        self.now = export.requested_at + s(0.3)
        if answer.reason is None:
            number = {"exportid": str(export.id), "session": "s1"}
            answer = replace(answer, handle=handle_of(number))
            self.save(exporting.accept(self.incident, export, answer, self.now))
        else:
            patience = fake.patience(self.now)
            self.save(answers.refuse(self.incident, export, answer, patience))

    def progress(self, export: ExportRequest, *percent: float) -> None:
        running = self.exports[export.id]
        devices = tuple(
            replace(device, percent=each)
            for device, each in zip(running.devices, percent, strict=True)
        )
        self.exports[export.id] = replace(running, devices=devices)

    def finish(self, export: ExportRequest, now: datetime, *failed: int) -> None:
        self.now = now
        running = self.exports[export.id]
        devices = tuple(replace(each, percent=100.0) for each in running.devices)
        numbers = {device.clip for device in devices}
        verdict = Verdict(
            devices=devices,
            done=frozenset(numbers - set(failed)),
            failed=frozenset(failed),
        )
        patience = fake.patience(now)
        self.save(exporting.finish(self.incident, running, verdict, patience))


def begun(
    *cameras: Camera, at: str = "12:00", clear: bool = False, ids: Ids | None = None
) -> Case:
    """Opened by one alarm, still recording."""
    ids = ids or Ids()
    rule = fake.AWAITS if clear else fake.PLAIN
    told = happening(at, *(cameras or (LOBBY, DOOR, GATE)), rule=rule)
    change = lifecycle.open_incident(told, ids)
    case = Case(change.after, {}, [], [], t(at), ids)
    case.rule = rule
    case.save(change)
    case.keep(t(at), Signal.ACTIVE, b'{"state": "active", "card": {"number": "4711"}}')
    case.now = t(at) + s(40)
    return case


def waiting() -> Case:
    """Ended; one recorder has no video yet, the other's disk is full."""
    case = begun()
    case.alarm(t("12:01:10"), LOBBY, DOOR, GATE, signal=Signal.ACTIVE)
    case.turn(t("12:03:10"))
    case.answer(case.ask(t("12:03:25"), "main"), fake.NO_VIDEO)
    case.answer(case.ask(t("12:03:16"), "annex"), DISK_FULL)
    case.answer(case.ask(t("12:03:41"), "main"), fake.NO_VIDEO)
    case.now = t("12:03:55")
    return case


def running() -> Case:
    """One recorder is exporting, the other is through."""
    case = begun()
    case.turn(t("12:02"))
    annex = case.ask(t("12:02:05"), "annex")
    case.answer(annex, fake.OK)
    main = case.ask(t("12:02:15"), "main", offset=-7)
    case.answer(main, fake.OK)
    case.finish(annex, t("12:02:35"))
    case.progress(main, 80.0, 42.0)
    case.now = t("12:02:50")
    return case


def exported() -> Case:
    """After a clear; the first request was refused."""
    case = begun(LOBBY, DOOR, clear=True)
    case.alarm(t("12:04:30"), LOBBY, DOOR, signal=Signal.CLEAR)
    case.turn(t("12:06:30"))
    case.answer(case.ask(t("12:06:45"), "main"), fake.NO_VIDEO)
    again = case.ask(t("12:07:30"), "main")
    case.answer(again, fake.OK)
    case.finish(again, t("12:08:15"))
    case.now = t("18:00")
    return case


def partial() -> Case:
    """One camera never had video: it was asked for a whole day."""
    case = begun()
    case.turn(t("12:02"))
    annex = case.ask(t("12:02:05"), "annex")
    case.answer(annex, fake.OK)
    case.finish(annex, t("12:02:35"))
    at = t("12:02:15")
    while any(not clip.is_ended for clip in case.incident.clips):
        case.answer(case.ask(at, "main"), fake.NO_VIDEO)
        waits = [c.due_at for c in case.incident.clips if c.state is ClipState.DUE]
        at = max(case.now, min(waits, default=at))
    case.now = at + s(7200)
    return case


def cancelled() -> Case:
    case = begun(LOBBY)
    case.turn(t("12:02"))
    case.now = t("12:02:10")
    case.save(operating.cancel(case.incident, "ann", case.now))
    return case


def stormy() -> Case:
    """A contact that flaps: thirty alarms in a few minutes."""
    case = begun(LOBBY, DOOR)
    for n in range(1, 31):
        case.alarm(t("12:00") + s(7 * n), LOBBY, DOOR, signal=Signal.ACTIVE)
    case.now += s(30)
    return case


HOSTILE = '</title></svg><script>alert("1")</script>&\u202e'


def hostile() -> Case:
    """Every text that a device or a recorder can send is markup."""
    case = begun(replace(LOBBY, label=HOSTILE))
    case.turn(t("12:02"))
    case.answer(
        case.ask(t("12:02:15"), "main"),
        Answer(reason=Reason.RECORDER_FAULT, code="-1", text=HOSTILE),
    )
    case.alarms[0] = replace(case.alarms[0], topic=HOSTILE, payload=HOSTILE.encode())
    return case


CASES = {
    "recording": begun,
    "waiting": waiting,
    "exporting": running,
    "exported": exported,
    "partial": partial,
    "cancelled": cancelled,
    "storm": stormy,
    "hostile": hostile,
}
