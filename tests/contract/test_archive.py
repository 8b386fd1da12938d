"""Records as the page gives them: only what was written, whole, and not too much."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from evidenced.core.errors import NotFound, Refused
from evidenced.core.ids import IncidentId
from evidenced.core.keeping.evidence import PAGE, RECORD
from evidenced.evidence.verify import verify
from evidenced.pipeline import archive as archive_module
from evidenced.pipeline.archive import Archive
from evidenced.ports.evidence import Bundle
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.evidence import EvidenceBench
from fakes.site import Site, serving

VIDEO = bytes(range(256)) * 10_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


async def recorded(
    store: SqlStore, tmp_path: Path, *, is_mounted: bool = True
) -> tuple[EvidenceBench, Archive]:
    bench = EvidenceBench(store, tmp_path / "share", is_mounted=is_mounted)
    bench.put(a=VIDEO)
    (bench.folder / "inner").mkdir()
    (bench.folder / "inner" / "b").write_bytes(b"more")
    (bench.folder / "inner" / "link").symlink_to("/etc/passwd")
    (bench.folder / "..\\up").write_bytes(b"x")
    await bench.export_it()
    await bench.go(2)
    return bench, Archive(bench.world, bench.shares, bench.folders)


async def taken(archive: Archive, incident: IncidentId) -> zipfile.ZipFile:
    bundle = await archive.bundle(incident, 1)
    assert bundle.name == f"{incident}.zip"
    return zipfile.ZipFile(io.BytesIO(b"".join([each async for each in bundle.chunks])))


@pytest.mark.parametrize("is_mounted", [True, False])
async def test_a_zip_is_the_folder_and_the_page_is_its_page(
    store: SqlStore, tmp_path: Path, is_mounted: bool
) -> None:
    bench, archive = await recorded(store, tmp_path, is_mounted=is_mounted)
    name = bench.incident.id
    page = await archive.page(name, 1)
    assert page.startswith(b"<!DOCTYPE html>")
    found = await taken(archive, name)
    assert found.testzip() is None
    record = [f"i1/{PAGE}", f"i1/{RECORD}"]
    footage = ["i1/.._up", "i1/a", "i1/inner/b"]
    assert sorted(found.namelist()) == sorted(record + (footage if is_mounted else []))
    assert found.read(f"i1/{PAGE}") == page
    if is_mounted:
        assert found.read("i1/a") == VIDEO
    found.extractall(tmp_path / "home")
    checked = verify(tmp_path / "home" / "i1")
    assert (checked.altered, checked.faults) == ([], [])


async def test_what_was_altered_is_not_shown(store: SqlStore, tmp_path: Path) -> None:
    bench, archive = await recorded(store, tmp_path)
    name = bench.incident.id
    page = (bench.folder / PAGE).read_bytes()
    (bench.folder / PAGE).write_bytes(b"<script>alert(1)</script>")
    with pytest.raises(Refused, match=r"incident.html in .* was altered"):
        await archive.page(name, 1)
    (bench.folder / PAGE).unlink()
    (bench.folder / PAGE).symlink_to("/etc/passwd")
    with pytest.raises(Refused, match="is a link"):
        await archive.page(name, 1)
    (bench.folder / PAGE).unlink()
    (bench.folder / PAGE).write_bytes(page)
    (bench.folder / RECORD).write_bytes(b"{}")
    with pytest.raises(Refused, match=r"incident.json in .* was altered"):
        await archive.page(name, 1)
    for incident, number in ((name, 0), (name, 2), (IncidentId("i9"), 1)):
        with pytest.raises(NotFound):
            await archive.page(incident, number)


async def test_it_is_bounded(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, archive = await recorded(store, tmp_path)
    name = bench.incident.id
    most = archive_module.MOST_AT_ONCE
    under_way = [await archive.bundle(name, 1) for _ in range(most)]
    with pytest.raises(Refused, match="try again in a while"):
        await archive.bundle(name, 1)
    for bundle in under_way:
        await bundle.chunks.aclose()
    assert (await taken(archive, name)).testzip() is None
    monkeypatch.setattr(archive_module, "MOST_BYTES", 10)
    with pytest.raises(Refused, match="too much for a download"):
        await archive.bundle(name, 1)


async def test_those_that_come_together_are_bounded_too(
    store: SqlStore, tmp_path: Path
) -> None:
    bench, archive = await recorded(store, tmp_path)
    asked = [archive.bundle(bench.incident.id, 1) for _ in range(6)]
    found = await asyncio.gather(*asked, return_exceptions=True)
    bundles = [each for each in found if isinstance(each, Bundle)]
    assert len(bundles) == archive_module.MOST_AT_ONCE
    for bundle in bundles:  # its reader goes before the first byte
        await bundle.chunks.aclose()
    assert (await taken(archive, bench.incident.id)).testzip() is None


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with serving(tmp_path) as site:
        yield site


async def test_over_http_the_page_runs_nothing_and_the_zip_is_a_download(
    site: Site,
) -> None:
    control = site.control
    got = await site.get("/incidents/i1/record/1")
    assert (got.status, got.body) == (200, b"<h1>record</h1>")
    policy = got.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "script" not in policy
    got = await site.get("/incidents/i1/record/2.zip")
    assert (got.status, got.body) == (200, b"PKend")
    assert got.headers["Content-Disposition"] == 'attachment; filename="i1.zip"'
    assert control.asked == [("page", "i1", 1), ("bundle", "i1", 2)]
    control.fault = Refused("incident.html was altered")
    assert (await site.get("/incidents/i1/record/1")).status == 409
    control.fault = NotFound("there is no such record")
    assert (await site.get("/incidents/i1/record/1.zip")).status == 404
    for path in ("x", "1/../2", "-1", "12345", "1.html"):
        assert (await site.get(f"/incidents/i1/record/{path}")).status == 404
