"""Signs of life: a recorder that nobody needs is asked whether it is still there.

Whoever has something to do at a recorder finds out by himself that it is gone. While
there is nothing to do nobody would, and people would hear of it with the next alarm. So
one cheap question goes when nothing was heard for some 25 s. A dead recorder is known
after that and its `timeout`: within a minute, with the default.

Each recorder's questions have a time of their own, so that a hundred recorders are not
asked at once, and no export waits for one.
"""

from datetime import timedelta

from evidenced.core.instants import ZERO
from evidenced.pipeline import names
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.link import Link
from evidenced.ports import Dice

SOONEST = timedelta(seconds=20)
LATEST = timedelta(seconds=30)
"""How long a recorder may be silent before it is asked; drawn anew each time."""


class LifeSign:
    """The loop of one recorder that notices its silence."""

    def __init__(self, link: Link, agenda: Agenda, dice: Dice) -> None:
        self._link = link
        self._agenda = agenda
        self._dice = dice
        self.name = names.life_sign(link.settings.name)

    async def run(self) -> None:
        """Forever: wait for silence, and ask."""
        while True:
            await self.once()

    async def once(self) -> None:
        """Wait until nothing was heard for a while, and ask once.

        Without a session it is dispatch that opens one, which may be resting.
        """
        enough = SOONEST + (LATEST - SOONEST) * self._dice.jitter()
        while (left := enough - self._link.silence) > ZERO:
            await self._agenda.wait(self.name, at_most=left)
        await self._link.ask_for_life()
        if self._link.info is None:
            self._agenda.hint_here(names.dispatch(self._link.settings.name))
