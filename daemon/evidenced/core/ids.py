"""Names and numbers that identify things. All are text, on purpose."""

import re
from datetime import UTC, datetime
from typing import NewType

IncidentId = NewType("IncidentId", str)
RuleName = NewType("RuleName", str)
ConditionName = NewType("ConditionName", str)
CameraName = NewType("CameraName", str)
GroupName = NewType("GroupName", str)
RecorderName = NewType("RecorderName", str)
DestinationName = NewType("DestinationName", str)
SilenceId = NewType("SilenceId", str)

SessionId = NewType("SessionId", str)
"""Our own name of one stretch of time in which a recorder knows us, from its login on.

Between two of them a recorder may have been restarted.
"""

GroupKey = NewType("GroupKey", str)
"""Values of a rule's `group_by`, joined by "/"; "/" and "%" inside are escaped."""

FieldValue = str | tuple[str, ...]
"""A captured level or extracted field: one text, or several from a JSON list."""


_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def is_id(text: str) -> bool:
    """Whether an incident or a silence can have it."""
    return _ID.fullmatch(text) is not None


def incident_id(at: datetime, token: str) -> IncidentId:
    """For an incident whose first alarm was at this instant: 20261123-061530-k3f9qx2a.

    The token keeps ids of one second apart. A number counted by the store would start
    again after its loss, and lead to folders that hold evidence already.
    """
    return IncidentId(f"{at.astimezone(UTC):%Y%m%d-%H%M%S}-{token}")
