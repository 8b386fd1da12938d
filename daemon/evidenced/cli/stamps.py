"""What time stamps of the audit chain vouch for, as `audit verify` says it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evidenced.config import Config
from evidenced.core.errors import BadInput
from evidenced.core.instants import render_utc
from evidenced.core.keeping.stamps import KeptStamp, Vouched
from evidenced.core.telling.sentences import count
from evidenced.evidence.heads import read_stamps
from evidenced.evidence.timestamp import roots_of, verify_stamp
from evidenced.store.dialect import Database
from evidenced.store.testimony import stamps_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouching:
    """Stamps that verify, the oldest first; `faults` are sentences about others."""

    stamps: Sequence[tuple[KeptStamp, Vouched]] = ()
    faults: Sequence[str] = ()

    @property
    def last(self) -> tuple[KeptStamp, Vouched] | None:
        return self.stamps[-1] if self.stamps else None

    def told(self) -> str:
        """One line, of all of them; "" where there are none."""
        if self.last is None:
            return ""
        stamp, vouched = self.last
        since = min(each.at for _, each in self.stamps)
        return (
            f"intact: {count(len(self.stamps), 'time stamp')} since "
            f"{render_utc(since)}; the last vouches for row {stamp.head.head.seq} at "
            f"{render_utc(vouched.at)}, by {vouched.by}"
        )

    def of_row(self, seq: int) -> str:
        """By when a row was there, as a sentence's end; "" where no stamp tells."""
        after = (each for each in self.stamps if each[0].head.head.seq >= seq)
        if (first := next(after, None)) is None:
            return ""
        return f", there by {render_utc(first[1].at)} as {first[1].by} vouches"

    def as_value(self) -> Mapping[str, object] | None:
        if self.last is None:
            return None
        stamp, vouched = self.last
        return {
            "seq": stamp.head.head.seq,
            "at": render_utc(vouched.at),
            "by": vouched.by,
        }


def check_stamps(
    config: Config, database: Database, mounts: Sequence[Path]
) -> Vouching:
    """Those of the store and of the shares, each once, verified offline."""
    found: dict[tuple[str, bytes], KeptStamp] = {}
    faults = list[str]()
    for stamp in stamps_in(database):
        found.setdefault((stamp.text, stamp.response), stamp)
    for mount in mounts:
        try:
            for stamp in read_stamps(mount, config.daemon.instance):
                found.setdefault((stamp.text, stamp.response), stamp)
        except BadInput as error:
            faults.append(str(error))
    good, bad = list[tuple[KeptStamp, Vouched]](), dict[str, list[str]]()
    roots = roots_of(config.evidence.timestamp_ca_file) if found else []
    for stamp in found.values():
        try:
            good.append((stamp, verify_stamp(stamp.response, stamp.text, roots)))
        except BadInput as error:
            bad.setdefault(str(error), []).append(stamp.head.place)
    for why, places in bad.items():
        more = f" and {len(places) - 1} more" if len(places) > 1 else ""
        faults.append(f"the time stamp of {places[0].rstrip(',')}{more}: {why}")
    good.sort(key=lambda each: each[0].head.head.seq)
    return Vouching(stamps=good, faults=faults)
