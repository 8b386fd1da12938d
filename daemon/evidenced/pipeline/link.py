"""The line to one recorder: its session, its clock, and whether it is worth asking.

    up        calls go through
    down      a call failed; nothing is asked until the next probe
    probing   one login is under way; its outcome decides

The probe is a clock measurement and a login: it asks nothing of the recorder that could
be done twice. While the line is down incidents wait, untouched, and none is lost.
"""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

from structlog.typing import FilteringBoundLogger

from evidenced.config.site import RecorderSettings
from evidenced.core.errors import Reason, RecorderError
from evidenced.core.exports.hold import Hold, held, holds
from evidenced.core.exports.retry import Patience, back_off, reason_of
from evidenced.core.ids import DestinationName
from evidenced.core.recorder import SUSPICIOUS_OFFSET, Answer, SessionInfo
from evidenced.ports import Clock, Dice, RecorderPort

MEASURE_AGAIN = timedelta(minutes=10)
"""How old a measured clock offset may be; clocks drift and are set."""

CLOCK_STEP = timedelta(seconds=1)
"""A wall clock that has moved so far by itself was set: offsets are measured anew."""

OPENINGS = 2
"""How often a session is opened or kept at once: again if our clock was set meanwhile,
for what was measured before a step is wrong after it. A second step waits its turn."""

_OF_ONE_REQUEST = frozenset({Reason.BAD_REQUEST, Reason.EXPORT_VANISHED})


class Link:
    """One recorder as dispatch and tracking see it."""

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
        self.in_flight: set[int] = set()
        self.live = 0
        """Exports that were under way at the last look, as the store has it."""
        self.parked: frozenset[int] = frozenset()
        """Exports that the recorder does not list, and whose share cannot be looked at
        to decide: they wait for it, and hold no slot."""
        self.limited_until: datetime | None = None
        """Until when exports wait, for the limit of this hour is reached."""
        self.info: SessionInfo | None = None
        self.problem: str | None = None
        self.reason: Reason | None = None
        self._clock = clock
        self._dice = dice
        self._log = log.bind(recorder=settings.name)
        self._failures = 0
        self._probe_at = 0.0
        self._asked_at = 0.0
        self._asked_skew = 0.0
        self._is_off = False
        self._opening = asyncio.Lock()
        self.holds: dict[DestinationName, Hold] = {}

    @property
    def is_up(self) -> bool:
        return self.info is not None and self._failures == 0

    @property
    def next_probe(self) -> timedelta:
        """How long until a call makes sense; zero when the line is up."""
        if self._failures == 0:
            return timedelta(0)
        return timedelta(seconds=max(0.0, self._probe_at - self._clock.monotonic()))

    async def ready(self) -> SessionInfo | None:
        """An open session whose clock is known; None while the line is down.

        Opens one where needed, at most one at a time, and never before the next probe
        is due. Never raises.
        """
        async with self._opening:
            if self.next_probe > timedelta(0):
                return None
            for _ in range(OPENINGS):
                if self.is_up and self._is_measured():
                    break
                try:
                    await self._open()
                except RecorderError as error:
                    self.failed(error)
                    return None
            return self.info

    async def _open(self) -> None:
        """Open the session, or keep it, and measure.

        How the clocks stood is noted before: our clock may be set while it lasts.
        """
        self._asked_at, self._asked_skew = self._clock.monotonic(), self._skew()
        self._opened(await self.port.open_session())

    def _is_measured(self) -> bool:
        """Whether the clock offset still holds: not too old, and our clock not set."""
        age = self._clock.monotonic() - self._asked_at
        offset = self.info.offset if self.info else None
        skew = offset.skew_s if offset else self._asked_skew
        is_set = abs(self._skew() - skew) > CLOCK_STEP.total_seconds()
        return age < MEASURE_AGAIN.total_seconds() and not is_set

    def _skew(self) -> float:
        """The wall clock minus the monotonic one: changes when the clock is set.

        And over a suspend, for the monotonic one stands still then.
        """
        return self._clock.now().timestamp() - self._clock.monotonic()

    def worked(self, info: SessionInfo | None = None) -> None:
        """A call got a usable answer."""
        if info is not None:
            self.info = info
        if self._failures:
            self._log.info("recorder works again", failures=self._failures)
        self._failures = 0
        self.problem = self.reason = None

    def failed(self, error: RecorderError) -> None:
        """A call got none: nothing more is asked until the next probe.

        Errors that tell of one request, not of the line, change nothing.
        """
        if error.reason in _OF_ONE_REQUEST:
            return
        self.info = None
        self.problem, self.reason = str(error), error.reason
        if self.next_probe > timedelta(0):
            return  # it was sent before the line was down: no failed probe
        self._failures += 1
        wait = back_off(self.settings.retry, self._failures, self._dice.jitter())
        self._probe_at = self._clock.monotonic() + wait.total_seconds()
        log = self._log.warning if self._failures == 1 else self._log.debug
        log(
            "recorder does not answer; incidents wait",
            reason=error.reason,
            why=self.problem,
            next_try_s=round(wait.total_seconds(), 1),
        )

    def closed_to(self, now: datetime) -> frozenset[DestinationName]:
        """Destinations that nothing may be sent to now."""
        return frozenset(
            name for name, hold in self.holds.items() if hold.is_closed(now)
        )

    def next_hold_try(self, now: datetime) -> datetime | None:
        """When the next held destination may be probed."""
        tries = [h.next_try for h in self.holds.values() if h.next_try > now]
        return min(tries, default=None)

    def probe(self, destination: DestinationName) -> None:
        """One request goes to a held destination, and no other until it is answered.

        The hold may be over: a request from before it was answered meanwhile.
        """
        if destination in self.holds:
            hold = self.holds[destination]
            self.holds[destination] = replace(hold, is_probed=True)

    def answered(self, destination: DestinationName, answer: Answer) -> None:
        """What an answer says of the destination that the request named."""
        reason = reason_of(answer.code) if answer.code < 0 else None
        before = self.holds.get(destination)
        if reason is not None and holds(reason):
            patience = Patience(
                policy=self.settings.retry,
                now=self._clock.now(),
                jitter=self._dice.jitter(),
            )
            hold = self.holds[destination] = held(before, reason, answer.text, patience)
            log = self._log.warning if before is None else self._log.debug
            log(
                "destination is held: nothing more is sent there until it takes one",
                destination=destination,
                reason=reason,
                code=answer.code,
                why=answer.text,
                next_try=hold.next_try,
            )
        elif before is not None:
            del self.holds[destination]
            self._log.info(
                "destination works again",
                destination=destination,
                refusals=before.failures,
            )

    def unprobed(self, destination: DestinationName) -> None:
        """The probe brought no answer: the next request is one again."""
        if destination in self.holds:
            hold = self.holds[destination]
            self.holds[destination] = replace(hold, is_probed=False)

    def _opened(self, info: SessionInfo) -> None:
        is_new = self.info is None
        self.worked(info)
        offset = info.offset.estimate if info.offset else timedelta(0)
        self._tell_offset(offset)
        if is_new:
            self._log.info(
                "recorder connected",
                version=info.version,
                clock_offset_s=offset.total_seconds(),
            )

    def _tell_offset(self, offset: timedelta) -> None:
        """Once when it grows too large, and once when it is well again."""
        is_off = abs(offset) > SUSPICIOUS_OFFSET
        if is_off and not self._is_off:
            self._log.warning(
                "the recorder's clock is off; windows are shifted by it",
                offset_s=offset.total_seconds(),
            )
        elif self._is_off and not is_off:
            self._log.info(
                "the recorder's clock is right again", offset_s=offset.total_seconds()
            )
        self._is_off = is_off
