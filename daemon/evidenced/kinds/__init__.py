"""Kinds of recorders: what each can do, what it wants of the file, and who speaks it.

A new kind is a package of its own that fulfils `ports.RecorderPort`, and one row here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from evidenced.core.address import Address
from evidenced.core.recorder import Capabilities
from evidenced.kinds import sense


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind. `adapter` is the module whose `make` gives a recorder of it.

    `no_tag` says why footage of a camera cannot be protected, None where it can. `asks`
    are keys of its table, beside address and account, that a person has to know, with
    the question; "" leaves one out.
    """

    adapter: str
    can: Capabilities
    no_tag: Callable[[Address], str | None]
    asks: Mapping[str, str]


KINDS: dict[str, Kind] = {
    "sense": Kind(
        adapter="evidenced.sense",
        can=sense.CAPABILITIES,
        no_tag=sense.no_tag,
        asks=sense.ASKS,
    )
}
"""By the word of `recorders.NAME.kind`."""

DEFAULT_KIND = "sense"
