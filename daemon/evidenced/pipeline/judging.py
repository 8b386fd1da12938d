"""The verdict as the daemon gives it, and tells it by MQTT.

What a page, a program or a report shows of it is the same value: see
`core.telling.verdict`. Here stands where its facts come from.
"""

import json
from collections.abc import Callable
from datetime import timedelta

from evidenced.core.telling.notice import NoticeKind
from evidenced.core.telling.trouble import TroubleKey
from evidenced.core.telling.verdict import (
    Judgement,
    Surroundings,
    verdict,
    verdict_object,
)
from evidenced.pipeline import names
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.intake import Intake
from evidenced.pipeline.troubles import Conditions
from evidenced.pipeline.world import World
from evidenced.ports import Publisher

TOPIC = "verdict"
TELL_EVERY = timedelta(seconds=10)


class Judge:
    """Judges when asked, and tells MQTT when the verdict has changed."""

    def __init__(
        self,
        world: World,
        surroundings: Conditions,
        intake: Intake,
        notes: Callable[[], list[str]],
    ) -> None:
        self._world = world
        self._surroundings = surroundings
        self._intake = intake
        self._notes = notes

    def surroundings(self) -> Surroundings:
        """What is wrong now, as far as the loops know. On the event loop only."""
        world, more = self._world, dict[TroubleKey, str]()
        if problem := world.store_problem or self._intake.problem:
            more[NoticeKind.STORE, ""] = problem
        return Surroundings(
            troubles=self._surroundings.now(world.now().at, more),
            notes=self._notes(),
            patience=world.site.notices.trouble_after,
        )

    async def judge(self) -> Judgement:
        """The verdict of now; waits while the store does not answer."""
        world, around, now = self._world, self.surroundings(), self._world.now().at
        facts = await world.read(
            lambda view: view.facts.read(around, now, world.site.zone)
        )
        return verdict(facts)

    async def tell(self, publisher: Publisher, agenda: Agenda) -> None:
        """The loop that keeps the retained topic as it is now."""
        told = b""
        while True:
            found = json.dumps(verdict_object(await self.judge())).encode()
            if found != told:
                await publisher.publish(TOPIC, found)
                told = found
            await agenda.wait(names.VERDICT, at_most=TELL_EVERY)
