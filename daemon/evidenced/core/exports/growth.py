"""What files on a share prove of exports that the recorder does not show.

When this matters
-----------------

An export was asked for, and no look at the recorder shows it: its answer was lost, or
it was shown and is not any more. Did the recorder make it? If the destination's share
is mounted here, its folder can be looked at. Nothing there: it is asked for again, in
another folder. But files may be two things:

    the recorder goes on, and only does not show it     asking again makes it twice
    the recorder was restarted in the middle            these files are half of it

Taking half of an export for the whole is the one thing that must not happen: the
incident would be called exported, and the other half would be overwritten at the
recorder. Making it twice costs time.


The proof
---------

Files that lie still prove nothing: whole and half look the same. What proves something
is that they *grew* while the recorder did not show the export. So somebody is writing
them whom no look shows: the recorder goes on without telling. Once they lie still after
that, it is done.

    look    shown?    files               what follows
    1       no        3 files, 40 MB      wait: is it growing?
    2       no        4 files, 55 MB      it is
    3       no        4 files, 55 MB      and has stopped: whole, the clips are exported

    1       no        3 files, 40 MB      wait
    2       no        3 files, 40 MB      nothing grew: asked for again in a folder -2

Also proved are files that lie still of an export that was at 100 percent when it was
shown last: then everything had been written.

Growth counts within one session only. Over a new login the recorder may have written on
for a while and then been restarted, which looks like growth and then rest.


What no look can tell
---------------------

A recorder that shows only its own session's exports, and that restarts without ending
that session while the files of an earlier one are being watched. No such one is known.
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
