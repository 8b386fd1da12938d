"""What a recorder of this kind needs in order to export at all."""

import re

from evidenced.core.phrase import phrase

EXPORTS_SINCE = (2, 7, 3)
"""The version that brought exportVideo. Source: sense-api.md part A."""
LICENSE = {
    True: "has the API license",
    False: "the API license that exports need is missing: every export will fail",
    None: "it does not say whether it has the API license that exports need",
}
"""By what it says of the license; None where it does not tell. Source: B7."""


def too_old(version: str) -> str | None:
    """Why this version cannot export; None where it can, or is unknown."""
    numbers = tuple(int(n) for n in re.findall("[0-9]{1,6}", version)[:3])
    if not numbers or numbers >= EXPORTS_SINCE:
        return None
    since = ".".join(map(str, EXPORTS_SINCE))
    return phrase(
        "version {version} cannot export: exportVideo came with {since}; update it",
        version=version,
        since=since,
    )
