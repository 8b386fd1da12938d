"""Destinations of one recorder that take no exports now; see `core.exports.hold`.

Written by the recorder's dispatch only, in memory only: after a restart a destination
that is full is found to be so by the first request that goes there.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from structlog.typing import FilteringBoundLogger

from evidenced.core.exports.hold import Hold, hold_after, holds_destination
from evidenced.core.exports.retry import Patience
from evidenced.core.ids import DestinationName
from evidenced.core.recorder import Answer
from evidenced.core.trust import Now


class Holds:
    """The destinations of one recorder that are held, each with its reason."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        self._log = log
        self._held: dict[DestinationName, Hold] = {}

    @property
    def now(self) -> Mapping[DestinationName, Hold]:
        """Those that are held."""
        return MappingProxyType(self._held)

    def closed(self, now: Now) -> frozenset[DestinationName]:
        """Destinations that nothing may be sent to now."""
        return frozenset(n for n, hold in self._held.items() if hold.is_closed(now))

    def next_try(self, now: Now) -> datetime | None:
        """When the next held destination may be probed."""
        tries = [h.next_try for h in self._held.values() if h.next_try > now.at]
        return min(tries, default=None)

    def probe(self, destination: DestinationName) -> None:
        """One request goes to a held destination; the others wait for its answer.

        Nothing happens if the destination is not held any more: a request that left
        before may have been answered meanwhile.
        """
        self._set_probed(destination, is_probed=True)

    def unprobed(self, destination: DestinationName) -> None:
        """The request that went as a probe got no answer: the next one is the probe."""
        self._set_probed(destination, is_probed=False)

    def _set_probed(self, destination: DestinationName, *, is_probed: bool) -> None:
        if hold := self._held.get(destination):
            self._held[destination] = replace(hold, is_probed=is_probed)

    def answered(
        self, destination: DestinationName, answer: Answer, patience: Patience
    ) -> None:
        """Hold the destination, or let it go, as an answer about it says."""
        reason = answer.reason
        before = self._held.get(destination)
        if reason is not None and holds_destination(reason):
            hold = self._held[destination] = hold_after(
                before, reason, answer.text, patience
            )
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
            del self._held[destination]
            self._log.info(
                "destination works again",
                destination=destination,
                refusals=before.failures,
            )
