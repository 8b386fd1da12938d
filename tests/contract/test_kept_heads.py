"""Heads of the chain that are kept on the share, and what they tell of the store."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from evidenced.cli.main import run
from evidenced.core.keeping.heads import file_name
from evidenced.evidence.heads import read_heads
from evidenced.evidence.signature import make_key, read_public_key
from evidenced.store import StoreSettings, open_store
from evidenced.store.backup import back_up
from evidenced.store.sqlite import FILE
from fakes.evidence import EvidenceBench
from fakes.incident import ended, requested

HOUR_S = 3600.0
CONFIG = r"""
[daemon]
state_dir = "{state}"
instance = "{instance}"
[mqtt]
url = "mqtt://broker.example"
[destinations.nas]
path = 'V:\evidence\{{id}}'
root = 'V:\evidence'
mount = "{mount}"
marker = ".share"
"""


@dataclass
class Kept:
    """Two hours of a daemon; `key` is its public key."""

    bench: EvidenceBench
    state: Path
    config: Path
    key: str

    async def keep(self) -> None:
        await self.bench.loop._heads.keep()
        self.bench.clock.advance(HOUR_S)

    @property
    def file(self) -> Path:
        return self.bench.mount / file_name(self.bench.world.site.instance)

    def verify(self, *more: str) -> int:
        return run(["audit", "verify", "-c", str(self.config), "--no-footage", *more])


@pytest.fixture
async def kept(tmp_path: Path) -> Kept:
    made = make_key(tmp_path / "key")
    state = tmp_path / "state"
    store = open_store(StoreSettings(directory=state))
    bench = EvidenceBench(store, tmp_path / "mnt", key=(tmp_path / "key").read_text())
    config = tmp_path / "evidenced.toml"
    config.write_text(
        CONFIG.format(
            state=state, mount=bench.mount, instance=bench.world.site.instance
        )
    )
    found = Kept(bench, state, config, made.public_key)
    await bench.export_it()
    await found.keep()
    back_up(state, tmp_path / "older")
    await bench.store.write(lambda tx: tx.settings.keep({"d": "{}"}))
    await found.keep()
    store.close()
    return found


async def test_a_line_an_hour_signed(
    kept: Kept, capsys: pytest.CaptureFixture[str]
) -> None:
    found = read_heads(
        kept.bench.mount, kept.bench.world.site.instance, read_public_key(kept.key)
    )
    first, second = (each.head.seq for each in found.signed)
    assert first < second
    assert (found.others, found.forged) == ((), ())
    assert kept.verify("--key", kept.key) == 0
    assert "intact: 2 heads kept on shares" in capsys.readouterr().out


async def test_an_older_copy_is_told_without_any_head_given(
    kept: Kept, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("-wal", "-shm"):
        (kept.state / (FILE + name)).unlink(missing_ok=True)
    shutil.copy(tmp_path / "older", kept.state / FILE)
    assert kept.verify("--key", kept.key) == 1
    assert "an older copy was put back" in capsys.readouterr().err


async def test_a_chain_made_anew_is_told(
    kept: Kept, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    store = open_store(StoreSettings(directory=other))
    bench = EvidenceBench(store, tmp_path / "mnt2")
    bench.incident, bench.export = requested(ended())
    for n in range(9):
        await store.write(lambda tx, n=n: tx.settings.keep({str(n): "{}"}))
    store.close()
    shutil.copy(other / FILE, kept.state / FILE)
    for name in ("-wal", "-shm"):
        (kept.state / (FILE + name)).unlink(missing_ok=True)
    assert kept.verify() == 1
    assert "the chain was made anew" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("how", "code", "says"),
    [
        (lambda text: text.replace('"seq":', '"seq":9'), 1, "signature does not fit"),
        (lambda text: text + '{"at":"2026', 0, "intact: 2 heads"),
        (lambda text: text + "\x00\ufffd junk\n", 0, "intact: 2 heads"),
        (lambda text: text.split("\t")[0] + "\n", 0, "not compared: 1 head that"),
        (lambda _: "", 0, "intact: every row"),
    ],
)
async def test_what_others_do_to_the_file(
    kept: Kept,
    capsys: pytest.CaptureFixture[str],
    how: Callable[[str], str],
    code: int,
    says: str,
) -> None:
    kept.file.write_text(how(kept.file.read_text()))
    assert kept.verify("--key", kept.key) == code
    assert says in "".join(capsys.readouterr())


async def test_no_link_is_written_through(kept: Kept, tmp_path: Path) -> None:
    (tmp_path / "target").write_text("mine")
    kept.file.unlink()
    kept.file.symlink_to(tmp_path / "target")
    kept.bench.loop._heads._kept_at.clear()
    store = open_store(StoreSettings(directory=kept.state))
    kept.bench.world.store = store
    await kept.keep()
    store.close()
    assert (tmp_path / "target").read_text() == "mine"
    told = kept.bench.log.events("warning")
    assert "the head of the audit chain is not kept on a share" in told


RECORD = """{{
  "instance": "{instance}", "written": "{written}",
  "incident": {{"id": "20261123-120000-gone"}}, "audit": {{"seq": {seq}}}
}}"""


@pytest.mark.parametrize(
    ("changes", "code"),
    [({}, 1), ({"instance": "another"}, 0), ({"seq": 0}, 0), ({"seq": '"x"'}, 0)],
)
async def test_a_record_that_the_chain_does_not_know(
    kept: Kept, capsys: pytest.CaptureFixture[str], changes: dict[str, str], code: int
) -> None:
    folder = kept.bench.mount / "gone"
    folder.mkdir()
    said = {
        "instance": kept.bench.world.site.instance,
        "written": "2026-11-23T12:00:00.000Z",
        "seq": 1,
    }
    (folder / "incident.json").write_text(RECORD.format(**said | changes))
    assert run(["audit", "verify", "-c", str(kept.config)]) == code
    told = f"{folder} holds a record of incident 20261123-120000-gone, which the chain"
    assert (told in capsys.readouterr().err) == bool(code)
