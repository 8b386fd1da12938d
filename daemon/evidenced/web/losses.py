"""/losses/...: what is lost, all at once: asked for again, or acknowledged."""

from collections.abc import Callable, Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from aiohttp import web

from evidenced.core.errors import NotFound, Refused
from evidenced.core.keeping.loss import OF_INCIDENTS, OF_RULES, Loss, LossKind, last_of
from evidenced.core.phrase import phrase, plural
from evidenced.web.answers import within
from evidenced.web.bodies import AcknowledgeBody, read_boxes, read_fields
from evidenced.web.frame import Frame
from evidenced.web.users import USER

BOX = "incident"
"""What the boxes are called by which some of them are chosen."""
MOST = 1000
"""Of one order; more are a second one."""
KINDS: Mapping[str, AbstractSet[LossKind]] = {
    "retry": {LossKind.INCIDENT},
    "acknowledge": set(OF_INCIDENTS),
    "unreadable": set(OF_RULES.values()),
}


def _retry_words(n: int) -> str:
    return plural(
        "The recorders are asked again, at once, for what {n} incident lacks. What "
        "they no longer have stays lost.",
        "The recorders are asked again, at once, for what {n} incidents lack. What "
        "they no longer have stays lost.",
        n,
    )


def _known_words(n: int) -> str:
    return plural(
        "{n} incident without all its footage counts no more as open. What is lost "
        "stays so; the history has who took note, and why.",
        "{n} incidents without all their footage count no more as open. What is lost "
        "stays so; the history has who took note, and why.",
        n,
    )


def _unreadable_words(n: int) -> str:
    return plural(
        "{n} message that may have been an alarm counts no more as open. The history "
        "has who took note, and why.",
        "{n} messages that may have been alarms count no more as open. The history has "
        "who took note, and why.",
        n,
    )


WORDS: Mapping[str, tuple[str, Callable[[int], str], str]] = {
    "retry": (
        phrase("Ask for all of it again?"),
        _retry_words,
        phrase("Yes, retry all"),
    ),
    "acknowledge": (
        phrase("Acknowledge all of it?"),
        _known_words,
        phrase("Acknowledge"),
    ),
    "unreadable": (
        phrase("Acknowledge what could not be read?"),
        _unreadable_words,
        phrase("Acknowledge"),
    ),
}
"""Of an order about all: its title, what it does to so many, and its button."""


@dataclass(frozen=True, slots=True)
class LossPages:
    frame: Frame

    def routes(self) -> list[web.RouteDef]:
        path = "/losses/{action:retry|acknowledge|unreadable}"
        return [web.get(path, self._confirm), web.post(path, self._act)]

    async def _confirm(self, request: web.Request) -> web.Response:
        action = request.match_info["action"]
        chosen = tuple(request.query.getall(BOX, []))
        found = await self._open(action, chosen)
        number = sum(each.number for each in found)
        title, text, yes = WORDS[action]
        return self.frame.page(
            request,
            "losses.html",
            action=action,
            number=number,
            title=title,
            text=text(number),
            yes=yes,
            chosen=chosen,
            seen=last_of(found),
        )

    async def _act(self, request: web.Request) -> web.StreamResponse:
        action, form = request.match_info["action"], await read_boxes(request, BOX)
        if action == "retry":
            await self._retry(request, form.chosen)
        else:
            said = {"comment": form.fields.get("comment", "")}
            if seen := form.fields.get("seen"):
                said["seen"] = seen
            known = read_fields(AcknowledgeBody, said)
            await self._acknowledge(request, action, known, form.chosen)
        done = "retry" if action == "retry" else "acknowledge"
        return self.frame.deeds.lead(request, "/", f"{done}-all")

    async def _open(self, action: str, chosen: Collection[str] = ()) -> list[Loss]:
        """What the order is about: of chosen incidents, else of all."""
        found = self.frame.store.read(lambda view: view.losses.open(MOST))
        return [
            each
            for each in await within("the page", found)
            if each.kind in KINDS[action] and (not chosen or each.name in chosen)
        ]

    async def _retry(self, request: web.Request, chosen: Collection[str]) -> None:
        """One by one: an incident that cannot be retried holds up no other."""
        for loss in await self._open("retry", chosen):
            if loss.incident is None:
                continue
            retry = self.frame.control.actions.retry(loss.incident, request[USER])
            try:
                await within("the retry", retry)
            except (Refused, NotFound):
                continue

    async def _acknowledge(
        self,
        request: web.Request,
        action: str,
        said: AcknowledgeBody,
        chosen: Collection[str],
    ) -> None:
        actions, who = self.frame.control.actions, request[USER]
        if action == "unreadable":
            await self.frame.acts.acknowledge_unreadable(request, said)
            return
        for loss in await self._open(action, chosen):
            if loss.incident is None:
                continue
            work = actions.acknowledge(loss.incident, said.comment, who, said.seen)
            try:
                await within("the acknowledgement", work)
            except (Refused, NotFound):  # somebody was first, or it is new
                continue
