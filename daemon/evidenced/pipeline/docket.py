"""One record with all that is known of its incident, and where its folders lie."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from evidenced.core.keeping import evidence
from evidenced.core.keeping.evidence import HashedFile, Record, Survey
from evidenced.core.keeping.kept import Dossier
from evidenced.core.site import Destination
from evidenced.pipeline.shares import Shares
from evidenced.ports import View
from evidenced.ports.evidence import EvidencePort, PagePort, Place, SignerPort

Surveys = Mapping[str, Survey | None]
"""What lies in each folder; None where there is none yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What records are written with; `versions` are those of the software now."""

    folders: EvidencePort
    signer: SignerPort
    page: PagePort
    versions: Callable[[], Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Docket:
    """A record with all that is known of its incident, and where its folders lie."""

    record: Record
    dossier: Dossier
    known: Mapping[tuple[str, str], HashedFile]
    places: Mapping[str, tuple[Destination, Place]]
    needed: Mapping[str, bool]


def open_docket(view: View, record: Record, shares: Shares) -> Docket | None:
    """The docket; None where no folder of it is to be seen from here."""
    dossier = view.dossier(record.incident, whole=True)
    if dossier is None:
        return None
    needed = evidence.folders_of(dossier.incident, dossier.exports)
    places = {}
    for path in needed:
        found = shares.place(path, dossier.incident.terms.destination)
        if found is not None and found[0].is_recorded:
            destination, mount, folders = found
            place = Place(mount=mount, marker=destination.marker, names=folders)
            places[path] = destination, place
    if not places:
        return None
    known = view.evidence.files(record.incident)
    return Docket(
        record=record,
        dossier=dossier,
        known={(each.folder, each.file.name): each for each in known},
        places=places,
        needed={path: needed[path] for path in places},
    )
