"""What a recorder says of exports of ours, in a look at all of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from evidenced.core.address import Handle
from evidenced.core.ids import SessionId
from evidenced.core.incidents.export import ExportedDevice

DONE_PERCENT = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How one export does: which clips are done, which have failed.

    `handle` is what the recorder knows it by now, None where it does not say. `devices`
    carry the progress of now. It is over once every clip is in either.
    """

    devices: tuple[ExportedDevice, ...]
    done: frozenset[int]
    failed: frozenset[int]
    handle: Handle | None = None

    @property
    def is_over(self) -> bool:
        return len(self.done) + len(self.failed) == len(self.devices)


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """By the number of an export; one that the recorder does not show is left out.

    `session` is our name of the session in which it was said.
    """

    session: SessionId
    verdicts: Mapping[int, Verdict]
