"""An incident whose footage lies on a mounted share, and its evidence record."""

import asyncio
import hashlib
import json
import signal
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.async_api import expect

from browser.looking import PHONE, alarm, check_axe, check_width
from evidenced.evidence.signature import make_key
from evidenced.evidence.verify import verify
from fakes.installation import Installation

Open = Callable[..., Any]


async def test_the_record_its_files_hashes_and_key_are_on_the_page(
    site: Installation, screen: Open, tmp_path: Path
) -> None:
    mount = tmp_path / "disk" / "V" / "evidence"
    mount.mkdir(parents=True)
    (mount / ".share").touch()
    site.config["destinations"]["nas"] |= {"mount": str(mount), "marker": ".share"}
    made = make_key(tmp_path / "key")
    site.config["evidence"] = {"key": {"file": str(tmp_path / "key")}, "stable": "1h"}
    site.config["rules"][1] |= {"protect": True}
    daemon = await site.start()
    window = await screen(
        bypass_csp=True, permissions=["clipboard-read", "clipboard-write"]
    )
    page = window.page
    alarm(site, "lobby", "hq")
    await page.goto("/")
    await page.locator(".row").get_by_role("link").click()
    record = page.locator("#record")
    await expect(record.locator(".chip")).to_have_text("wanted")
    await window.shot("record-wanted")
    site.config["evidence"]["stable"] = "1s"
    site.write()
    daemon.signal(signal.SIGHUP)
    await daemon.line("configuration read and in force")
    name = page.url.rpartition("/")[2]
    async with site.http.post(
        f"/api/incidents/{name}/record", headers={"X-Evidenced": "1"}
    ) as response:
        assert response.status == 200, await response.text()
    await expect(record.locator(".chip")).to_have_text("written")
    await expect(record).to_contain_text(made.key)
    [folder] = [each for each in mount.iterdir() if each.is_dir()]
    said = json.loads((folder / "incident.json").read_bytes())
    for file in said["files"]:
        await expect(record).to_contain_text(file["name"])
        await expect(record).to_contain_text(file["sha256"])
    whole = hashlib.sha256((folder / "incident.json").read_bytes()).hexdigest()
    await expect(record).to_contain_text(whole)
    await expect(page.locator(".tags .chip")).to_have_text("confirmed")
    await page.locator("#requests > summary").click()
    await expect(page.get_by_text("until a person releases it")).to_be_visible()
    await window.shot("record-written")
    await check_axe(page)
    await take_home(window, folder, tmp_path / "home")
    check = record.locator("dd").filter(has_text="evidenced verify")
    await check.get_by_role("button").click()
    command = await page.evaluate("navigator.clipboard.readText()")
    assert command == f"evidenced verify '{folder}'"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "evidenced", "verify", str(folder))
    )
    assert await process.wait() == 0
    for name, options in {
        "phone": PHONE,
        "dark": {"color_scheme": "dark"},
    }.items():
        other = await screen(bypass_csp=True, **options)
        await other.page.goto(page.url)
        await expect(other.page.locator("#record .chip")).to_have_text("written")
        await check_width(other.page)
        await check_axe(other.page)
        await other.shot(f"record-{name}")


async def take_home(window: Any, folder: Path, home: Path) -> None:
    """The zip is the folder, and the page of the record opens, without its script."""
    page = window.page
    link = page.locator("#record").get_by_role("link", name="with its footage")
    async with page.expect_download() as download:
        await link.click()
    with zipfile.ZipFile(await (await download.value).path()) as found:
        found.extractall(home)
    assert verify(home / folder.name).is_intact
    shown = await window.context.new_page()
    await shown.goto(f"{page.url}/record/1")
    await expect(shown.get_by_text("There is footage of Lobby")).to_be_visible()
    await shown.close()
