"""The frame of every page: templates that escape, head and foot, parts that change."""

import asyncio
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import web

from evidenced.core.account import Role
from evidenced.core.phrase import Tongue
from evidenced.core.spoken import zone_word
from evidenced.core.telling.verdict import verdict
from evidenced.ports import Clock, Control, Store, View
from evidenced.ports.control import Installation
from evidenced.web import menu
from evidenced.web.acts import Acts
from evidenced.web.answers import within
from evidenced.web.deeds import Deeds
from evidenced.web.languages import Languages
from evidenced.web.speaking import environment, helpers
from evidenced.web.users import ROLE, USER

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; "
    "script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    # Not no-referrer: a form's Origin would be "null" then, which the guard refuses.
    "Referrer-Policy": "same-origin",
}
LIVE = "X-Evidenced-Live"
"""Sent by our script when it wants only the part of a page that changes."""


class Frame:
    """What every page needs: where things come from, and what surrounds them."""

    def __init__(
        self,
        store: Store,
        control: Control,
        clock: Clock,
        languages: Languages,
        *,
        has_users: bool,
    ) -> None:
        self.store = store
        self.control = control
        self.acts = Acts(control, clock)
        self.clock = clock
        self.languages = languages
        self.has_users = has_users
        self.deeds = Deeds()
        self._menu: tuple[float, Mapping[str, int]] | None = None
        self._fragments = Fragments(clock, control.live.changes)

    @property
    def installation(self) -> Installation:
        return self.control.condition.installation()

    @property
    def surveyed(self) -> Installation:
        """The same, and which recorders and destinations hold footage up now."""
        condition = self.control.condition
        recorders, shares = condition.recorders(), condition.shares()
        held = {name for each in recorders for name in each.holds}
        return replace(
            condition.installation(),
            away={each.name for each in recorders if not each.is_up},
            held=held | {each.destination for each in shares if each.problem},
        )

    def page(
        self,
        request: web.Request,
        template: str,
        status: int = 200,
        **values: Any,  # noqa: ANN401 - whatever the template shows
    ) -> web.Response:
        """The whole page, with what surrounds it."""
        tongue = self.languages.of(request)
        text = self.text(tongue, template, **self._around(request), **values)
        return self._answer(text, tongue, status)

    def _answer(self, text: str, tongue: Tongue, status: int = 200) -> web.Response:
        response = web.Response(
            text=text, status=status, content_type="text/html", headers=HEADERS
        )
        self.languages.tell(response, tongue)
        return response

    async def live(
        self,
        request: web.Request,
        template: str,
        make: Callable[[Tongue], Awaitable[str]],
        *,
        key: str | None = None,
        **values: Any,  # noqa: ANN401 - whatever the template shows
    ) -> web.Response:
        """A page with a part that changes, or for our script that part alone.

        `key` is what the part depends on besides the language, where screens that
        show the same share one; None makes it anew.
        """
        tongue = self.languages.of(request)
        is_live = LIVE in request.headers
        counts = await self._counts(is_live=is_live, is_fresh=key is None)
        if key is None:
            part = await make(tongue)
        else:
            kept = f"{template} {tongue.code} {key}"
            part = await self._fragments.get(
                kept, lambda: make(tongue), is_live=is_live
            )
        if is_live:
            response = self._answer(part, tongue)
            response.headers[menu.HEADER] = counts
            return response
        return self.page(request, template, part=part, **values)

    async def _counts(self, *, is_live: bool, is_fresh: bool) -> str:
        """The numbers of the menu as JSON; all pages share them."""
        if is_fresh:
            return await self._counted()
        return await self._fragments.get("menu", self._counted, is_live=is_live)

    async def _counted(self) -> str:
        now, zone = self.clock.now(), self.installation.zone
        around = self.control.condition.surroundings()

        def read(view: View) -> Mapping[str, int]:
            facts = view.facts.read(around, now, zone)
            return menu.counts(facts, verdict(facts))

        found = await within("the page", self.store.read(read))
        self._menu = self.clock.monotonic(), found
        return json.dumps(found)

    def _known(self) -> Mapping[str, int]:
        """As they were last, if that was just now."""
        if self._menu is None:
            return {}
        at, found = self._menu
        return found if self.clock.monotonic() - at < STALE_S else {}

    def text(self, tongue: Tongue, template: str, **values: Any) -> str:  # noqa: ANN401 - the same
        about = self.installation
        zone = values.get("zone") or about.zone
        found = environment(tongue).get_template(template)
        known = values | {"zone": zone, "called": about.called, "told": about.told}
        return found.render(**helpers(zone, tongue, self.clock.now()), **known)

    def _around(self, request: web.Request) -> dict[str, object]:
        about = self.installation
        return {
            "installation": about,
            "zone": about.zone,
            "zone_name": zone_word(self.clock.now(), about.zone),
            "path": request.path,
            "counts": self._known() if USER in request else {},
            "user": request.get(USER, "") if self.has_users else "",
            "role": request.get(ROLE, Role.VIEWER),
            "may_act": request.get(ROLE) is Role.OPERATOR,
            "may_look": USER in request,
        }


STALE_S = 30.0
"""After so long the numbers of the menu are said no more by pages that read none."""
FRESH_S = 1.0
"""How old a part may be; the script asks every two seconds at most."""
KEPT = 64

Sleep = Callable[[float], Awaitable[None]]


@dataclass(slots=True)
class _Part:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    until: float = 0.0
    changes: int = -1
    text: str = ""


class Fragments:
    """Texts by what they show; one is made at a time, the others wait for it.

    `changes` grows with each change. Whoever looks because of one is never given a part
    of before it: no other change might follow, and the screen would stay wrong.
    """

    def __init__(
        self, clock: Clock, changes: Callable[[], int], sleep: Sleep = asyncio.sleep
    ) -> None:
        self._clock = clock
        self._changes = changes
        self._sleep = sleep
        self._parts: OrderedDict[str, _Part] = OrderedDict()

    async def get(
        self, key: str, make: Callable[[], Awaitable[str]], *, is_live: bool = False
    ) -> str:
        """The part; for a live screen one that has every change, a second later."""
        part = self._parts.setdefault(key, _Part())
        self._parts.move_to_end(key)
        while len(self._parts) > KEPT:
            self._parts.popitem(last=False)
        async with part.lock:
            rest_s = part.until - self._clock.monotonic()
            if is_live and rest_s > 0 and self._changes() != part.changes:
                await self._sleep(rest_s)
                rest_s = 0.0
            if rest_s <= 0:
                part.changes = self._changes()  # before it is made, not after
                part.text = await make()
                part.until = self._clock.monotonic() + FRESH_S
            return part.text
