"""Every page that has an address of its own is shown, whatever the site is named."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from evidenced.ports.control import Installation
from fakes.site import Site, serving

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
