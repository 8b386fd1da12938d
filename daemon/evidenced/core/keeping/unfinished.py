"""What a note says that lies beside footage of an export which was never finished."""

from collections.abc import Iterable

from evidenced.core.alarms.payload import one_line
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.incident import Incident
from evidenced.core.instants import render_utc

MOST = 300
"""Characters of what comes from outside."""


def note_of(
    incident: Incident, export: ExportRequest, elsewhere: Iterable[str]
) -> bytes:
    """A text for people; `elsewhere` are the folders that the footage is in."""
    lines = (
        "What lies in this folder is not the evidence, and may be cut short.",
        "",
        f"Incident {incident.id}, {one_line(incident.label, MOST)}: the recorder lost",
        f"the export that it was asked for at {render_utc(export.requested_at)}, so it",
        "was asked again. No record lists these files. The footage is in",
        "",
        *(f"    {one_line(path, MOST)}" for path in elsewhere),
    )
    return "".join(f"{line}\r\n" for line in lines).encode()
