"""Ids of incidents: readable, in order of time, and unique beyond one store's life."""

from datetime import UTC, datetime

from evidenced.core.ids import IncidentId


def incident_id(at: datetime, token: str) -> IncidentId:
    """For an incident whose first alarm was at this instant: 20261123-061530-k3f9qx2a.

    The token keeps ids of one second apart. A number counted by the store would start
    again after its loss, and lead to folders that hold evidence already.
    """
    return IncidentId(f"{at.astimezone(UTC):%Y%m%d-%H%M%S}-{token}")
