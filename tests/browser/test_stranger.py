"""An operator who has never seen the page: by keys alone, and with the mouse."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.async_api import Locator, Page, expect

from browser.looking import PHONE, alarm, check_axe, check_width
from fakes.installation import Installation, rule

Open = Callable[..., Any]
MOST_TABS = 60
A_MINUTE = 60.0


async def tab_to(page: Page, wanted: Locator) -> None:
    """By Tab, as who has no mouse."""
    is_focused = "place => place === document.activeElement"
    for _ in range(MOST_TABS):
        await page.keyboard.press("Tab")
        if await wanted.count() and await wanted.evaluate(is_focused):
            return
    raise AssertionError(f"{MOST_TABS} tabs lead nowhere")


async def press(page: Page, wanted: Locator, *, key: str = "Enter") -> None:
    await tab_to(page, wanted)
    await page.keyboard.press(key)


async def test_a_night_of_an_operator_by_keys_alone(  # noqa: PLR0915 - one night
    site: Installation, screen: Open
) -> None:
    site.config["rules"] += [rule("door", cameras=["{site}"], destination="nas")]
    await site.start()
    alarm(site, "lobby", "gate")
    alarm(site, "door", "here", "there")
    await site.until(
        lambda rows: (
            sorted(each["state"] for each in rows) == ["exported", "failed", "failed"]
        )
    )
    window = await screen()
    page, begun = window.page, time.monotonic()
    link, button = page.get_by_role("link"), page.get_by_role("button")
    dialog = page.get_by_role("dialog")

    # an outage's losses are acknowledged at once
    await page.goto("/")
    await expect(page.locator("[data-count='/without-footage']")).to_have_text("2")
    await press(page, link.filter(has_text="Acknowledge all"))
    await press(page, dialog.get_by_label("What you know of it"), key="k")
    await page.keyboard.type("nown: power cut")
    await page.keyboard.press("Enter")
    await expect(page.locator(".notice")).to_contain_text("Acknowledged")
    await expect(page.locator(".verdict")).to_contain_text("was acknowledged")
    await expect(page.locator("[data-count='/without-footage']")).to_be_hidden()

    # one camera is silenced for the night, and home says so
    await press(page, link.filter(has_text="Silences"))
    await tab_to(page, page.get_by_label("What"))
    await page.keyboard.type("camera")
    await tab_to(page, page.get_by_label("Its name"))
    await page.keyboard.type("Door north")
    await tab_to(page, page.get_by_label("For"))
    await page.keyboard.type("8 h")
    await tab_to(page, page.get_by_label("Why"))
    await page.keyboard.type("lens is being cleaned")
    await page.keyboard.press("Enter")
    await expect(page.locator(".notice")).to_contain_text("in force")
    await press(page, link.filter(has_text="Incidents"))
    await expect(page.locator(".silenced")).to_contain_text("camera Door north")
    await expect(page.locator(".verdict")).to_contain_text("Silenced")
    await window.shot("stranger-silenced")

    # the door is found, commented, extended
    await press(page, page.get_by_role("searchbox"), key="g")
    await page.keyboard.type("ate today")
    await page.keyboard.press("Enter")
    row = page.locator(".row-what a")
    await expect(row).to_have_count(1)
    await press(page, row)
    await press(page, link.filter(has_text="Comment"))
    await press(page, dialog.get_by_label("What you know of it"), key="a")
    await page.keyboard.type("sked the guard")
    await page.keyboard.press("Enter")
    await expect(page.locator(".history")).to_contain_text("asked the guard")
    await press(page, link.filter(has_text="More footage"))
    await press(page, dialog.get_by_label("Longer"), key="ArrowDown")
    await press(page, dialog.get_by_role("button", name="Save more"))
    await expect(page.locator(".notice")).to_contain_text("More of it is saved")

    # ten minutes are saved by hand
    await press(page, link.filter(has_text="Incidents").first)
    await press(page, link.filter(has_text="Save footage"))
    await press(page, page.get_by_role("checkbox", name="Lobby"), key="Space")
    await tab_to(page, page.get_by_label("Why"))
    await page.keyboard.type("a parcel is gone")
    await press(page, button.filter(has_text="Save it"))
    await expect(page.locator(".notice")).to_contain_text("It is saved")
    assert time.monotonic() - begun < 4 * A_MINUTE  # four tasks


async def test_what_was_done_on_the_share_is_told_by_the_form(
    site: Installation, screen: Open, tmp_path: Path
) -> None:
    mount = tmp_path / "disk" / "V" / "evidence"
    mount.mkdir(parents=True)
    (mount / ".share").touch()
    site.config["destinations"]["nas"] |= {"mount": str(mount), "marker": ".share"}
    site.config["evidence"] = {"stable": "1s"}
    daemon = await site.start()
    alarm(site, "lobby", "hq")
    await daemon.line("evidence record written")
    [folder] = [each for each in mount.iterdir() if each.is_dir()]
    window = await screen(bypass_csp=True, **PHONE)
    page = window.page
    await page.goto("/")
    await page.locator(".row-what a").click()
    told = page.get_by_role("link", name="Moved or deleted")
    await told.click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("What was done to it by hand")
    await check_axe(page)
    await check_width(page)
    await window.shot("dialog-footage", whole=False)
    await dialog.get_by_role("combobox", name="It was").select_option("deleted")
    await dialog.get_by_label("Why").fill("asked for by the person filmed")
    window.expected = ("409 (Conflict)",)
    await dialog.get_by_role("button", name="Write it down").click()
    await expect(page.get_by_role("alert")).to_contain_text("still lie in")
    await expect(page.get_by_label("Why")).to_have_value(
        "asked for by the person filmed"
    )
    await check_width(page)
    await check_axe(page)
    await window.shot("footage-refused")

    for file in folder.iterdir():
        file.unlink()
    await page.goto(f"/incidents/{(await site.incidents())[0]['id']}")
    await told.click()
    await dialog.get_by_role("combobox", name="It was").select_option("moved")
    await dialog.get_by_label("Where it lies now").fill("vault 3, disk 17")
    await dialog.get_by_label("Why").fill("the share is full")
    await dialog.get_by_role("button", name="Write it down").click()
    await expect(page.locator(".notice")).to_contain_text("It is written down")
    await expect(page.locator("main")).to_contain_text("vault 3, disk 17")
    await check_axe(page)
    await check_width(page)
    await window.shot("footage-told")
