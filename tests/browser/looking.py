"""What tests of the page do: publish alarms, and look at it as people and axe do."""

from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Page

from fakes.installation import Installation, active
from fakes.mosquitto import Peer

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True}
WALL = {"viewport": {"width": 2560, "height": 1440}}


def alarm(site: Installation, name: str, *places: str) -> None:
    with Peer(site.broker.port) as peer:
        for place in places:
            peer.publish(f"access/{place}/{name}", active(card={"number": "4711"}))


async def check_axe(page: Page) -> None:
    """Nothing serious or critical; needs a context that bypasses the strict policy."""
    found = await Axe().run(page)
    grave = [
        (each["id"], each["impact"], [node["html"][:120] for node in each["nodes"]])
        for each in found.response["violations"]
        if each["impact"] in {"serious", "critical"}
    ]
    assert grave == []


async def check_width(page: Page) -> None:
    """Nothing is wider than the screen."""
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert await page.evaluate(wide) <= 0
