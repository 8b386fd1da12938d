"""The store holds exactly what the core decided, whatever the story was."""

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from typing_extensions import override

from evidenced.core.errors import Reason
from evidenced.core.ids import GroupKey
from evidenced.core.incidents.export import ExportRequest
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.states import ClipState
from evidenced.core.instants import from_ms
from evidenced.store.migrate import migrate
from evidenced.store.schema import metadata
from evidenced.store.sqlite import FILE, writing
from evidenced.store.tx import Tx
from fakes.incident import SETTLES, requested
from fakes.incident import ended as made
from fakes.story import Story


class StoredStory(Story):
    """The same story, beside a real SQLite that saves and answers in its own way."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / FILE
        self.engine = writing(path)
        migrate(self.engine, path)
        self.connection = self.engine.connect()
        self.tx = Tx(self.connection)

    @override
    def save(self, changes: Sequence[Change]) -> None:
        super().save(changes)
        self.tx.ledger.save(changes, self.now)
        self.connection.commit()

    @invariant()
    def what_was_saved_is_what_is_read(self) -> None:
        found = {each.id: each for each in self.tx.incidents.get(self.incidents.keys())}
        assert found == self.incidents
        stored = {each.id: each for each in self.tx.exports.of(self.incidents.keys())}
        assert stored == self.exports
        counted = Counter(each.state for each in self.incidents.values())
        assert Counter(self.tx.incidents.counts()) == counted

    @invariant()
    def every_question_has_the_answer_of_a_search_by_hand(self) -> None:
        all_clips = [c for each in self.incidents.values() for c in each.clips]
        for recorder in SETTLES:
            due = [
                clip.due_at
                for clip in all_clips
                if clip.state is ClipState.DUE and clip.recorder == recorder
            ]
            assert self.tx.queue.next_due(recorder) == min(due, default=None)
            queue = sorted(
                (clip.rank, each.id, clip.cohort)
                for each in self.incidents.values()
                for clip in each.clips
                if clip.state is ClipState.DUE
                and clip.recorder == recorder
                and clip.due_at <= self.now
            )
            asked = self.tx.queue.due(recorder, self.now, 999)
            expected = dict.fromkeys((name, cohort) for _, name, cohort in queue)
            assert [(each.id, cohort) for each, cohort in asked] == list(expected)
            live = [each for each in self.live() if each.recorder == recorder]
            assert self.tx.exports.live(recorder) == live
        turns = [each.turn_at for each in self.incidents.values() if each.turn_at]
        later = [at for at in turns if at > self.now]
        assert self.tx.queue.next_turn(self.now) == min(later, default=None)
        turning = {each.id for each in self.tx.queue.turning(self.now, self.now, 999)}
        assert turning == {
            each.id
            for each in self.incidents.values()
            if each.turn_at is not None and each.turn_at <= self.now
        }

    @precondition(lambda self: self.incidents)
    @rule()
    def the_open_ones_are_found(self) -> None:
        first = next(iter(self.incidents.values()))
        found = self.tx.queue.open([(first.rule, first.key)], from_ms(0))
        assert {each.id for each in found} == {
            each.id for each in self.incidents.values() if each.is_open
        }

    @override
    def teardown(self) -> None:
        super().teardown()
        self.connection.close()
        self.engine.dispose()
        self.folder.cleanup()


TestStoredStory = StoredStory.TestCase
TestStoredStory.settings = settings(
    max_examples=12,
    stateful_step_count=25,
    suppress_health_check=[HealthCheck.too_slow],
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
INSTANTS = st.integers(0, 4_102_444_800_000).map(from_ms)
NUMBERS = st.integers(-(2**31), 2**31)
SPANS = NUMBERS.map(lambda ms: timedelta(milliseconds=ms))


@st.composite
def stories(draw: st.DrawFn) -> tuple[Incident, ExportRequest]:
    incident, export = requested(made())
    clip = replace(
        incident.clips[0],
        message=draw(TEXTS),
        label=draw(TEXTS),
        code=draw(st.sampled_from(("", "0", "-48"))),
        attempts=draw(st.integers(0, 10**6)),
        due_at=draw(INSTANTS),
        reason=draw(st.none() | st.sampled_from(Reason)),
    )
    values = TEXTS | st.lists(TEXTS).map(tuple)
    incident = replace(
        incident,
        key=GroupKey(draw(TEXTS)),
        fields=draw(st.dictionaries(TEXTS, values, max_size=4)),
        is_late_told=draw(st.booleans()),
        clips=(clip,),
        terms=replace(
            incident.terms,
            path=draw(TEXTS),
            bandwidth=draw(st.integers(0, 2**40)),
            alert_after=draw(st.none() | SPANS),
        ),
        alarms=draw(st.integers(0, 2**40)),
    )
    percent = draw(st.none() | st.floats(0, 100))
    export = replace(
        export,
        path=draw(TEXTS),
        devices=(replace(export.devices[0], percent=percent),),
        offset=draw(SPANS),
        text=draw(TEXTS),
        code=draw(st.sampled_from(("", "0", "-48"))),
        answered_at=draw(st.none() | INSTANTS),
    )
    return incident, export


@settings(max_examples=50)
@given(stories())
def test_whatever_is_saved_is_read_back(story: tuple[Incident, ExportRequest]) -> None:
    incident, export = story
    engine = writing(Path(":memory:"))
    with engine.connect() as connection:
        metadata.create_all(connection)
        tx = Tx(connection)
        change = Change(
            before=None, after=incident, event=Event.OPENED, exports=(export,)
        )
        tx.ledger.save([change], incident.opened_at)
        assert tx.incidents.get([incident.id]) == [incident]
        assert tx.exports.of([incident.id]) == [export]
    engine.dispose()
