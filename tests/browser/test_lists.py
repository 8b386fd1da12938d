"""Long lists and what is late, as an operator finds them."""

import re
from collections.abc import Callable
from typing import Any

from playwright.async_api import expect

from browser.looking import PHONE, alarm, check_axe, check_width
from fakes.installation import Installation, rule
from fakes.mosquitto import Peer

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
    verdict = page.locator(".verdict")
    await expect(verdict).to_contain_text("is missing: no camera of it is configured.")
    await expect(page).to_have_title(
        re.compile(r"^\(1\) Footage of door \(nowhere\), ")
    )
    lamp = page.locator("#icon")
    await expect(lamp).to_have_attribute("href", re.compile("icon-bad-"))
    await window.shot("list-not-safe")
    await check_axe(page)
    todo = page.get_by_role("region", name="What needs somebody")
    await todo.get_by_role("link", name="Acknowledge").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("What you know of it").fill("a test of the rule")
    await window.shot("dialog-acknowledge", whole=False)
    await check_axe(page)
    await dialog.get_by_role("button", name="Acknowledge").click()
    await expect(page.locator(".notice")).to_contain_text("Acknowledged")
    await expect(page.locator(".history")).to_contain_text("a test of the rule")
    await page.get_by_role("link", name="Incidents").first.click()
    await expect(verdict).to_have_text("What is missing was acknowledged.")
    await expect(page.locator(".row-why")).to_contain_text("no camera")


async def test_after_an_outage_all_is_acknowledged_at_once(
    site: Installation, screen: Open
) -> None:
    site.config["rules"] += [rule("door", cameras=["{site}"], destination="nas")]
    await site.start()
    alarm(site, "door", "nowhere", "elsewhere")
    await site.until(lambda rows: [row["state"] for row in rows] == ["failed"] * 2)
    with Peer(site.broker.port) as peer:
        peer.publish("access/hq/lobby", "not JSON")
    window = await screen(bypass_csp=True)
    page = window.page
    await page.goto("/")
    todo = page.get_by_role("region", name="What needs somebody")
    await expect(todo.get_by_role("listitem")).to_have_count(3)
    await window.shot("list-needs-somebody")
    await check_axe(page)
    await page.get_by_role("link", name="Acknowledge all").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("What you know of it").fill("seen")
    await dialog.get_by_role("button", name="Acknowledge").click()
    await expect(page.locator(".verdict")).to_contain_text("could not be read")
    await expect(todo.get_by_role("listitem")).to_have_count(1)
    await todo.get_by_role("link", name="Acknowledge").click()
    await dialog.get_by_label("What you know of it").fill("a test")
    await dialog.get_by_role("button", name="Acknowledge").click()
    await expect(todo).to_have_count(0)


async def test_some_are_chosen_and_acknowledged_by_keys_alone(
    site: Installation, screen: Open
) -> None:
    site.config["rules"] += [rule("door", cameras=["{site}"], destination="nas")]
    await site.start()
    alarm(site, "door", "north", "south", "east")
    await site.until(lambda rows: [row["state"] for row in rows] == ["failed"] * 3)
    window = await screen(bypass_csp=True)
    page = window.page
    await page.goto("/without-footage")
    todo = page.get_by_role("region", name="What needs somebody")
    boxes = todo.get_by_role("checkbox")
    await expect(boxes).to_have_count(3)
    await boxes.nth(0).focus()
    await page.keyboard.press("Space")
    await boxes.nth(2).focus()
    await page.keyboard.press("Space")
    alarm(site, "door", "west")  # what comes meanwhile takes no choice away
    await expect(boxes).to_have_count(4)
    await expect(todo.get_by_role("checkbox", checked=True)).to_have_count(2)
    await window.shot("missing-chosen")
    await check_axe(page)
    small = await screen(viewport={"width": 320, "height": 640}, locale="de")
    await small.page.goto("/without-footage")
    await expect(small.page.get_by_text("Alle quittieren")).to_be_visible()
    await check_width(small.page)
    await small.shot("missing-small-german")
    await todo.get_by_role("button", name="Acknowledge").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator(".ask")).to_contain_text("2 incidents without")
    await page.get_by_label("What you know of it").focus()
    await page.keyboard.type("power cut")
    await page.keyboard.press("Enter")
    await expect(page.locator(".notice")).to_contain_text("Acknowledged")
    await page.goto("/without-footage")
    await expect(boxes).to_have_count(2)


async def test_a_laptop_shows_a_dozen_and_a_csv_has_what_is_shown(
    site: Installation, screen: Open
) -> None:
    await site.start()
    alarm(site, "long", *(f"place-{n:02}" for n in range(30)))
    await site.until(lambda rows: len(rows) == 30)
    window = await screen(viewport={"width": 1280, "height": 800})
    page = window.page
    await page.goto("/")
    await expect(page.locator(".row")).to_have_count(30)
    seen = (
        "[...document.querySelectorAll('.row')]"
        ".filter(row => row.getBoundingClientRect().bottom <= innerHeight).length"
    )
    assert await page.evaluate(seen) >= 12
    await expect(page.get_by_role("heading", name="Today, ")).to_be_visible()
    await window.shot("list-laptop", whole=False)
    await page.get_by_role("searchbox").fill("lobby today place-07")
    await page.get_by_role("button", name="Search").click()
    await expect(page.locator(".row")).to_have_count(1)
    href = await page.get_by_role("link", name="CSV").get_attribute("href")
    answer = await page.request.get(href)
    lines = (await answer.text()).splitlines()
    assert len(lines) == 2
    assert "place-07" in lines[1]


async def test_footage_that_is_late_is_shown_as_late(
    site: Installation, screen: Open
) -> None:
    await site.start()
    alarm(site, "held", "hq")
    window = await screen(bypass_csp=True)
    page = window.page
    await page.goto("/")
    await expect(page.locator(".chip-late")).to_have_text("late")
    await expect(page.locator(".verdict")).to_contain_text("Footage of Lobby is late")
    await page.get_by_role("link", name="Missing footage").click()
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
    await phone.page.get_by_text("Filters").click()
    await expect(phone.page.get_by_role("combobox", name="Camera")).to_be_visible()
    await phone.shot("list-phone-filters")
