"""A running daemon that does what a test says; it notes what was asked of it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime

from evidenced.core.errors import EvidencedError
from evidenced.core.ids import IncidentId, RuleName, SilenceId
from evidenced.core.incidents.byhand import FootageOrder, MoreOrder
from evidenced.core.incidents.history import Told
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.silence import Silence, SilenceOrder
from evidenced.core.keeping.footage import FootageFolder
from evidenced.core.keeping.importing import ImportOrder, TakenIn
from evidenced.core.keeping.loss import Loss, LossKind
from evidenced.core.telling.judgement import Surroundings
from evidenced.core.telling.notice import NoticeKind
from evidenced.core.telling.trouble import Trouble, TroubleKey
from evidenced.ports import Control
from evidenced.ports.control import Installation, RecorderStatus, ShareStatus
from evidenced.ports.evidence import Bundle
from fakes.clock import START

Feed = asyncio.Queue[Told | None]


class FakeControl:
    """All parts of `ports.Control`: `answer` is what actions give, or `fault` raised.

    `subscribed` is released once for each stream that begins, `left` for each that
    ends.
    """

    def __init__(self, backlog: int = 500) -> None:
        self.why_stuck: list[str] = []
        self.why_unready: list[str] = []
        self.told: list[str] = []
        self.status: list[RecorderStatus] = []
        self.mounts: list[ShareStatus] = []
        self.about = Installation(instance="test")
        self.answer: Incident | None = None
        self.silenced: Silence | None = None
        self.fault: Exception | None = None
        self.meanwhile: Callable[[], object] = lambda: None
        """What happens while the daemon is at it."""
        self.asked: list[tuple[object, ...]] = []
        self.feeds: set[Feed] = set()
        self.changed = 0
        self.subscribed = asyncio.Semaphore(0)
        self.left = asyncio.Semaphore(0)
        self._backlog = backlog

    @property
    def whole(self) -> Control:
        return Control(
            condition=self,
            actions=self,
            silences=self,
            live=self,
            archive=self,
            footage=self,
            imports=self,
        )

    async def page(self, incident: IncidentId, folder: int) -> bytes:
        self.asked.append(("page", incident, folder))
        if self.fault is not None:
            raise self.fault
        return b"<h1>record</h1>"

    async def bundle(self, incident: IncidentId, folder: int) -> Bundle:
        self.asked.append(("bundle", incident, folder))
        if self.fault is not None:
            raise self.fault
        return Bundle(name=f"{incident}.zip", chunks=self._chunks())

    async def became(
        self, incident: IncidentId, place: str, comment: str, who: str
    ) -> list[FootageFolder]:
        self._note(("footage", incident, place, comment, who))
        return []

    async def take_in(self, order: ImportOrder, who: str) -> TakenIn:
        self._note(("import", order, who))
        return TakenIn(incident=IncidentId("i1"), is_new=True)

    async def _chunks(self) -> AsyncGenerator[bytes]:
        yield b"PK"
        self.meanwhile()
        yield b"end"

    async def stuck(self) -> list[str]:
        return self.why_stuck

    async def stalled(self) -> list[str]:
        return self.why_stuck

    def unready(self) -> list[str]:
        return self.why_unready

    def installation(self) -> Installation:
        return self.about

    def notes(self) -> list[str]:
        return self.told

    def surroundings(self) -> Surroundings:
        """Broken is what `why_unready`, `status` and `mounts` say."""
        wrong = dict[TroubleKey, str]()
        if self.why_unready:
            wrong[NoticeKind.BROKER, ""] = self.why_unready[0]
        for each in self.status:
            if each.problem and not each.is_up:
                wrong[NoticeKind.RECORDER, each.name] = each.problem
        for share in self.mounts:
            if share.problem:
                wrong[NoticeKind.SHARE, share.destination] = share.problem
        return Surroundings(
            troubles=[
                Trouble(kind=kind, name=name, text=text, since=START)
                for (kind, name), text in wrong.items()
            ],
            notes=self.told,
        )

    def recorders(self) -> list[RecorderStatus]:
        return self.status

    def shares(self) -> list[ShareStatus]:
        return self.mounts

    def changes(self) -> int:
        return self.changed

    def subscribe(self) -> AbstractAsyncContextManager[Feed]:
        return self._subscribe()

    @asynccontextmanager
    async def _subscribe(self) -> AsyncIterator[Feed]:
        feed: Feed = asyncio.Queue(self._backlog + 1)
        self.feeds.add(feed)
        self.subscribed.release()
        try:
            yield feed
        finally:
            self.feeds.discard(feed)
            self.left.release()

    def tell(self, told: Told | None) -> None:
        self.changed += 1
        for feed in self.feeds:
            feed.put_nowait(told)

    async def retry(
        self, incident: IncidentId, who: str, *, again: bool = False
    ) -> Incident:
        said = ("again",) if again else ()
        return self._act("retry", incident, who, *said)

    async def cancel(
        self, incident: IncidentId, who: str, comment: str = ""
    ) -> Incident:
        said = (comment,) if comment else ()
        return self._act("cancel", incident, who, *said)

    async def record(self, incident: IncidentId, who: str) -> Incident:
        return self._act("record", incident, who)

    async def hold(self, incident: IncidentId, who: str, comment: str) -> Incident:
        return self._act("hold", incident, who, comment)

    async def release(self, incident: IncidentId, who: str, comment: str) -> Incident:
        return self._act("release", incident, who, comment)

    async def acknowledge(
        self,
        incident: IncidentId,
        comment: str,
        who: str,
        seen: datetime | None = None,
    ) -> Loss:
        shown = () if seen is None else (seen,)
        self._note(("acknowledge", incident, comment, who, *shown))
        at = START
        return Loss(
            kind=LossKind.INCIDENT, name=incident, since=at, last_at=at, text="lost"
        )

    async def acknowledge_unreadable(
        self, comment: str, who: str, seen: datetime | None = None
    ) -> int:
        shown = () if seen is None else (seen,)
        self._note(("acknowledge", comment, who, *shown))
        return 3

    async def trigger(
        self, rule: RuleName, fields: Mapping[str, str], at: datetime | None, who: str
    ) -> Incident:
        return self._act("trigger", rule, dict(fields), at, who)

    async def save(self, order: FootageOrder, who: str) -> Incident:
        return self._act("save", order, who)

    async def add(self, incident: IncidentId, order: MoreOrder, who: str) -> Incident:
        return self._act("add", incident, order, who)

    async def comment(self, incident: IncidentId, comment: str, who: str) -> Incident:
        return self._act("comment", incident, comment, who)

    async def export(self, alarm: int, who: str) -> Incident:
        return self._act("export", alarm, who)

    async def begin(self, order: SilenceOrder, who: str) -> Silence:
        return self._silenced("silence", order, who)

    async def end(self, silence: SilenceId, who: str) -> Silence:
        return self._silenced("end", silence, who)

    def _silenced(self, *asked: object) -> Silence:
        self._note(asked)
        if self.silenced is None:
            raise EvidencedError("the test gave no silence")
        return self.silenced

    def _act(self, *asked: object) -> Incident:
        self._note(asked)
        if self.answer is None:
            raise EvidencedError("the test gave no answer")
        return self.answer

    def _note(self, asked: tuple[object, ...]) -> None:
        self.asked.append(asked)
        self.meanwhile()
        if self.fault is not None:
            raise self.fault
