"""incident.html, opened from the folder that it lies in, checks that folder."""

import hashlib
import json
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from browser.looking import PHONE, check_axe, check_width
from evidenced.core.keeping.evidence import (
    DISPOSAL,
    PAGE,
    RECORD,
    SIGNATURE,
    SIGNED,
    want_again,
)
from evidenced.evidence.signature import NewKey, Signer, make_key
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.evidence import EvidenceBench
from fakes.incident import PLAIN, camera, ended, requested


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


@pytest.fixture
def made(tmp_path: Path) -> NewKey:
    return make_key(tmp_path / "key")


@pytest.fixture
async def folder(store: SqlStore, tmp_path: Path, made: NewKey) -> Path:
    """Footage with a signed record in its second revision."""
    assert made
    bench = EvidenceBench(store, tmp_path / "share", key=(tmp_path / "key").read_text())
    bench.put(**{"a": b"video", "1001-2001-x.dvn": os.urandom(300_000)})
    await bench.export_it()
    await bench.picture_it()
    await bench.go(2)
    name, now = bench.incident.id, bench.clock.now()
    await store.write(
        lambda tx: tx.evidence.save(want_again(tx.evidence.of([name])[0], name, now))
    )
    await bench.go(2)
    return bench.folder


@pytest.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    made = await browser.new_context(viewport={"width": 1280, "height": 900})
    made.set_default_timeout(15_000)
    yield made
    await made.close()


@pytest.fixture
async def page(context: BrowserContext, folder: Path) -> AsyncIterator[Page]:
    """Whatever the page asks of the network, or complains about, fails the test."""
    faults: list[str] = []
    page = await context.new_page()
    page.on("console", lambda said: faults.append(said.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "request",
        lambda request: (
            faults.append(request.url) if not request.url.startswith("file:") else None
        ),
    )
    await page.goto((folder / PAGE).as_uri())
    yield page
    assert faults == []


async def choose(page: Page, folder: Path) -> None:
    await page.locator("#folder").set_input_files(folder)
    await expect(page.locator("#bar")).to_be_hidden()
    await expect(page.locator("#verdict")).not_to_have_text("")


async def test_what_was_not_touched_is_the_same(
    page: Page, folder: Path, made: NewKey, shots: Path
) -> None:
    assert await page.evaluate("isSecureContext && !!crypto.subtle")
    (folder / "Thumbs.db").write_bytes(b"icons")
    await page.screenshot(path=shots / "incident-html.png", full_page=True)
    await page.locator("#given").fill(made.public_key)
    await choose(page, folder)
    await expect(page.locator("#verdict")).to_have_text(
        "The same: all 2 files are what they were when the record was written."
    )
    await expect(page.locator("td[data-file=a]")).to_have_text("the same")
    findings = page.locator("#findings")
    await expect(findings).to_contain_text(f"holds, by key {made.key}")
    await expect(findings).to_contain_text("it is the key that you were given")
    await expect(findings).to_contain_text("neither evidence nor alteration: Thumbs.db")
    await expect(page.locator("#key")).to_contain_text(made.public_key)
    await page.screenshot(path=shots / "incident-html-same.png", full_page=True)


async def test_whatever_was_done_is_named(
    page: Page, folder: Path, tmp_path: Path, shots: Path
) -> None:
    (folder / "a").write_bytes(b"vide0")
    (folder / "1001-2001-x.dvn").unlink()
    (folder / "more").write_bytes(b"x")
    (folder / "incident.r1.json").write_bytes(b"{}")
    other = make_key(tmp_path / "other")
    await page.locator("#given").fill(other.public_key)
    await choose(page, folder)
    verdict = page.locator("#verdict")
    await expect(verdict).to_have_text("Altered: 5 things are not as they were.")
    findings = page.locator("#findings")
    for said in (
        "altered: a",
        "missing: 1001-2001-x.dvn",
        "additional: more",
        "altered: incident.r1.json",
        "it is not the key that you were given",
    ):
        await expect(findings).to_contain_text(said)
    await expect(page.locator("td[data-file=a]")).to_have_text("altered")
    await page.screenshot(path=shots / "incident-html-altered.png", full_page=True)


def dispose(folder: Path, key: str, *, record: bytes = b"") -> None:
    """As the rule does; `record` is what the statement says it is about."""
    signer = Signer(lambda: key)
    about = record or (folder / RECORD).read_bytes()
    value = {
        "format": "evidenced-disposal",
        "version": 1,
        "incident": json.loads((folder / RECORD).read_bytes())["incident"]["id"],
        "record": hashlib.sha256(about).hexdigest(),
        "at": "2026-11-23T12:00:00Z",
        "by": "rule",
        "comment": "",
        "place": "",
        "files": ["1001-2001-x.dvn"],
        "signed_by": signer.key(),
    }
    data = json.dumps(value).encode()
    signed = signer.sign(data, DISPOSAL)
    assert signed is not None
    (folder / DISPOSAL).write_bytes(data)
    (folder / (DISPOSAL + SIGNED)).write_bytes(signed)
    (folder / "1001-2001-x.dvn").unlink(missing_ok=True)


async def test_what_was_disposed_of_is_no_alteration(
    page: Page, folder: Path, tmp_path: Path
) -> None:
    dispose(folder, (tmp_path / "key").read_text())
    await choose(page, folder)
    await expect(page.locator("#verdict")).to_contain_text("one file is gone")
    await expect(page.locator('td[data-file="1001-2001-x.dvn"]')).to_have_text("gone")
    findings = page.locator("#findings")
    await expect(findings).to_contain_text(
        "footage was disposed of on 2026-11-23T12:00:00Z, by rule"
    )
    (folder / "a").unlink()
    await choose(page, folder)
    await expect(findings).to_contain_text("missing: a")
    await expect(page.locator("#verdict")).to_contain_text("Altered: one thing")


async def test_no_file_hides_behind_the_name_of_a_link(
    page: Page, folder: Path, tmp_path: Path
) -> None:
    """The record names a pipe; somebody puts a file there."""
    record = json.loads((folder / RECORD).read_bytes()) | {"others": ["more"]}
    (folder / RECORD).write_text(json.dumps(record))
    signed = Signer((tmp_path / "key").read_text).sign((folder / RECORD).read_bytes())
    assert signed is not None
    (folder / SIGNATURE).write_bytes(signed)
    (folder / "more").write_bytes(b"video")
    await choose(page, folder)
    await expect(page.locator("#findings")).to_contain_text("additional: more")
    await expect(page.locator("#verdict")).to_contain_text("Altered: one thing")


async def test_whoever_deletes_footage_cannot_say_that_it_was_disposed_of(
    page: Page, folder: Path, tmp_path: Path, made: NewKey
) -> None:
    findings = page.locator("#findings")
    make_key(tmp_path / "theirs")
    dispose(folder, (tmp_path / "theirs").read_text())
    await choose(page, folder)
    await expect(findings).to_contain_text("not by that of the record")
    verdict = page.locator("#verdict")
    await expect(verdict).to_contain_text("In doubt: one file is gone")
    await expect(verdict).to_have_class("bad")
    await page.locator("#given").fill(made.public_key)
    await choose(page, folder)
    await expect(findings).to_contain_text("by the key that you were given")
    await expect(findings).to_contain_text("missing: 1001-2001-x.dvn")
    await expect(verdict).to_contain_text("Altered: 2 things")
    await page.locator("#given").fill("")
    (folder / "a").write_bytes(b"vide0")
    await choose(page, folder)
    await expect(verdict).to_contain_text("Altered: one thing")
    (folder / (DISPOSAL + SIGNED)).unlink()
    await choose(page, folder)
    await expect(findings).to_contain_text("is not signed: whoever can write here")
    dispose(folder, (tmp_path / "key").read_text(), record=b"another")
    await choose(page, folder)
    await expect(findings).to_contain_text("is about another record")
    (folder / DISPOSAL).write_bytes(b"[")
    await choose(page, folder)
    await expect(findings).to_contain_text("is no statement of a disposal")
    await expect(page.locator("#verdict")).to_contain_text("Altered")


async def test_pictures_show_offline_and_on_paper_and_are_checked(
    page: Page, folder: Path
) -> None:
    pictures = page.locator(".stills img")
    await expect(pictures).to_have_count(3)
    for medium in ("screen", "print"):
        await page.emulate_media(media=medium)  # type: ignore[arg-type]
        for each in await pictures.all():
            await expect(each).to_be_visible()
            await expect(each).to_have_js_property("naturalWidth", 640)
    await page.emulate_media(media="screen")
    first, second, _ = sorted(folder.glob("incident.still-*.jpg"))
    first.write_bytes(first.read_bytes() + b"x")
    second.unlink()
    await choose(page, folder)
    findings = page.locator("#findings")
    await expect(findings).to_contain_text(f"altered: {first.name}")
    await expect(findings).to_contain_text(f"missing: {second.name}")
    await expect(page.locator("figcaption").first).to_contain_text("altered")
    await expect(page.locator("figcaption").last).to_contain_text("the same")


async def test_list_page_signature_and_folder_hold_together(
    page: Page, folder: Path, tmp_path: Path
) -> None:
    findings = page.locator("#findings")
    text = (folder / RECORD).read_text()
    said = json.loads(text)
    (folder / "a").write_bytes(b"vide0")
    said["files"] = [
        each | {"sha256": hashlib.sha256(b"vide0").hexdigest()}
        if each["name"] == "a"
        else each
        for each in said["files"]
    ]
    (folder / RECORD).write_text(json.dumps(said))
    await choose(page, folder)
    await expect(findings).to_contain_text("is not the one of this page")
    await expect(findings).to_contain_text("is not that of this record")
    (folder / "a").write_bytes(b"video")
    (folder / RECORD).write_text(text)
    signed = (folder / SIGNATURE).read_bytes()
    (folder / SIGNATURE).unlink()
    await choose(page, folder)
    await expect(findings).to_contain_text("missing or unreadable")
    (folder / SIGNATURE).write_bytes(signed)
    renamed = tmp_path / "i9"
    shutil.copytree(folder, renamed)
    await choose(page, renamed)
    await expect(findings).to_contain_text("this one is called “i9”")
    (folder / RECORD).write_bytes(b"[5")
    await choose(page, folder)
    await expect(findings).to_contain_text("is no evidence record")
    (folder / RECORD).unlink()
    await choose(page, folder)
    await expect(findings).to_contain_text("incident.json is missing")


LENGTHS = [0, 1, 55, 56, 63, 64, 65, 1000, 300_000]


async def test_without_webcrypto_it_hashes_by_itself(
    context: BrowserContext, folder: Path
) -> None:
    """As where the page comes over http from another host."""
    for size in LENGTHS:
        (folder / f"n{size}").write_bytes(os.urandom(size))
    said: dict[str, Any] = json.loads((folder / RECORD).read_text())
    for each in folder.glob("n*"):
        sha = hashlib.sha256(each.read_bytes()).hexdigest()
        said["files"].append({"name": each.name, "bytes": 0, "sha256": sha})
    (folder / RECORD).write_text(json.dumps(said))
    await context.add_init_script(
        "Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined })"
    )
    page = await context.new_page()
    await page.goto((folder / PAGE).as_uri())
    await choose(page, folder)
    findings = page.locator("#findings")
    await expect(findings).to_contain_text("is not the one of this page")
    await expect(findings.get_by_text("altered:")).to_have_count(0)
    await expect(findings.get_by_text("additional:")).to_have_count(0)
    await expect(findings.get_by_text("missing:")).to_have_count(0)


async def test_it_is_for_phones_paper_and_everybody(
    browser: Browser, folder: Path, shots: Path
) -> None:
    for name, options in {"phone": PHONE, "dark": {"color_scheme": "dark"}}.items():
        context = await browser.new_context(bypass_csp=True, **options)
        page = await context.new_page()
        await page.goto((folder / PAGE).as_uri())
        await check_width(page)
        await page.screenshot(path=shots / f"incident-html-{name}.png", full_page=True)
        for each in await page.locator("summary").all():
            await each.click()
        await check_width(page)
        await check_axe(page)
        await page.pdf(path=shots / f"incident-html-{name}.pdf", format="A4")
        await context.close()


LONG = "Überwachungskameraaufzeichnungsanlagenverwaltungsgebäude" * 2
ODD = ("<script>alert(1)</script>", "كاميرا المدخل", "🚪" * 30, LONG)


async def test_odd_words_stay_on_the_screen_and_print_on_paper(
    store: SqlStore, context: BrowserContext, tmp_path: Path, shots: Path
) -> None:
    cameras = [replace(camera(f"c{n}"), label=f"{ODD[n % 4]} {n}") for n in range(64)]
    rule = replace(PLAIN, terms=replace(PLAIN.terms, summary=f"{LONG} {ODD[0]}"))
    bench = EvidenceBench(store, tmp_path / "share")
    bench.incident, bench.export = requested(ended(*cameras, rule=rule))
    bench.put(**{f"1001-device-c0-{LONG[:50]}.dvn": b"video"})
    await bench.export_it()
    await bench.go(2)
    page = await context.new_page()
    for width in (1280, 390):
        await page.set_viewport_size({"width": width, "height": 900})
        await page.goto((bench.folder / PAGE).as_uri())
        for opened in await page.locator("details").all():
            await opened.evaluate("each => each.open = true")
        await check_width(page)
        await page.screenshot(path=shots / f"incident-html-odd-{width}.png")
    font = "each => getComputedStyle(each).fontFamily"
    label = page.locator("svg text.name").first
    assert "system-ui" in await label.evaluate(font)
    await page.evaluate("window.print = () => { document.title = 'printed' }")
    await page.get_by_role("button", name="Print").click()
    await expect(page).to_have_title("printed")
    await page.emulate_media(media="print")
    await expect(page.locator("#print")).to_be_hidden()
