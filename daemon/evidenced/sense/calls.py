"""The recorder's commands as they go over the wire. Pure.

Source: sense-api.md B2 to B6.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

from evidenced.core.address import Address
from evidenced.core.errors import Reason, RecorderError
from evidenced.core.instants import SECOND, ZERO
from evidenced.core.keeping.tag import TagOrder
from evidenced.core.recorder import ExportOrder
from evidenced.core.window import Window
from evidenced.kinds.sense import FURTHEST_TAG
from evidenced.sense.address import ExportId, read_address
from evidenced.sense.transport import LIST_LIMIT, PICTURE_LIMIT, RESULT_LIMIT, Call
from evidenced.sense.wire import render_order, render_timestamp


def export_call(order: ExportOrder) -> Call:
    """exportVideo, byte for byte as it is sent.

    Raises:
        RecorderError: BAD_REQUEST; the order holds what XML cannot carry.
    """
    try:
        body = render_order(order)
    except ValueError:
        text = "the order holds a character that XML cannot carry; nothing was sent"
        raise RecorderError(Reason.BAD_REQUEST, text, is_sent=False) from None
    target = _target("exportVideo")
    return Call(what="exportVideo", target=target, method="POST", body=body, acts=True)


def withdrawal(exportid: ExportId) -> Call:
    """DELETE of a pending export."""
    target = _target("exportVideo", {"exportid": exportid})
    return Call(what="exportVideo", target=target, method="DELETE", acts=True)


def status_list(exportid: ExportId | None = None) -> Call:
    """getExportVideoStatus, of all exports or of one."""
    query = {"exportid": exportid} if exportid is not None else {}
    return get("getExportVideoStatus", query, limit=LIST_LIMIT)


def picture_call(address: Address, at: datetime) -> Call:
    """getHistoricalImage: the image at that time or the next one.

    Lists may give whole seconds only.
    """
    uids = read_address(address)
    query = {
        "serverid": uids.server,
        "cameraid": uids.device,
        "time": render_timestamp(at),
        "type": "atorafter",
    }
    return get("getHistoricalImage", query, limit=PICTURE_LIMIT)


def tag_call(order: TagOrder, now: datetime) -> Call:
    """TagVideoStart of a camera, around the recorder's now."""
    target = _target("executeAction", tag_query(order, now))
    return Call(what="executeAction", target=target, acts=True)


def tag_query(order: TagOrder, now: datetime) -> dict[str, str]:
    """Whole seconds around the recorder's now, rounded outwards.

    Always with an end: without one the recorder would tag until it is stopped.
    """
    uids = read_address(order.address)
    before = min(max(now - order.window.start, ZERO), FURTHEST_TAG)
    return {
        "actionname": "server.tagVideoStart",
        "serverid": uids.server,
        "deviceid": uids.device,
        "pretime": str(_seconds(before)),
        "posttime": str(max(1, _seconds(order.window.end - now))),
        "title": order.title,
        "comment": order.comment,
    }


def _seconds(length: timedelta) -> int:
    return -(-length // SECOND)


def get(
    command: str, query: Mapping[str, str] | None = None, *, limit: int = RESULT_LIMIT
) -> Call:
    """A command that changes nothing."""
    return Call(what=command, target=_target(command, query), limit=limit)


def images_call(
    address: Address, window: Window, most: int, *, limit: int = RESULT_LIMIT
) -> Call:
    """Asks for so many recorded images of the window. Source: sense-api.md B6."""
    uids = read_address(address)
    query = {
        "serverid": uids.server,
        "cameraid": uids.device,
        "starttime": render_timestamp(window.start),
        "endtime": render_timestamp(window.end),
        "limit": str(most),
    }
    return get("getImageSequence", query, limit=limit)


def _target(command: str, query: Mapping[str, str] | None = None) -> str:
    """Percent-encoded whole; a blank as %20, as it is unknown if + is read (B4)."""
    query = {"command": command, **(query or {})}
    return "/command?" + urlencode(query, quote_via=quote, errors="replace")
