"""A record on a share, read to be taken into the store: hostile until it is checked."""

import hashlib

from evidenced.core.errors import BadInput
from evidenced.core.keeping.evidence import DISPOSAL, RECORD
from evidenced.core.keeping.importing import Fate, ImportOrder, SharedRecord
from evidenced.core.keeping.place import Place
from evidenced.core.keeping.still import MOST_BYTES as MOST_PICTURE
from evidenced.evidence.folder import read_file
from evidenced.evidence.verify import Demand, Finding, verify
from evidenced.host import tree

MOST_PICTURES = 320
"""A picture more than an incident of ours has is none of ours."""
MOST_STATEMENT = 8 << 20


class SharedRecords:
    """`ports.RecordReader` over the file system."""

    def read(self, place: Place, order: ImportOrder, most: int) -> SharedRecord:
        """See the port. The size is looked at before anything is read."""
        with tree.open_folder(place.mount, place.names) as folder:
            data = read_file(folder, RECORD, most)
        demand = Demand(
            keys=(order.key,) if order.key else (), sha256=order.record, is_quick=True
        )
        found = verify(place.mount, place.names, demand)
        if found.sha256 != hashlib.sha256(data).hexdigest():
            raise BadInput(f"{RECORD} changes while it is read")
        if why := _fault(found):
            raise BadInput(why)
        with tree.open_folder(place.mount, place.names) as folder:
            return SharedRecord(
                data=data,
                sha256=found.sha256,
                key=found.key,
                files=len(found.record.files),
                size_bytes=sum(each.size for each in found.record.files),
                fate=_fate(folder, found),
                pictures=_pictures(folder, found),
            )


def _fault(found: Finding) -> str:
    """The first thing that is not as it was recorded, in one sentence; or ""."""
    if found.is_by_another:
        return (
            f"it is signed by key {found.key}, not by the one asked for: --key takes "
            "the public key of the installation that wrote it"
        )
    named = (
        ("altered", found.altered),
        ("missing", found.missing),
        ("added", found.added),
    )
    told = [
        *found.faults,
        *found.doubts,
        *(f"{what}: {each}" for what, all_ in named for each in all_),
    ]
    return next(iter(told), "")


def _fate(folder: int, found: Finding) -> Fate | None:
    said = found.disposal
    if said is None:
        return None
    data = read_file(folder, DISPOSAL, MOST_STATEMENT)
    return Fate(
        at=said.at,
        by=said.by,
        comment=said.comment,
        place=said.place,
        statement=hashlib.sha256(data).hexdigest(),
    )


def _pictures(folder: int, found: Finding) -> dict[str, bytes]:
    """Those that are what the record says; others were told by the check."""
    pictures = {}
    for each in found.record.stills[:MOST_PICTURES]:
        data = read_file(folder, each.name, MOST_PICTURE)
        if hashlib.sha256(data).hexdigest() == each.sha256:
            pictures[each.name] = data
    return pictures
