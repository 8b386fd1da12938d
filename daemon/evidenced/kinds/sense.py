"""VDG Sense: what has to be known of it before it is asked anything. Pure."""

import re
from datetime import timedelta

from evidenced.core.address import Address, parts_of
from evidenced.core.recorder import Capabilities

FURTHEST_TAG = timedelta(hours=24)
"""A tag begins at most so long before it is set. Source: sense-api.md B9, pretime."""
CAPABILITIES = Capabilities(furthest_tag=FURTHEST_TAG)


def names_one_camera(address: Address) -> bool:
    """Whether a tag with this address is one camera's.

    Without UIDs, and with 0, the recorder tags every camera of every server, and only
    a person can release that. So they must be what UIDs are known to be: decimals above
    0 that no 64-bit number cuts short. Source: sense-api.md B5, B9.
    """
    parts = parts_of(address)
    uids = (parts.get("server", ""), parts.get("device", ""))
    return all(
        re.fullmatch(r"[0-9]{1,20}", each) and 0 < int(each) < 1 << 64 for each in uids
    )


def no_tag(address: Address) -> str | None:
    """Why footage of this camera cannot be protected; completes "so ..."."""
    if names_one_camera(address):
        return None
    return (
        "server and device must be the recorder's numbers, above 0; see "
        "evidenced discover"
    )


ASKS = {"nonce": "Nonce that the vendor gave (empty: log in plainly)"}
