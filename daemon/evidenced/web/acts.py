"""What people may do, for the API and for the page's forms alike.

Each act says who asked for it: the history has their name.
"""

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from evidenced.core.alarms.payload import one_line
from evidenced.core.errors import NotFound
from evidenced.core.ids import IncidentId, RuleName, SilenceId
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.silence import Silence
from evidenced.core.keeping.footage import FootageFolder
from evidenced.core.keeping.importing import TakenIn
from evidenced.core.keeping.loss import Loss
from evidenced.core.phrase import mark, phrase
from evidenced.ports import Clock, Control
from evidenced.web.answers import within
from evidenced.web.bodies import (
    AcknowledgeBody,
    CommentBody,
    ImportBody,
    MoreBody,
    MovedBody,
    SaveBody,
    SilenceBody,
    TriggerBody,
    read_body,
)
from evidenced.web.query import read_id, read_number
from evidenced.web.users import USER

Act = Callable[[IncidentId, str], Awaitable[Incident]]


class Acts:
    """Errors of the core pass through: not found, refused, not durable."""

    def __init__(self, control: Control, clock: Clock) -> None:
        self._control = control
        self._clock = clock

    async def on_incident(
        self, request: web.Request, comment: str = "", *, again: bool = False
    ) -> Incident:
        """Do to the incident of the path what its last part says."""
        actions = self._control.actions
        acts: Mapping[str, Act] = {
            "retry": lambda incident, who: actions.retry(incident, who, again=again),
            "cancel": lambda incident, who: actions.cancel(incident, who, comment),
            "record": actions.record,
            "hold": lambda incident, who: actions.hold(incident, who, comment),
            "release": lambda incident, who: actions.release(incident, who, comment),
        }
        act = acts[request.match_info["action"]]
        return await within("the action", act(incident_id(request), request[USER]))

    async def acknowledge(self, request: web.Request, said: AcknowledgeBody) -> Loss:
        work = self._control.actions.acknowledge(
            incident_id(request), said.comment, request[USER], said.seen
        )
        return await within("the acknowledgement", work)

    async def became(
        self, request: web.Request, said: MovedBody
    ) -> list[FootageFolder]:
        """What people did to its footage by hand."""
        became = self._control.footage.became
        work = became(incident_id(request), said.to, said.comment, request[USER])
        return await within("the order", work)

    async def take_in(self, request: web.Request, said: ImportBody) -> TakenIn:
        """A record on a share, into the store."""
        work = self._control.imports.take_in(said.order(), request[USER])
        return await within("the import", work)

    async def acknowledge_unreadable(
        self, request: web.Request, said: AcknowledgeBody
    ) -> int:
        """Of all messages that could not be read."""
        actions, who = self._control.actions, request[USER]
        work = actions.acknowledge_unreadable(said.comment, who, said.seen)
        return await within("the acknowledgement", work)

    async def trigger(self, request: web.Request, said: TriggerBody) -> Incident:
        work = self._control.actions.trigger(
            RuleName(said.rule), said.fields, said.at, request[USER]
        )
        return await within("the trigger", work)

    async def save(self, request: web.Request, said: SaveBody) -> Incident:
        work = self._control.actions.save(said.order(), request[USER])
        return await within("saving the footage", work)

    async def add(self, request: web.Request, said: MoreBody) -> Incident:
        incident, who = incident_id(request), request[USER]
        work = self._control.actions.add(incident, said.order(), who)
        return await within("the order", work)

    async def comment(self, request: web.Request, said: CommentBody) -> Incident:
        incident, who = incident_id(request), request[USER]
        work = self._control.actions.comment(incident, said.comment, who)
        return await within("the comment", work)

    async def export(self, request: web.Request) -> Incident:
        """Open the incident of an alarm that was silenced, after all."""
        await read_body(request)
        work = self._control.actions.export(alarm_number(request), request[USER])
        return await within("the export", work)

    async def silence(self, request: web.Request, said: SilenceBody) -> Silence:
        """An author is told beside who is known to have asked, never in their place."""
        user = request[USER]
        is_other = said.author not in {"", user}
        who = f"{said.author} ({user})" if is_other else user
        order = said.order(self._clock.now())
        return await within("the silence", self._control.silences.begin(order, who))

    async def end_silence(self, request: web.Request) -> Silence:
        await read_body(request)
        work = self._control.silences.end(silence_id(request), request[USER])
        return await within("the end of the silence", work)


def incident_id(request: web.Request) -> IncidentId:
    """Of the path.

    Raises:
        NotFound: no incident can have it.
    """
    return IncidentId(_id(request, "incident"))


def silence_id(request: web.Request) -> SilenceId:
    """Of the path.

    Raises:
        NotFound: no silence can have it.
    """
    return SilenceId(_id(request, "silence"))


def alarm_number(request: web.Request) -> int:
    """Of the path.

    Raises:
        NotFound: no alarm can have it.
    """
    text = request.match_info["number"]
    number = read_number(text)
    if number is None:
        raise unknown("alarm", text)
    return number


def _id(request: web.Request, kind: str) -> str:
    text = request.match_info["id"]
    if read_id(text) is None:
        raise unknown(kind, text)
    return text


def unknown(kind: str, name: str) -> NotFound:
    template = _UNKNOWN.get(kind, "there is no {kind} {name}")
    return NotFound(phrase(template, kind=kind, name=one_line(name, 64)))


_UNKNOWN = {
    "incident": mark("there is no incident {name}"),
    "silence": mark("there is no silence {name}"),
    "alarm": mark("there is no alarm {name}"),
}
