"""Footage that a person asks for: its incident, and the order as its only alarm.

So whoever looks at it later sees who wanted what, as with any other alarm.
"""

import json

from evidenced.core.alarms.alarm import (
    BY_HAND,
    Alarm,
    Moment,
    Reading,
    Signal,
    TimeSource,
)
from evidenced.core.incidents import byhand
from evidenced.core.incidents.byhand import FootageOrder, Hand
from evidenced.core.incidents.cutting import NewId
from evidenced.core.incidents.incident import Incident
from evidenced.core.instants import render_utc
from evidenced.core.site import Site
from evidenced.pipeline.taking import kept_alarm, with_message
from evidenced.ports import Tx


def save_step(
    tx: Tx, site: Site, order: FootageOrder, hand: Hand, new_id: NewId
) -> Incident:
    """The incident of such an order, with its alarm.

    Raises:
        BadInput: see `byhand.find_cameras` and `byhand.save`.
        NotFound: no such camera, or destination.
    """
    cameras = byhand.find_cameras(order.cameras, site.roster.cameras)
    terms = site.by_hand(order.destination)
    change = byhand.save(order, cameras, terms, hand, new_id)
    incident = change.after
    said = {
        "by": hand.who,
        "cameras": [camera.name for camera in cameras],
        "from": render_utc(order.start),
        "to": render_utc(order.end),
        "comment": incident.fields[byhand.COMMENT],
        "destination": terms.destination,
    }
    alarm = Alarm(
        topic=BY_HAND, payload=json.dumps(said).encode(), received_at=hand.now
    )
    at = incident.opened_at
    reading = Reading(
        rule=incident.rule,
        signal=Signal.ACTIVE,
        moment=Moment(at=at, earliest=at, latest=at, source=TimeSource.OPERATOR),
        fields=incident.fields,
        key=incident.key,
    )
    tx.ledger.save([with_message(change, alarm)], hand.now)
    tx.alarms.save([kept_alarm(incident, alarm, reading)])
    return incident
