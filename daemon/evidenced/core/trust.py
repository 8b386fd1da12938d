"""Whether the host's clock is right: asked here once a step, and nowhere else.

A host's clock is wrong now and then: by years at a boot with a dead battery until NTP
answers, for a minute by a bad time server, by hours for a host whose clock nobody
keeps. What happens meanwhile is stored and understood all the same. What time alone
decides is not decided: that an incident is cut, a clear lost, an alarm stale, footage
late or given up, a silence over, a report due, a row old enough to be deleted. None of
it comes back when the clock is right again.

A step gets one value, `Now`, and hands it down. It carries two instants:

    at      what the host's clock says. Every row is dated by it, and everything that
            was dated by it before is compared with it: a window that was opened by a
            wrong clock ends by it, and its footage is right, for the recorder's clock
            was measured against the same one.
    sure    the latest instant that has come for sure. The same while the clock is
            trusted. While it is not: where it would be, had it run on from where it
            was trusted last; or `at`, where that is earlier. Time decides by it alone.

So nobody asks whether the clock is trusted: a cut that lies before `sure` is made, also
while the clock is wrong, and any other waits. An example, a rule that awaits its clear
and is cut each half hour:

    12:00       an alarm opens an incident, whose cut is 12:30
    12:10       the host's clock is set a year ahead. `sure` is 12:10 and runs on:
                nothing is cut, where 17,520 pieces up to next year would be
    12:30       by `sure`: the cut is made, at its time
    12:40       the clock is set right. It goes on where it was trusted: `sure` is `at`
                at once, and nothing has to be mended

Trusted is a clock that goes on from where it was trusted last, within STEP; a boot that
takes no longer than that is nothing else, for the last such instant is a row. One that
does not go on from there was set, or its host was off. It is trusted when somebody
begins to vouch for it (NTP has set it since), or when it has run for PROOF without
another step: nobody may ever vouch for it. The first clock of a store is trusted, for
there is nothing that it contradicts.

An instant to be waited for, such as the next try of a clip, is dated by `at` like any
row: it may be years off. It cannot be waited for so long, for every wait has a longest:
what lies far further ahead than that was dated by a clock that was ahead, and has come
(`Now.has_come`; of rows that are looked for by it, `Janitor._hasten`). And what ends by
a clock that is behind the noted instant is dated by that one, or it would be deleted as
old as soon as the clock is right (`store/ledger.py`). What cannot be known is the true
time of an alarm that came with no other time than a wrong receipt: people are told of
those that lie in the future (`NoticeKind.CLOCK`).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from evidenced.core.instants import DAY, HOUR, ZERO, floor_ms, render_utc

STEP = HOUR
"""A clock that moved so far by itself was set. Retention counts in days; so does
`give_up`, unless it is configured shorter."""
PROOF = HOUR
"""A clock that ran for so long without a step is as right as it will be."""
UNKEPT_PROOF = DAY
"""The same for deleting by a clock that is known not to be in sync: it may never be,
and the disk fills all the same."""
LEAP = DAY
"""How far beyond `sure` a message of a clock that is not trusted moves anything."""
EVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """The instant of one step; see above. `monotonic` are seconds that never jump.

    `may_delete` is whether rows may be deleted by it, which a clock has to deserve
    longer than the rest. `in_sync` is what the host says of it; None: nothing.
    """

    at: datetime
    sure: datetime
    monotonic: float = 0.0
    is_trusted: bool = True
    may_delete: bool = False
    in_sync: bool | None = None

    def has_come(self, at: datetime, longest: timedelta) -> bool:
        """Whether a wait that ends at this instant is over; none is longer than that.

        One that ends far later was begun by a clock that was ahead. A clock that was
        set back by little makes a wait longer by as much, up to twice its length.
        """
        return not ZERO < at - self.at <= 2 * longest

    @property
    def is_unsure(self) -> bool:
        """Whether an alarm that has no time but this should say so."""
        return not self.is_trusted or self.in_sync is False

    @property
    def is_behind(self) -> bool:
        """Whether it is earlier than it is for sure: a boot with a dead battery.

        An alarm that would await its clear gets its rolls only: once the clock is set
        it would have been on for months, and be cut into as many pieces.
        """
        return not self.is_trusted and self.sure == self.at

    @property
    def furthest(self) -> datetime:
        """The latest instant to which a message may cut an incident, or end it.

        A receipt by a clock that is years ahead would cut thousands of pieces. After a
        boot `sure` lags behind by as long as the host was off, and the messages that
        waited meanwhile are right: hence the leap.
        """
        return EVER if self.is_trusted else self.sure + LEAP


def exactly(at: datetime) -> Now:
    """By a clock that is known to be right: of a person, a replay, a test."""
    return Now(at=at, sure=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What is remembered from one look at the clock to the next.

    `zero` is the instant of the wall clock at which the monotonic one was 0, as of the
    last look, `trusted_zero` as of the last look that trusted it: the wall clock is set
    when its zero moves. None before the first. `since` are the monotonic seconds of the
    last step, or of the first look.
    """

    zero: datetime | None = None
    trusted_zero: datetime | None = None
    since: float = 0.0
    in_sync: bool | None = None
    is_vouched: bool = False

    def look(
        self, at: datetime, monotonic: float, *, in_sync: bool | None
    ) -> tuple["Trust", Now]:
        """The memory after one look at all three, and what the step gets."""
        zero = at - timedelta(seconds=monotonic)
        is_step = self.zero is None or abs(zero - self.zero) > STEP
        since = monotonic if is_step else self.since
        # who vouched before a step vouches for the clock of before
        is_kept = self.is_vouched and not is_step
        is_vouched = in_sync is True and (is_kept or self.in_sync is not True)
        known = zero if self.trusted_zero is None else self.trusted_zero
        steady = timedelta(seconds=monotonic - since)
        is_trusted = abs(zero - known) <= STEP or is_vouched or steady >= PROOF
        after = Trust(
            zero=zero,
            trusted_zero=zero if is_trusted else known,
            since=since,
            in_sync=in_sync,
            is_vouched=is_vouched,
        )
        proof = UNKEPT_PROOF if in_sync is False else PROOF
        sure = floor_ms(known + timedelta(seconds=monotonic))
        return after, Now(
            at=at,
            sure=at if is_trusted else min(at, sure),
            monotonic=monotonic,
            is_trusted=is_trusted,
            may_delete=is_trusted and steady >= proof,
            in_sync=in_sync,
        )


NOTE = "clock"
"""The row in which the last instant that was trusted is kept over a restart."""


def written(now: Now) -> str:
    """As it is kept."""
    return f"{render_utc(now.at)} {now.monotonic}"


def noted(row: str | None) -> datetime | None:
    """The instant of the row: it has come, whatever the clock says now."""
    if row is None:
        return None
    return datetime.fromisoformat(row.partition(" ")[0]).astimezone(UTC)


def recalled(row: str | None, monotonic: float) -> Trust:
    """What is known of the clock from before a start, at this second of its own.

    Where the host was not booted since, the monotonic clock runs on, and with it what
    is sure. Else at least the noted instant has come.
    """
    at = noted(row)
    if row is None or at is None:
        return Trust()
    seconds = min(float(row.partition(" ")[2]), monotonic)
    return Trust(trusted_zero=at - timedelta(seconds=seconds))
