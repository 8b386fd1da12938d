"""What goes to the recorder, as XML and timestamps. Pure."""

from datetime import UTC, datetime

from lxml import etree

from evidenced.core.instants import floor_ms, is_datable
from evidenced.core.recorder import ExportOrder
from evidenced.sense.address import read_address

PROLOG = b'<?xml version="1.0" encoding="UTF-8"?>\n'


def render_order(order: ExportOrder) -> bytes:
    """The body of exportVideo.

    Source: sense-api.md part A; its order of elements is kept although B8 calls it
    free. A real prolog: the printed one is an artefact of the documentation system.

    Raises:
        ValueError: a text holds a character that XML cannot carry.
    """
    root = etree.Element("export")
    devices = etree.SubElement(root, "devices")
    for asked in order.devices:
        device = etree.SubElement(devices, "device")
        uids = read_address(asked.address)
        _add(device, "serverid", uids.server)
        _add(device, "deviceid", uids.device)
        _add(device, "starttime", render_timestamp(asked.window.start))
        _add(device, "endtime", render_timestamp(asked.window.end))
    _add(root, "path", order.path)
    _add(root, "bandwidth", str(order.bandwidth))
    return _render(root)


def render_plain_login(username: str, password: str) -> bytes:
    """The body of a plain login. Source: sense-api.md B1 1.7.

    Raises:
        ValueError: a text holds a character that XML cannot carry.
    """
    root = etree.Element("AuthenticateUser")
    _add(root, "username", username)
    _add(root, "password", password)
    return _render(root)


def render_digest_login(
    *, username: str, nonce: str, timestamp: str, digest: str
) -> bytes:
    """The body of a digest login. Source: sense-api.md B1 1.3.

    Raises:
        ValueError: a text holds a character that XML cannot carry.
    """
    root = etree.Element("AuthenticateUserDigest")
    _add(root, "username", username)
    _add(root, "nonce", nonce)
    _add(root, "timestamp", timestamp)
    _add(root, "digest", digest)
    return _render(root)


def render_timestamp(at: datetime) -> str:
    """`yyyy-mm-dd hh:nn:ss.zzz` in UTC, always three decimals. Source: part A."""
    naive = at.astimezone(UTC).replace(tzinfo=None)
    return naive.isoformat(sep=" ", timespec="milliseconds")


def render_seconds(at: datetime) -> str:
    """`yyyy-mm-dd hh:mm:ss` in UTC, as the digest wants it. Source: B1 1.5."""
    naive = at.astimezone(UTC).replace(tzinfo=None)
    return naive.isoformat(sep=" ", timespec="seconds")


def parse_timestamp(text: str) -> datetime | None:
    """The instant in UTC, whole milliseconds, or None when it is none that can be.

    With or without decimals, `T`, a zone; without a zone it counts as UTC, which for
    listed times is assumed. Source: sense-api.md B4.
    """
    text = text.strip()
    if not _SHORTEST <= len(text) <= _LONGEST:
        return None
    try:
        at = datetime.fromisoformat(text)
        at = floor_ms(at.replace(tzinfo=UTC) if at.tzinfo is None else at)
    except (ValueError, OverflowError):
        return None
    return at if is_datable(at) else None


_SHORTEST = len("2024-01-19 10:00")
_LONGEST = len("2024-01-19 10:00:00.000000 +00:00")


def _add(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, name).text = text


def _render(root: etree._Element) -> bytes:
    return PROLOG + etree.tostring(root, encoding="utf-8", xml_declaration=False)
