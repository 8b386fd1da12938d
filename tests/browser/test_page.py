"""The operators' page in a real browser, over the real daemon and a real broker."""

import re
from collections.abc import Callable
from typing import Any

from argon2 import PasswordHasher
from playwright.async_api import expect

from browser.looking import PHONE, WALL, alarm, check_axe, check_width
from fakes.installation import Installation
from fakes.mosquitto import Peer

Open = Callable[..., Any]


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
    alarm(site, "lobby", "hq")
    row = page.locator(".row")
    await expect(row).to_have_count(1)
    await expect(row.locator(".state")).to_have_text("exported")
    await expect(page.locator(".verdict")).to_have_text("All footage is safe.")
    await window.shot("list-safe")
    await row.get_by_role("link").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("lobby")
    await expect(page.locator(".wide svg.timeline")).to_be_visible()
    await expect(page.get_by_text("ahead of ours")).to_be_visible()
    await window.shot("incident-exported")


async def test_what_waits_is_cancelled_and_retried_after_a_question(
    site: Installation, screen: Open
) -> None:
    await site.start()
    window = await screen(
        bypass_csp=True, permissions=["clipboard-read", "clipboard-write"]
    )
    page = window.page
    alarm(site, "forced", "hq")
    await page.goto("/")
    await expect(page.locator(".row-why")).to_contain_text("next try")
    await page.locator(".row").get_by_role("link").click()
    await expect(page.locator(".windows")).to_contain_text("Door north")
    await window.shot("incident-waiting")
    copy = page.get_by_role("button", name="Copy").first
    await copy.click()
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("V:\\evidence\\forced-")
    await expect(page.get_by_role("button", name="Copied")).to_be_visible()
    await page.get_by_role("link", name="Cancel").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Cancel this incident?")
    await window.shot("dialog-cancel", whole=False)
    await check_axe(page)
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await page.get_by_role("link", name="Cancel").click()
    await dialog.get_by_label("Why").fill("a test")
    await dialog.get_by_role("button", name="Yes, cancel it").click()
    await expect(page.locator(".notice")).to_contain_text("Cancelled")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("partial")
    await page.get_by_role("link", name="Missing footage").click()
    await expect(page.locator(".row-why")).to_contain_text(
        "Door north: cancelled by unnamed at 127.0.0.1: a test; the rest is exported"
    )
    await window.shot("without-footage")
    await check_axe(page)
    await page.get_by_role("link", name="Incidents").click()
    await expect(page.locator(".verdict")).to_contain_text("Nothing is missing")
    await expect(page.locator(".headline")).to_contain_text("1 incident cancelled")
    await page.locator(".row").get_by_role("link").click()
    await page.get_by_role("link", name="Retry").click()
    await expect(dialog).to_contain_text("Ask for it again?")
    await window.shot("dialog-retry", whole=False)
    await check_axe(page)
    await dialog.get_by_role("button", name="Yes, retry").click()
    await expect(page.locator(".notice")).to_contain_text("Asked for again")
    await expect(page.locator(".history")).to_contain_text("retried")


async def test_filters_stand_in_the_address(site: Installation, screen: Open) -> None:
    await site.start()
    alarm(site, "lobby", "hq", "lab", "depot")
    alarm(site, "long", "hq")
    alarm(site, "held", "hq")
    alarm(site, "nobody", "hq")
    with Peer(site.broker.port) as peer:
        peer.publish("access/hq/lobby", "not <b>JSON</b>")
    await site.until(
        lambda rows: (
            sum(row["state"] == "exported" for row in rows) == 3 and len(rows) == 5
        )
    )
    window = await screen(bypass_csp=True)
    page = window.page
    await page.goto("/")
    await expect(page.locator(".row")).to_have_count(5)
    await window.shot("list-busy")
    await check_axe(page)
    await page.get_by_text("Filters").click()
    await page.get_by_label("Rule").fill("lobby")
    await page.locator("select[name=state]").select_option("exported")
    await page.get_by_label("Search", exact=True).fill("LAB")
    await page.get_by_role("button", name="Show").click()
    await expect(page.locator(".row")).to_have_count(1)
    assert "rule=lobby" in page.url
    await page.goto("/?q=nothing-like-it")
    await expect(page.get_by_text("Nothing found.")).to_be_visible()
    await page.get_by_role("link", name="Health").click()
    await expect(page.locator(".hold")).to_contain_text("full")
    await window.shot("recorders-held")
    await check_axe(page)
    await page.get_by_role("link", name="Ignored messages").click()
    await expect(page.locator(".refused")).to_contain_text("payload is not JSON")
    await expect(page.locator(".refused b")).to_have_count(0)
    await window.shot("not-taken")
    await check_axe(page)
    window.expected = ("400 (Bad Request)", "404 (Not Found)")
    await page.goto("/?state=lost")
    await expect(
        page.get_by_role("heading", name="That cannot be read")
    ).to_be_visible()
    await page.goto("/incidents/none")
    await expect(page.get_by_role("heading", name="Nothing is here")).to_be_visible()
    await window.shot("error")
    await check_axe(page)


async def test_a_phone_a_wall_the_dark_and_a_browser_without_scripts(
    site: Installation, screen: Open
) -> None:
    await site.start()
    alarm(site, "lobby", "hq")
    alarm(site, "long", "hq")
    alarm(site, "forced", "hq")
    await site.until(lambda rows: any(row["state"] == "exported" for row in rows))
    forced = next(row for row in await site.rows() if row["rule"] == "forced")["id"]
    looks: dict[str, dict[str, Any]] = {
        "phone": PHONE,
        "phone-dark": PHONE | {"color_scheme": "dark"},
        "dark": {"color_scheme": "dark"},
        "wall": WALL,
    }
    for name, options in looks.items():
        window = await screen(bypass_csp=True, **options)
        await window.page.goto("/")
        await expect(window.page.locator(".row")).to_have_count(3)
        await check_width(window.page)
        await window.shot(f"list-{name}")
        await check_axe(window.page)
        await window.page.goto(f"/incidents/{forced}")
        await expect(window.page.locator("svg.timeline:visible")).to_have_count(1)
        others = window.page.locator(".beside a")
        await expect(others).to_have_count(2)  # taken in one step: of one instant
        assert sorted(await others.all_inner_texts()) == ["lobby (hq)", "long (hq)"]
        await check_width(window.page)
        await window.shot(f"incident-{name}")
        await check_axe(window.page)
    window = await screen(java_script_enabled=False)
    page = window.page
    await page.goto("/?rule=forced")
    await page.locator(".row").get_by_role("link").click()
    await page.get_by_role("link", name="Cancel").click()
    await window.shot("confirm-without-scripts")
    await page.get_by_label("Why").fill("a test")
    await page.get_by_role("button", name="Yes, cancel it").click()
    await expect(page.locator(".notice")).to_contain_text("Cancelled")


async def test_a_lost_connection_is_shown_and_comes_back(
    site: Installation, screen: Open
) -> None:
    daemon = await site.start()
    window = await screen()
    page = window.page
    await page.goto("/")
    await expect(page.locator("#pulse")).to_have_text("Live")
    window.expected = ("ERR_CONNECTION_REFUSED",)
    await daemon.stop()
    await expect(page.locator("#pulse")).to_contain_text("Connection lost")
    await expect(page.locator("body")).to_have_class("stale")
    await window.shot("connection-lost")
    await site.start()
    await expect(page.locator("#pulse")).to_have_text("Live", timeout=20_000)
    await expect(page.locator("body")).not_to_have_class("stale")
    alarm(site, "long", "hq")
    await expect(page.locator(".row")).to_have_count(1)


async def test_a_look_that_fails_is_shown_and_tried_again(
    site: Installation, screen: Open
) -> None:
    """The line to the daemon is open all the while: only its store is too slow."""
    await site.start()
    window = await screen()
    page = window.page
    await page.goto("/")
    await expect(page.locator("#pulse")).to_have_text("Live")

    window.expected = ("503 (Service Unavailable)",)

    async def refuse(route: Any) -> None:
        if "x-evidenced-live" in route.request.headers:
            await route.fulfill(status=503, body="{}")
        else:
            await route.continue_()

    await page.route("**/*", refuse)
    alarm(site, "long", "hq")
    await expect(page.locator("#pulse")).to_contain_text("Connection lost")
    await page.unroute("**/*")
    await expect(page.locator("#pulse")).to_have_text("Live", timeout=20_000)
    await expect(page.locator(".row")).to_have_count(1)
    await expect(page.locator("body")).not_to_have_class("stale")


async def test_users_log_in_and_a_viewer_changes_nothing(
    site: Installation, screen: Open
) -> None:
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    site.config["web"]["users"] = {
        "ann": cheap.hash("password-of-ann"),
        "guard": {"password": cheap.hash("password-of-guard"), "role": "viewer"},
    }
    await site.start()
    alarm(site, "long", "hq")
    window = await screen(bypass_csp=True)
    page = window.page
    await page.goto("/?state=recording")
    await expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    await window.shot("login")
    await check_axe(page)

    async def log_in(name: str, password: str) -> None:
        await page.get_by_label("Name").fill(name)
        await page.get_by_label("Password").fill(password)
        await page.get_by_role("button", name="Log in").click()

    window.expected = ("401 (Unauthorized)", "403 (Forbidden)")
    await log_in("guard", "wrong-password")
    await expect(page.get_by_role("alert")).to_contain_text("password is wrong")
    await log_in("guard", "password-of-guard")
    await expect(page.locator(".row")).to_have_count(1)
    assert page.url.endswith("/?state=recording")
    [cookie] = await window.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    await page.locator(".row").get_by_role("link").click()
    await expect(page.locator("svg.timeline:visible")).to_have_count(1)
    await expect(page.get_by_role("link", name="Cancel")).to_have_count(0)
    await window.shot("incident-viewer")
    path = re.sub(r"^https?://[^/]+", "", page.url)
    answered = await page.evaluate(
        "path => fetch('/api' + path + '/cancel',"
        " {method: 'POST', headers: {'X-Evidenced': '1'}}).then(got => got.status)",
        path,
    )
    assert answered == 403
    await page.goto(f"{path}/cancel")
    await expect(page.get_by_role("button", name="Yes, cancel it")).to_have_count(0)
    await page.get_by_role("button", name="Log out").click()
    await log_in("ann", "password-of-ann")
    await page.goto(f"{path}/cancel")
    await page.get_by_label("Why").fill("a test")
    await page.get_by_role("button", name="Yes, cancel it").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("cancelled")
    await expect(page.locator(".history")).to_contain_text("ann")
