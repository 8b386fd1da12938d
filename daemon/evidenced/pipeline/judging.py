"""The verdict as the daemon gives it, and tells it by MQTT.

What a page, a program or a report shows of it is the same value: see
`core.telling.verdict`. Here stands where its facts come from.
"""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta

from evidenced.core.ids import RecorderName
from evidenced.core.phrase import phrase
from evidenced.core.telling.judgement import (
    Findings,
    Judgement,
    Surroundings,
    verdict_object,
)
from evidenced.core.telling.notice import NoticeKind
from evidenced.core.telling.trouble import Trouble, TroubleKey
from evidenced.core.telling.verdict import verdict
from evidenced.pipeline import names
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.intake import Intake
from evidenced.pipeline.troubles import AHEAD, Conditions
from evidenced.pipeline.world import World
from evidenced.ports import Publisher

TOPIC = "verdict"
TELL_EVERY = timedelta(seconds=10)
ANSWER_LIMIT = timedelta(seconds=20)
"""A store that has not answered for so long is not there."""
NO_ANSWER = phrase("the store does not answer")
DOUBT = "of this host"
DOUBT_TEXT = phrase(
    "this host's clock was set, and nobody has said that it is right now: what time "
    "alone decides (cuts, late footage, giving up) waits"
)


class Judge:
    """Judges when asked, and tells MQTT when the verdict has changed."""

    def __init__(
        self,
        world: World,
        surroundings: Conditions,
        intake: Intake,
        notes: Callable[[], list[str]],
        unheard: Callable[[], frozenset[RecorderName]] = frozenset,
        stalled: Callable[[], list[str]] = list,
    ) -> None:
        """`unheard` are recorders of which nobody knows yet whether they answer.

        `stalled` are clauses about loops that do not move.
        """
        self._world = world
        self._surroundings = surroundings
        self._intake = intake
        self._notes = notes
        self._unheard = unheard
        self._stalled = stalled

    def surroundings(self) -> Surroundings:
        """What is wrong now, as far as the loops know. On the event loop only."""
        world, more, now = self._world, dict[TroubleKey, str](), self._world.now()
        if problem := world.store_problem or self._intake.problem:
            more[NoticeKind.STORE, ""] = problem
        if not now.is_trusted:
            more[NoticeKind.CLOCK, DOUBT] = DOUBT_TEXT
        return Surroundings(
            troubles=self._surroundings.now(now.at, more),
            ahead=now.at + AHEAD if now.is_trusted else None,
            notes=self._notes(),
            patience=world.site.notices.trouble_after,
            labels=world.site.labels,
            unheard=self._unheard(),
            is_deaf=not world.site.rules,
            is_blind=self._surroundings.is_blind,
            stalled=[] if world.is_store_refusing else self._stalled(),
        )

    async def judge(self) -> Judgement:
        """The verdict of now; waits while the store does not answer."""
        world, around, now = self._world, self.surroundings(), self._world.now().at
        facts = await world.read(
            lambda view: view.facts.read(around, now, world.site.zone)
        )
        return verdict(facts)

    def blind(self) -> Judgement:
        """The verdict while the store does not answer: of what is in memory."""
        around, now = self.surroundings(), self._world.now().at
        troubles = [each for each in around.troubles if each.kind is NoticeKind.STORE]
        unread = Trouble(kind=NoticeKind.STORE, name="", text=NO_ANSWER, since=now)
        return verdict(
            Findings(
                now=now,
                zone=self._world.site.zone,
                troubles=[*around.troubles, *([] if troubles else [unread])],
                around=around,
            )
        )

    async def _judge_soon(self) -> Judgement:
        """What was said before must not stand while nobody can see whether it is so."""
        try:
            async with asyncio.timeout(ANSWER_LIMIT.total_seconds()):
                return await self.judge()
        except TimeoutError:
            return self.blind()

    async def tell(self, publisher: Publisher, agenda: Agenda) -> None:
        """The loop that keeps the retained topic as it is now."""
        told: dict[str, object] = {}
        while True:
            found = verdict_object(await self._judge_soon())
            if found != told:
                await publisher.publish(TOPIC, json.dumps(found).encode())
                told = found
            await agenda.wait(names.VERDICT, at_most=TELL_EVERY)
