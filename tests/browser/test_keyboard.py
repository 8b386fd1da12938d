"""The page without a mouse."""

import re
from collections.abc import Callable
from typing import Any

from playwright.async_api import expect

from browser.looking import alarm
from fakes.installation import Installation

Open = Callable[..., Any]


async def test_an_incident_is_found_opened_and_cancelled_by_keys(
    site: Installation, screen: Open
) -> None:
    await site.start()
    alarm(site, "long", "hq")
    await site.until(lambda rows: len(rows) == 1)
    page = (await screen()).page
    await page.goto("/")
    await page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="To the content")
    await expect(skip).to_be_focused()
    await expect(skip).to_be_in_viewport()
    await page.keyboard.press("Enter")
    search = page.get_by_role("searchbox")
    await page.keyboard.press("Tab")
    await expect(search).to_be_focused()
    await page.keyboard.type("hq")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("q=hq"))
    row = page.locator(".row").get_by_role("link")
    await row.focus()
    await page.keyboard.press("Enter")
    cancel = page.get_by_role("link", name="Cancel")
    await cancel.focus()
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_be_visible()
    inside = "document.activeElement.closest('dialog') !== null"
    for _ in range(4):  # focus does not leave it
        await page.keyboard.press("Tab")
        at_page = await page.evaluate("document.activeElement === document.body")
        assert at_page or await page.evaluate(inside)
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await expect(cancel).to_be_focused()
    await page.keyboard.press("Enter")
    await dialog.get_by_label("Why").focus()
    await page.keyboard.type("a test")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("cancelled")
    for act, other, told in (("Hold", "Release", "Held:"), ("Release", "Hold", "Rel")):
        await page.get_by_role("link", name=act, exact=True).focus()
        await page.keyboard.press("Enter")
        await expect(dialog).to_be_visible()
        await dialog.get_by_label("Why").focus()
        await page.keyboard.type("police")
        await page.keyboard.press("Enter")
        await expect(page.locator(".notice")).to_contain_text(told)
        await expect(page.get_by_role("link", name=other, exact=True)).to_be_visible()
