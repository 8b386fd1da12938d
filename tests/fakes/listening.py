"""Rules as somebody wrote them, and what messages make of them, one after another.

The daemon's own steps over a store in memory; nothing is committed.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from evidenced.config.compile import build_site
from evidenced.config.load import Loaded, load_text
from evidenced.core.alarms.alarm import Alarm, Outcome
from evidenced.core.incidents.incident import Incident
from evidenced.core.keeping.kept import IncidentFilter, RefusedAlarm
from evidenced.core.site import Site
from evidenced.core.trust import exactly
from evidenced.pipeline.lasting import lasting_step
from evidenced.pipeline.taking import Taken, take
from evidenced.pipeline.turn import turn_step
from evidenced.pipeline.understanding import understand
from evidenced.ports import Tx
from fakes.incident import Ids
from fakes.memorystore import memory_store

SITE = r"""
[daemon]
timezone = "{timezone}"
[mqtt]
url = "mqtts://broker.example"
[recorders.main]
url = "https://sense.example"
username = "export"
password = {{ env = "SENSE_PASSWORD" }}
[cameras.lobby]
server = "1001"
device = "2001"
[cameras.yard]
server = "1001"
device = "2002"
{cameras}
[destinations.nas]
path = 'V:\evidence\{{rule}}-{{id}}'
"""
NOON = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
S = timedelta(seconds=1)


def loaded(rules: str, *, timezone: str = "UTC", cameras: Sequence[str] = ()) -> Loaded:
    """The configuration of a small site with these rules."""
    more = "".join(
        f'[cameras."{name}"]\nserver = "1001"\ndevice = "{n}"\n'
        for n, name in enumerate(cameras, start=3000)
    )
    return load_text(SITE.format(timezone=timezone, cameras=more) + rules)


@dataclass
class Listener:
    """The rules of a site, and what they have made of messages so far."""

    site: Site
    now: datetime = NOON
    tx: Tx = field(default_factory=memory_store)
    _ids: Ids = field(default_factory=Ids)
    _messages: int = 0

    def hear(
        self,
        topic: str,
        payload: object,
        *,
        after: float = 1.0,
        retained: bool = False,
        absence: float = 0.0,
    ) -> list[Taken]:
        """What becomes of a message that comes so many seconds after the last one."""
        self.wait(after)
        raw = payload if isinstance(payload, bytes) else _text(payload).encode()
        alarm = Alarm(
            topic=topic,
            payload=raw,
            received_at=self.now,
            retained=retained,
            absence=absence * S,
        )
        self._messages += 1
        found = understand(self.site, alarm, exactly(self.now), message=self._messages)
        return take(self.tx, found, self.now, self._ids)

    def outcomes(
        self, topic: str, payload: object, *, after: float = 1.0
    ) -> list[tuple[str | None, Outcome]]:
        """The same, each as its rule and what became of it there."""
        return [(e.rule, e.outcome) for e in self.hear(topic, payload, after=after)]

    def wait(self, seconds: float) -> None:
        """Let time pass, with all that it does."""
        self.now += seconds * S
        clearing = self.site.clearing
        now = exactly(self.now)
        while turn_step(self.tx, now, self.site.settles, self._ids, clearing):
            pass
        lasting_step(self.tx, now, self.site, self._ids)

    def restart(self) -> None:
        """Everything but the rows is forgotten."""
        self.site = Site(**{k: v for k, v in vars(self.site).items() if k in FIELDS})

    def incidents(self) -> list[Incident]:
        """All, in the order of their opening."""
        found = self.tx.incidents.search(IncidentFilter(limit=1000))
        return sorted(found, key=lambda each: (each.opened_at, each.id))

    def windows(self) -> list[tuple[str, str, str]]:
        """Rule, begin and end of each window, as times of the day."""
        return [
            (each.rule, f"{clip.window.start:%H:%M:%S}", f"{clip.window.end:%H:%M:%S}")
            for each in self.incidents()
            for clip in each.clips
        ]

    def refused(self) -> list[RefusedAlarm]:
        """What opened nothing, in order."""
        return self.tx.refused.newest(100)[::-1]


FIELDS = Site.__dataclass_fields__


def _text(payload: object) -> str:
    return payload if isinstance(payload, str) else json.dumps(payload)


def listener(
    rules: str, *, timezone: str = "UTC", cameras: Sequence[str] = ()
) -> Listener:
    """Of a small site with these rules."""
    return Listener(
        build_site(loaded(rules, timezone=timezone, cameras=cameras).config)
    )
