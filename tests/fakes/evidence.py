"""An incident with exported footage on a share, and the loop that records it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from evidenced.core.address import handle_of
from evidenced.core.alarms.alarm import Signal
from evidenced.core.exports import exporting
from evidenced.core.exports.following import Verdict
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.incident import Incident
from evidenced.core.keeping.kept import KeptAlarm
from evidenced.core.keeping.still import take
from evidenced.core.recorder import Answer
from evidenced.evidence import RecordPage, SharedRecords, ShareFolders, Signer
from evidenced.host.share import Share
from evidenced.metrics import Metrics
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.drafting import Desk
from evidenced.pipeline.evidence import Evidence
from evidenced.pipeline.shares import Shares
from evidenced.ports import Tx
from evidenced.simulator.drawn import draw
from evidenced.store import SqlStore
from fakes.clock import FakeClock
from fakes.incident import ended, intent, patience, pictured, requested, t
from fakes.running import Log
from fakes.stills import stills_after
from fakes.world import make_site, make_world

PAYLOAD = b'\xff{"state": "active"}'


class EvidenceBench:
    """`mount` holds the marker; the incident's folder is `folder`, empty at first."""

    def __init__(
        self,
        store: SqlStore,
        mount: Path,
        *,
        key: str | None = None,
        destination: str = 'marker = ".share"',
        evidence: str = "hash_rate = 0",
        is_mounted: bool = True,
    ) -> None:
        self.store, self.mount = store, mount
        mount.mkdir(exist_ok=True)
        (mount / ".share").touch()
        self.folder = mount / "i1"
        self.clock, self.log = FakeClock(t("12:10")), Log()
        mounted = f'mount = "{mount}"\n{destination}\n' if is_mounted else ""
        site = make_site(f"{mounted}[evidence]\n{evidence}\n")
        self.world = make_world(store, self.clock, self.log, site)
        self.metrics = Metrics("test")
        self.agenda = Agenda(self.clock)
        self.shares = Shares(self.world, Share(), self.agenda, self.log.bound)
        self.folders = ShareFolders()
        self.desk = Desk(
            folders=self.folders,
            signer=Signer((lambda: key) if key else None),
            page=RecordPage(),
            reader=SharedRecords(),
            versions=lambda: {"evidenced": "test"},
        )
        self.loop = Evidence(
            self.world,
            self.shares,
            self.desk,
            self.agenda,
            self.metrics,
            self.log.bound,
        )
        self.incident, self.export = requested(ended())

    def put(self, **files: bytes) -> None:
        """Footage, as the recorder leaves it."""
        self.folder.mkdir(exist_ok=True)
        for name, data in files.items():
            (self.folder / name).write_bytes(data)

    async def export_it(self) -> None:
        """The recorder says that the footage is there."""
        now = self.clock.now()
        done = exported(self.incident, self.export, now=t("12:09"))
        if self.export.n == 1:
            opened = Change(before=None, after=self.incident, event=Event.OPENED)
            await self.save(opened)
        alarm = KeptAlarm(
            incident=self.incident.id,
            n=1,
            received_at=t("12:00"),
            at=t("12:00"),
            signal=Signal.ACTIVE,
            time_source="payload",
            topic="panic/1",
            payload=PAYLOAD,
        )
        await self.store.write(lambda tx: tx.alarms.save([alarm]))
        await self.store.write(lambda tx: tx.ledger.save(done, now))
        self.incident, self.export = done[-1].after, done[-1].exports[0]

    async def picture_it(self, number: int = 3) -> None:
        """So many pictures of each camera are there."""
        wanted = stills_after(None, pictured(self.incident, number), self.clock.now())
        data = draw("lobby", self.incident.opened_at)

        def keep(tx: Tx) -> None:
            for still in wanted:
                tx.stills.keep(take(still, still.wanted_at, data), data)

        await self.store.write(keep)

    async def lose_it(self) -> None:
        """The recorder forgot the export; it is asked for again, to a folder `i1-2`."""
        opened = Change(before=None, after=self.incident, event=Event.OPENED)
        await self.save(replace(opened, exports=(self.export,)))
        lost = exporting.vanish(self.incident, self.export, "", patience(t("12:05")))
        again = intent(t("12:06"), 2, self.export.path + "-2")
        change, self.export = exporting.request(lost.after, lost.after.clips, again)
        for each in (lost, change):
            await self.save(each)
        self.incident, self.folder = change.after, self.mount / "i1-2"

    async def save(self, change: Change) -> None:
        now = self.clock.now()
        await self.store.write(lambda tx: tx.ledger.save([change], now))

    async def go(self, steps: int = 1, wait: float = 10.0) -> None:
        """So many steps of what is due, time passing after each."""
        for _ in range(steps):
            await self.loop.once()
            self.clock.advance(wait)

    async def dossier(self) -> Any:
        found = await self.store.read(lambda view: view.dossier(self.incident.id))
        assert found is not None
        return found

    async def record(self) -> Any:
        return (await self.dossier()).record

    async def events(self) -> list[str]:
        return [entry.event for entry in (await self.dossier()).history]


def exported(
    incident: Incident, export: ExportRequest, *, now: Any
) -> Sequence[Change]:
    """Accepted and done, in true UTC with the offset that the export has."""
    taken = exporting.accept(
        incident,
        export,
        Answer(code="0", handle=handle_of({"exportid": "1", "session": "s1"})),
        now,
    )
    clips = frozenset(device.clip for device in export.devices)
    running = replace(taken.exports[0], offset=timedelta(seconds=3))
    verdict = Verdict(devices=running.devices, done=clips, failed=frozenset())
    return [taken, exporting.finish(taken.after, running, verdict, patience(now))]
