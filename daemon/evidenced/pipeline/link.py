"""One recorder as the loops see it: its session and clock, and what is under way there.

Whether it is worth asking is `core.exports.line`, a line for each service. While one is
down, what needs it waits, untouched, and none is lost; the others go on.

Each attribute has one writer: `left`, `landed` and `limit` are the dispatch's, `seen`,
`park` and `found_doubles` the tracking's, `drains` is the stations'; lines are written
where a call ended, by whoever made it. All run on the event loop; steps on the writer's
thread get what they need as values.
"""

import asyncio
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

from structlog.typing import FilteringBoundLogger

from evidenced.core.errors import Reason, RecorderError
from evidenced.core.exports.line import Line, LineState, Service
from evidenced.core.exports.retry import Patience
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.instants import SECOND, ZERO
from evidenced.core.recorder import SUSPICIOUS_OFFSET, SessionInfo
from evidenced.core.site import RecorderSettings
from evidenced.core.streak import Streak
from evidenced.core.trust import Now
from evidenced.pipeline.holds import Holds
from evidenced.ports import Clock, Dice, RecorderPort

MEASURE_AGAIN = timedelta(minutes=10)
"""How old a measured clock offset may be; clocks drift and are set. A recorder that
nobody needs is asked more often, and out of the way of exports: see `lifesign`."""

CLOCK_STEP = SECOND
"""A wall clock that has moved so far by itself was set: offsets are measured anew."""

OPENINGS = 2
"""How often a session is opened or kept at once: again if our clock was set meanwhile,
for what was measured before a step is wrong after it. A second step waits its turn."""

_OF_ONE_REQUEST = frozenset({Reason.BAD_REQUEST, Reason.EXPORT_VANISHED})
"""Failures that tell of one request, not of the line."""


class Link:
    """One recorder as dispatch, tracking and protection see it."""

    def __init__(
        self,
        settings: RecorderSettings,
        port: RecorderPort,
        clock: Clock,
        dice: Dice,
        log: FilteringBoundLogger,
    ) -> None:
        self.settings = settings
        self.port = port
        self._clock = clock
        self._dice = dice
        self._log = log.bind(recorder=settings.name)
        self.holds = Holds(self._log)
        self._lines = {service: Line() for service in Service}
        self._info: SessionInfo | None = None
        self._answered_at: float | None = None
        self._asked_at = 0.0
        self._asked_skew = 0.0
        self._heard_at = clock.monotonic()
        self._off = Streak()
        self._opening = asyncio.Lock()
        self._in_flight: set[int] = set()
        self._live = 0
        self._parked: frozenset[int] = frozenset()
        self._doubles: tuple[int, ...] = ()
        self._stuck: tuple[ExportRequest, ...] = ()
        self._limited_until: datetime | None = None
        self.drains = False
        """Nothing new is begun here: another node is to have it."""

    @property
    def info(self) -> SessionInfo | None:
        """The session that is open, as far as is known."""
        return self._info

    @property
    def is_up(self) -> bool:
        """Whether it answers, in all that is asked of it now."""
        return self._info is not None and self._out() is None

    @property
    def problem(self) -> str | None:
        """Why it does not answer, in one sentence; None while it does."""
        line = self._out()
        return None if line is None else line.text

    @property
    def reason(self) -> Reason | None:
        line = self._out()
        return None if line is None else line.reason

    @property
    def next_try(self) -> timedelta | None:
        """How long until it is asked again; None when it is up."""
        if self.is_up:
            return None
        waits = [self.wait(service) for service in Service]
        return min(filter(None, waits), default=ZERO)

    @property
    def answered_ago(self) -> timedelta | None:
        """How long ago it last gave a usable answer; None if it never did."""
        if self._answered_at is None:
            return None
        return timedelta(seconds=self._clock.monotonic() - self._answered_at)

    def _out(self) -> Line | None:
        """The line that people should hear of; None while there is none.

        The session's goes first: while nobody can log in, nothing else works either.
        """
        now = self._clock.monotonic()
        out = (line for name, line in self._lines.items() if line.is_out(name, now))
        return next(out, None)

    def _line(self, service: Service) -> Line:
        return self._lines[service].at(self._clock.monotonic())

    def wait(self, service: Service) -> timedelta:
        """How long until asking for it makes sense; zero when it may be asked now."""
        now = self._clock.monotonic()
        lines = (self._line(Service.SESSION), self._line(service))
        return timedelta(seconds=max(line.wait_s(now) for line in lines))

    @property
    def room(self) -> int | None:
        """How many exports may be asked for now; None where nothing limits them.

        While the line is probing one request goes, and its answer decides.
        """
        if self._line(Service.EXPORT).state is LineState.UP:
            return None
        return 0 if self._in_flight or self.wait(Service.EXPORT) else 1

    async def ready(self, service: Service) -> SessionInfo | None:
        """An open session whose clock is known; None while the service is down.

        Opens one where needed, at most one at a time, and never before the next probe
        is due. Never raises.
        """
        async with self._opening:
            if self.wait(service):
                return None
            for _ in range(OPENINGS):
                if self._info is not None and self._is_measured():
                    break
                try:
                    await self._open()
                except RecorderError as error:
                    self.failed(Service.SESSION, error)
                    return None
            return self._info

    @property
    def silence(self) -> timedelta:
        """How long nothing was heard of it, no failure either."""
        return timedelta(seconds=self._clock.monotonic() - self._heard_at)

    async def ask_for_life(self) -> None:
        """Ask for its time, which costs it next to nothing. Never raises.

        It goes beside whatever else is asked: it does not wait for a login that is on
        its way, and no export waits for its answer. Without a session nothing is asked:
        the loops are trying to open one, and hear of the recorder by that.
        """
        self._heard_at = self._clock.monotonic()
        if self._info is None or self._opening.locked():
            return
        try:
            await self._open()
        except RecorderError as error:
            self.failed(Service.SESSION, error)

    async def _open(self) -> None:
        """Open the session, or keep it, and measure.

        How the clocks stood is noted before: our clock may be set while it lasts.
        """
        self._asked_at, self._asked_skew = self._clock.monotonic(), self._skew()
        self._opened(await self.port.open_session())

    def _is_measured(self) -> bool:
        """Whether the clock offset still holds: not too old, and our clock not set."""
        age = self._clock.monotonic() - self._asked_at
        offset = self._info.offset if self._info else None
        skew = offset.skew_s if offset else self._asked_skew
        is_set = abs(self._skew() - skew) > CLOCK_STEP.total_seconds()
        return age < MEASURE_AGAIN.total_seconds() and not is_set

    def _skew(self) -> float:
        """The wall clock minus the monotonic one: changes when the clock is set.

        And over a suspend, for the monotonic one stands still then.
        """
        return self._clock.now().timestamp() - self._clock.monotonic()

    def answered(self, service: Service, info: SessionInfo | None = None) -> None:
        """A request of this service got a usable answer, be it a refusal."""
        self._heard_at = self._clock.monotonic()
        if info is not None:
            self._info = info
        self._answered_at = self._clock.monotonic()
        failures = self._lines[service].failures
        self._lines[service] = self._lines[service].answered()
        if failures and self._out() is None:
            self._log.info("recorder works again", failures=failures, service=service)

    def failed(self, service: Service, error: RecorderError) -> None:
        """A request of this service got no usable answer: it is asked after a wait.

        The session is looked at before anything else is asked, so that a recorder that
        is away costs one login a wait, and not a request of each service.
        """
        if error.reason in _OF_ONE_REQUEST:
            return
        is_told = self._out() is not None
        self._info = None
        self._heard_at = self._clock.monotonic()
        now, before = self._clock.monotonic(), self._line(service)
        after = before.failed(error, now, self.settings.retry, self._dice.jitter())
        self._lines[service] = after
        if after.failures == before.failures:
            return
        log = self._log.debug if is_told or before.failures else self._log.warning
        log(
            "recorder does not answer; incidents wait",
            service=service,
            reason=error.reason,
            why=after.text,
            next_try_s=round(after.wait_s(now), 1),
        )

    def patience(self, now: Now) -> Patience:
        """What a decision to wait needs, with the policy as it is configured."""
        return Patience(policy=self.settings.retry, now=now, jitter=self._dice.jitter())

    @property
    def in_flight(self) -> AbstractSet[int]:
        """Requests that left and whose answer is not a row yet."""
        return self._in_flight

    def left(self, export: int) -> None:
        """A request is on its way."""
        self._in_flight.add(export)

    def landed(self, exports: Iterable[int]) -> None:
        """What was answered to these requests, or that nothing was, is committed."""
        self._in_flight.difference_update(exports)

    @property
    def live(self) -> int:
        """Exports that were under way at the last look, as the store has it."""
        return self._live

    def seen(self, live: int) -> None:
        self._live = live

    @property
    def parked(self) -> frozenset[int]:
        """Exports that hold no slot: they are stuck, or wait for a share to decide.

        The recorder does not list the latter, and the share cannot be looked at.
        """
        return self._parked

    @property
    def stuck(self) -> tuple[ExportRequest, ...]:
        """Those of them that the recorder lists, and that stand still for too long."""
        return self._stuck

    def park(
        self, waiting: frozenset[int], stuck: Sequence[ExportRequest]
    ) -> frozenset[int]:
        """These and no others are parked; returns those that are new."""
        exports = waiting | {export.id for export in stuck}
        new, self._parked = exports - self._parked, exports
        self._stuck = tuple(stuck)
        return new

    @property
    def doubles(self) -> tuple[int, ...]:
        """The bandwidths of exports that run there besides, which nobody wants.

        They were given up for lost, and asked for again; until they are deleted, each
        takes a slot.
        """
        return self._doubles

    def found_doubles(self, bandwidths: tuple[int, ...]) -> None:
        self._doubles = bandwidths

    @property
    def is_busy(self) -> bool:
        """Whether more is known of it, and may pass, than its rows say."""
        known = self._live or self._in_flight or self._parked or self._doubles
        return bool(known) or self._limited_until is not None

    @property
    def limited_until(self) -> datetime | None:
        """Until when new exports wait; None while the hour has room for more."""
        return self._limited_until

    def limit(self, until: datetime | None) -> None:
        self._limited_until = until

    def _opened(self, info: SessionInfo) -> None:
        is_new = self._info is None
        self.answered(Service.SESSION, info)
        offset = info.offset.estimate if info.offset else ZERO
        self._tell_offset(offset)
        if is_new:
            self._log.info(
                "recorder connected",
                version=info.version,
                clock_offset_s=offset.total_seconds(),
            )

    def _tell_offset(self, offset: timedelta) -> None:
        """Once when it grows too large, and once when it is well again."""
        seconds = offset.total_seconds()
        told = self._off.look(is_so=abs(offset) > SUSPICIOUS_OFFSET)
        if told:
            self._log.warning(
                "the recorder's clock is off; windows are shifted by it",
                offset_s=seconds,
            )
        elif told is False:
            self._log.info("the recorder's clock is right again", offset_s=seconds)
