"""The recorder itself: one pure entry point, `Simulator.handle`.

Synchronous, no sockets, no timers: all that moves is computed from the injected clock
when somebody looks, so that it runs under a virtual clock as well as behind HTTP.

The order of checks is not documented by the vendor; ours is: URL (404), method (405),
session, content type (415), license (-1), the body's form, then as `commands.py` says.
"""

import json
from datetime import datetime, timedelta
from pathlib import Path

from evidenced.core.instants import floor_ms
from evidenced.ports import Clock
from evidenced.simulator.codes import Code, CommandDenied
from evidenced.simulator.commands import Command, Commands
from evidenced.simulator.dialect import Dialect, info
from evidenced.simulator.exchange import (
    JSON,
    Cut,
    Ending,
    Hang,
    HeardCall,
    NoConnection,
    Request,
    SentReply,
    command_of,
    page,
    query_of,
    session_of,
)
from evidenced.simulator.fault import Action, Strike
from evidenced.simulator.journal import Journal, RequestRecord
from evidenced.simulator.places import Places
from evidenced.simulator.scenario import OwnClock, Scenario
from evidenced.simulator.script import Script, struck
from evidenced.simulator.sessions import Gate, Sessions
from evidenced.simulator.table import ExportTable

JOURNAL_PATH = "/simulator/journal"


class Simulator:
    """A VDG Sense recorder as the scenario describes it.

    `directory`: where placeholder files of exports are written; None writes none.
    """

    def __init__(
        self, scenario: Scenario, clock: Clock, *, directory: Path | None = None
    ) -> None:
        self.journal = Journal()
        self._scenario = scenario
        self._time = RecorderTime(scenario.clock, clock)
        self._script = Script(scenario.faults, scenario.seed)
        self._sessions = Sessions(scenario.session, scenario.seed)
        self._dialect = Dialect(scenario.xml, scenario.words)
        self._gate = Gate(scenario, self._dialect, self._sessions)
        self._table = ExportTable(
            scenario.exports, self._time.true_at, self.journal.exports.append
        )
        self._commands = Commands(
            scenario,
            self._dialect,
            self._table,
            Places(scenario.exports.roots, scenario.exports.unwritable, directory),
            self.journal,
            self._time.own_at(0.0),
        )
        self._paused_until = 0.0

    @property
    def own_now(self) -> datetime:
        """What the recorder's clock shows."""
        return self._time.own_at(self._time.elapsed())

    @property
    def is_refusing(self) -> bool:
        """Whether nobody listens at the moment."""
        return self._script.is_refusing(self._time.elapsed())

    def inject(self, fault: Strike) -> None:
        """Add a fault while it runs; its `nth` counts from now on."""
        self._script.add(fault)

    def end_sessions(self) -> None:
        """Every API session ends, as if its time were over."""
        self._sessions.end_all()

    def tick(self) -> float:
        """Bring exports, timed faults and files up to now; seconds since the start."""
        elapsed = self._time.elapsed()
        for at, fault in self._script.timed(elapsed):
            self._table.advance(at)
            self._commands.write_files()  # what was made by then lies there
            self._strike(fault, at)
        self._table.advance(elapsed)
        self._commands.write_files()
        self._table.advance(elapsed)
        return elapsed

    def handle(self, request: Request) -> Ending:
        """What a request leads to, by now's clock. Never raises."""
        elapsed = self.tick()
        if request.path == JOURNAL_PATH:
            return self._show_journal()
        call = HeardCall(
            request=request,
            command=command_of(request),
            query=query_of(request),
            elapsed=elapsed,
            own_now=self._time.own_at(elapsed),
            session=session_of(request),
        )
        if elapsed < self._paused_until:
            return self._noted(call, Hang(), is_obeyed=False)
        return self._struck(call)

    def _struck(self, call: HeardCall) -> Ending:
        """Answer the call, with the faults that strike it."""
        faults = self._script.striking(call.command, call.elapsed)
        wire = next((fault for fault in faults if not fault.is_at_recorder), None)
        own = [fault for fault in faults if fault.is_at_recorder]
        for fault in own:
            if fault.is_before:
                self._strike(fault, call.elapsed)
        is_obeyed = wire is None or wire.is_obeyed
        answer = self._answer(call) if is_obeyed else None
        for fault in own:
            if not fault.is_before:
                self._strike(fault, call.elapsed)
        if wire is not None and wire.action is Action.CODE:
            call.code = wire.code
        outcome = struck(wire, answer, self._dialect)
        return self._noted(call, outcome, is_obeyed=is_obeyed)

    def _strike(self, fault: Strike, elapsed: float) -> None:
        if fault.action is Action.PAUSE and fault.lasts is not None:
            self._paused_until = elapsed + fault.lasts.total_seconds()
            self._table.hold(self._paused_until)
        elif fault.action is Action.RESTART:
            self._table.restart(keep_list=fault.keep_list)
            if not fault.keep_sessions:
                self._sessions.end_all()
        else:
            self._table.strike(fault)
        self._table.advance(elapsed)

    def _answer(self, call: HeardCall) -> SentReply:
        try:
            return self._reply(call)
        except CommandDenied as denied:
            call.code = denied.code
            return SentReply(body=self._dialect.result(denied.code, text=denied.text))

    def _reply(self, call: HeardCall) -> SentReply:
        if call.command == "info":
            return self._info(call)
        if call.command == "login":
            return self._gate.login(call)
        if call.command == "unknown":
            return page(404, "Not Found")
        command = self._commands.known(call.command)
        if command and call.request.method != command.method:
            return page(405, "Method Not Allowed")
        if not self._sessions.use(call.session, call.elapsed):
            return self._gate.refuse(call)
        return self._run(command, call)

    def _run(self, command: Command | None, call: HeardCall) -> SentReply:
        if command is None:
            raise CommandDenied(Code.NOT_IMPLEMENTED, call.command)
        if command.method == "POST" and not self._gate.is_xml(call.request):
            return page(415, "Unsupported Media Type")
        if command.is_licensed and not self._scenario.licensed:
            raise CommandDenied(Code.NOT_IMPLEMENTED)
        body = command.run(call)
        call.code = self._dialect.success
        return SentReply(body=body, headers=(("Content-Type", command.content),))

    def _info(self, call: HeardCall) -> SentReply:
        if self._scenario.info.form == "absent":
            return page(404, "Not Found")
        if call.request.method != "GET":
            return page(405, "Method Not Allowed")
        return SentReply(body=info(self._scenario.info, call.own_now))

    def _noted(self, call: HeardCall, outcome: Ending, *, is_obeyed: bool) -> Ending:
        status = outcome.status if isinstance(outcome, SentReply) else None
        self.journal.requests.append(
            RequestRecord(
                at=self._time.true_at(call.elapsed),
                own_at=call.own_now,
                command=call.command,
                session=call.session,
                query=call.query,
                status=status,
                code=call.code,
                outcome=_word(outcome),
                is_obeyed=is_obeyed,
                order=call.order,
                exportid=call.exportid,
            )
        )
        return outcome

    def _show_journal(self) -> SentReply:
        body = json.dumps(self.journal.as_json(), indent=1).encode("utf-8")
        return SentReply(headers=(("Content-Type", JSON),), body=body)


class RecorderTime:
    """Seconds since the start, and what true time and the recorder's clock say then.

    Counted by the injected monotonic clock: the recorder is another machine, so a jump
    of the host's wall clock moves neither its clock nor its exports.
    """

    def __init__(self, settings: OwnClock, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._started_at = clock.now()
        self._started = clock.monotonic()

    def elapsed(self) -> float:
        return self._clock.monotonic() - self._started

    def true_at(self, elapsed: float) -> datetime:
        return floor_ms(self._started_at + timedelta(seconds=elapsed))

    def own_at(self, elapsed: float) -> datetime:
        """What the recorder's clock shows: offset, drift and jumps so far."""
        settings = self._settings
        drift = timedelta(seconds=elapsed * settings.drift_ppm / 1_000_000)
        jumps = sum(
            (jump.by for jump in settings.jumps if jump.at.total_seconds() <= elapsed),
            timedelta(0),
        )
        ran = timedelta(seconds=elapsed)
        return floor_ms(self._started_at + ran + settings.offset + drift + jumps)


def _word(outcome: Ending) -> str:
    match outcome:
        case SentReply():
            return "answered" if outcome.cut_after is None else "cut-middle"
        case Cut():
            return "cut"
        case Hang():
            return "hang"
        case NoConnection():
            return "refused"
