"""Long lists and what is late, as an operator finds them."""

from collections.abc import Callable
from typing import Any

from playwright.async_api import expect

from browser.looking import PHONE, alarm, check_axe, check_width
from fakes.installation import Installation, rule

Open = Callable[..., Any]


async def test_older_incidents_are_a_page_further(
    site: Installation, screen: Open
) -> None:
    await site.start()
    alarm(site, "long", *(f"place-{n:02}" for n in range(60)))
    await site.until(lambda rows: len(rows) == 60)
    window = await screen(bypass_csp=True)
    page = window.page
    await page.goto("/")
    await expect(page.locator(".row")).to_have_count(50)
    await page.get_by_role("link", name="Older").click()
    await expect(page.locator(".row")).to_have_count(10)
    await expect(page.locator(".verdict")).to_have_count(0)
    await expect(page.get_by_role("link", name="Older")).to_have_count(0)
    await window.shot("list-older")
    await check_axe(page)
    await page.get_by_role("link", name="Newest").click()
    await expect(page.locator(".row")).to_have_count(50)


async def test_what_failed_is_found_from_the_verdict(
    site: Installation, screen: Open
) -> None:
    site.config["rules"] += [rule("door", cameras=["{site}"], destination="nas")]
    await site.start()
    alarm(site, "door", "nowhere")
    await site.until(lambda rows: [row["state"] for row in rows] == ["failed"])
    window = await screen(bypass_csp=True)
    page = window.page
    await page.goto("/")
    await expect(page.locator(".verdict")).to_have_text("Some footage is not safe.")
    await window.shot("list-not-safe")
    await check_axe(page)
    await page.get_by_role("link", name="see which").click()
    await expect(page.locator(".row")).to_have_count(1)
    await expect(page.locator(".row-why")).to_contain_text("no camera")
    await check_axe(page)


async def test_footage_that_is_late_is_shown_as_late(
    site: Installation, screen: Open
) -> None:
    await site.start()
    alarm(site, "held", "hq")
    window = await screen(bypass_csp=True)
    page = window.page
    await page.goto("/")
    await expect(page.locator(".chip-late")).to_have_text("late")
    await expect(page.locator(".headline")).to_contain_text("1 late")
    await page.get_by_role("link", name="Without footage").click()
    await expect(page.get_by_role("heading", name="Late")).to_be_visible()
    await expect(page.locator(".row")).to_have_count(1)
    await window.shot("without-footage-late")
    await check_axe(page)
    phone = await screen(bypass_csp=True, **PHONE)
    await phone.page.goto("/without-footage")
    await expect(phone.page.locator(".row")).to_have_count(1)
    await check_width(phone.page)
    await check_axe(phone.page)
    await phone.page.goto("/")
    await phone.page.get_by_label("Filters").check()
    await expect(phone.page.get_by_role("combobox", name="Camera")).to_be_visible()
    await phone.shot("list-phone-filters")
