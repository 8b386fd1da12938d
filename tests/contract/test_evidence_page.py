"""The page of a record: nothing in it runs, calls out, or is more than text."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

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
    assert re.findall(r"<(script|img|b|link|iframe|object)\b", page) == []
    assert "<svg" in page
    assert "default-src 'none'" in page
    assert {"http://x.example/a.js"} >= set(re.findall(r"https?:[^\s\"&<]+", page))
