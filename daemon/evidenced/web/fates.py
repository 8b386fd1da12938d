"""/incidents/{id}/footage: where its footage lies on shares, and what became of it.

It is all that is left of an incident that was pruned: there people acknowledge what is
lost of it, and tell what they did by hand, of any incident.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from evidenced.core.errors import BadInput, EvidencedError, Refused
from evidenced.core.ids import IncidentId
from evidenced.core.keeping.footage import FootageFolder, words
from evidenced.core.keeping.loss import Loss, last_of
from evidenced.core.phrase import phrase
from evidenced.ports import View
from evidenced.web.acts import incident_id, unknown
from evidenced.web.answers import within
from evidenced.web.bodies import MovedBody, read_fields, read_form
from evidenced.web.errors import denied_by
from evidenced.web.frame import Frame

DONE = {
    "footage": phrase(
        "It is written down: the history has what became of the footage."
    ),
    "acknowledge": phrase("Acknowledged: it is lost, and no longer open."),
}


@dataclass(frozen=True, slots=True)
class Remains:
    """What is known beside the incident; `is_here` is whether that is in the store."""

    is_here: bool
    folders: Sequence[FootageFolder]
    losses: Sequence[Loss]


@dataclass(frozen=True, slots=True)
class FatePages:
    """The form tells what was done; it does nothing to any file."""

    frame: Frame

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/incidents/{id}/footage", self._show),
            web.post("/incidents/{id}/footage", self._tell),
        ]

    async def _show(self, request: web.Request) -> web.Response:
        return await self._form(request, {})

    async def _form(
        self,
        request: web.Request,
        typed: Mapping[str, str],
        fault: EvidencedError | None = None,
    ) -> web.Response:
        """With what was typed, where that is refused."""
        name, denied = incident_id(request), fault and denied_by(request, fault)
        found = await within(
            f"the footage of incident {name}",
            self.frame.store.read(lambda view: _remains(view, name)),
        )
        if not found.folders and not found.losses:
            raise unknown("footage of incident", name)
        places = self.frame.installation.places
        return self.frame.page(
            request,
            "fate.html",
            denied.status if denied else 200,
            typed=typed,
            fault=denied.message if denied else "",
            id=name,
            is_here=found.is_here,
            depicted=found.folders[0].depicted if found.folders else None,
            folders=[
                (
                    each,
                    places.link(each.path, each.destination)
                    or places.here(each.path, each.destination)
                    or each.path,
                    words(each),
                )
                for each in found.folders
            ],
            losses=found.losses,
            seen=last_of(found.losses),
            notice=DONE.get(self.frame.deeds.told(request), ""),
        )

    async def _tell(self, request: web.Request) -> web.StreamResponse:
        form = await read_form(request)
        became = form.get("became", "")
        said = {
            "became": became,
            "to": form.get("to", "").strip() if became == "moved" else "",
            "comment": form.get("comment", "").strip(),
        }
        try:
            await self.frame.acts.became(request, read_fields(MovedBody, said))
        except (BadInput, Refused) as fault:
            return await self._form(request, form, fault)
        return self.frame.deeds.lead(request, request.path, "footage")


def _remains(view: View, name: IncidentId) -> Remains:
    return Remains(
        is_here=bool(view.incidents.get([name])),
        folders=view.footage.of([name]),
        losses=[each for each in view.losses.of(name) if each.is_open],
    )
