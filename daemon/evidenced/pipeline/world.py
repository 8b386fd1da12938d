"""What the loops share: the configuration in force, the store, clock and dice."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeVar

from structlog.typing import FilteringBoundLogger

from evidenced.core.errors import RowRefused, StoreError
from evidenced.core.exports.retry import RetryPolicy, back_off
from evidenced.core.ids import IncidentId, incident_id
from evidenced.core.instants import SECOND
from evidenced.core.keeping.evidence import Care
from evidenced.core.site import Site
from evidenced.core.steadiness import Steadiness, may_give_up
from evidenced.pipeline.rulebook import Rulebooks
from evidenced.ports import Clock, Dice, Store, Tx, View

T = TypeVar("T")

CALM_S = 0.05
"""Without many alarms for so long a storm is over."""
STORE_RETRY = RetryPolicy(first=SECOND, longest=timedelta(seconds=30))


class World:
    """One for the whole daemon. A reload replaces the site whole, between two steps.

    `stormed_at` is when intake last took in many alarms at once (monotonic seconds): in
    a storm storing them comes first.
    """

    def __init__(
        self,
        site: Site,
        store: Store,
        clock: Clock,
        dice: Dice,
        log: FilteringBoundLogger,
    ) -> None:
        self.store = store
        self.clock = clock
        self.dice = dice
        self.is_stopping = False
        self.stormed_at = -math.inf
        self._steadiness = Steadiness()
        self._store_problems: dict[str, str] = {}
        self._log = log
        self.books = Rulebooks(site)

    def adopt(self, site: Site) -> None:
        """Put another configuration in force; what came before is read by the old."""
        self.books.replace(site, self.clock.now())

    @property
    def site(self) -> Site:
        """The configuration in force."""
        return self.books.current

    @property
    def store_problem(self) -> str | None:
        """A sentence while the store does not take, or give, what it is asked to."""
        return next(iter(self._store_problems.values()), None)

    def steady(self) -> timedelta:
        """For how long the host's clock has not been set."""
        return self._steadiness.look(self.clock.now(), self.clock.monotonic())

    def may_give_up(self) -> bool:
        """Whether the clock may decide that something was waited for long enough.

        Read `now` before: a clock that is set in between is then seen here.
        """
        return may_give_up(
            self.steady(),
            was_set=self._steadiness.was_set,
            in_sync=self.clock.in_sync(),
        )

    def patient(self, policy: RetryPolicy) -> RetryPolicy:
        """The policy; without an end while the clock may be wrong by years."""
        return policy if self.may_give_up() else policy.endless()

    def careful(self) -> Care:
        """How footage on a share is waited for, likewise."""
        care = self.site.care
        return care if self.may_give_up() else care.endless()

    def new_id(self, at: datetime) -> IncidentId:
        return incident_id(at, self.dice.token())

    async def calm(self, at_most: timedelta) -> None:
        """Let a storm of alarms be stored first, but wait no longer than that."""
        now = self.clock.monotonic()
        until = now + at_most.total_seconds()
        while now < until and now - self.stormed_at < CALM_S:
            await asyncio.sleep(CALM_S)
            now = self.clock.monotonic()

    async def write(self, step: Callable[[Tx], T]) -> T:
        """Durable when it returns, however long the store takes no writes.

        A full disk or a failing one stops every loop here, and nothing is lost: alarms
        wait at the broker, clips in their rows. The step may run more than once.

        Raises:
            RowRefused: the step has a bug; waiting would not mend it.
        """
        return await self._patiently("write", lambda: self.store.write(step))

    async def read(self, query: Callable[[View], T]) -> T:
        """Answered when it returns, likewise."""
        return await self._patiently("read", lambda: self.store.read(query))

    async def _patiently(self, kind: str, call: Callable[[], Awaitable[T]]) -> T:
        tries = 0
        while True:
            try:
                result = await call()
            except RowRefused:
                raise
            except StoreError as error:
                tries += 1
                self._store_failed(kind, str(error))
                wait = back_off(STORE_RETRY, tries, self.dice.jitter())
                await asyncio.sleep(wait.total_seconds())
            else:
                self._store_works(kind)
                return result

    def _store_failed(self, kind: str, text: str) -> None:
        log = self._log.debug if self._store_problems else self._log.error
        self._store_problems[kind] = text
        log("the store does not work; alarms wait at the broker", why=text)

    def _store_works(self, kind: str) -> None:
        """A read proves nothing of writes: on a full disk it works all the same."""
        if self._store_problems.pop(kind, None) and not self._store_problems:
            self._log.info("the store works again")
