"""Kinds of recorders: what each can do, what it wants of the file, and who speaks it.

A new kind is a package of its own that fulfils `ports.RecorderPort`, and one row here.
"""

from collections.abc import Callable
from dataclasses import dataclass

from evidenced.core.address import Address
from evidenced.core.recorder import Capabilities
from evidenced.kinds import sense


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind. `adapter` is the module whose `make` gives a recorder of it.

    `no_tag` says why footage of a camera cannot be protected, None where it can.
    """

    adapter: str
    can: Capabilities
    no_tag: Callable[[Address], str | None]


KINDS: dict[str, Kind] = {
    "sense": Kind(
        adapter="evidenced.sense", can=sense.CAPABILITIES, no_tag=sense.no_tag
    )
}
"""By the word of `recorders.NAME.kind`."""
