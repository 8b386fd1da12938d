"""Every page that has an address is shown, whatever the site is named; what is near."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from evidenced.core.errors import Reason
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.states import ClipState
from evidenced.core.keeping.loss import acknowledged, unreadable
from evidenced.ports.control import Installation
from evidenced.web.frame import LIVE
from evidenced.web.menu import HEADER
from fakes.clock import START
from fakes.site import DOOR, LOBBY, Site, numbered, serving

ENDLESS = {"/api/events"}


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with serving(tmp_path) as site:
        site.control.about = Installation(
            instance="hq",
            rules={"panic": "Panic button", "door-forced": "Door forced"},
            cameras={"lobby": "Lobby", "gate": "Gate"},
            destinations={"nas": r"V:\evidence\{rule}-{id}"},
        )
        yield site


async def test_no_page_fails(site: Site) -> None:
    assert site.server is not None
    paths = {
        route.resource.canonical
        for route in site.server._runner.app.router.routes()
        if route.method == "GET" and route.resource is not None
    }
    shown = sorted(path for path in paths - ENDLESS if "{" not in path)
    assert "/silences" in shown
    for path in shown:
        answer = await site.get(path, Accept="text/html")
        assert answer.status < 500, f"{path}: {answer.body[:2000]!r}"


async def test_a_silence_is_offered_the_names_of_rules_and_cameras(site: Site) -> None:
    page = await site.get("/silences", Accept="text/html")
    for name in ("panic", "door-forced", "lobby", "gate"):
        assert f'<option value="{name}">' in page.body.decode()


async def test_an_incident_names_those_that_happened_at_that_time(site: Site) -> None:
    hour = timedelta(hours=1)
    incident = await site.open(1)
    await site.open(2, at=START + timedelta(minutes=6), rule="near")
    await site.open(3, at=START - timedelta(minutes=5, seconds=20), rule="before")
    await site.open(4, at=START + hour, rule="far")
    got = await site.get(f"/incidents/{incident.id}", Accept="text/html")
    text = got.body.decode()
    beside = text[text.index("Also at that time") : text.index("<h2>Details")]
    found = re.findall(r'href="/incidents/([\w-]+)">(\w+) \(', beside)
    assert found == [(numbered(3), "before"), (numbered(2), "near")]
    far = await site.get(f"/incidents/{numbered(4)}", Accept="text/html")
    assert "Nothing else within 5 min." in far.body.decode()


FIRST_PAINT = 100_000
"""Bytes on the wire, pictures of cameras aside."""


async def test_the_first_paint_is_small(site: Site) -> None:
    """A full page, its style, its script and its icon, as they are sent."""
    for n in range(50):
        await site.open(n, at=START + timedelta(seconds=n), cameras=(LOBBY, DOOR))
    page = await site.get("/", Accept="text/html")
    text = page.body.decode()
    assert text.count('class="row ') == 50
    paths = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', text))
    assert len(paths) >= 3
    parts = [page, *[await site.get(path) for path in paths]]
    assert {part.status for part in parts} == {200}
    assert sum(len(part.body) for part in parts) < FIRST_PAINT


def menu_of(page: str) -> dict[str, str]:
    found = re.findall(r'data-count="([^"]+)"( hidden)?>(\d*)<', page)
    return {address: number for address, hidden, number in found if not hidden}


async def test_the_menu_says_what_waits_on_each_page(site: Site) -> None:
    before = (await site.get("/refused", Accept="text/html")).body.decode()
    assert menu_of(before) == {}
    site.control.why_unready = ["the broker refuses us"]
    unread = unreadable("panic", START, "no JSON")
    await site.store.write(lambda tx: tx.losses.save([replace(unread, number=3)]))
    site.clock.advance(timedelta(seconds=2))
    shown = (await site.get("/silences", Accept="text/html")).body.decode()
    assert menu_of(shown) == {"/": "2", "/recorders": "1", "/refused": "3"}
    form = (await site.get("/save", Accept="text/html")).body.decode()
    assert menu_of(form) == menu_of(shown)
    part = await site.get("/refused", **{LIVE: "1", "Accept": "text/html"})
    assert json.loads(part.headers[HEADER])["/refused"] == 3
    site.clock.advance(timedelta(minutes=5))
    late = (await site.get("/save", Accept="text/html")).body.decode()
    assert menu_of(late) == {}


async def test_health_tells_whatever_is_wrong_with_the_installation(site: Site) -> None:
    site.control.told = ["the configuration on disk was changed"]
    page = (await site.get("/recorders", Accept="text/html")).body.decode()
    told = page[page.index("Needs somebody") :]
    assert "The configuration on disk was changed." in told


async def lose(site: Site, number: int) -> Incident:
    """An incident whose only camera has no video."""
    incident = await site.open(number)
    due = await site.end(incident)
    clips = [
        clip.moved(ClipState.MISSING, reason=Reason.NO_VIDEO) for clip in due.clips
    ]
    gone = due.with_clips(*clips).settled(site.clock.now())
    change = Change(before=due, after=gone, event=Event.ENDED)
    at = site.clock.now()
    await site.store.write(lambda tx: tx.ledger.save([change], at))
    return gone


async def test_what_is_acknowledged_has_no_colour_and_is_no_work_any_more(
    site: Site,
) -> None:
    gone = await lose(site, 1)
    before = (await site.get("/without-footage", Accept="text/html")).body.decode()
    assert f'href="/incidents/{gone.id}/acknowledge"' in before
    assert "row-lost" in before
    [loss] = await site.store.read(lambda view: view.losses.of(gone.id))
    known = acknowledged(loss, "anna", "cable cut", site.clock.now())
    await site.store.write(lambda tx: tx.losses.save([known]))
    site.clock.advance(timedelta(seconds=5))
    after = (await site.get("/without-footage", Accept="text/html")).body.decode()
    assert f'href="/incidents/{gone.id}/acknowledge"' not in after
    assert "row-lost" not in after
    assert "row-known" in after
    home = (await site.get("/", Accept="text/html")).body.decode()
    assert "1 without all footage" in home


async def test_what_is_lost_of_a_pruned_incident_is_shown_and_acknowledged(
    site: Site,
) -> None:
    gone = await lose(site, 1)
    site.clock.advance(timedelta(days=100))
    now = site.clock.now()
    await site.store.write(lambda tx: tx.past.prune(now - timedelta(days=9), now, 9))
    home = (await site.get("/", Accept="text/html")).body.decode()
    assert "is missing" in home
    shown = await site.get(f"/incidents/{gone.id}", Accept="text/html")
    page = shown.body.decode()
    assert "What is lost of it stays until somebody acknowledges it" in page
    assert f'action="/incidents/{gone.id}/acknowledge"' in page
    assert "No footage of" in page


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
async def test_a_day_that_no_zone_can_have_is_no_fault_of_ours(
    site: Site, day: str
) -> None:
    html = {"Accept": "text/html"}
    assert (await site.get(f"/?q={day}", **html)).status == 200
    refused = await site.get(f"/?day={day}", **html)
    assert refused.status == 400
    assert "write a date such as" in refused.body.decode()
