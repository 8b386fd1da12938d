"""What a step makes wanted, drawn up at once."""

from datetime import datetime

from evidenced.core.incidents.incident import Incident
from evidenced.core.keeping.still import Still, wish_after


def stills_after(
    before: Incident | None, after: Incident, now: datetime
) -> list[Still]:
    wish = wish_after(before, after, now)
    return wish.stills(after) if wish else []
