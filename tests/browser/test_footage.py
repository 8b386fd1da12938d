"""Footage that people ask for: by hand, more of an incident, and what they note."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.async_api import expect

from browser.looking import PHONE, alarm, check_axe, check_width
from fakes.installation import Installation

Open = Callable[..., Any]


def typed(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S")


async def test_footage_is_saved_by_hand_from_the_list(
    site: Installation, screen: Open
) -> None:
    await site.start()
    window = await screen(bypass_csp=True)
    page = window.page
    await page.goto("/")
    await page.get_by_role("link", name="Save footage").click()
    await page.get_by_role("checkbox", name="Lobby").check()
    now = datetime.now(UTC)
    await page.get_by_label("From").fill(typed(now + timedelta(hours=1)))
    await page.get_by_label("To").fill(typed(now + timedelta(hours=2)))
    await page.get_by_label("Why").fill("a parcel is gone")
    window.expected = ("409 (Conflict)",)
    await page.get_by_role("button", name="Save it").click()
    await expect(page.get_by_role("alert")).to_have_text(
        "It begins in the future: nothing of it is filmed yet."
    )
    await expect(page.get_by_role("checkbox", name="Lobby")).to_be_checked()
    await window.shot("save-refused")
    await check_axe(page)
    await page.get_by_label("From").fill(typed(now - timedelta(seconds=40)))
    await page.get_by_label("To").fill(typed(now - timedelta(seconds=10)))
    await page.get_by_role("button", name="Save it").click()
    await expect(page.locator(".notice")).to_contain_text("It is saved")
    title = page.get_by_role("heading", level=1)
    await expect(title).to_contain_text("a parcel is gone")
    await expect(title).to_contain_text("exported")
    await expect(page.locator(".lead")).to_contain_text("asked for by hand")
    await window.shot("saved-by-hand")
    [saved] = await site.until(lambda rows: rows[0]["state"] == "exported")
    [clip] = saved["clips"]
    assert (saved["rule"], clip["camera"]) == ("by-hand", "main-1")
    length = datetime.fromisoformat(clip["end"]) - datetime.fromisoformat(clip["start"])
    assert length == timedelta(seconds=30)


async def test_an_incident_gets_more_footage_and_a_comment(
    site: Installation, screen: Open
) -> None:
    await site.start()
    alarm(site, "lobby", "hq")
    [before] = await site.until(
        lambda rows: bool(rows) and rows[0]["state"] == "exported"
    )
    window = await screen(bypass_csp=True, **PHONE)
    page = window.page
    await page.goto(f"/incidents/{before['id']}")
    await page.get_by_role("link", name="Comment").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("What you know of it").fill("the postman")
    await window.shot("dialog-comment", whole=False)
    await check_axe(page)
    await dialog.get_by_role("button", name="Write it down").click()
    await expect(page.locator(".notice")).to_contain_text("Your comment")
    await expect(page.locator(".history")).to_contain_text("notes: the postman")
    await page.get_by_role("link", name="More footage").click()
    await dialog.get_by_role("checkbox", name="Door north").check()
    await window.shot("dialog-more", whole=False)
    await check_axe(page)
    await check_width(page)
    await dialog.get_by_role("button", name="Save more").click()
    await expect(page.locator(".windows")).to_contain_text("Door north")
    await expect(page.locator(".history")).to_contain_text("wants more of it")
    [after] = await site.incidents()
    [old], [new] = (
        [clip for clip in after["clips"] if clip["camera"] == name]
        for name in ("main-1", "main-2")
    )
    assert old["state"] == "exported"
    assert (new["start"], new["end"]) == (old["start"], old["end"])
