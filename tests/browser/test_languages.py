"""The page in the language that a browser asks for, on a phone."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import expect

from browser.looking import PHONE, alarm, check_width
from fakes.installation import Installation

Open = Callable[..., Any]

WORDS = {
    "nl-NL": {
        "lang": "nl",
        "safe": "Alle beelden zijn veilig.",
        "done": "geëxporteerd",
        "ignored": "Genegeerde berichten",
    },
    "de-AT": {
        "lang": "de",
        "safe": "Alle Aufnahmen sind sicher.",
        "done": "exportiert",
        "ignored": "Ignorierte Meldungen",
    },
}
PATHS = (
    *("/", "/without-footage", "/recorders", "/refused", "/silences", "/save"),
    "/wall",
)


@pytest.mark.parametrize("wish", WORDS)
async def test_the_page_speaks_as_its_browser_does(
    site: Installation, screen: Open, wish: str
) -> None:
    words = WORDS[wish]
    code = words["lang"]
    await site.start()
    window = await screen(locale=wish, **PHONE)
    page = window.page
    alarm(site, "lobby", "hq")
    await page.goto("/")
    await expect(page.locator("html")).to_have_attribute("lang", code)
    await expect(page.locator(".verdict")).to_have_text(words["safe"])
    await expect(page.locator(".row .state")).to_have_text(words["done"])
    await expect(page.get_by_role("link", name=words["ignored"])).to_be_visible()
    for path in PATHS:
        await page.goto(path)
        await expect(page.locator("main")).to_be_visible()
        await check_width(page)
        await window.shot(f"{code}-{path.strip('/') or 'home'}")
    await page.goto("/")
    await page.locator(".row").get_by_role("link").click()
    await expect(page.locator(".narrow svg.timeline")).to_be_visible()
    await check_width(page)
    await window.shot(f"{code}-incident")
