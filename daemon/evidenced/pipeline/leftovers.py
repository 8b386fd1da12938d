"""Folders of exports that the recorder lost: a note in each says where the footage is.

What it had written by then stays on the share, perhaps half of a file, and no record
lists it. Whoever opens the folder must not take it for the evidence.
"""

from collections.abc import Iterator
from functools import partial

from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.states import ExportState
from evidenced.core.keeping.evidence import NOTE, RECORD
from evidenced.core.keeping.place import Place
from evidenced.core.keeping.unfinished import note_of
from evidenced.pipeline.drafting import Docket
from evidenced.pipeline.shares import Shares
from evidenced.ports.evidence import EvidencePort


async def note_leftovers(docket: Docket, shares: Shares, folders: EvidencePort) -> None:
    """Put a note into each folder of the incident's that holds something and no record.

    Raises:
        OSError: the share cannot be looked at or written now.
    """
    dossier = docket.dossier
    for export, place in _left(docket, shares):
        data = note_of(dossier.incident, export, [*docket.places, *docket.unseen])
        write = partial(_write_note, folders, place, data)
        await shares.change(place.mount, write)


def _left(docket: Docket, shares: Shares) -> Iterator[tuple[ExportRequest, Place]]:
    recorded = {path.casefold() for path in (*docket.places, *docket.unseen)}
    name = docket.dossier.incident.terms.destination
    for export in docket.dossier.exports:
        found = shares.place(export.path, name)
        is_lost = export.state is ExportState.VANISHED
        if found is None or not is_lost or export.path.casefold() in recorded:
            continue
        destination, mount, way = found
        yield export, Place(mount=mount, marker=destination.marker, names=way)


def _write_note(folders: EvidencePort, place: Place, data: bytes) -> None:
    survey = folders.survey(place)
    if survey is None or not survey.files or folders.listed(place, [NOTE, RECORD]):
        return
    folders.put(place, {NOTE: data})
