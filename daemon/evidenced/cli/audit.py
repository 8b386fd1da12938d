"""`evidenced audit`: whether the record is what was written."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from evidenced.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile, load_config
from evidenced.cli.terminal import Failed, say, say_json
from evidenced.cli.verify import faults_of
from evidenced.config import Config
from evidenced.config.compile import build_site
from evidenced.connections import embedded
from evidenced.core.errors import BadInput
from evidenced.core.ids import IncidentId
from evidenced.evidence.verify import Demand, faults_of_papers
from evidenced.evidence.verify import verify as verify_folder
from evidenced.store import StoreSettings, store_file
from evidenced.store.audit import (
    Audit,
    RecordedFolder,
    recorded_folders,
    verify_file,
)
from evidenced.store.retrace import differences
from evidenced.store.snapshot import open_snapshot

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
WithFootage = Annotated[
    bool,
    typer.Option(
        help="Also check every evidence record on mounted shares, and hash its "
        "footage again. Takes as long as reading all of it.",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditVerdict:
    """What the chain, the tables and the evidence records turned out to be."""

    chain: Audit
    fault: str | None
    records: int
    tables: Sequence[str]
    footage: Sequence[str]

    @property
    def is_intact(self) -> bool:
        return self.fault is None and not self.tables and not self.footage


family = typer.Typer()


@family.callback()
def audit() -> None:
    """Check the audit chain over everything that happened.

    Example: `evidenced audit verify -c evidenced.toml`
    """


@family.command()
def verify(
    config: ConfigFile = DEFAULT_CONFIG,
    head: Head = None,
    footage: WithFootage = True,
    as_json: AsJson = False,
) -> None:
    """Recompute the audit chain; says what was edited, removed, inserted or moved.

    Then the states of incidents and clips, which lists and the page show, are compared
    with the history; and where destinations have a mount, the evidence records that the
    chain names are checked. The store is only read, and the daemon may run meanwhile.
    Prints the head: keep it elsewhere, and give it to --head later.
    Exit 0: intact. 1: broken. 2: bad input.

    Example: `evidenced audit verify -c evidenced.toml --head 5d41...`
    """
    wanted = _checked_head(head)
    loaded = load_config(config)
    path = store_file(embedded(loaded))
    chain = verify_file(path, wanted)
    records, faults = _check_footage(loaded, path) if footage else (0, [])
    fault = _fault(chain, wanted)
    found = AuditVerdict(
        chain=chain,
        fault=fault,
        tables=[] if fault else differences(path),
        records=records,
        footage=faults,
    )
    if as_json:
        _say_json(found)
    else:
        _say(found, path)


def _say_json(found: AuditVerdict) -> None:
    say_json(
        {
            "intact": found.is_intact,
            "fault": found.fault,
            "seq": found.chain.head.seq,
            "hash": found.chain.head.hash,
            "tables": list(found.tables),
            "records": found.records,
            "footage": list(found.footage),
        }
    )
    raise typer.Exit(0 if found.is_intact else BROKEN)


def _say(found: AuditVerdict, path: Path) -> None:
    chain = found.chain
    if found.fault is not None:
        raise Failed(f"{path}: {found.fault}", code=BROKEN)
    say(f"intact: {chain.head.seq} rows, head {chain.head.hash}")
    if chain.looked_for is not None:
        say(f"the head that was kept is row {chain.looked_for}")
    if not found.tables:
        say("intact: the state of every incident and clip is what the history says")
    if found.records and not found.footage:
        say(f"intact: {found.records} evidence records and their footage")
    if faults := [*_first(found.tables), *found.footage]:
        raise Failed(*faults, code=BROKEN)


def _first(tables: Sequence[str]) -> list[str]:
    rest = len(tables) - MOST_TOLD
    more = [f"and {rest} more; --json lists them all"] if rest > 0 else []
    return [*tables[:MOST_TOLD], *more]


def _check_footage(config: Config, file: Path) -> tuple[int, list[str]]:
    """How many records were looked at, and a sentence for each that is not intact."""
    site = build_site(config)
    folders = recorded_folders(file)
    checked, faults = _check_kept([each for each in folders if each.is_kept], file)
    for each in folders:
        if each.is_kept:
            continue
        place = site.place_of(each.path, each.destination)
        if place is None:
            continue
        checked += 1
        _, mount, names = place
        try:
            found = verify_folder(mount, names, Demand(sha256=each.sha256))
        except BadInput as error:
            faults.append(f"{each.incident}: {error}")
            continue
        faults += [f"{found.folder}: {line}" for line in faults_of(found)]
    return checked, faults


def _check_kept(folders: Sequence[RecordedFolder], file: Path) -> tuple[int, list[str]]:
    """The same of records that are kept in the store, for no share shows theirs."""
    checked, faults = 0, list[str]()
    if folders:
        with open_snapshot(StoreSettings(directory=file.parent)) as view:
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


def _checked_head(head: str | None) -> str | None:
    if head is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", head):
        raise Failed(
            f"--head {head!r} is no head; it has 64 digits, 0-9 and a-f", code=2
        )
    return head.lower() if head else None


def _fault(found: Audit, wanted: str | None) -> str | None:
    if found.fault is not None:
        return f"the audit chain is broken after row {found.head.seq}: {found.fault}"
    if wanted is not None and found.looked_for is None:
        return (
            f"no row has the head {wanted}: rows at the end were cut off (the last "
            f"one now is {found.head.seq}), or it is the head of another store"
        )
    return None
