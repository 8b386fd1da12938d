"""Debian's chromium over a whole installation; screenshots are kept as artefacts.

They go to --screenshots FOLDER, else $EVIDENCED_SCREENSHOTS, else pytest's tmp_path.
"""

import os
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import (
    Browser,
    BrowserContext,
    Page,
    async_playwright,
    expect,
)

from fakes.installation import Installation, Recorder, quick, rule
from fakes.mosquitto import Mosquitto

ARGUMENTS = (
    "--no-sandbox",  # root in a container has no user namespace to build one from
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-gpu",
    "--no-first-run",
    "--disable-dev-shm-usage",
)
DEADLINE_MS = 15_000

Open = Callable[..., Any]


@pytest.fixture(scope="session")
def chromium() -> str:
    found = shutil.which("chromium")
    if found is None:
        reason = "chromium is not installed (Debian: apt install chromium)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture
def shots(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    said = request.config.getoption("--screenshots")
    said = said or os.environ.get("EVIDENCED_SCREENSHOTS")
    folder = Path(said) if said else tmp_path / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    expect.set_options(timeout=DEADLINE_MS)
    async with async_playwright() as playwright:
        found = await playwright.chromium.launch(
            executable_path=chromium, args=list(ARGUMENTS)
        )
        yield found
        await found.close()


@pytest.fixture
async def site(tmp_path: Path, mosquitto: Mosquitto) -> AsyncIterator[Installation]:
    """A recorder with a camera that works and one that is dead, and four rules.

    `forced` films with both cameras, `lobby` with the one that works; `held` goes to a
    folder that cannot be written, and is late; `long` films for ten minutes. The
    recorder's drives are folders below `disk`.
    """
    recorder = Recorder(
        quick(
            clock={"offset": "4s"},
            devices=[
                {"server": "1001", "device": "2001", "name": "Lobby"},
                {"server": "1001", "device": "2002", "name": "North", "dead": True},
            ],
            exports={"unwritable": ["Q:\\full"]},
        ),
        directory=tmp_path / "disk",
    )
    await recorder.start()
    site = Installation(tmp_path, mosquitto, {"main": recorder})
    site.config["cameras"]["main-1"]["label"] = "Lobby"
    site.config["cameras"]["main-2"]["label"] = "Door north"
    site.config["destinations"]["full"] = {"path": "Q:\\full\\{id}"}
    site.config["rules"] = [
        rule("forced", cameras=["main-1", "main-2"], destination="nas"),
        rule("lobby", cameras=["main-1"], destination="nas"),
        rule("held", cameras=["main-1"], destination="full", alert_after="1s"),
        rule("long", cameras=["main-1"], destination="nas", post_roll="10m"),
    ]
    yield site
    await site.close()


class Screen:
    """A browser window on the page; what its console complains about fails the test.

    `expected` are parts of what it has to complain about in this test.
    """

    def __init__(self, context: BrowserContext, page: Page, shots: Path) -> None:
        self.context = context
        self.page = page
        self._shots = shots
        self.complaints: list[str] = []
        self.expected: tuple[str, ...] = ()
        page.on(
            "console",
            lambda said: (
                self.complaints.append(said.text) if said.type == "error" else None
            ),
        )
        page.on("pageerror", lambda fault: self.complaints.append(str(fault)))

    def unexpected(self) -> list[str]:
        return [
            said
            for said in self.complaints
            if not any(part in said for part in self.expected)
        ]

    async def shot(self, name: str, *, whole: bool = True) -> None:
        """`whole` is the page, else what is seen of it; a dialog covers only that."""
        await self.page.screenshot(path=self._shots / f"{name}.png", full_page=whole)


@pytest.fixture
async def screen(
    browser: Browser, site: Installation, shots: Path
) -> AsyncIterator[Open]:
    """Opens windows; the keywords are those of a Playwright context."""
    windows: list[Screen] = []

    async def open_one(**options: Any) -> Screen:
        values = {
            "base_url": f"http://127.0.0.1:{site.web_port}",
            "viewport": {"width": 1280, "height": 900},
        }
        context = await browser.new_context(**(values | options))
        context.set_default_timeout(DEADLINE_MS)
        windows.append(Screen(context, await context.new_page(), shots))
        return windows[-1]

    yield open_one
    for window in windows:
        await window.context.close()
    assert [said for window in windows for said in window.unexpected()] == []
