"""The loop that has the audit chain's head time stamped, once a day.

Ask, then write: a crash between the two costs one stamp, which is asked for again. The
stamp is an entry of the chain; the shares get it with the next head (`heads`).
"""

from datetime import timedelta

from structlog.typing import FilteringBoundLogger

from evidenced.core.errors import BadInput
from evidenced.core.exports.retry import back_off
from evidenced.core.keeping.heads import KeptHead
from evidenced.core.keeping.stamps import (
    ASK_AGAIN,
    KeptStamp,
    entry_of_stamp,
    is_stamp_due,
    line_of,
    read_line,
)
from evidenced.core.trust import Now
from evidenced.pipeline import names
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.world import World
from evidenced.ports import Tx, View
from evidenced.ports.stamps import StampPort

NOTE = "time-stamp"
"""The last one, as its line on a share."""
LOOK_EVERY = timedelta(minutes=1)


def last_stamp(view: View) -> KeptStamp | None:
    """The last one that was written down."""
    line = view.notes.get(NOTE)
    return None if line is None else read_line(line, "")


class Stamping:
    """Asks the authority; `problem` says why there is no stamp, while that lasts."""

    def __init__(
        self,
        world: World,
        authority: StampPort,
        agenda: Agenda,
        log: FilteringBoundLogger,
    ) -> None:
        self._world = world
        self._authority = authority
        self._agenda = agenda
        self._log = log
        self._tries = 0
        self._again_at = 0.0
        self.problem: str | None = None

    async def run(self) -> None:
        """Forever: where one is due, and no failure was just now."""
        while True:
            await self.once()
            await self._agenda.wait(names.STAMP, at_most=LOOK_EVERY)

    async def once(self) -> None:
        """One look, and one question at most."""
        now = self._world.now()
        last = await self._world.read(last_stamp)
        is_early = self._tries and now.monotonic < self._again_at
        if is_early or not is_stamp_due(last, now.at):
            return
        try:
            await self._stamp(now)
        except BadInput as error:
            self._failed(str(error))

    async def _stamp(self, now: Now) -> None:
        head = await self._world.read(lambda view: view.history.head())
        kept = KeptHead(head=head, at=now.at, instance=self._world.site.instance)
        stamp = KeptStamp(head=kept, response=b"")
        vouched = await self._authority.stamp(stamp.text)
        stamp = KeptStamp(head=kept, response=vouched.response)

        def write(tx: Tx) -> None:
            tx.history.write(entry_of_stamp(kept, vouched))
            tx.notes.save(NOTE, line_of(stamp))

        await self._world.write(write)
        self._tries, self.problem = 0, None
        self._agenda.hint(names.OUTBOX)
        self._log.info("audit head time stamped", seq=head.seq, by=vouched.by)

    def _failed(self, why: str) -> None:
        log = self._log.debug if self._tries else self._log.warning
        self._tries += 1
        wait = back_off(ASK_AGAIN, self._tries, self._world.dice.jitter())
        self._again_at = self._world.clock.monotonic() + wait.total_seconds()
        self.problem = why
        log("the audit head is not time stamped; it is asked for again", why=why)
