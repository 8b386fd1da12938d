"""The audit chain's head, time stamped by a real authority and verified offline."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from rfc3161_client import TimestampRequestBuilder

from evidenced.cli.main import run
from evidenced.core.errors import BadInput
from evidenced.core.incidents.history import Event
from evidenced.core.keeping.stamps import STAMP_EVERY, stamps_name
from evidenced.evidence.authority import MOST_BYTES, Authority
from evidenced.evidence.timestamp import roots_of, verify_stamp
from evidenced.pipeline.stamping import Stamping, last_stamp
from evidenced.store import SqlStore, StoreSettings, open_store
from evidenced.store.sqlite import FILE
from fakes.authority import NAME, OPENSSL, AuthorityDouble
from fakes.evidence import EvidenceBench

pytestmark = pytest.mark.skipif(not OPENSSL, reason="openssl is not installed")
TEXT = '{"at":"2026-11-23T06:00:00.000Z","hash":"00","instance":"hq","seq":17}'
HOUR_S = 3600.0
CONFIG = r"""
[daemon]
state_dir = "{state}"
instance = "{instance}"
[mqtt]
url = "mqtt://broker.example"
[evidence]
timestamp = "{url}"
timestamp_ca_file = "{root}"
[destinations.nas]
path = 'V:\evidence\{{id}}'
root = 'V:\evidence'
mount = "{mount}"
marker = ".share"
"""


@pytest.fixture
async def double(tmp_path: Path) -> AsyncIterator[AuthorityDouble]:
    async with AuthorityDouble(tmp_path / "tsa").running() as found:
        yield found


async def test_what_it_vouches_for_verifies_offline(double: AuthorityDouble) -> None:
    found = await Authority(double.url, double.root).stamp(TEXT)
    assert found.by == f"CN={NAME}"
    roots = roots_of(double.root)
    assert verify_stamp(found.response, TEXT, roots) == found
    with pytest.raises(BadInput, match="Mismatch between messages"):
        verify_stamp(found.response, TEXT + " ", roots)
    with pytest.raises(BadInput, match="by no authority that is trusted here"):
        verify_stamp(found.response, TEXT, roots_of(None))
    with pytest.raises(BadInput, match="no authority is trusted here"):
        verify_stamp(found.response, TEXT, [])


async def test_openssl_verifies_it_too(double: AuthorityDouble, tmp_path: Path) -> None:
    """As systemd/README.md tells people to."""
    found = await Authority(double.url, double.root).stamp(TEXT)
    (tmp_path / "stamp.tsr").write_bytes(found.response)
    (tmp_path / "head").write_text(TEXT)
    done = await asyncio.create_subprocess_exec(
        *(OPENSSL, "ts", "-verify", "-data", str(tmp_path / "head")),
        *("-in", str(tmp_path / "stamp.tsr"), "-CAfile", str(double.root)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    said, _ = await done.communicate()
    assert (done.returncode, said) == (0, b"Verification: OK\n")


def body(data: bytes, status: int = 200) -> Callable[[bytes], object]:
    async def reply(_request: bytes) -> web.Response:
        return web.Response(body=data, status=status)

    return reply


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (body(b""), "gave no usable time stamp: it is no time stamp that can be read"),
        (body(b"<html>"), "it is no time stamp that can be read"),
        (body(bytes.fromhex("30053003020102")), r"the authority refuses \(status 2\)"),
        (body(b"\0" * (MOST_BYTES + 1)), "its answer is longer than 65536 bytes"),
        (body(b"", 503), "it answers with HTTP status 503"),
        (body(b"", 302), "it answers with HTTP status 302"),
    ],
)
async def test_what_is_no_stamp_is_one_sentence(
    double: AuthorityDouble, reply: Callable[[bytes], object], why: str
) -> None:
    double.reply = reply  # type: ignore[assignment]
    with pytest.raises(BadInput, match=why) as raised:
        await Authority(double.url, double.root).stamp(TEXT)
    assert str(raised.value).startswith(double.url)


async def test_a_stamp_of_another_question_is_not_taken(
    double: AuthorityDouble,
) -> None:
    """Of the same text too: an old answer, played again."""

    async def replayed(_request: bytes) -> web.Response:
        other = TimestampRequestBuilder().data(TEXT.encode()).build()
        return await double.granted(other.as_bytes())

    double.reply = replayed
    with pytest.raises(BadInput, match="Nonce mismatch"):
        await Authority(double.url, double.root).stamp(TEXT)


async def test_an_authority_that_is_not_there_is_one_sentence(
    double: AuthorityDouble, tmp_path: Path
) -> None:
    async def silent(_request: bytes) -> web.Response:
        return await asyncio.Future()

    double.reply = silent
    with pytest.raises(BadInput, match=r"does not answer within 0\.2 s"):
        await Authority(double.url, double.root, timeout_s=0.2).stamp(TEXT)
    with pytest.raises(BadInput, match="cannot be asked"):
        await Authority("http://127.0.0.1:1", double.root).stamp(TEXT)
    (tmp_path / "no.pem").write_text("nothing")
    for file in ("no.pem", "none"):
        with pytest.raises(BadInput, match=r"timestamp_ca_file .* cannot be read as"):
            await Authority(double.url, tmp_path / file).stamp(TEXT)


class Stamped:
    """A daemon's chain, its share, and the loop that asks the authority."""

    def __init__(self, folder: Path, double: AuthorityDouble) -> None:
        self.state, self.double = folder / "state", double
        self.store = open_store(StoreSettings(directory=self.state))
        self.bench = EvidenceBench(self.store, folder / "mnt")
        self.config = folder / "evidenced.toml"
        self.config.write_text(
            CONFIG.format(
                state=self.state,
                mount=self.bench.mount,
                instance=self.bench.world.site.instance,
                url=double.url,
                root=double.root,
            )
        )
        self.loop = self.begin(self.store)

    def begin(self, store: SqlStore) -> Stamping:
        self.bench.world.store = self.store = store
        authority = Authority(self.double.url, self.double.root)
        log = self.bench.log.bound
        self.loop = Stamping(self.bench.world, authority, self.bench.agenda, log)
        return self.loop

    async def later(self, by: timedelta) -> None:
        self.bench.clock.advance(by.total_seconds())
        await self.loop.once()

    async def keep(self) -> None:
        await self.bench.loop._heads.keep()
        self.bench.clock.advance(HOUR_S)

    @property
    def file(self) -> Path:
        return self.bench.mount / stamps_name(self.bench.world.site.instance)

    async def head(self) -> str:
        return (await self.store.read(lambda view: view.history.head())).hash

    async def verify(self, *more: str) -> int:
        words = ["audit", "verify", "-c", str(self.config), "--no-footage", *more]
        return await asyncio.to_thread(run, words)


@pytest.fixture
async def stamped(double: AuthorityDouble, tmp_path: Path) -> AsyncIterator[Stamped]:
    found = Stamped(tmp_path, double)
    await found.bench.export_it()
    yield found
    found.store.close()


async def test_once_a_day_over_restarts_too(stamped: Stamped) -> None:
    for _ in range(3):
        await stamped.later(timedelta(hours=1))
    assert stamped.double.asked == 1
    stamped.begin(stamped.store)
    await stamped.later(timedelta(hours=1))
    assert stamped.double.asked == 1
    await stamped.later(STAMP_EVERY)
    assert stamped.double.asked == 2
    entries = await stamped.store.read(lambda view: view.history.after(0, 100))
    kept = [entry for _, entry in entries if entry.event == Event.STAMPED]
    assert [entry.detail["by"] for entry in kept] == [f"CN={NAME}"] * 2


async def test_an_authority_in_trouble_is_asked_again_later(stamped: Stamped) -> None:
    stamped.double.reply = body(b"", 500)  # type: ignore[assignment]
    await stamped.loop.once()
    assert stamped.loop.problem == (
        f"{stamped.double.url} cannot be asked: it answers with HTTP status 500"
    )
    await stamped.later(timedelta(seconds=1))
    assert stamped.double.asked == 1
    await stamped.later(timedelta(hours=1))
    assert stamped.double.asked == 2
    assert len(stamped.bench.log.calls("warning")) == 1
    stamped.double.reply = stamped.double.granted
    await stamped.later(timedelta(hours=1))
    assert stamped.loop.problem is None
    assert await stamped.store.read(last_stamp) is not None


async def test_a_clock_that_jumps_costs_one_stamp(stamped: Stamped) -> None:
    await stamped.loop.once()
    for jump in (timedelta(days=400), timedelta(days=-400)):
        stamped.bench.clock.jump(jump)
        for _ in range(3):
            await stamped.later(timedelta(minutes=1))
    assert stamped.double.asked == 3


async def test_the_share_gets_each_once(stamped: Stamped) -> None:
    await stamped.keep()
    assert not stamped.file.exists()
    await stamped.loop.once()
    for _ in range(2):
        await stamped.keep()
    assert len(stamped.file.read_text().splitlines()) == 1
    await stamped.later(STAMP_EVERY)
    await stamped.keep()
    first, second = stamped.file.read_text().splitlines()
    assert first != second


async def test_audit_verify_says_by_when_a_head_was_there(
    stamped: Stamped, capsys: pytest.CaptureFixture[str]
) -> None:
    head = await stamped.head()
    await stamped.loop.once()
    await stamped.keep()
    assert await stamped.verify("--head", head) == 0
    said = capsys.readouterr().out
    assert "intact: 1 time stamp since 2" in said
    assert "; the last vouches for row " in said
    assert "there by 2" in said
    assert f"as CN={NAME} vouches" in said
    assert await stamped.verify("--head", await stamped.head()) == 0
    assert "vouches\n" not in capsys.readouterr().out  # it is younger than the stamp
    assert await stamped.verify("--json") == 0
    assert '"stamps": 1' in capsys.readouterr().out


async def test_a_chain_made_anew_is_told_by_its_stamp_alone(
    stamped: Stamped, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Whoever has the store, the key and the share cannot make an old stamp."""
    await stamped.loop.once()
    await stamped.keep()
    other = open_store(StoreSettings(directory=tmp_path / "other"))
    for n in range(9):
        await other.write(lambda tx, n=n: tx.settings.keep({str(n): "{}"}))
    other.close()
    for heads in stamped.bench.mount.glob("evidenced-heads-*"):
        heads.unlink()
    stamped.store.close()
    for name in ("-wal", "-shm"):
        (stamped.state / (FILE + name)).unlink(missing_ok=True)
    shutil.copy(tmp_path / "other" / FILE, stamped.state / FILE)
    stamped.begin(open_store(StoreSettings(directory=stamped.state)))
    assert await stamped.verify() == 1
    assert "the chain was made anew" in capsys.readouterr().err


ANOTHER_TEXT = '"seq":9'


@pytest.mark.parametrize(
    ("how", "code", "says"),
    [
        (lambda line: line.replace('"seq":', ANOTHER_TEXT), 1, "Mismatch between mess"),
        (lambda line: line[:-9] + "AAAAAAA=\n", 1, "the time stamp of "),
        (lambda line: line + line[:50], 0, "intact: 1 time stamp since"),
        (lambda line: line + line, 0, "intact: 1 time stamp since"),
        (lambda line: line + "\x00\t\ufffd junk\n" + "[" * 100_000, 0, "intact: 1"),
        (lambda _: "", 0, "intact: 1 time stamp since"),
    ],
)
async def test_what_others_do_to_the_file(
    stamped: Stamped,
    capsys: pytest.CaptureFixture[str],
    how: Callable[[str], str],
    code: int,
    says: str,
) -> None:
    await stamped.loop.once()
    await stamped.keep()
    stamped.file.write_text(how(stamped.file.read_text()))
    assert await stamped.verify() == code
    assert says in "".join(capsys.readouterr())


async def test_without_the_right_authority_no_stamp_is_believed(
    stamped: Stamped, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    await stamped.loop.once()
    another = AuthorityDouble(tmp_path / "another")
    shutil.copy(another.root, stamped.double.root)
    assert await stamped.verify() == 1
    told = capsys.readouterr().err
    assert "the time stamp of row " in told
    assert "does not verify" in told or "by no authority that is trusted" in told
