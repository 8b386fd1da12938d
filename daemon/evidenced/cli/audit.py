"""`evidenced audit`: whether the record is what was written."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from evidenced.cli.family import new_family
from evidenced.cli.options import DEFAULT_CONFIG, ConfigFile, load_config
from evidenced.cli.stamps import Vouching, check_stamps
from evidenced.cli.terminal import AsJson, Failed, say, say_json
from evidenced.cli.verify import expected_key, faults_of
from evidenced.config import Config
from evidenced.config.compile import build_site
from evidenced.connections import store_settings
from evidenced.core.errors import BadInput
from evidenced.core.ids import IncidentId
from evidenced.core.instants import render_utc
from evidenced.core.keeping.heads import KeptHead
from evidenced.core.spoken import spoken
from evidenced.core.telling.sentences import count
from evidenced.evidence.heads import read_heads
from evidenced.evidence.records import Provenance, origin_of, sweep
from evidenced.evidence.verify import Demand, faults_of_papers
from evidenced.evidence.verify import verify as verify_folder
from evidenced.store import StoreSettings, database_of
from evidenced.store.audit import Audit, verify_store
from evidenced.store.retrace import differences
from evidenced.store.snapshot import open_snapshot
from evidenced.store.testimony import RecordedFolder, incidents_in, recorded_folders

BROKEN = 1
MOST_TOLD = 20


Head = Annotated[
    str | None,
    typer.Option(
        metavar="HASH",
        help="A head that was kept elsewhere (log, MQTT, evidence record): it must "
        "be in the chain, else rows at its end were cut off.",
    ),
]
SigningKey = Annotated[
    str | None,
    typer.Option(
        metavar="KEY",
        help="The public key that keygen printed, or a file that holds it: of the "
        "heads that are kept on the shares only those that it signed count.",
    ),
]
WithFootage = Annotated[
    bool,
    typer.Option(
        help="Also check every evidence record on mounted shares, and hash its "
        "footage again. Takes as long as reading all of it.",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditVerdict:
    """What the chain, the tables and the evidence records turned out to be.

    `heads` is how many kept on shares were compared, `others` how many were not, since
    the wanted key did not sign them. `gone` are sentences: footage that went.
    """

    chain: Audit
    fault: str | None
    records: int
    tables: Sequence[str]
    footage: Sequence[str]
    heads: int = 0
    others: int = 0
    vouching: Vouching = field(default_factory=Vouching)
    gone: Sequence[str] = ()

    @property
    def is_intact(self) -> bool:
        return self.fault is None and not self.tables and not self.footage


family = new_family()


@family.callback()
def audit() -> None:
    """Check the audit chain over everything that happened.

    Example: `evidenced audit verify -c evidenced.toml`
    """


@family.command()
def verify(
    config: ConfigFile = DEFAULT_CONFIG,
    head: Head = None,
    key: SigningKey = None,
    footage: WithFootage = True,
    as_json: AsJson = False,
) -> None:
    """Recompute the audit chain; says what was edited, removed, inserted or moved.

    Then every row that lists, the page and records are made of is compared with what
    the chain says of it; and where destinations have a mount, the evidence records that
    the chain names are checked, and the chain is compared with the heads that are kept
    there hourly. Time stamps are verified offline; of the row that --head names they
    tell by when it was there. The store is only read, and the daemon may run meanwhile.
    Prints the head: keep it elsewhere, and give it to --head later.
    Exit 0: intact. 1: broken. 2: bad input.

    Example: `evidenced audit verify -c evidenced.toml --head 5d41...`
    """
    wanted = _checked_head(head)
    loaded = load_config(config)
    settings = store_settings(loaded, os.environ)
    database = database_of(settings)
    signer = None if key is None else expected_key(key)
    mounts = _mounts(loaded)
    kept = _kept_heads(loaded, mounts, signer)
    vouching = check_stamps(loaded, database, mounts)
    heads = [*kept.counted, *(stamp.head for stamp, _ in vouching.stamps)]
    chain = verify_store(database, wanted, loaded.daemon.retain, heads)
    records, gone, faults = (
        _check_footage(loaded, settings, chain) if footage else (0, [], [])
    )
    fault = _fault(chain, wanted)
    found = AuditVerdict(
        chain=chain,
        fault=fault,
        tables=[] if fault else differences(database),
        records=records,
        footage=[*chain.kept, *kept.faults, *vouching.faults, *faults],
        heads=len(kept.counted),
        others=kept.others,
        vouching=vouching,
        gone=gone,
    )
    if as_json:
        _say_json(found)
    else:
        _say(found, database.name)


def _say_json(found: AuditVerdict) -> None:
    say_json(
        {
            "intact": found.is_intact,
            "fault": found.fault,
            "rows": found.chain.rows,
            "seq": found.chain.head.seq,
            "hash": found.chain.head.hash,
            "said": _told(found.chain),
            "tables": list(found.tables),
            "heads": found.heads,
            "stamps": len(found.vouching.stamps),
            "stamped": found.vouching.as_value(),
            "records": found.records,
            "gone": list(found.gone),
            "footage": list(found.footage),
        }
    )
    raise typer.Exit(0 if found.is_intact else BROKEN)


def _say(found: AuditVerdict, where: str) -> None:
    chain = found.chain
    if found.fault is not None:
        raise Failed(f"{where}: {found.fault}", code=BROKEN)
    say(f"intact: {rows_of(chain)}, head {chain.head.hash}")
    for line in _told(chain):
        say(line)
    if chain.looked_for is not None:
        by_then = found.vouching.of_row(chain.looked_for)
        say(f"the head that was kept is row {chain.looked_for}{by_then}")
    if found.heads and not chain.kept:
        say(f"intact: {count(found.heads, 'head')} kept on shares")
    if told := found.vouching.told():
        say(told)
    if found.others:
        say(f"not compared: {count(found.others, 'head')} that the key did not sign")
    if not found.tables:
        say("intact: every row of the tables is what the chain says")
    _say_footage(found)
    if faults := [*_first(found.tables), *found.footage]:
        raise Failed(*faults, code=BROKEN)


def _say_footage(found: AuditVerdict) -> None:
    """What is intact, and what went by rule or by people's hands, which is no fault."""
    if found.records and not found.footage:
        say(f"intact: {found.records} evidence records and their footage")
    for line in _first(found.gone):
        say(line)


def rows_of(chain: Audit) -> str:
    """How many rows the chain has, and which: "729 rows, 730 to 1458"."""
    last = chain.head.seq
    text = f"{chain.rows} {'row' if chain.rows == 1 else 'rows'}"
    return text if chain.rows == last else f"{text}, {last - chain.rows + 1} to {last}"


def _told(chain: Audit) -> list[str]:
    """What is no fault, and what who reads the verdict has to know."""
    told = []
    if pruning := chain.pruning:
        told.append(
            f"rows up to {pruning.through.seq} were pruned on "
            f"{render_utc(pruning.at)}, as older than "
            f"{spoken(pruning.at - pruning.before)}"
        )
    for each in chain.restorings:
        lost = (
            f"rows {each.copied + 1} to {each.replaced.seq} of the store that was "
            "there are not in it"
            if each.replaced
            else "the store that was there could not be read"
        )
        told.append(
            f"a backup of row {each.copied} was restored on {render_utc(each.at)}: "
            f"{lost}"
        )
    return told


def _first(lines: Sequence[str]) -> list[str]:
    rest = len(lines) - MOST_TOLD
    more = [f"and {rest} more; --json lists them all"] if rest > 0 else []
    return [*lines[:MOST_TOLD], *more]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """Heads on the shares that count, how many do not, and what is wrong with them."""

    counted: Sequence[KeptHead]
    others: int
    faults: Sequence[str]


def _mounts(config: Config) -> list[Path]:
    mounts = {each.mount for each in config.destinations.values() if each.mount}
    return sorted(map(Path, mounts))


def _kept_heads(config: Config, mounts: Sequence[Path], key: bytes | None) -> _Kept:
    counted, others, faults = list[KeptHead](), 0, list[str]()
    for mount in mounts:
        try:
            found = read_heads(mount, config.daemon.instance, key)
        except BadInput as error:
            faults.append(str(error))
            continue
        faults += found.forged
        counted += found.signed
        if key is None:
            counted += found.others
        else:
            others += len(found.others)
    return _Kept(counted=counted, others=others, faults=faults)


def _check_footage(
    config: Config, settings: StoreSettings, chain: Audit
) -> tuple[int, list[str], list[str]]:
    """How many records were looked at, and sentences: what went, what is not intact."""
    site, database = build_site(config), database_of(settings)
    folders = recorded_folders(database)
    kept = [each for each in folders if each.is_kept]
    checked, faults = _check_kept(kept, settings)
    known = set[Path]()
    for each in folders:
        if each.is_kept:
            continue
        place = site.places.mounted(each.path, each.destination)
        if place is None:
            continue
        _, mount, names = place
        known.add(mount.joinpath(*names))
        if each.fate and not each.statement:
            continue  # people say so, and nothing has to be there
        checked += 1
        try:
            demand = Demand(sha256=each.sha256, disposal=each.statement)
            found = verify_folder(mount, names, demand)
        except BadInput as error:
            faults.append(f"{each.incident}: {error}")
            continue
        faults += [f"{found.folder}: {line}" for line in faults_of(found)]
    mounts = {each.mount for each in site.destinations.values() if each.mount}
    found_places = sweep(sorted(mounts)).places
    strange = [each for each in found_places if each.folder not in known]
    origins = {
        each.folder: said
        for each in strange
        if (said := origin_of(each)) and _is_ours(said, site.instance, chain)
    }
    there = incidents_in(database, {each.incident for each in origins.values()})
    faults += [
        f"{folder} holds a record of incident {said.incident}, which the chain does "
        "not know: rows were taken out, or it was put there"
        for folder, said in origins.items()
        if said.incident not in there
    ]
    gone = [
        f"{each.incident}: {each.path} {each.fate}" for each in folders if each.fate
    ]
    return checked, gone, faults


def _check_kept(
    folders: Sequence[RecordedFolder], settings: StoreSettings
) -> tuple[int, list[str]]:
    """The same of records that are kept in the store, for no share shows theirs."""
    checked, faults = 0, list[str]()
    if folders:
        with open_snapshot(settings) as view:
            for each in folders:
                name = IncidentId(each.incident)
                if not view.evidence.of([name]):
                    continue  # its incident was pruned
                checked += 1
                papers = view.evidence.papers(name).get(each.path, {})
                faults += (
                    f"{name}: {why}, in the store"
                    for why in faults_of_papers(papers, each.sha256)
                )
    return checked, faults


def _is_ours(said: Provenance, instance: str, chain: Audit) -> bool:
    """Whether the chain should know it: not pruned, and not lost with a restore."""
    here = chain.stretch
    is_lost = any(said.seq > after and said.written <= at for after, at in here.lost)
    return said.instance == instance and said.seq >= here.first and not is_lost


def _checked_head(head: str | None) -> str | None:
    if head is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", head):
        raise Failed(
            f"--head {head!r} is no head; it has 64 digits, 0-9 and a-f", code=2
        )
    return head.lower() if head else None


def _fault(found: Audit, wanted: str | None) -> str | None:
    if found.fault is not None:
        return f"the audit chain is broken after row {found.head.seq}: {found.fault}"
    if wanted is None or found.looked_for is not None:
        return None
    for each in found.restorings:
        if each.replaced and each.replaced.hash == wanted:
            return (
                f"the head {wanted} is row {each.replaced.seq} of the store in whose "
                f"place a backup was put on {render_utc(each.at)}, see row {each.seq}"
            )
    why = ["rows at the end were cut off or an older copy was put back"]
    if found.restorings:
        why.append("it is from before a backup was restored")
    if found.pruning:
        why.append(f"it is one of the rows up to {found.pruning.through.seq}, pruned")
    return (
        f"no row has the head {wanted}: {', or '.join(why)}, or it is the head of "
        f"another store; the last row now is {found.head.seq}"
    )
