"""`evidenced verify` and `evidenced keygen`: records, and the key that signs them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from evidenced.cli.progress import ProgressLine
from evidenced.cli.terminal import AsJson, Failed, complain, say, say_json, warn
from evidenced.core.errors import BadInput
from evidenced.core.instants import render_utc
from evidenced.core.spoken import size_words, span_words, stamp, zone_word
from evidenced.core.telling.sentences import count
from evidenced.core.telling.written import WrittenFile
from evidenced.evidence.records import RecordPlace, Sweep, Unread, check_all, sweep
from evidenced.evidence.signature import MOST_BYTES, make_key, read_public_key
from evidenced.evidence.verify import Demand, Finding
from evidenced.host.clock import SystemClock

ALTERED = 1
UNREADABLE = 2
MOST_CAMERAS = 3
"""Named in the one line that a folder has among many."""
MOST_WITHOUT = 10


Checked = Finding | Unread


def verify(
    folders: Annotated[
        list[Path],
        typer.Argument(
            help="With the footage and incident.json, or with such folders below.",
            metavar="FOLDER...",
        ),
    ],
    key: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PUB",
            help="The public key that keygen printed, or a file that holds it: each "
            "record must be signed by it. Again for each key that was yours: one of "
            "them must have signed.",
        ),
    ] = None,
    anywhere: Annotated[
        bool,
        typer.Option(
            "--anywhere",
            help="The folders may have been renamed: do not compare their names with "
            "what the records say.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check folders with footage against their evidence records.

    Every file is hashed again. Works on any machine, without configuration, store or
    daemon. Of a folder without a record all that lie below it are checked; links are
    named and never followed.
    Exit 0: all intact. 1: one is altered or not signed by --key, each file named.
    2: nothing is altered, but one could not be read, or there is no record.
    With --json one folder's record is an object, of several a list of them.

    Example: `evidenced verify /mnt/evidence --key /etc/evidenced/evidence.pub`
    """
    demand = Demand(
        keys=tuple(expected_key(each) for each in key or ()), is_anywhere=anywhere
    )
    with ProgressLine(SystemClock().monotonic) as line:
        found = sweep(folders)
        is_one = len(folders) == 1 and found.places[:1] == [
            RecordPlace(root=folders[0], names=())
        ]
        run = _Run(found, line, is_one=is_one)
        if as_json:
            _say_json(run, demand)
        else:
            _say_all(run, demand)


class _Run:
    """All that is checked, with how far it is."""

    def __init__(self, found: Sweep, line: ProgressLine, *, is_one: bool) -> None:
        self.found = found
        self.line = line
        self.is_one = is_one
        self._bytes = 0
        self._folders = 0

    def checked(self, demand: Demand) -> Iterable[Checked]:
        places = self.found.places
        for each in check_all(places, demand, self._tell):
            self._folders += 1
            self.line.clear()
            yield each

    def _tell(self, count: int) -> None:
        self._bytes += count  # by several threads: a little less is no harm
        self.line.show(
            lambda: (
                f"{self._folders} of {len(self.found.places)} folders, "
                f"{size_words(self._bytes)} read"
            )
        )


def _say_all(run: _Run, demand: Demand) -> None:
    counts: Counter[str] = Counter()
    for each in run.checked(demand):
        if isinstance(each, Unread):
            counts["unreadable"] += 1
            complain(each.why)
            continue
        counts["intact" if each.is_intact else "altered"] += 1
        counts["files"] += each.files
        counts["bytes"] += each.size_bytes
        for fault in faults_of(each):
            complain(fault if run.is_one else f"{each.folder}: {fault}")
        if run.is_one:
            _say_one(each)
        else:
            say(_line_of(each))
    for fault in run.found.faults:
        complain(fault)
    _warn_without(run.found.without)
    if not run.is_one and run.found.places:
        say(_summary(counts))
    unread = counts["unreadable"] or run.found.faults
    if counts["altered"]:
        raise Failed(code=ALTERED)
    if unread:
        raise Failed(code=UNREADABLE)


def _say_one(found: Finding) -> None:
    record = found.record
    written = stamp(record.written, record.zone)
    say(
        f"incident {record.incident}, revision {record.revision} of its record, "
        f"written {written} {zone_word(record.written, record.zone)}"
    )
    say(f"site {record.site_name}: {record.summary}")
    for clip in record.clips:
        when = span_words(clip.start, clip.end, record.zone)
        say(f"{clip.name}: {when}, {clip.state}")
    say(f"signature: {found.signature}")
    if found.litter:
        names = ", ".join(found.litter)
        say(f"left by Windows or macOS, neither evidence nor alteration: {names}")
    if not found.is_unaltered:
        complain(f"{found.folder} was altered")
    elif found.is_by_another:
        complain(
            f"{found.folder}: nothing is altered, but key {found.key} signed it, not "
            "the one asked for; compare the key ids that keygen printed"
        )
    elif found.doubts:
        complain(
            f"{found.folder}: what is there is not altered, but nothing proves who "
            f"disposed of {count(len(found.gone), 'file')}"
        )
    elif found.disposal is not None:
        left = f"; {found.files} are still here" if found.files else ""
        say(f"footage {found.disposal.words}: {len(found.gone)} files{left}")
        say("intact: the record of it")
    else:
        say(f"intact: {found.files} files, {found.size_bytes} bytes")


def _line_of(found: Finding) -> str:
    """Of one folder among many."""
    record = found.record
    cameras = ", ".join(record.cameras[:MOST_CAMERAS])
    more = len(record.cameras) - MOST_CAMERAS
    cameras += f" and {more} more" if more > 0 else ""
    verdict = "intact " if found.is_intact else "ALTERED"
    if found.disposal is not None and found.is_intact:
        verdict = "without footage"
        cameras = f"{found.disposal.words}; {cameras}"
    if (found.is_by_another or found.doubts) and found.is_unaltered:
        verdict = "by another key"
    litter = f"; beside it {', '.join(found.litter)}" if found.litter else ""
    return (
        f"{verdict} {found.folder}: {record.site_name}, {cameras}, {record.span}; "
        f"{found.files} files, {size_words(found.size_bytes)}{litter}"
    )


def _summary(counts: Counter[str]) -> str:
    number = counts["intact"] + counts["altered"] + counts["unreadable"]
    parts = [f"{counts['intact']} intact"]
    parts += [
        f"{counts[each]} {each}" for each in ("altered", "unreadable") if counts[each]
    ]
    return (
        f"{number} folders: {', '.join(parts)}; {counts['files']} files, "
        f"{size_words(counts['bytes'])}"
    )


def _warn_without(without: Sequence[Path]) -> None:
    for folder in without[:MOST_WITHOUT]:
        warn(f"{folder} holds files, and neither it nor a folder above has a record")
    if len(without) > MOST_WITHOUT:
        warn(f"and {len(without) - MOST_WITHOUT} more such folders; --json lists them")


def _say_json(run: _Run, demand: Demand) -> None:
    found = list(run.checked(demand))
    readable = [each for each in found if isinstance(each, Finding)]
    unread = [each for each in found if isinstance(each, Unread)]
    if run.is_one and readable:
        say_json(as_value(readable[0]))
    else:
        faults = [*run.found.faults, *(each.why for each in unread)]
        say_json(
            {
                "intact": not faults and all(each.is_intact for each in readable),
                "records": [as_value(each) for each in readable],
                "unreadable": faults,
                "without_record": [str(each) for each in run.found.without],
            }
        )
    if not all(each.is_intact for each in readable):
        raise typer.Exit(ALTERED)
    raise typer.Exit(UNREADABLE if unread or run.found.faults else 0)


def faults_of(found: Finding) -> list[str]:
    """One line for each thing that is not as it was, and what it was."""
    record = found.record
    was = {each.name: each for each in (*record.files, *record.stills)}
    return [
        *found.faults,
        *found.doubts,
        *(f"altered: {name}{_was(was.get(name))}" for name in found.altered),
        *(f"missing: {name}{_was(was.get(name))}" for name in found.missing),
        *(f"added: {name}" for name in found.added),
    ]


def _was(file: WrittenFile | None) -> str:
    """As the record has it; "" for what it has no hash of."""
    if file is None:
        return ""
    return f" (recorded: {size_words(file.size)}, SHA-256 {file.sha256})"


def as_value(found: Finding) -> dict[str, object]:
    record = found.record
    return {
        "intact": found.is_intact,
        "folder": str(found.folder),
        "incident": record.incident,
        "revision": record.revision,
        "written": render_utc(record.written),
        "instance": record.instance,
        "site": record.site,
        "cameras": [
            {
                "name": clip.name,
                "camera": clip.camera,
                "start": render_utc(clip.start),
                "end": render_utc(clip.end),
                "state": clip.state,
            }
            for clip in record.clips
        ],
        "sha256": found.sha256,
        "files": found.files,
        "bytes": found.size_bytes,
        "altered": found.altered,
        "missing": found.missing,
        "added": found.added,
        "disposed": disposal_value(found),
        "litter": found.litter,
        "faults": [*found.faults, *found.doubts],
        "signature": found.signature,
        "key": found.key,
    }


def disposal_value(found: Finding) -> dict[str, object] | None:
    """Since when and why its footage is gone; null where it is not."""
    if found.disposal is None:
        return None
    return {
        "at": render_utc(found.disposal.at),
        "by": found.disposal.by,
        "comment": found.disposal.comment,
        "files": found.gone,
    }


def expected_key(key: str) -> bytes:
    """The public key that --key names: by itself, or in a file."""
    try:
        path = Path(key)
        if path.is_file():
            with path.open("rb") as file:
                return read_public_key(file.read(MOST_BYTES).decode())
        return read_public_key(key)
    except (OSError, UnicodeDecodeError):
        raise BadInput(f"--key {key!r} cannot be read") from None
    except BadInput as error:
        raise BadInput(f"--key {key!r}: {error}") from None


def keygen(
    file: Annotated[
        Path,
        typer.Argument(
            help="Where the private key goes. It must not exist.", metavar="FILE"
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Make the Ed25519 key that signs evidence records.

    The private key is written to FILE, readable by its owner only; name it in
    [evidence] key. The public key is printed: keep it elsewhere, it is what
    `evidenced verify --key` checks records with years later.

    Example: `evidenced keygen /etc/evidenced/credentials/evidence-key`
    """
    made = make_key(file)
    if as_json:
        say_json({"key": made.key, "public_key": made.public_key, "pem": made.pem})
        return
    say(f"private key  {file}")
    say(f"key id       {made.key}")
    say(f"public key   {made.public_key}")
    say("")
    for line in made.pem.splitlines():
        say(line)
