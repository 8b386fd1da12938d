"""A folder with a record, whatever somebody did to it: a finding or a sentence."""

import io
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout, suppress
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from evidenced.cli.terminal import say, say_json
from evidenced.cli.verify import _line_of, _say_one, as_value
from evidenced.core.alarms.payload import OBEYED, one_line
from evidenced.core.errors import BadInput
from evidenced.core.ids import DestinationName
from evidenced.core.keeping.evidence import (
    DISPOSAL,
    PAGE,
    RECORD,
    SIGNATURE,
)
from evidenced.core.keeping.evidence import SIGNED as SIGNED_END
from evidenced.core.telling.imported import read_import
from evidenced.core.telling.manifest import encode
from evidenced.core.telling.statement import read_statement
from evidenced.core.terms import Terms
from evidenced.evidence.records import check_all, sweep
from evidenced.evidence.signature import Signer, key_id, make_key, read_public_key
from evidenced.evidence.verify import ANY, Demand, Finding, verify
from evidenced.store.alarms import KEPT
from evidenced.store.exports import EXPORT
from evidenced.store.incidents import CLIP, INCIDENT
from evidenced.store.stills import STILL
from fakes.incident import t
from fakes.records import SHOWN, record_of

MEMORY = Path("/dev/shm")  # noqa: S108 - in memory a run costs a tenth
HOME = Path(
    tempfile.mkdtemp(prefix="evidenced-fuzz-", dir=MEMORY if MEMORY.is_dir() else None)
)
TERMS = Terms(
    destination=DestinationName("nas"),
    path=r"V:\{id}",
    root="V:",
    max_length=timedelta(minutes=1),
)
NOW = t("12:00", 24)
MOST_INTEGER = 2**63
FOLDER = HOME / "share" / "i1"
VIDEO = b"video"
_MADE = make_key(HOME / "key")
make_key(HOME / "stranger")
STRANGER = Signer((HOME / "stranger").read_text)
PUBLIC = read_public_key(_MADE.public_key)
DEMAND = Demand(keys=(PUBLIC,))


GOOD = record_of("i1", {"a": VIDEO}, key_id(PUBLIC))
SIGNED = Signer((HOME / "key").read_text).sign(GOOD) or b""


def _lay_out(**files: bytes) -> None:
    """The whole folder; what was not touched since is not written anew."""
    whole = {"a": VIDEO, PAGE: SHOWN, RECORD: GOOD, SIGNATURE: SIGNED} | files
    if not FOLDER.is_dir() or {each.name for each in FOLDER.iterdir()} != set(whole):
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)
        for name, data in whole.items():
            (FOLDER / name).write_bytes(data)
    for name in (RECORD, SIGNATURE):
        (FOLDER / name).write_bytes(whole[name])


def _lay_out_anew() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    _lay_out()


def run_record(data: bytes) -> None:
    """Somebody writes the record, and has no key: only ours is intact."""
    _lay_out(**{RECORD: data})
    with suppress(BadInput):
        found = verify(FOLDER, demand=DEMAND)
        assert found.is_intact is (data == GOOD)
        _tell(found)


def _tell(found: Finding) -> None:
    """As the command does: what was found can be said, too."""
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        _say_one(found)
        say(_line_of(found))
        say_json(as_value(found))


def run_statement(data: bytes) -> None:
    """Somebody deletes footage and says that it was disposed of."""
    _lay_out_anew()
    (FOLDER / "a").unlink()
    (FOLDER / DISPOSAL).write_bytes(data)
    (FOLDER / (DISPOSAL + SIGNED_END)).write_bytes(STRANGER.sign(data) or b"")
    for demand in (DEMAND, ANY):
        found = verify(FOLDER, demand=demand)
        assert not found.is_intact
        # whoever has no key to compare with cannot know that it is none of before
        assert found.missing == ["a"] or (demand is ANY and found.doubts)
        _tell(found)
    with suppress(BadInput):
        assert one_line(words := read_statement(data).words, len(words)) == words


def run_signature(data: bytes) -> None:
    """Somebody writes the signature: it may be told in other words, and no more."""
    _lay_out(**{SIGNATURE: data})
    found = verify(FOLDER, demand=DEMAND)
    if found.is_intact:
        assert b"signature: " + SIGNED.rpartition(b": ")[2].strip() in data
        assert found.key == key_id(PUBLIC)


def run_import(data: bytes) -> None:
    """Somebody with our key writes the record: it is taken in by its shape, or not."""
    _lay_out()
    with suppress(BadInput):
        taken = read_import(data, TERMS, "V:\\i1", NOW)
        rows = [INCIDENT.row(taken.incident), *map(CLIP.row, taken.incident.clips)]
        rows += [*map(KEPT.row, taken.alarms), *map(STILL.row, taken.stills)]
        rows += map(EXPORT.row, taken.exports)
        for row in rows:
            _check_row(row)


def _check_row(row: Mapping[str, object]) -> None:
    """What every database takes, and reads back."""
    for each in row.values():
        if isinstance(each, str):
            assert not OBEYED.search(each), row
        if isinstance(each, int):
            assert abs(each) < MOST_INTEGER, row


def run_folder(data: bytes) -> None:
    """Lines with a kind and a name are put into the folder, or over what is there."""
    _lay_out_anew()
    for line in data.split(b"\n")[:50]:
        name = os.fsdecode(line[1:].replace(b"\0", b"").replace(b"/", b"_"))[:200]
        with suppress(OSError):
            _put(line[:1], FOLDER / name)
    found = verify(FOLDER, demand=DEMAND) if _is_readable() else None
    if found is not None and found.is_intact:
        left = {each.name for each in FOLDER.iterdir()}
        left -= {"a", PAGE, RECORD, SIGNATURE}
        assert all((FOLDER / name).is_dir() or name in found.litter for name in left), (
            left
        )
    for each in check_all(sweep([FOLDER.parent]).places, DEMAND, lambda _: None):
        assert each.folder.is_relative_to(FOLDER.parent)
    shutil.rmtree(FOLDER)


def _is_readable() -> bool:
    try:
        verify(FOLDER)
    except BadInput:
        return False
    return True


def _put(kind: bytes, path: Path) -> None:
    match kind:
        case b"f":
            path.write_bytes(b"other")
        case b"d":
            path.mkdir()
        case b"l":
            path.symlink_to("/etc/hostname")
        case b"r":
            path.symlink_to("..")
        case b"p":
            os.mkfifo(path)
        case b"u":
            path.unlink()
        case _:
            (path / "inner").mkdir(parents=True)


def _words() -> tuple[bytes, ...]:
    value: Any = json.loads(GOOD)
    keys = [
        *value,
        *value["incident"],
        *value["incident"]["clips"][0],
        *value["files"][0],
    ]
    return (
        *(f'"{key}": '.encode() for key in dict.fromkeys(keys)),
        *(b'null true -1 1e400 NaN [] {} [{}] "" 1 2'.split()),
        *(b'{ } [ ] , : " \\u0000 \\ud800 "../a" "incident.r1.json"'.split()),
        *(b'"0001-01-01T00:00:00Z" "9999-12-31T23:59:59Z" "Asia/Tokyo"'.split()),
        *(b'"name": "offset_s": "word": "zone": "comment":'.split()),
        *(b'"incident.still-7.jpg" "stills": "sha256": "bytes": "name":'.split()),
        b'"incident.still-' + b"9" * 5000 + b'.jpg"',
        b"9" * 5000,
        b"[" * 500,
    )


STATEMENT = encode(
    {
        "format": "evidenced-disposal",
        "version": 1,
        "incident": json.loads(GOOD)["incident"]["id"],
        "record": sha256(GOOD).hexdigest(),
        "at": "2026-11-23T06:15:30.250Z",
        "by": "anna",
        "comment": "",
        "place": "",
        "files": ["a"],
        "signed_by": STRANGER.key(),
    }
)
RECORD_WORDS = _words()
SIGNATURE_WORDS = (
    *(line + b"\n" for line in SIGNED.splitlines()),
    *(line.partition(b": ")[0] + b": " for line in SIGNED.splitlines()),
    *(b"= A AAAA 0 1 \r \0 \xff :".split(b" ")),
)
FOLDER_WORDS = tuple(
    kind + name + b"\n"
    for kind in (b"f", b"d", b"l", b"r", b"p", b"u", b"x")
    for name in (
        *(b"a incident.json incident.json.sig incident.html incident.r1.json".split()),
        *(b"Thumbs.db .incident.json.evidenced-part \xff .. . \\ ..\\b".split()),
    )
)
