"""The checks of evidence records can fail.

Mutants as in test_checks.py.
"""

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

import pytest

from evidenced.core.folders.whereabouts import Whereabouts
from evidenced.core.ids import DestinationName
from evidenced.core.keeping import evidence
from evidenced.core.keeping.evidence import Record, RecordState
from evidenced.evidence import Signer, folder
from evidenced.host.share import Share
from evidenced.pipeline import drafting
from evidenced.pipeline.hashing import FileReader
from evidenced.store.keeping import StoredEvidence
from simulation.mutant import Mutant, Patch
from simulation.plan import Plan


def _names_another_hash(patch: Patch) -> None:
    entry_of = drafting.entry_of_record

    def wrong(record: Record, *others: Any) -> Any:
        folders = [replace(each, sha256="0" * 64) for each in record.folders]
        return entry_of(replace(record, folders=tuple(folders)), *others)

    patch.setattr("evidenced.pipeline.evidence.entry_of_record", wrong)


def _writes_it_twice(patch: Patch) -> None:
    written = drafting._written

    def twice(*values: Any) -> Record:
        made = written(*values)
        if made.revision > 1:
            return made
        return replace(made, state=RecordState.WANTED, due_at=made.written_at)

    patch.setattr(drafting, "_written", twice)


def _takes_any_share(patch: Patch) -> None:
    patch.setattr(folder, "_not_the_share", lambda *_: None)
    patch.setattr(Share, "problem", lambda *_: None)


def _takes_its_own_draft_for_a_strangers(patch: Patch) -> None:
    make_way = folder._make_way

    def forgetful(handle: int, papers: Any) -> str:
        return make_way(handle, replace(papers, intended=()))

    patch.setattr(folder, "_make_way", forgetful)


def _gives_up_at_once(patch: Patch) -> None:
    patch.setattr(evidence, "postpone", lambda record, why, *_: _failed(record, why))


def _failed(record: Record, why: str) -> Record:
    return evidence.fail(record, why)


def _records_what_was_not_exported(patch: Patch) -> None:
    def every(_incident: Any, exports: Any) -> dict[str, bool]:
        return {export.path: False for export in exports}

    patch.setattr(evidence, "is_recordable", lambda _: True)
    patch.setattr(evidence, "folders_of", every)


def _does_not_sign(patch: Patch) -> None:
    patch.setattr(Signer, "sign", lambda *_: None)


def _hashes_nothing(patch: Patch) -> None:
    async def zero(*_: object) -> str:
        return "0" * 64

    patch.setattr(FileReader, "sha256", zero)


def _forgets_more_footage(patch: Patch) -> None:
    derive = StoredEvidence.derive

    def once(evidence: StoredEvidence, steps: Collection[Any], at: Any) -> None:
        known = {each.incident for each in evidence.of([s[1].id for s in steps])}
        derive(evidence, [step for step in steps if step[1].id not in known], at)

    patch.setattr(StoredEvidence, "derive", once)


def _asks_the_first_destination(patch: Patch) -> None:
    mounted, first = Whereabouts.mounted, DestinationName("nas")
    patch.setattr(
        Whereabouts, "mounted", lambda places, path, _: mounted(places, path, first)
    )


def _is_recorded(plan: Plan) -> bool:
    return plan.recording is not None


def _loses_as(word: str) -> Callable[[Plan], bool]:
    def fits(plan: Plan) -> bool:
        found = plan.recording
        return found is not None and bool(found.lost) and found.lost_as == word

    return fits


def _is_killed(plan: Plan) -> bool:
    return plan.recording is not None and bool(plan.recording.killed_at)


MUTANTS = {
    "names another hash in the history": Mutant(
        "record: of", _names_another_hash, fits=_is_recorded
    ),
    "writes a record twice": Mutant(
        "record: revision 2", _writes_it_twice, fits=_is_recorded
    ),
    "takes any share for the right one": Mutant(
        "record: incident.json on a wrong share",
        _takes_any_share,
        fits=_loses_as("other"),
    ),
    "takes its own draft for a stranger's": Mutant(
        "record: ", _takes_its_own_draft_for_a_strangers, fits=_is_killed, first=60
    ),
    "gives up a record at once": Mutant(
        "record: none of",
        _gives_up_at_once,
        fits=_loses_as("away"),
        spoils="lies",
        first=282,
    ),
    "records what was not exported": Mutant(
        "record: one of",
        _records_what_was_not_exported,
        "operator",
        fits=_is_recorded,
        first=945,
    ),
    "asks the first destination whether to": Mutant(
        "record: one of",
        _asks_the_first_destination,
        fits=lambda plan: plan.shape.is_partly,
    ),
    "does not sign": Mutant("record: of", _does_not_sign, fits=_is_recorded),
    "hashes nothing": Mutant("record: of", _hashes_nothing, fits=_is_recorded),
    "forgets more footage": Mutant(
        "record: none of", _forgets_more_footage, fits=_is_recorded, spoils="lies"
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_fault_of_records_is_found(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not MUTANTS[name].is_found(monkeypatch):
        pytest.fail(f"no seed notices that it {name}", pytrace=False)
