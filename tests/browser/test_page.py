"""The operators' page in a real browser, over the real daemon and a real broker."""

from collections.abc import Callable
from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from fakes.installation import Installation, active
from fakes.mosquitto import Peer

Open = Callable[..., Any]


def alarm(site: Installation, where: str = "hq", name: str = "forced") -> None:
    with Peer(site.broker.port) as peer:
        peer.publish(f"access/{where}/{name}", active(card={"number": "4711"}))


async def check_axe(page: Any) -> None:
    found = await Axe().run(page)
    grave = [
        (each["id"], each["impact"], [node["html"][:120] for node in each["nodes"]])
        for each in found.response["violations"]
        if each["impact"] in {"serious", "critical"}
    ]
    assert grave == []


async def test_an_alarm_appears_by_itself_and_becomes_footage(
    site: Installation, screen: Open
) -> None:
    await site.start()
    window = await screen()
    page = window.page
    await page.goto("/")
    await expect(page.get_by_text("No incidents yet.")).to_be_visible()
    await expect(page.locator("#pulse")).to_have_text("Live")
    await window.shot("list-empty")
    alarm(site)
    row = page.locator(".row")
    await expect(row).to_have_count(1)
    await expect(row.locator(".chip").first).to_have_text("exported")
    await expect(
        page.get_by_text("All footage of the last 24 hours is safe.")
    ).to_be_visible()
    await window.shot("list-safe")
    await row.get_by_role("link").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("forced")
    await expect(page.locator(".wide svg.timeline")).to_be_visible()
    await window.shot("incident-exported")
    assert window.complaints == []
