"""When each rule last heard of its source, for those that expect to: `expect_every`.

A dead battery or a reader whose plug was pulled looks exactly like a quiet night. What
was heard is noted with the other notes of housekeeping, so a restart begins no new
wait; a crash forgets a quarter of a minute of it.
"""

import json
from collections.abc import Iterable
from datetime import datetime

from evidenced.core.alarms.alarm import Alarm
from evidenced.core.ids import RuleName
from evidenced.core.instants import render_utc
from evidenced.core.site import Site
from evidenced.core.spoken import spoken, utc_and_local
from evidenced.core.telling.notice import NoticeKind
from evidenced.core.telling.trouble import TroubleKey
from evidenced.core.trust import Now
from evidenced.ports import Tx, View

HEARD = "heard"


class Hearing:
    """What was heard, in memory and as a note. On the event loop only."""

    def __init__(self) -> None:
        self._heard: dict[RuleName, datetime] = {}

    def recall(self, view: View) -> None:
        """What the process before this one heard."""
        known = json.loads(view.notes.get(HEARD) or "{}")
        self._heard = {
            RuleName(rule): datetime.fromisoformat(at) for rule, at in known.items()
        } | self._heard

    def note(self, tx: Tx) -> None:
        """Keep it for the next process."""
        heard = dict(self._heard)
        tx.notes.save(HEARD, json.dumps({r: render_utc(at) for r, at in heard.items()}))

    def hear(self, site: Site, alarms: Iterable[Alarm]) -> None:
        """These messages came; a retained one is what the broker had kept."""
        if not site.expectant:
            return
        for alarm in alarms:
            if alarm.retained:
                continue
            for rule in site.expectant:
                if rule.listens_to(alarm.topic):
                    self._heard[rule.name] = alarm.received_at

    def silent(self, site: Site, now: Now) -> dict[TroubleKey, str]:
        """Rules whose source has said nothing for too long, and since when.

        One that was never heard is given its time from now on. A clock in doubt knows
        of no silence.
        """
        found: dict[TroubleKey, str] = {}
        names = {rule.name for rule in site.expectant}
        self._heard = {r: at for r, at in self._heard.items() if r in names}
        for rule in site.expectant if now.is_trusted else ():
            last = self._heard.setdefault(rule.name, now.at)
            if now.at - last > rule.expect_every:
                found[NoticeKind.SOURCE, rule.name] = (
                    f"the last message came at {utc_and_local(last, site.zone)}, and "
                    f"one is expected every {spoken(rule.expect_every)} (expect_every)"
                )
        return found
