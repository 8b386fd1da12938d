"""/wall: a screen sees it with its token, over restarts, and nothing else."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from evidenced.core.account import Account, Role
from evidenced.core.errors import BadInput
from fakes.site import HASHED, Site, serving

TOKEN = "0123456789abcdef0123"


def unreadable() -> str:
    raise BadInput("it cannot be read")


TOKENS = {"desk": unreadable, "short": lambda: "short", "hall": lambda: TOKEN}
USERS = {"ann": Account(password=HASHED, role=Role.OPERATOR)}


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with serving(tmp_path, users=USERS, displays=TOKENS) as site:
        yield site


async def test_a_screen_is_let_in_by_its_token_and_keeps_it_as_a_cookie(
    site: Site,
) -> None:
    assert site.client is not None
    address = f"{site.url}/wall?token={TOKEN}"
    async with site.client.get(address, allow_redirects=False) as got:
        assert (got.status, got.headers["Location"]) == (303, "/wall")
        cookie = got.headers["Set-Cookie"]
    assert cookie.startswith(f"evidenced-display={TOKEN};")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    shown = await site.get("/wall", Cookie=f"evidenced-display={TOKEN}")
    assert shown.status == 200
    assert "No incidents in the last 24 hours." in shown.body.decode()
    assert "<form" not in shown.body.decode()


@pytest.mark.parametrize("path", ["/", "/api/incidents", "/silences", "/metrics"])
async def test_it_sees_nothing_else(site: Site, path: str) -> None:
    got = await site.get(path, Cookie=f"evidenced-display={TOKEN}")
    assert got.status == 401


async def test_it_gets_the_pictures_that_it_shows(site: Site) -> None:
    asked = "/api/incidents/20261123-061530-k3f9qx2a/stills/1.jpg"
    got = await site.get(asked, Cookie=f"evidenced-display={TOKEN}")
    assert got.status == 404  # let in; there is no such picture
    assert (await site.get(asked)).status == 401


async def test_it_changes_nothing(site: Site) -> None:
    site.control.answer = await site.open(1)
    path = f"/api/incidents/{site.control.answer.id}/cancel"
    got = await site.post(path, Cookie=f"evidenced-display={TOKEN}")
    assert got.status == 401
    assert site.control.asked == []


@pytest.mark.parametrize("token", ["", "short", "0123456789abcdef0124", "x" * 3000])
async def test_a_wrong_or_a_short_token_lets_nobody_in(site: Site, token: str) -> None:
    asked = await site.get(f"/wall?token={token}")
    assert asked.status == 403
    shown = await site.get("/wall", Cookie=f"evidenced-display={token}")
    assert shown.status == 401
