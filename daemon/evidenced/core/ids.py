"""Names and numbers that identify things. All are text, on purpose.

The recorder's UIDs are unsigned 64-bit decimals (17167089910108338829 was seen): they
overflow SQLite's integers and JSON's numbers. Source: sense-api.md B5.
"""

from datetime import UTC, datetime
from typing import NewType

IncidentId = NewType("IncidentId", str)
RuleName = NewType("RuleName", str)
CameraName = NewType("CameraName", str)
GroupName = NewType("GroupName", str)
RecorderName = NewType("RecorderName", str)
DestinationName = NewType("DestinationName", str)
SilenceId = NewType("SilenceId", str)

ServerId = NewType("ServerId", str)
"""The vendor's UID of a server: opaque text, compared as text."""
DeviceId = NewType("DeviceId", str)
"""The vendor's UID of a device: unique only together with its server."""
ExportId = NewType("ExportId", str)
"""The recorder's own number of an export: valid in one API session only."""
SessionId = NewType("SessionId", str)
"""Our own name of one API session at a recorder: an ExportId means nothing without."""

GroupKey = NewType("GroupKey", str)
"""Values of a rule's `group_by`, joined by "/"; "/" and "%" inside are escaped."""

FieldValue = str | tuple[str, ...]
"""A captured level or extracted field: one text, or several from a JSON list."""


def incident_id(at: datetime, token: str) -> IncidentId:
    """For an incident whose first alarm was at this instant: 20261123-061530-k3f9qx2a.

    The token keeps ids of one second apart. A number counted by the store would start
    again after its loss, and lead to folders that hold evidence already.
    """
    return IncidentId(f"{at.astimezone(UTC):%Y%m%d-%H%M%S}-{token}")
