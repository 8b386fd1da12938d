"""Held incidents, as an operator holds, finds and releases them."""

from collections.abc import Callable
from typing import Any

from playwright.async_api import expect

from browser.looking import alarm, check_axe
from fakes.installation import Installation

Open = Callable[..., Any]


async def test_an_incident_is_held_found_and_released(
    site: Installation, screen: Open
) -> None:
    await site.start()
    alarm(site, "long", "gate", "yard")
    await site.until(lambda rows: len(rows) == 2)
    window = await screen(bypass_csp=True)
    page = window.page
    await page.goto("/")
    await page.locator(".row-what a").first.click()
    await page.get_by_role("link", name="Hold").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Why").fill("police, file 311")
    await check_axe(page)
    await dialog.get_by_role("button", name="Hold it").click()
    await expect(page.locator(".notice")).to_contain_text("Held: it is neither pruned")
    await expect(page.get_by_role("link", name="Hold")).to_have_count(0)
    await window.shot("incident-held")

    await page.goto("/")
    await expect(page.locator(".row .held")).to_have_count(1)
    await page.get_by_text("Filters").click()
    await page.get_by_role("checkbox", name="Held").check()
    await page.get_by_role("button", name="Show").click()
    await expect(page.locator(".row")).to_have_count(1)
    await expect(page.get_by_role("checkbox", name="Held")).to_be_checked()
    await window.shot("list-held")
    await check_axe(page)

    await page.locator(".row-what a").click()
    await page.get_by_role("link", name="Release").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("police, file 311")
    await dialog.get_by_label("Why").fill("case closed")
    await dialog.get_by_role("button", name="Release it").click()
    await expect(page.locator(".notice")).to_contain_text("Released")
    await page.goto("/?held=true")
    await expect(page.locator(".empty")).to_contain_text("Nothing found")
