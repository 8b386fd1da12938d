"""The play: broker, recorder, the real daemon, the alarms, and what comes of them."""

import asyncio
import signal
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, timedelta, tzinfo

from paho.mqtt.client import Client, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

from evidenced.app import Daemon
from evidenced.config.load import load
from evidenced.core.errors import EvidencedError, Refused, first_of
from evidenced.core.ids import IncidentId
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.history import Event, Told
from evidenced.core.incidents.states import INCIDENT_OPEN
from evidenced.core.instants import render_utc
from evidenced.core.keeping.evidence import is_recordable
from evidenced.core.keeping.kept import Dossier, IncidentFilter
from evidenced.core.spoken import spoken
from evidenced.core.telling.sentences import sentence
from evidenced.demo.alarms import DemoAct, acts, later
from evidenced.demo.brokers import LOOPBACK, Serving, free_port, serve_broker
from evidenced.demo.installation import RULES, Addresses, Home, scenario, write
from evidenced.demo.show import Picture, Show
from evidenced.demo.summary import DemoResult, propose, report
from evidenced.host.clock import SystemClock
from evidenced.ports import View
from evidenced.simulator import Simulator, SimulatorServer
from evidenced.simulator.fault import Action, Strike

LONGEST = timedelta(seconds=60)
"""Then the demo ends and says what is missing; it needs a third of it."""
OUTAGE_AFTER = timedelta(minutes=2)
OUTAGE = timedelta(seconds=45)
"""Of a demo that stays: when its recorder goes away, and for how long."""
LOOK_S = 0.15
"""How often the table is drawn."""
READY_S = 15.0
MANY = 500
SIGNALS = (signal.SIGINT, signal.SIGTERM)
PUBLISH_S = 5.0
_PROOFS = frozenset({Event.RECORDED, Event.UNRECORDED})
_STYLES: Mapping[str, str] = {
    Event.REFUSED: "yellow",
    Event.EXPORTED: "green",
    Event.RECORDED: "green",
    Event.UNRECORDED: "red",
    Event.FAILED: "red",
    Event.VANISHED: "red",
}


class Interrupted(EvidencedError):  # noqa: N818 - what somebody wanted, no failure
    """Somebody ended the demo."""


class NotReady(EvidencedError):  # noqa: N818 - told by its text
    """The daemon does not get as far as taking alarms."""


@dataclass(slots=True)
class Run:
    """One run: its parts, and what it has seen so far.

    `seq` is where its history begins, `left_over` are incidents of an earlier run,
    `proofs` says which have an evidence record by now, or will have none.
    """

    home: Home
    show: Show
    daemon: Daemon
    began: float
    seq: int = 0
    sent: bool = False
    left_over: frozenset[IncidentId] = frozenset()
    rules: dict[IncidentId, str] = field(default_factory=dict)
    proofs: dict[IncidentId, str] = field(default_factory=dict)
    clock: SystemClock = field(default_factory=SystemClock)

    @property
    def elapsed(self) -> float:
        return self.clock.monotonic() - self.began

    @property
    def zone(self) -> tzinfo:
        """The wall clock of whoever watches."""
        return self.clock.now().astimezone().tzinfo or UTC


async def play(home: Home, show: Show, *, stays: bool = False) -> DemoResult:
    """Everything, from the broker's start to the last evidence record, and the report.

    With `stays` broker, recorder, daemon and page then go on until Ctrl-C.

    Raises:
        Interrupted: by Ctrl-C or SIGTERM; everything was closed in good order.
        NotReady: the daemon did not get as far as taking alarms.
        EvidencedError: there is no broker, or the state is in use.
    """
    clock = SystemClock()
    began = clock.monotonic()
    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(
            serve_broker(home.folder, home.broker_log)
        )
        simulator = Simulator(scenario(), clock, directory=home.share)
        recorder = await stack.enter_async_context(
            SimulatorServer(simulator, LOOPBACK, 0)
        )
        places = Addresses(
            broker=broker.url,
            protocol=broker.protocol,
            recorder=recorder.url,
            page=f"{LOOPBACK}:{free_port()}",
        )
        write(home, places)
        daemon = Daemon(load(home.config).config)
        run = Run(home=home, show=show, daemon=daemon, began=began)
        interrupted = stack.enter_context(_interrupts())
        async with _running(daemon):
            await _until_ready(run, interrupted)
            _introduce(show, broker, places)
            result = await _watch(run, broker, interrupted)
            report(show, home, result)
            if stays:
                propose(show, home, result)
                show.say(f"It goes on until Ctrl-C: http://{places.page}/", "bold")
                await _go_on(run, broker, simulator, interrupted)
            return result


@asynccontextmanager
async def _running(daemon: Daemon) -> AsyncIterator[None]:
    """The daemon, started; stopped afterwards as SIGTERM stops it.

    Raises:
        EvidencedError: it could not start, or a fault of the block itself.
    """
    try:
        async with asyncio.TaskGroup() as group:
            running = group.create_task(daemon.run(), name="daemon")
            await daemon.started.wait()
            try:
                yield
            finally:
                daemon.stop()
                await asyncio.wait({running})
    except ExceptionGroup as group_of_one:
        raise first_of(group_of_one) from None


@contextmanager
def _interrupts() -> Iterator[asyncio.Event]:
    """Ctrl-C and SIGTERM set the event instead of tearing everything down."""
    loop, interrupted = asyncio.get_running_loop(), asyncio.Event()
    for number in SIGNALS:
        loop.add_signal_handler(number, interrupted.set)
    try:
        yield interrupted
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)


async def _until_ready(run: Run, interrupted: asyncio.Event) -> None:
    while problems := run.daemon.control.condition.unready():
        if interrupted.is_set():
            raise Interrupted("the demo was ended")
        if run.elapsed > READY_S:
            raise NotReady(f"{'; '.join(problems)}; see {run.home.log}")
        await asyncio.sleep(LOOK_S)


def _introduce(show: Show, broker: Serving, places: Addresses) -> None:
    show.say(f"MQTT broker  {broker.name} at {broker.url}")
    show.say(f"Recorder     simulated VDG Sense at {places.recorder}")
    show.say("Daemon       the real one, in this process")
    show.say(f"Page         http://{places.page}/", "bold")
    show.say()


async def _watch(run: Run, broker: Serving, interrupted: asyncio.Event) -> DemoResult:
    control = run.daemon.control
    await _clear_away(run)
    async with control.live.subscribe() as feed, asyncio.TaskGroup() as group:
        sending = group.create_task(_send(run, broker), name="alarms")
        while not await _is_over(run, feed):
            if interrupted.is_set():
                break
            await asyncio.sleep(LOOK_S)
        sending.cancel()
    if interrupted.is_set():
        raise Interrupted("the demo was ended")
    return await _result(run)


async def _clear_away(run: Run) -> None:
    """Withdraw what a demo that was broken off has left in the folder's store.

    An alarm that still waits for its clear would else swallow the one of this run.
    """
    control = run.daemon.control
    old = IncidentFilter(states=INCIDENT_OPEN, limit=MANY)
    found = await run.daemon.store.read(lambda view: view.incidents.search(old))
    run.left_over = frozenset(incident.id for incident in found)
    for incident in found:
        with suppress(Refused):  # it has ended by itself meanwhile
            await control.actions.cancel(incident.id, "the next demo")
    run.seq = (await run.daemon.store.read(lambda view: view.history.head())).seq


async def _send(run: Run, broker: Serving) -> None:
    """Publish every act at its moment."""
    async with _speaking(broker) as client:
        curtain = run.clock.monotonic()
        for act in acts(render_utc(run.clock.now())):
            wait = curtain + act.after - run.clock.monotonic()
            await asyncio.sleep(max(0.0, wait))
            await _publish(run, client, act)
        run.sent = True


@asynccontextmanager
async def _speaking(broker: Serving) -> AsyncIterator[Client]:
    """A client of the broker, as alarm systems are."""
    client = Client(
        CallbackAPIVersion.VERSION2, client_id="demo-alarms", protocol=MQTTv311
    )
    await asyncio.to_thread(client.connect, LOOPBACK, broker.port)
    client.loop_start()
    try:
        yield client
    finally:
        client.disconnect()
        await asyncio.to_thread(client.loop_stop)


async def _go_on(
    run: Run, broker: Serving, simulator: Simulator, interrupted: asyncio.Event
) -> None:
    """More alarms and one outage, until somebody has seen enough."""
    async with asyncio.TaskGroup() as group:
        playing = [
            group.create_task(_send_on(run, broker), name="more alarms"),
            group.create_task(_cut_off(run, simulator), name="outage"),
        ]
        await interrupted.wait()
        for each in playing:
            each.cancel()


async def _send_on(run: Run, broker: Serving) -> None:
    async with _speaking(broker) as client:
        for act in later():
            await asyncio.sleep(act.after)
            await _publish(run, client, act)


async def _cut_off(run: Run, simulator: Simulator) -> None:
    """Once, nobody answers at the recorder's address for a while."""
    await asyncio.sleep(OUTAGE_AFTER.total_seconds())
    at = timedelta(seconds=simulator.tick())
    simulator.inject(Strike(action=Action.REFUSE, at=at, lasts=OUTAGE))
    words = f"is away for {spoken(OUTAGE)}: alarms are taken, their footage waits"
    run.show.line(run.elapsed, "recorder", words, "red")
    await asyncio.sleep(OUTAGE.total_seconds())
    run.show.line(run.elapsed, "recorder", "is back: what waited goes on", "green")


async def _publish(run: Run, client: Client, act: DemoAct) -> None:
    run.show.line(run.elapsed, act.system, f"{act.says} ({act.topic})", "blue")
    info = client.publish(act.topic, act.payload(run.clock.now()), qos=1)
    await asyncio.to_thread(info.wait_for_publish, PUBLISH_S)


async def _is_over(run: Run, feed: "asyncio.Queue[Told | None]") -> bool:
    """Show what is new; whether everything that was sent has come to its end."""
    entries = []
    while not feed.empty():
        told = feed.get_nowait()
        if told is None or told.seq <= run.seq or told.entry.incident is None:
            continue
        if told.entry.incident not in run.left_over:
            entries.append(told.entry)
            run.rules.setdefault(told.entry.incident, "")
    picture = await run.daemon.store.read(lambda view: _picture(run, view))
    run.rules.update((each.id, each.rule) for each in picture.incidents)
    for entry in entries:
        name = run.rules.get(entry.incident or IncidentId(""), "")
        run.show.line(
            run.elapsed, name, sentence(entry, run.zone), _STYLES.get(entry.event, "")
        )
        if entry.incident is not None and entry.event in _PROOFS:
            run.proofs[entry.incident] = entry.event
    run.show.update(picture)
    has_ended = all(
        each.is_ended and (each.id in run.proofs or not is_recordable(each))
        for each in picture.incidents
    )
    is_complete = run.sent and len(picture.incidents) >= len(RULES) and has_ended
    return is_complete or run.elapsed > LONGEST.total_seconds()


def _picture(run: Run, view: View) -> Picture:
    incidents = sorted(
        view.incidents.get(run.rules.keys()), key=lambda each: (each.opened_at, each.id)
    )
    exports: dict[IncidentId, list[ExportRequest]] = defaultdict(list)
    for export in view.exports.of(run.rules.keys()):
        exports[export.incident].append(export)
    now = run.clock.now()
    return Picture(incidents=incidents, exports=exports, now=now, zone=run.zone)


async def _result(run: Run) -> DemoResult:
    found = await run.daemon.store.read(lambda view: _dossiers(run, view))
    head = await run.daemon.store.read(lambda view: view.history.head())
    return DemoResult(
        dossiers=found,
        recorded=frozenset(
            name for name, event in run.proofs.items() if event == Event.RECORDED
        ),
        alarms=_alarms(run.daemon),
        head=head,
        seconds=run.elapsed,
        zone=run.zone,
    )


def _dossiers(run: Run, view: View) -> Sequence[Dossier]:
    found = [view.dossier(incident) for incident in run.rules]
    dossiers = [each for each in found if each is not None]
    return sorted(dossiers, key=lambda each: each.incident.opened_at)


def _alarms(daemon: Daemon) -> dict[str, int]:
    """Messages by outcome, from the metrics that /metrics shows."""
    counted: dict[str, int] = defaultdict(int)
    for metric in daemon.metrics.alarms.collect():
        for sample in metric.samples:
            if sample.name.endswith("_total"):
                counted[sample.labels["outcome"]] += int(sample.value)
    return dict(counted)
