"""The page of a record: nothing in it runs, calls out, or is more than text."""

import html
import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from evidenced.evidence import page as page_of_record
from evidenced.evidence.verify import verify
from evidenced.simulator.drawn import draw
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes import evidence
from fakes.evidence import EvidenceBench

HOSTILE = b'</pre><script src="http://x.example/a.js"></script><img src=x onerror=y>'


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


async def test_whatever_an_alarm_says_stays_text(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "PAYLOAD", HOSTILE)
    bench = EvidenceBench(store, tmp_path / "share")
    bench.put(**{"<b>.dvi": b"video"})
    await bench.export_it()
    await bench.go(2)
    page = (bench.folder / "incident.html").read_text()
    assert "&lt;script src=" in page
    assert "&lt;b&gt;.dvi" in page
    assert re.findall(r"<(img|b|link|iframe|object)\b", page) == []
    assert re.findall(r"<script[^>]*>", page) == [
        '<script type="application/json" id="list">',
        "<script>",
    ]
    assert "<svg" in page
    assert {"http://x.example/a.js"} >= set(re.findall(r"https?:[^\s\"&<]+", page))


async def test_the_policy_lets_run_what_stands_there_and_nothing_else(
    store: SqlStore, tmp_path: Path
) -> None:
    page = (await recorded(store, tmp_path)).decode()
    [policy] = re.findall(r'Policy" content="([^"]+)"', page)
    [script] = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    [style] = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    said = html.unescape(policy).split("; ")
    assert said == [
        "default-src 'none'",
        f"script-src 'sha256-{digest(script)}'",
        f"style-src 'sha256-{digest(style)}'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert re.findall(r"\son[a-z]+=|\sstyle=", page.replace(script, "")) == []


async def test_the_first_paragraph_says_what_happened(
    store: SqlStore, tmp_path: Path
) -> None:
    page = html.unescape((await recorded(store, tmp_path)).decode())
    [lead] = re.findall(r'<p class="lead">(.*?)</p>', page, re.DOTALL)
    assert lead.startswith("On Monday 23 November 2026 at ")
    assert "There is footage of Lobby" in lead
    assert re.findall(r'data-is="File" class="name">(.*?)</td>', page)[:2] == ["a", "b"]
    assert "Content-Security-Policy" in page


async def test_pictures_stand_in_the_page_while_there_is_room(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = EvidenceBench(store, tmp_path / "share")
    bench.put(a=b"video")
    await bench.export_it()
    await bench.picture_it()
    size = len(draw("lobby", bench.incident.opened_at))
    monkeypatch.setattr(page_of_record, "MOST_SHOWN", 2 * size)
    await bench.go(2)
    page = (bench.folder / "incident.html").read_text()
    assert page.count('src="data:image/jpeg;base64,') == 2
    assert "2 of 3; the others lie in this folder" in page
    assert page.index('class="lead"') < page.index("<img") < page.index("The files in")
    [first, *_] = sorted(bench.folder.glob("incident.still-*.jpg"))
    assert b64encode(first.read_bytes()).decode() in page
    assert verify(bench.folder).is_intact


async def recorded(store: SqlStore, tmp_path: Path) -> bytes:
    bench = EvidenceBench(store, tmp_path / "share")
    bench.put(a=b"video", b=b"more")
    await bench.export_it()
    await bench.go(2)
    return (bench.folder / "incident.html").read_bytes()


def digest(text: str) -> str:
    return b64encode(sha256(text.encode()).digest()).decode()
