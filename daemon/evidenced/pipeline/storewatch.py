"""A store that takes no writes: told from memory, for no row can say it.

Everything else that people hear of is a row first. Here the receivers are told at once,
and when the store works again the history gets both ends.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from evidenced.core.alarms.payload import one_line
from evidenced.core.severity import Severity
from evidenced.core.telling.mail import compose
from evidenced.core.telling.notice import Notice, NoticeKind, Phase
from evidenced.core.telling.routing import Route, empty_pile
from evidenced.core.telling.trouble import Trouble
from evidenced.pipeline import names
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.notify import Notify
from evidenced.pipeline.troubles import MAX_TEXT, write_troubles
from evidenced.pipeline.world import World
from evidenced.ports import Messenger, NotSent

LOOK_EVERY = timedelta(seconds=15)


class StoreWatch:
    """The loop that looks whether the store takes what it is given."""

    def __init__(
        self, world: World, messenger: Messenger | None, agenda: Agenda, notify: Notify
    ) -> None:
        self._world = world
        self._messenger = messenger
        self._agenda = agenda
        self._notify = notify
        self._since: tuple[float, datetime] | None = None
        self._text = ""
        self._told: set[str] = set()
        self._to_end: set[str] = set()

    async def run(self) -> None:
        """Forever, every quarter of a minute."""
        while True:
            await self.once()
            wait = min(self._world.site.notices.trouble_after, LOOK_EVERY)
            await self._agenda.wait(names.STORE_WATCH, at_most=wait)

    async def once(self) -> None:
        """One look."""
        clock, problem = self._world.clock, self._world.store_problem
        if problem:
            self._text = one_line(problem, MAX_TEXT)
            if self._since is None:
                self._since = clock.monotonic(), self._world.now().at
            if clock.monotonic() - self._since[0] >= self._patience:
                routes = self._world.site.notices.routes
                left = {route.name for route in routes} - self._told
                await self._tell(Phase.BEGUN, left)
            return
        if self._since is not None:
            await self._over(self._since)
        if self._to_end:
            await self._tell(Phase.ENDED, self._to_end)

    async def _over(self, since: tuple[float, datetime]) -> None:
        clock = self._world.clock
        trouble = self._trouble(since[1])
        is_lasting = clock.monotonic() - since[0] >= self._patience
        self._since = None
        if is_lasting:
            await self._write_down(trouble)
        self._to_end |= self._told
        self._told.clear()

    @property
    def _patience(self) -> float:
        return self._world.site.notices.trouble_after.total_seconds()

    def _trouble(self, since: datetime) -> Trouble:
        return Trouble(kind=NoticeKind.STORE, name="", text=self._text, since=since)

    async def _write_down(self, trouble: Trouble) -> None:
        now = self._world.now().at
        over = replace(trouble, ended_at=max(now, trouble.since))

        await self._world.write(lambda tx: write_troubles(tx, [trouble, over], now))

    async def _tell(self, phase: Phase, to: Collection[str]) -> None:
        """Each of these once; one that takes nothing is tried at the next look."""
        notice = Notice(
            kind=NoticeKind.STORE,
            subject="",
            severity=Severity.CRITICAL,
            at=self._world.now().at,
            text=self._text,
            phase=phase,
        )
        for route in self._world.site.notices.routes:
            if route.name not in to or not await self._send(route, notice):
                continue
            if phase is Phase.BEGUN:
                self._told.add(route.name)
            else:
                self._to_end.discard(route.name)

    async def _send(self, route: Route, notice: Notice) -> bool:
        if self._messenger is None or route.refusal(notice) is not None:
            return False
        pile = empty_pile(route, notice).with_notice(notice, notice.at)
        try:
            await self._messenger.send(
                route.name, compose([pile], self._notify.letterhead(route))
            )
        except NotSent as error:
            self._notify.failed(route.name, str(error))
            return False
        self._notify.taken(route.name)
        return True
