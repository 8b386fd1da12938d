"""What the loops share: the configuration in force, the store, clock and dice."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import TypeVar

from structlog.typing import FilteringBoundLogger

from evidenced.core.cluster import HeldLease
from evidenced.core.errors import LeaseLost, RowRefused, StoreError
from evidenced.core.exports.retry import RetryPolicy, back_off
from evidenced.core.ids import IncidentId, incident_id
from evidenced.core.instants import SECOND, render_utc
from evidenced.core.phrase import phrase
from evidenced.core.site import Site
from evidenced.core.spoken import spoken
from evidenced.core.streak import Streak
from evidenced.core.trust import Now, Trust
from evidenced.pipeline.rulebook import Rulebooks
from evidenced.pipeline.storm import Storm
from evidenced.ports import Clock, Dice, Store, Tx, View

T = TypeVar("T")

LEASE: ContextVar[HeldLease | None] = ContextVar("lease", default=None)
"""What the task that runs now is done under: whatever it writes is fenced by it, and
what tasks write that it begins. None is for what is no recorder's. See `station`."""
SILENT = timedelta(seconds=10)
"""A write that takes longer is told: alarms wait at the broker meanwhile."""
STORE_RETRY = RetryPolicy(first=SECOND, longest=timedelta(seconds=30))

BATCH = 200
"""Rows that one transaction moves on at most: alarms must not wait long behind it."""


class World:
    """One for the whole daemon. A reload replaces the site whole, between two steps."""

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
        self.storm = Storm(clock)
        self.trust = Trust()
        """What is remembered of the clock; a start sets what it has noted."""
        self._doubt = Streak()
        self._store_problems: dict[str, str] = {}
        self._is_silent = False
        self._log = log
        self.books = Rulebooks(site)
        self.notes: dict[str, str] = {}
        """Sentences about what is not as it should be, each by whoever keeps it."""
        self.config_problem: str | None = None
        """Why the configuration on disk is not in force; None while it is."""

    def adopt(self, site: Site) -> None:
        """Put another configuration in force; what came before is read by the old."""
        self.books.replace(site, self.now().at)

    @property
    def site(self) -> Site:
        """The configuration in force."""
        return self.books.current

    @property
    def store_problem(self) -> str | None:
        """A sentence while the store does not take, or give, what it is asked to."""
        return next(iter(self._store_problems.values()), None)

    @property
    def is_store_refusing(self) -> bool:
        """Whether the store answers, and says that it cannot: it is not stuck."""
        return bool(self._store_problems) and not self._is_silent

    def now(self) -> Now:
        """The instant of a step: asked for once in it, and handed down."""
        clock = self.clock
        self.trust, now = self.trust.look(
            clock.now(), clock.monotonic(), in_sync=clock.in_sync()
        )
        self._tell(now)
        return now

    def _tell(self, now: Now) -> None:
        begins = self._doubt.look(is_so=not now.is_trusted, now=now.monotonic)
        if begins is False:
            self._log.info("the host's clock is trusted again", at=render_utc(now.at))
        elif begins:
            self._log.warning(
                "the host's clock was set; what time decides waits until it is right",
                at=render_utc(now.at),
                has_come=render_utc(now.sure),
            )

    def new_id(self, at: datetime) -> IncidentId:
        return incident_id(at, self.dice.token())

    async def write(self, step: Callable[[Tx], T]) -> T:
        """Durable when it returns, however long the store takes no writes.

        A full disk or a failing one stops every loop here, and nothing is lost: alarms
        wait at the broker, clips in their rows. The step may run more than once.

        Raises:
            LeaseLost: this task is done under a lease that is another node's now.
            RowRefused: the step has a bug; waiting would not mend it.
        """
        lease = LEASE.get()
        return await self._patiently("write", lambda: self.store.write(step, lease))

    def left(self) -> timedelta:
        """For how long nobody else can do what this task is doing."""
        return self.store.left(LEASE.get())

    async def read(self, query: Callable[[View], T]) -> T:
        """Answered when it returns, likewise."""
        return await self._patiently("read", lambda: self.store.read(query))

    async def _patiently(self, kind: str, call: Callable[[], Awaitable[T]]) -> T:
        tries = 0
        while True:
            silent = self._unless_it_answers() if kind == "write" else None
            try:
                result = await call()
            except (LeaseLost, RowRefused):
                raise
            except StoreError as error:
                tries += 1
                self._store_failed(kind, str(error))
                wait = back_off(STORE_RETRY, tries, self.dice.jitter())
                await asyncio.sleep(wait.total_seconds())
            else:
                self._store_works(kind)
                return result
            finally:
                if silent is not None:
                    silent.cancel()

    def _unless_it_answers(self) -> asyncio.TimerHandle:
        """A database may stand still, or wait for its standby, without any error.

        So may a long read, while writes work: a read that takes its time is none.
        """
        loop = asyncio.get_running_loop()
        return loop.call_later(SILENT.total_seconds(), self._store_silent)

    def _store_silent(self) -> None:
        self._store_failed(
            "write",
            phrase(
                "the store has not answered for {store_deadline}",
                store_deadline=spoken(SILENT),
            ),
        )
        self._is_silent = True

    def _store_failed(self, kind: str, text: str) -> None:
        self._is_silent = False
        log = self._log.debug if self._store_problems else self._log.error
        self._store_problems[kind] = text
        log("the store does not work; alarms wait at the broker", why=text)

    def _store_works(self, kind: str) -> None:
        """A read proves nothing of writes: on a full disk it works all the same."""
        if kind == "write":
            self._is_silent = False
        if self._store_problems.pop(kind, None) and not self._store_problems:
            self._log.info("the store works again")
