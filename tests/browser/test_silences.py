"""Silences: begun and ended by hand, and on a screen where nobody touches anything."""

from collections.abc import Callable
from typing import Any

from playwright.async_api import expect

from browser.looking import PHONE, alarm, check_axe, check_width
from fakes.installation import Installation

Open = Callable[..., Any]


async def test_a_silence_begins_and_ends(site: Installation, screen: Open) -> None:
    await site.start()
    window = await screen(bypass_csp=True)
    page = window.page
    await page.goto("/silences")
    await page.get_by_label("Its name").fill("lobby")
    await page.get_by_label("Your name").fill("ann")
    await page.get_by_label("Why").fill("the door is being repaired")
    await page.get_by_role("button", name="Silence it").click()
    await expect(page.get_by_text("The silence is in force.")).to_be_visible()
    await window.shot("silences")
    await check_axe(page)
    await page.get_by_role("link", name="End now").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("End this silence?")
    await window.shot("dialog-silence", whole=False)
    await check_axe(page)
    await dialog.get_by_role("button", name="Yes, end it").click()
    await expect(page.get_by_text("None: every alarm counts.")).to_be_visible()


async def test_another_screen_shows_it_by_itself_and_keeps_what_is_typed(
    site: Installation, screen: Open
) -> None:
    await site.start()
    page = (await screen()).page
    await page.goto("/silences")
    await expect(page.locator("#pulse")).to_have_text("Live")
    await page.get_by_label("Why").fill("half a sentence")
    order = {"rule": "lobby", "for": "1h", "comment": "by another", "author": "bob"}
    async with site.http.post(
        "/api/silences", json=order, headers={"X-Evidenced": "1"}
    ) as response:
        assert response.status == 201, await response.text()
    await expect(page.locator("#live")).to_contain_text("by another")
    await expect(page.get_by_label("Why")).to_have_value("half a sentence")


async def test_words_without_a_blank_stay_within_screen_and_paper(
    site: Installation, screen: Open
) -> None:
    word = "Toegangscontroleachterdeurmagazijn"
    site.config["rules"][3] |= {"summary": word * 5}
    await site.start()
    alarm(site, "long", "north")
    await site.until(lambda rows: len(rows) == 1)
    order = {"rule": "lobby", "for": "1h", "comment": word * 9, "author": word[:50]}
    async with site.http.post(
        "/api/silences", json=order, headers={"X-Evidenced": "1"}
    ) as response:
        assert response.status == 201, await response.text()
    [row] = await site.rows()
    for options in ({}, PHONE):
        page = (await screen(**options)).page
        for path in ("/", f"/incidents/{row['id']}", "/silences"):
            await page.goto(path)
            await expect(page.locator("body")).to_contain_text(word)
            await check_width(page)
    page = (await screen()).page
    await page.goto(f"/incidents/{row['id']}")
    await page.evaluate("window.print = () => { document.title = 'printed' }")
    await page.get_by_role("button", name="Print").click()
    await expect(page).to_have_title("printed")
    await page.emulate_media(media="print")
    await expect(page.get_by_role("button", name="Print")).to_be_hidden()
