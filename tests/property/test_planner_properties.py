"""Whatever becomes of requests: no two exports of an incident share a folder."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from evidenced.core.address import Handle
from evidenced.core.errors import Reason, Refused
from evidenced.core.exports import answers, exporting
from evidenced.core.exports.bandwidth import Budget
from evidenced.core.exports.following import Verdict
from evidenced.core.ids import IncidentId
from evidenced.core.incidents import operating
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.states import ExportState
from evidenced.core.recorder import Answer
from evidenced.pipeline.planner import Capacity, Planner
from fakes.incident import ANNEX, DOOR, GATE, LOBBY, camera, ended, patience, t
from fakes.memorystore import memory_store
from fakes.world import make_site

DAY = timedelta(days=1)
picks = st.integers(0, 99)
NAME = IncidentId("i1")


class Paths(RuleBasedStateMachine):
    """One incident on two recorders with one destination, over a store in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.tx, self.site = t("13:00"), memory_store(), make_site()
        incident = ended(LOBBY, DOOR, GATE, camera("yard", ANNEX))
        self.save(Change(before=None, after=incident, event=Event.OPENED))

    def save(self, change: Change) -> None:
        self.tx.ledger.save([change], self.now)

    @property
    def incident(self) -> Incident:
        return self.tx.incidents.get([NAME])[0]

    @property
    def exports(self) -> list[ExportRequest]:
        return self.tx.exports.of([NAME])

    def live(self) -> list[ExportRequest]:
        return [each for each in self.exports if each.finished_at is None]

    @rule(is_annex=st.booleans(), most=st.integers(1, 2))
    def plan(self, most: int, *, is_annex: bool) -> None:
        """The next day: whatever waits to be asked for again is due by then."""
        self.now += DAY
        [main] = self.site.recorders.values()
        own = replace(main, max_devices=most, max_exports=9)
        capacity = Capacity(
            now=self.now,
            offset=timedelta(0),
            slack=timedelta(0),
            budget=Budget(limit=0),
        )
        own = replace(own, name=ANNEX) if is_annex else own
        Planner(self.site, own, capacity).plan(self.tx)

    @precondition(lambda self: self.live())
    @rule(
        pick=picks,
        why=st.sampled_from([None, Reason.NO_VIDEO, Reason.DISK_FULL]),
        is_sent=st.booleans(),
    )
    def answer(self, pick: int, why: Reason | None, *, is_sent: bool) -> None:
        export = self.live()[pick % len(self.live())]
        if export.handle is not None or export.is_unsent:
            return
        incident, answer = self.incident, Answer(reason=why, handle=Handle("n=1"))
        if why is None:
            self.save(exporting.accept(incident, export, answer, self.now))
        elif is_sent:
            patient = patience(self.now, give_up=99 * DAY)
            self.save(answers.refuse(incident, export, answer, patient))
        else:
            self.save(answers.not_sent(incident, export, Reason.UNREACHABLE, "down"))

    @precondition(lambda self: self.live())
    @rule(pick=picks, is_found=st.booleans())
    def end(self, pick: int, *, is_found: bool) -> None:
        export = self.live()[pick % len(self.live())]
        if export.is_unsent:
            return
        incident, patient = self.incident, patience(self.now, give_up=99 * DAY)
        if export.handle is None or not is_found:
            self.save(exporting.vanish(incident, export, "lost", patient))
            return
        numbers = frozenset(device.clip for device in export.devices)
        verdict = Verdict(devices=export.devices, done=numbers, failed=frozenset())
        self.save(exporting.finish(incident, export, verdict, patient))

    @rule(is_again=st.booleans())
    def operate(self, *, is_again: bool) -> None:
        try:
            change = (
                operating.retry(self.incident, "ann", self.now, again=True)
                if is_again
                else operating.cancel(self.incident, "ann", self.now)
            )
        except Refused:
            return
        self.save(change)

    @invariant()
    def no_folder_holds_two_exports(self) -> None:
        """But for one that was surely refused: nothing was written into its folder."""
        held = [each for each in self.exports if each.state is not ExportState.REFUSED]
        folders = Counter(each.path.casefold() for each in held)
        assert not [path for path, number in folders.items() if number > 1]


TestPaths = Paths.TestCase
TestPaths.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    suppress_health_check=[HealthCheck.too_slow],
)
