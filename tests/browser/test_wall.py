"""The first screen of a laptop, and a screen across the room."""

from collections.abc import Callable
from typing import Any

from argon2 import PasswordHasher
from playwright.async_api import expect

from browser.looking import WALL, alarm, check_axe, check_width
from fakes.installation import Installation

Open = Callable[..., Any]

TOKEN = "0123456789abcdef0123"
LAPTOP = {"viewport": {"width": 1280, "height": 800}}
WHOLE = """() => [...document.querySelectorAll(".row")].filter(
    row => row.getBoundingClientRect().bottom <= window.innerHeight).length"""


async def test_a_laptop_shows_a_dozen_incidents_at_once(
    site: Installation, screen: Open
) -> None:
    await site.start()
    alarm(site, "long", *(f"place-{n:02}" for n in range(20)))
    await site.until(lambda rows: len(rows) == 20)
    window = await screen(**LAPTOP)
    await window.page.goto("/")
    await expect(window.page.locator(".row")).to_have_count(20)
    await window.shot("laptop", whole=False)
    assert await window.page.evaluate(WHOLE) >= 12


async def test_a_wall_stays_on_over_a_restart_and_shows_nothing_else(
    site: Installation, screen: Open
) -> None:
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    token = site.folder / "wall.token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    site.config["web"] |= {
        "users": {"ann": cheap.hash("password-of-ann")},
        "displays": {"hall": {"file": str(token)}},
    }
    daemon = await site.start()
    alarm(site, "lobby", *(f"place-{n:02}" for n in range(10)))
    window = await screen(bypass_csp=True, **WALL)
    page = window.page
    await page.goto(f"/wall?token={TOKEN}")
    await expect(page.locator(".row")).to_have_count(8)
    await expect(page.locator(".row .state").first).to_have_text("exported")
    assert page.url.endswith("/wall")
    await expect(page.locator(".row img")).to_have_count(8)
    assert await page.locator(".row img").first.evaluate(
        "i => i.decode().then(() => 1)"
    )
    await expect(page.locator("form, input, nav[aria-label=Pages]")).to_have_count(0)
    await expect(page.locator(".lamps")).to_contain_text("main: answers")
    await check_axe(page)
    await check_width(page)
    await window.shot("wall")
    window.expected = ("ERR_CONNECTION_REFUSED",)
    await daemon.stop()
    await expect(page.locator("#pulse")).to_contain_text("Connection lost")
    await window.shot("wall-lost")
    await site.start()
    await expect(page.locator("#pulse")).to_have_text("Live", timeout=30_000)
    await page.reload()
    await expect(page.locator(".row")).to_have_count(8)
    await page.goto("/")
    await expect(page.get_by_role("heading", name="Log in")).to_be_visible()
