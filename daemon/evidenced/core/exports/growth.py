"""What files on a share prove of exports that the recorder's list does not show.

Files that lie still may be a whole export, or what a recorder had written when it was
restarted. Only those that were seen to grow although the list did not show the export
prove that the recorder goes on with what it does not list: they are whole once they
lie still. Any other export is asked for again, for footage twice is better than half.
What no look can tell: a recorder that lists only its session's own exports, and that
restarts without ending that session while an earlier one's files are watched.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from evidenced.core.ids import SessionId


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """How many files there were, and their size altogether. At least one."""

    files: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What a look for the files of some exports came to, by their numbers.

    `found` are those with files. Of those in `unknown` the share could not be looked
    at, which proves nothing. Any other has no files, or no mounted share.
    """

    found: Mapping[int, Sighting] = field(default_factory=dict)
    unknown: frozenset[int] = frozenset()


class Growth:
    """What was seen of such exports, look by look."""

    def __init__(self) -> None:
        self._session: SessionId | None = None
        self._before: dict[int, Sighting] = {}
        self._grown: set[int] = set()

    def look(
        self, search: Search, session: SessionId, through: Collection[int]
    ) -> dict[int, Sighting | None]:
        """The files that prove an export; None where it cannot be said yet.

        Growth counts within one session only: over a new login a recorder may have
        written on, and been restarted. `through` are exports of which the list said
        last that everything was written.
        """
        if session != self._session:
            self._session, self._before, self._grown = session, {}, set()
        proofs: dict[int, Sighting | None] = dict.fromkeys(search.unknown)
        for number, sighting in search.found.items():
            before = self._before.get(number)
            if before != sighting:
                proofs[number] = None
                if before is not None:
                    self._grown.add(number)
            elif number in self._grown or number in through:
                proofs[number] = sighting
        kept = {n: self._before[n] for n in search.unknown & self._before.keys()}
        self._before = kept | dict(search.found)
        self._grown &= search.found.keys() | search.unknown
        return proofs
