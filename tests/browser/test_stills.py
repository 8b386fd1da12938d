"""Pictures of cameras around an alarm, as a browser decodes them."""

from collections.abc import Callable
from typing import Any

from playwright.async_api import expect

from browser.looking import alarm, check_axe
from fakes.installation import Installation

Open = Callable[..., Any]


async def test_pictures_are_in_the_row_and_large_on_the_page(
    site: Installation, screen: Open
) -> None:
    await site.start()
    alarm(site, "long", "gate")
    await site.until(lambda rows: len(rows) == 1)
    window = await screen(bypass_csp=True)
    page = window.page
    await page.goto("/")
    small = page.locator(".row-still img")
    await expect(small).to_have_js_property("naturalWidth", 640)
    await window.shot("list-stills")
    await page.locator(".row-what a").click()
    large = page.locator(".stills img")
    await expect(large).to_have_count(2)
    for n in range(2):
        await expect(large.nth(n)).to_have_js_property("naturalWidth", 640)
    await window.shot("incident-stills")
    await check_axe(page)
