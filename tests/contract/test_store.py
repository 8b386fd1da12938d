"""`ports.Store` held by the real SQLite, on real threads, in a real folder."""

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.dialects import postgresql

from evidenced.core.alarms.alarm import Alarm, Outcome, Signal
from evidenced.core.alarms.deliveries import DeliveryMark, Over
from evidenced.core.alarms.payload import Whole
from evidenced.core.alarms.repeats import SeenAlarm
from evidenced.core.errors import RowRefused, StoreError
from evidenced.core.exports.answers import refuse
from evidenced.core.ids import GroupKey, IncidentId, RuleName, SilenceId
from evidenced.core.incidents.coverage import Coverage, CoverageState
from evidenced.core.incidents.history import Change, Entry, Event
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.lifecycle import extend, open_incident
from evidenced.core.incidents.operating import cancel
from evidenced.core.incidents.silence import Silence, Subject
from evidenced.core.incidents.states import ClipState, IncidentState
from evidenced.core.keeping.kept import (
    FIRST_ALARMS,
    LAST_ALARMS,
    REFUSED_ALARMS,
    IncidentFilter,
    KeptAlarm,
    RefusedAlarm,
)
from evidenced.core.window import Window
from evidenced.ports import Tx, View
from evidenced.store import SqlStore, StoreSettings, database_of, open_store
from evidenced.store.audit import verify_store
from evidenced.store.history import GENESIS, link
from evidenced.store.sqlite import FILE
from evidenced.store.writer import GROUP, Job, commit_group
from fakes.incident import (
    ANNEX,
    AWAITS,
    DOOR,
    GATE,
    LOBBY,
    MAIN,
    NO_VIDEO,
    SETTLES,
    Ids,
    ended,
    happening,
    m,
    opened,
    patience,
    requested,
    rule,
    s,
    t,
    turn,
)


@pytest.fixture
def store(settings: StoreSettings) -> Iterator[SqlStore]:
    opened_store = open_store(settings)
    yield opened_store
    opened_store.close()


@pytest.fixture
def file_store(tmp_path: Path) -> Iterator[SqlStore]:
    """For what is a file's own."""
    opened_store = open_store(StoreSettings(directory=tmp_path))
    yield opened_store
    opened_store.close()


def new(incident: Incident) -> Change:
    return Change(before=None, after=incident, event=Event.OPENED)


def named(name: str, incident: Incident | None = None, **what: Any) -> Incident:
    return replace(incident or ended(), id=IncidentId(name), **what)


def entry(n: int) -> Entry:
    return Entry(incident=None, at=t("12:00"), event=f"e{n}", detail={"n": n})


def saving(*incidents: Incident) -> Callable[[Tx], None]:
    return lambda tx: tx.ledger.save([new(each) for each in incidents], t("12:00"))


def writing(n: int) -> Callable[[Tx], None]:
    return lambda tx: tx.history.write(entry(n))


def keeping(alarms: list[KeptAlarm]) -> Callable[[Tx], None]:
    return lambda tx: tx.alarms.save(alarms)


def refusing(alarms: list[RefusedAlarm]) -> Callable[[Tx], None]:
    return lambda tx: tx.refused.save(alarms)


def searching(wanted: IncidentFilter) -> Callable[[View], list[Incident]]:
    return lambda view: view.incidents.search(wanted)


def chain_holds(tx: View) -> int:
    """How many rows the audit chain has; every one follows from the one before."""
    previous, number = GENESIS, 0
    rows = tx._db.execute(text("SELECT * FROM history ORDER BY seq"))
    for number, row in enumerate(rows, start=1):
        assert row.seq == number
        parts = (row.incident, row.event, row.detail)
        previous = link(previous, row.seq, row.at, parts)
        assert row.hash == previous
    assert tx.history.head().hash == previous
    return number


# ---- commits


async def test_what_was_written_is_there_after_a_new_start(tmp_path: Path) -> None:
    first = open_store(StoreSettings(directory=tmp_path))
    await first.write(saving(named("i1")))
    first.close()
    second = open_store(StoreSettings(directory=tmp_path))
    found = await second.read(lambda view: view.incidents.get([IncidentId("i1")]))
    assert found == [named("i1")]
    second.close()


async def test_a_step_that_fails_takes_nothing_of_the_others_with_it(
    store: SqlStore,
) -> None:
    """All queued behind one that holds the writer, so they share a commit."""
    hold = threading.Event()

    def bad(tx: Tx) -> None:
        tx.history.write(entry(99))
        raise ZeroDivisionError

    def broken(tx: Tx) -> None:
        tx.history.write(entry(98))
        assert isinstance(tx, Tx)
        tx._db.execute(text("INSERT INTO incidents (id) VALUES ('x')"))

    async with asyncio.TaskGroup() as group:
        held = group.create_task(store.write(lambda _: hold.wait(60)))
        good = [group.create_task(store.write(writing(n))) for n in range(3)]
        failing = [group.create_task(_error_of(store, step)) for step in (bad, broken)]
        good.append(
            group.create_task(store.write(lambda tx: tx.history.write(entry(3))))
        )
        group.create_task(once_queued(hold.set))
    assert held.done()
    assert all(task.exception() is None for task in good)
    errors = [task.result() for task in failing]
    assert [type(error) for error in errors] == [ZeroDivisionError, RowRefused]
    found = await store.read(lambda view: view.history.after(0, 99))
    assert [each.event for _, each in found] == ["e0", "e1", "e2", "e3"]


async def once_queued(then: Callable[[], object]) -> None:
    """As a task, made after writes: each of them has given its step to the writer."""
    then()


async def _error_of(store: SqlStore, step: Callable[[Tx], None]) -> Exception | None:
    try:
        await store.write(step)
    except (ZeroDivisionError, StoreError) as error:
        return error
    return None


async def test_errors_do_not_show_what_was_being_written(store: SqlStore) -> None:
    def broken(tx: Tx) -> None:
        assert isinstance(tx, Tx)
        tx._db.execute(text("INSERT INTO meta (key) VALUES ('hush-hush')"))

    with pytest.raises(StoreError, match=r"(?i)not.null") as caught:
        await store.write(broken)
    assert "hush" not in str(caught.value)


def test_queued_steps_share_a_transaction(store: SqlStore) -> None:
    results: list[Any] = []

    def transaction(tx: Tx) -> Any:
        tx.history.write(entry(len(results)))
        return tx.history.head().seq

    jobs = [Job(transaction) for _ in range(3)]
    commits: list[int] = []
    event.listen(store._engine, "commit", lambda _: commits.append(1))
    commit_group(store._engine, jobs)
    assert [job.result for job in jobs] == [1, 2, 3]
    assert len(commits) == 1
    assert GROUP > 1


async def test_a_cancelled_writer_does_not_undo_its_step(store: SqlStore) -> None:
    hold = threading.Event()
    first = asyncio.ensure_future(store.write(lambda _: hold.wait(60)))
    second = asyncio.ensure_future(store.write(lambda tx: tx.history.write(entry(1))))
    await asyncio.create_task(once_queued(second.cancel))
    hold.set()
    await first
    assert await store.write(lambda tx: tx.history.head().seq) == 1


async def test_readers_see_the_last_commit_while_the_writer_works(
    store: SqlStore,
) -> None:
    began, hold = threading.Event(), threading.Event()

    def slow(tx: Tx) -> None:
        tx.history.write(entry(1))
        began.set()
        hold.wait(60)

    writing = asyncio.ensure_future(store.write(slow))
    await asyncio.to_thread(began.wait, 10)
    assert (
        await asyncio.wait_for(store.read(lambda view: view.history.head()), 60)
    ).seq == 0
    hold.set()
    await writing
    assert (await store.read(lambda view: view.history.head())).seq == 1


async def test_a_view_is_one_snapshot(store: SqlStore) -> None:
    first, go_on = threading.Event(), threading.Event()

    def query(view: View) -> tuple[int, int]:
        before = view.history.head().seq
        first.set()
        go_on.wait(60)
        return before, view.history.head().seq

    reading = asyncio.ensure_future(store.read(query))
    await asyncio.to_thread(first.wait, 10)
    await store.write(lambda tx: tx.history.write(entry(1)))
    go_on.set()
    assert await reading == (0, 0)


async def test_a_reader_cannot_write(store: SqlStore) -> None:
    with pytest.raises(StoreError, match=r"(?i)read-?only"):
        await store.read(lambda view: view.history.write(entry(1)))
    assert (await store.read(lambda view: view.history.head())).seq == 0


async def test_nothing_waits_for_ever_on_a_store_that_was_closed(
    tmp_path: Path,
) -> None:
    """Seen: a step given after the end was never run and never refused."""
    store = open_store(StoreSettings(directory=tmp_path))
    store.close()
    with pytest.raises(StoreError, match="closed"):
        await asyncio.wait_for(store.write(lambda tx: tx.history.head()), 60)


async def test_closing_finishes_what_is_queued(tmp_path: Path) -> None:
    store = open_store(StoreSettings(directory=tmp_path))
    hold = threading.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(store.write(lambda _: hold.wait(60)))
        kept = group.create_task(store.write(lambda tx: tx.history.write(entry(1))))
        await group.create_task(once_queued(hold.set))
        await asyncio.to_thread(store.close)
    assert kept.exception() is None
    again = open_store(StoreSettings(directory=tmp_path))
    assert again.read_now(lambda view: view.history.head()).seq == 1
    again.close()


# ---- full disk


def test_a_full_disk_keeps_nothing_and_the_store_works_on(file_store: SqlStore) -> None:
    def fill(tx: Tx) -> None:
        tx.notes.save("big", "x" * 5_000_000)

    def small(tx: Tx) -> None:
        tx.history.write(entry(1))

    def at_most(pages: int) -> None:
        for connection in connections:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
            connection.rollback()

    connections = [file_store._engine.connect() for _ in range(4)]
    now = connections[0].exec_driver_sql("PRAGMA page_count").scalar_one()
    connections[0].rollback()
    at_most(now + 10)
    for connection in connections:
        connection.close()
    jobs = [Job(step) for step in (small, fill, small)]
    commit_group(file_store._engine, jobs)
    assert isinstance(jobs[1].error, StoreError)
    assert "full" in str(jobs[1].error)
    kept = file_store.read_now(lambda view: view.history.head()).seq
    succeeded = [job for job in jobs if job.error is None]
    assert kept == len(succeeded)
    later = [Job(small)]
    commit_group(file_store._engine, later)
    assert later[0].error is None
    assert file_store.read_now(lambda view: view.history.head()).seq == kept + 1


FULL_DISK = """
    import asyncio, resource, signal, sys
    from pathlib import Path
    from evidenced.core.errors import StoreError
    from evidenced.store import StoreSettings, open_store

    async def main(folder):
        store = open_store(StoreSettings(directory=Path(folder)))
        await store.write(lambda tx: tx.notes.save("a", "before"))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, hard))
        try:
            await store.write(lambda tx: tx.notes.save("b", "x" * 3_000_000))
        except StoreError as error:
            print("refused:", error)
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        await store.write(lambda tx: tx.notes.save("c", "after"))
        for key in "abc":
            print(key, await store.read(lambda view: view.notes.get(key)))
        store.close()

    asyncio.run(main(sys.argv[1]))
"""


def test_a_file_that_may_not_grow_is_a_store_error(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FULL_DISK), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert ran.stderr == ""
    lines = ran.stdout.splitlines()
    assert lines[0].startswith("refused: the store could not commit")
    assert lines[1:] == ["a before", "b None", "c after"]


# ---- opening


def test_a_second_daemon_is_refused(file_store: SqlStore, tmp_path: Path) -> None:
    assert file_store.read_now(lambda view: view.history.head()).seq == 0
    with pytest.raises(StoreError, match="another evidenced is running"):
        open_store(StoreSettings(directory=tmp_path))


def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    open_store(StoreSettings(directory=tmp_path)).close()
    with sqlite3.connect(tmp_path / FILE) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StoreError, match="9999 was written by a newer evidenced"):
        open_store(StoreSettings(directory=tmp_path))
    connection = sqlite3.connect(tmp_path / FILE)
    found = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    connection.close()
    assert found == [("9999",)]
    with pytest.raises(StoreError, match="newer"):  # and the lock was let go
        open_store(StoreSettings(directory=tmp_path))


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"this is no database, but long enough to be one" * 100,
        lambda raw: b"\0" * 100 + raw[100:],
        lambda raw: raw[:100] + b"\xff" * (len(raw) - 100),
    ],
)
def test_a_damaged_file_is_refused_and_left_as_it_is(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    open_store(StoreSettings(directory=tmp_path)).close()
    path = tmp_path / FILE
    path.write_bytes(damage(path.read_bytes()))
    before = path.read_bytes()
    with pytest.raises(StoreError, match="it was left as it is"):
        open_store(StoreSettings(directory=tmp_path))
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(StoreError, match="must be a folder that this user can write"):
        open_store(StoreSettings(directory=blocked / "state"))


def test_what_is_stored_is_the_owner_s_alone(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    open_store(StoreSettings(directory=folder)).close()
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_copy_of_the_folder_opens(file_store: SqlStore, tmp_path: Path) -> None:
    commit_group(file_store._engine, [Job(saving(named("i1")))])
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in tmp_path.glob(f"{FILE}*"):
        shutil.copy(name, copy)
    other = open_store(StoreSettings(directory=copy))
    assert (
        other.read_now(lambda view: view.incidents.counts())[IncidentState.WAITING] == 1
    )
    other.close()


# ---- bounds


def kept_alarm(n: int) -> KeptAlarm:
    return KeptAlarm(
        incident=IncidentId("i1"),
        n=n,
        received_at=t("12:00"),
        at=t("12:00") + s(n),
        signal=Signal.ACTIVE,
        time_source="payload",
        topic="a/b",
        payload=b"\x00\xff",
    )


async def test_of_an_incident_s_alarms_the_first_and_last_are_kept(
    store: SqlStore,
) -> None:
    many = FIRST_ALARMS + LAST_ALARMS + 37
    await store.write(saving(named("i1", alarms=many)))
    for start in range(1, many + 1, 7):
        some = [kept_alarm(n) for n in range(start, min(start + 7, many + 1))]
        await store.write(keeping(some))
    dossier = await store.read(lambda view: view.dossier(IncidentId("i1")))
    assert dossier is not None
    assert [alarm.n for alarm in dossier.alarms] == [
        *range(1, FIRST_ALARMS + 1),
        *range(many - LAST_ALARMS + 1, many + 1),
    ]
    assert dossier.alarms[0] == kept_alarm(1)
    assert dossier.incident.alarms == many


async def test_the_last_refused_alarms_are_kept(store: SqlStore) -> None:
    def refused(n: int) -> RefusedAlarm:
        return RefusedAlarm(
            received_at=t("12:00"),
            outcome=Outcome.INVALID,
            rule=None,
            detail=str(n),
            topic="t",
            payload="p",
        )

    def count(tx: Tx) -> list[str]:
        assert isinstance(tx, Tx)
        found = tx._db.execute(text("SELECT detail FROM refused_alarms ORDER BY seq"))
        return [row.detail for row in found]

    for start in (0, 600, 1200):
        batch = [refused(n) for n in range(start, start + 600)]
        await store.write(refusing(batch))
    await store.write(lambda tx: tx.refused.save([]))
    kept = await store.write(count)
    assert kept == [str(n) for n in range(1800 - REFUSED_ALARMS, 1800)]


async def test_what_silences_hold_back_adds_up(store: SqlStore) -> None:
    name = SilenceId("x")
    made = Silence(
        id=name,
        subject=Subject.RULE,
        name="rule-0",
        starts_at=t("12:00"),
        until=t("13:00"),
        ends_at=t("13:00"),
        author="ann",
        comment="a drill",
    )
    await store.write(lambda tx: tx.silences.save([made]))
    for number in (2, 3):
        counted = {name: number, SilenceId("gone"): 1}
        await store.write(lambda tx, c=counted: tx.silences.count(c))
    await store.write(lambda tx: tx.silences.count({}))
    kept = await store.read(lambda view: view.silences.get(name))
    assert kept == replace(made, held_back=5)


# ---- what loops ask


async def test_the_queue_is_priority_then_age(store: SqlStore) -> None:
    def waiting(name: str, at: str, priority: int) -> Incident:
        return named(name, ended(at=at, rule=rule(priority=priority)))

    await store.write(
        saving(
            waiting("old", "11:00", 50),
            waiting("new", "12:00", 50),
            waiting("urgent", "12:00", 10),
            waiting("lazy", "10:00", 200),
            waiting("same-b", "11:30", 50),
            waiting("same-a", "11:30", 50),
            named("other", ended(GATE, at="09:00")),
        )
    )

    def names(limit: int, at: str = "13:00") -> list[str]:
        found = store.read_now(lambda view: view.queue.due(MAIN, t(at), limit))
        return [each.id for each, _ in found]

    # a point of priority is a minute: 40 points make up for the hour
    assert names(9) == ["old", "urgent", "same-a", "same-b", "new", "lazy"]
    assert names(2) == ["old", "urgent"]
    assert names(9, "11:02:15") == ["old", "lazy"]
    assert names(9, "11:02:14.999") == ["lazy"]


async def test_cohorts_are_asked_for_apart(store: SqlStore) -> None:
    incident = ended(LOBBY, DOOR)
    apart = incident.with_clips(replace(incident.clips[1], cohort=1))
    await store.write(saving(apart))
    found = await store.write(lambda tx: tx.queue.due(MAIN, t("13:00"), 9))
    assert [(each.id, cohort) for each, cohort in found] == [("i1", 0), ("i1", 1)]


async def test_turning_and_late_are_bounded_and_earliest_first(store: SqlStore) -> None:
    def recording(n: int) -> Incident:
        incident = opened(happening(t("12:00") + m(n), LOBBY))
        terms = replace(incident.terms, alert_after=m(30))
        return named(f"i{n}", incident, terms=terms)

    await store.write(saving(*(recording(n) for n in (3, 1, 2, 0))))

    def asked(tx: Tx, at: str, limit: int) -> tuple[list[str], list[str]]:
        turning = tx.queue.turning(t(at), t(at), limit)
        late = tx.queue.late(t(at), limit)
        return [each.id for each in turning], [each.id for each in late]

    assert await store.write(lambda tx: asked(tx, "12:03:59", 9)) == (["i0", "i1"], [])
    assert await store.write(lambda tx: asked(tx, "12:04", 2)) == (["i0", "i1"], [])
    both = await store.write(lambda tx: asked(tx, "12:34", 9))
    assert both == (["i0", "i1", "i2", "i3"], ["i0", "i1", "i2"])
    assert await store.read(lambda view: view.queue.next_turn(t("12:00"))) == t("12:02")


async def test_open_incidents_are_those_that_can_still_be_touched(
    store: SqlStore,
) -> None:
    plain = opened(happening("12:00", LOBBY))
    awaits = opened(happening("10:00", LOBBY, rule=AWAITS))
    asked, _ = requested(ended())
    other = named("other", plain, key=GroupKey("else"))
    await store.write(
        saving(named("plain", plain), named("awaits", awaits), named("x", asked), other)
    )

    def found(at: str, *keys: tuple[str, str]) -> list[str]:
        groups = [(RuleName(a), GroupKey(b)) for a, b in keys]
        opens = store.read_now(lambda view: view.queue.open(groups, t(at)))
        return sorted(each.id for each in opens)

    mine = ("rule-0", "site/door")
    assert found("12:02", mine) == ["awaits", "plain"]
    assert found("12:02:00.001", mine) == ["awaits"]
    assert found("12:00", ("rule-0", "else")) == ["other"]
    assert found("12:00", ("rule-1", "site/door")) == []
    assert found("12:00") == []
    many = [("rule-0", f"k{n}") for n in range(1200)]
    assert found("12:00", *many, mine) == ["awaits", "plain"]


async def test_ids_of_exports_go_up(store: SqlStore) -> None:
    first = await store.write(lambda tx: [tx.exports.new_id(), tx.exports.new_id()])
    assert first == [1, 2]
    incident = ended()
    after, export = requested(incident, n=7)
    change = Change(before=None, after=after, event=Event.REQUESTED, exports=(export,))
    await store.write(lambda tx: tx.ledger.save([change], t("12:03")))
    assert await store.write(lambda tx: tx.exports.new_id()) == 8


def seen_alarm(key: str, at: str) -> SeenAlarm:
    group = {"door": key}
    return SeenAlarm(
        key=key, rule=RuleName("r"), group_key=GroupKey(key), group=group, at=t(at)
    )


async def test_keys_marks_and_notes(store: SqlStore) -> None:
    seen = {key: seen_alarm(key, "12:00") for key in "abc"}
    later = replace(seen["b"], until=t("13:00"))
    await store.write(lambda tx: tx.alarms.save_seen([seen["a"], seen["b"]]))
    await store.write(lambda tx: tx.alarms.save_seen([later, seen["c"]]))
    found = await store.write(lambda tx: tx.alarms.seen(["a", "b", "c", "d"]))
    assert {each.key: each for each in found} == seen | {"b": later}
    assert await store.read(lambda view: view.deliveries.last()) == 0
    mark = DeliveryMark(number=3, packet_id=1, session=2, digest="x")
    await store.write(lambda tx: tx.deliveries.save([mark]))
    assert await store.write(lambda tx: tx.deliveries.marks([1, 2], [])) == {mark}
    again = replace(mark, digest="y", number=4)
    await store.write(lambda tx: tx.deliveries.save([again]))
    await store.write(lambda tx: tx.deliveries.forget(Over(0, 4)))
    assert await store.write(lambda tx: tx.deliveries.marks([], ["x", "y"])) == {again}
    assert await store.read(lambda view: view.deliveries.last()) == 4
    await store.write(lambda tx: tx.deliveries.forget(Over(4, 5)))
    assert await store.write(lambda tx: tx.deliveries.marks([1], ["y"])) == set()
    await store.write(lambda tx: tx.notes.save("k", "1"))
    await store.write(lambda tx: tx.notes.save("k", "2"))
    assert await store.read(
        lambda view: (view.notes.get("k"), view.notes.get("z"))
    ) == (
        "2",
        None,
    )


# ---- search


def many_incidents() -> list[Incident]:
    found = []
    for n in range(60):
        cameras = (LOBBY, DOOR) if n % 3 else (GATE,)
        incident = ended(*cameras, at=f"{n // 4:02}:00")
        if n % 5 == 0:
            incident = cancel(incident, "ann", t("23:00")).after
        fields = {"badge": f"Card {n % 7} 100%_x"}
        found.append(
            named(f"i{n:03}", incident, rule=RuleName(f"r{n % 2}"), fields=fields)
        )
    return found


FILTERS = [
    IncidentFilter(),
    IncidentFilter(rule="r1"),
    IncidentFilter(rule="r"),
    IncidentFilter(states=(IncidentState.CANCELLED,)),
    IncidentFilter(states=(IncidentState.CANCELLED, IncidentState.WAITING)),
    IncidentFilter(states=(IncidentState.EXPORTED,)),
    IncidentFilter(camera="gate"),
    IncidentFilter(camera="door", rule="r0"),
    IncidentFilter(camera="lobby", states=(IncidentState.CANCELLED,)),
    IncidentFilter(rule="r1", states=(IncidentState.WAITING,)),
    IncidentFilter(since=t("05:00")),
    IncidentFilter(until=t("05:00")),
    IncidentFilter(since=t("03:00"), until=t("04:00")),
    IncidentFilter(text="CARD 3"),
    IncidentFilter(text="I00"),
    IncidentFilter(text="%"),
    IncidentFilter(text="_"),
    IncidentFilter(text="100%_X", camera="lobby", rule="r1"),
    IncidentFilter(text="nothing like it"),
]


def matches(incident: Incident, wanted: IncidentFilter) -> bool:
    texts = [incident.id, incident.rule, incident.key, str(dict(incident.fields))]
    return (
        (not wanted.states or incident.state in wanted.states)
        and wanted.rule in {None, incident.rule}
        and (
            wanted.camera is None
            or wanted.camera in {clip.camera for clip in incident.clips}
        )
        and (wanted.since is None or incident.opened_at >= wanted.since)
        and (wanted.until is None or incident.opened_at < wanted.until)
        and (
            wanted.text is None
            or any(wanted.text.lower() in each.lower() for each in texts)
        )
    )


@pytest.mark.parametrize("few", [0, 2000])
@pytest.mark.parametrize("limit", [1, 7, 100])
async def test_search_page_by_page_is_a_search_by_hand(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, *, limit: int, few: int
) -> None:
    """Whichever index is gone along."""
    monkeypatch.setattr("evidenced.store.incidents.FEW", few)
    everything = many_incidents()
    await store.write(saving(*everything))
    for wanted in FILTERS:
        expected = sorted(
            (each for each in everything if matches(each, wanted)),
            key=lambda each: (each.opened_at, each.id),
            reverse=True,
        )
        found: list[Incident] = []
        page = replace(wanted, limit=limit)
        while some := store.read_now(searching(page)):
            assert len(some) <= limit
            found += some
            page = replace(page, after=(some[-1].opened_at, some[-1].id))
        assert found == expected, wanted


async def test_footage_with_gaps_is_found_and_counted(store: SqlStore) -> None:
    gap = Window(start=t("12:00"), end=t("12:01"))
    coverages = [
        None,
        Coverage(state=CoverageState.WHOLE),
        Coverage(state=CoverageState.GAPS, gaps=(gap,)),
        Coverage(state=CoverageState.UNKNOWN, text='{"gaps":[{'),
    ]
    saved = []
    for n, coverage in enumerate(coverages):
        incident = named(f"i{n}", ended(LOBBY, DOOR))
        clips = [clip.moved(ClipState.EXPORTED) for clip in incident.clips]
        clips = [replace(clip, coverage=coverage) for clip in clips]
        saved.append(incident.with_clips(*clips).settled(t("13:00")))
    await store.write(saving(*saved))
    [found] = store.read_now(searching(IncidentFilter(gapped=True)))
    assert found.id == "i2"
    standing = store.read_now(lambda view: view.incidents.standing(t("11:00")))
    assert (standing.safe, standing.gapped) == (4, 1)
    later = store.read_now(lambda view: view.incidents.standing(t("14:00")))
    assert (later.safe, later.gapped) == (0, 0)


async def test_a_search_for_text_says_where_it_stopped(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one looks at is bounded; together they find all."""
    monkeypatch.setattr("evidenced.store.incidents.SEARCHED", 7)
    everything = many_incidents()
    await store.write(saving(*everything))
    wanted, looks = IncidentFilter(text="i00", limit=100), 0
    found: list[str] = []
    reach = store.read_now(lambda view: view.incidents.reach(wanted))
    while True:
        looks += 1
        found += [each.id for each in store.read_now(searching(wanted))]
        if reach is None:
            break
        wanted = replace(wanted, after=reach)
        reach = store.read_now(lambda view, w=wanted: view.incidents.reach(w))  # type: ignore[misc]
    assert found == [f"i{n:03}" for n in reversed(range(10))]
    assert looks == len(everything) // 7 + 1


# ---- history and pruning


async def test_the_chain_verifies_whatever_was_saved(store: SqlStore) -> None:
    ids = Ids()
    start = open_incident(happening("12:00", LOBBY, GATE), ids)
    await store.write(lambda tx: tx.ledger.save([start], t("12:00")))
    changes = extend(start.after, happening("12:01", DOOR), ids)
    changes += turn(changes[-1].after, t("12:05"), SETTLES, ids)
    await store.write(lambda tx: tx.ledger.save(changes, t("12:05")))
    await store.write(
        lambda tx: tx.history.write(
            Entry(
                incident=None,
                at=t("12:06"),
                event="é\n\U0001f4f7",
                detail={"z\0": [1, None, 2.5], "a": {"ß": True}},
            )
        )
    )
    await store.write(lambda tx: tx.ledger.save([], t("12:07")))
    count = store.read_now(chain_holds)
    told = await store.read(lambda view: view.history.after(0, 99))
    assert len(told) == len(changes) + 2
    assert count >= len(told)  # besides, rows that seal others
    told = await store.read(lambda view: view.history.after(1, 2))
    assert [each.event for _, each in told] == ["extended", "ended"]


async def test_an_edited_row_breaks_the_chain(store: SqlStore) -> None:
    for n in range(3):
        await store.write(writing(n))
    for edit in (
        "UPDATE history SET detail = '{}' WHERE seq = 2",
        "UPDATE history SET at = at + 1 WHERE seq = 2",
        "UPDATE history SET incident = 'i1' WHERE seq = 2",
        "DELETE FROM history WHERE seq = 2",
    ):
        with store._engine.connect() as connection:
            connection.execute(text(edit))
            with pytest.raises(AssertionError):
                chain_holds(Tx(connection))


async def test_a_dossier_holds_all_that_is_known(store: SqlStore) -> None:
    assert await store.read(lambda view: view.dossier(IncidentId("i1"))) is None
    incident = ended()
    asked, export = requested(incident)
    change = refuse(asked, export, NO_VIDEO, patience(t("12:03")))
    first = Change(before=None, after=asked, event=Event.REQUESTED, exports=(export,))
    await store.write(lambda tx: tx.ledger.save([first, change], t("12:03")))
    dossier = await store.read(lambda view: view.dossier(IncidentId("i1")))
    assert dossier is not None
    assert dossier.incident == change.after
    assert dossier.exports == change.exports
    assert [each.event for each in dossier.history] == ["requested", "refused"]


async def test_pruning_removes_rows_and_keeps_the_chain(store: SqlStore) -> None:
    def finished(name: str, at: str) -> Incident:
        return cancel(named(name), "ann", t(at)).after

    old = [finished(f"old{n}", f"13:0{n}") for n in range(4)]
    young, waiting = finished("young", "15:00"), named("waiting")
    await store.write(saving(*old, young, waiting))
    await store.write(
        lambda tx: tx.alarms.save([replace(kept_alarm(1), incident=old[0].id)])
    )
    asked, export = requested(named("old0"))
    over = refuse(asked, export, NO_VIDEO, patience(t("13:00"))).exports[0]
    await store.write(lambda tx: tx.exports.save([over]))
    keys = [seen_alarm("k1", "12:00"), seen_alarm("k2", "14:30")]
    await store.write(lambda tx: tx.alarms.save_seen(keys))
    entries = await store.read(lambda view: view.history.head())

    def prune(tx: Tx) -> list[IncidentId]:
        return tx.past.prune(t("14:00"), t("14:00", 30), 3)

    assert await store.write(prune) == ["old0", "old1", "old2"]
    assert await store.write(prune) == ["old3"]
    assert await store.write(prune) == []
    names = {
        each.id
        for each in await store.read(lambda v: v.incidents.search(IncidentFilter()))
    }
    assert names == {"young", "waiting"}
    counts = await store.read(lambda view: view.incidents.counts())
    assert {state: n for state, n in counts.items() if n} == {
        IncidentState.CANCELLED: 1,
        IncidentState.WAITING: 1,
    }
    assert await store.write(lambda tx: tx.alarms.seen(["k1", "k2"])) == keys[1:]
    with store._engine.connect() as connection:
        for table in ("clips", "exports", "alarms"):
            query = text(f"SELECT count(*) FROM {table} WHERE incident LIKE 'old%'")  # noqa: S608
            assert connection.scalar(query) == 0
        connection.rollback()
    told = await store.read(lambda view: view.history.after(entries.seq, 9))
    assert told == []
    store.read_now(chain_holds)


async def test_old_history_is_pruned_and_the_rest_still_verifies(
    store: SqlStore, settings: StoreSettings
) -> None:
    old = [cancel(named(f"old{n}"), "ann", t(f"13:0{n}")).after for n in range(4)]
    young = named("young")
    await store.write(saving(*old, young))
    await store.write(lambda tx: tx.past.prune(t("14:00"), t("14:00", 30), 9))
    assert (await store.read(lambda view: view.history.after(0, 9)))[0][0] == 1
    over = cancel(young, "ann", t("15:00"))
    await store.write(lambda tx: tx.ledger.save([over], t("15:00")))
    head = await store.read(lambda view: view.history.head())
    await store.write(lambda tx: tx.past.prune(t("14:00", 24), t("14:00", 30), 9))
    told = await store.read(lambda view: view.history.after(0, 9))
    assert [each.event for _, each in told] == ["pruned"]
    retained = t("14:00", 30) - t("14:00", 24)
    audit = verify_store(database_of(settings), head.hash, retained)
    assert audit.fault is None
    assert audit.looked_for == head.seq
    assert audit.pruning is not None
    assert audit.pruning.through.seq == head.seq - 1
    assert await store.write(lambda tx: tx.exports.new_id()) == 1


# ---- cost


ASKED: dict[str, Callable[[Tx], object]] = {
    "turning": lambda tx: tx.queue.turning(t("12:00"), t("12:00"), 9),
    "late": lambda tx: tx.queue.late(t("12:00"), 9),
    "due": lambda tx: tx.queue.due(MAIN, t("12:00"), 9),
    "next_turn": lambda tx: tx.queue.next_turn(t("12:00")),
    "next_due": lambda tx: tx.queue.next_due(ANNEX),
    "recorders_needed": lambda tx: tx.queue.recorders_needed(),
    "recorders_to_visit": lambda tx: tx.queue.recorders_to_visit(),
    "waiting_for": lambda tx: tx.queue.waiting_for(MAIN, 9),
    "hasten": lambda tx: tx.queue.hasten(MAIN, t("13:00"), s(15)),
    "hasten_records": lambda tx: tx.evidence.hasten(t("12:00"), t("13:00")),
    "hasten_tags": lambda tx: tx.tags.hasten(MAIN, t("12:00"), t("13:00")),
    "opened_after": lambda tx: tx.incidents.opened_after(t("13:00")),
    "inbox_waiting": lambda tx: tx.inbox.waiting(),
    "running": lambda tx: tx.exports.running(MAIN, [1]),
    "live_exports": lambda tx: tx.exports.live(MAIN),
    "open_incidents": lambda tx: tx.queue.open(
        [(RuleName("r"), GroupKey("k"))], t("12:00")
    ),
    "entries_after": lambda tx: tx.history.after(5, 9),
    "incidents": lambda tx: tx.incidents.get([IncidentId("i1")]),
    "exports_of": lambda tx: tx.exports.of([IncidentId("i1")]),
    "dossier": lambda tx: tx.dossier(IncidentId("i001")),
    "new_export_id": lambda tx: tx.exports.new_id(),
    "prune": lambda tx: tx.past.prune(t("00:00", 14), t("00:00"), 9),
    "seen": lambda tx: tx.alarms.seen(["k"]),
    "marks": lambda tx: tx.deliveries.marks([1], []),
    "silences": lambda tx: tx.silences.ending_after(t("12:00")),
    "past_silences": lambda tx: tx.silences.past(t("12:00"), 9),
    "run_out_silences": lambda tx: tx.silences.run_out(t("12:00"), 9),
    "open_troubles": lambda tx: tx.troubles.open(),
    "piles": lambda tx: tx.piles.of("duty"),
    "figures": lambda tx: tx.figures.between(t("11:00"), t("12:00"), t("12:00")),
    "silence": lambda tx: tx.silences.get(SilenceId("x")),
    "due_records": lambda tx: tx.evidence.due(t("12:00"), 9),
    "next_record": lambda tx: tx.evidence.next_due(),
    "hashed_files": lambda tx: tx.evidence.files(IncidentId("i1")),
    "records_of": lambda tx: tx.evidence.of([IncidentId("i1")]),
    "due_tags": lambda tx: tx.tags.due(MAIN, t("12:00"), 9),
    "next_tag": lambda tx: tx.tags.next_due(MAIN),
    "tags_of": lambda tx: tx.tags.of([IncidentId("i1")]),
    "waiting records": lambda tx: tx.evidence.waiting(),
    "waiting tags": lambda tx: tx.tags.waiting(),
    "search by state": lambda tx: tx.incidents.search(IncidentFilter(states=RARE)),
    "search by rule": lambda tx: tx.incidents.search(IncidentFilter(rule="rule-0")),
    "search by camera": lambda tx: tx.incidents.search(IncidentFilter(camera="lobby")),
    "search by camera and state": lambda tx: tx.incidents.search(
        IncidentFilter(camera="lobby", states=RARE)
    ),
    "search by gaps": lambda tx: tx.incidents.search(IncidentFilter(gapped=True)),
    "search by text": lambda tx: tx.incidents.search(IncidentFilter(text="x")),
    "late_incidents": lambda tx: tx.incidents.late(9),
    "standing": lambda tx: tx.incidents.standing(t("12:00")),
    "refused": lambda tx: tx.refused.newest(9, 100),
    "refused by outcome": lambda tx: tx.refused.newest(9, 100, Outcome.SILENCED),
    "silenced and on": lambda tx: tx.refused.due(t("12:00"), 9),
    "end of what is on": lambda tx: tx.refused.end(RuleName("r"), GroupKey("k")),
    "search": lambda tx: tx.incidents.search(
        IncidentFilter(after=(t("12:00"), IncidentId("x")))
    ),
}


CHANGED = (
    "open_incidents",
    "turning",
    "late",
    "incidents",
    "exports_of",
    "records_of",
    "tags_of",
    "piles",
    "run_out_silences",
    "open_troubles",
)
"""What these give is saved anew by those who ask in a transaction."""


@pytest.mark.parametrize("question", CHANGED)
def test_rows_that_a_step_may_change_are_read_with_a_lock(
    store: SqlStore, question: str
) -> None:
    """Where writers do not come one after another: here the clause is left out."""

    def locked(engine: Engine, kind: type[View]) -> set[bool]:
        asked: set[bool] = set()

        def note(_connection: Any, statement: Any, *_: Any) -> None:
            text = str(statement.compile(dialect=postgresql.dialect()))
            asked.add("FOR UPDATE" in text)

        with engine.connect() as connection:
            event.listen(connection, "before_execute", note)
            ASKED[question](kind(connection))  # type: ignore[arg-type]
        return asked

    assert True in locked(store._engine, Tx)
    assert locked(store._reading, View) == {False}


RARE = (IncidentState.FAILED, IncidentState.PARTIAL)
BOUNDED = ("USING", "CONSTANT", "subquery", "tally", "anon_")
"""By an index, over one row, over what a query with a limit gave, over seven rows."""
STEPWISE = {
    "recorders_needed",
    "recorders_to_visit",
    "waiting_for",
    "running",
    "next_due",
}
"""Not even what waits is gone through."""


@pytest.mark.parametrize("question", ASKED)
async def test_no_question_of_a_loop_scans_a_table(
    file_store: SqlStore, question: str
) -> None:
    await file_store.write(saving(*many_incidents()))
    plans: list[str] = []
    with file_store._engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        statements: list[tuple[str, Any]] = []

        def note(_c: Any, _cursor: Any, sql: str, values: Any, *_: Any) -> None:
            statements.append((sql, values))

        event.listen(connection, "before_cursor_execute", note)
        ASKED[question](Tx(connection))
        for sql, values in statements:
            if sql.lstrip().startswith(("SELECT", "DELETE", "UPDATE")):
                rows = raw.execute(f"EXPLAIN QUERY PLAN {sql}", values)
                plans += [row[3] for row in rows]
        connection.rollback()
    assert plans
    scans = [
        plan
        for plan in plans
        if plan.startswith("SCAN") and not any(word in plan for word in BOUNDED)
    ]
    assert scans == []
    if question in STEPWISE:
        assert all(plan.startswith("SEARCH") for plan in plans), plans


async def test_whatever_comes_waits_as_it_came(store: SqlStore) -> None:
    """Many at once: a server gets a list of each column."""
    topics = ("a/NULL", '{"a"}', "\\\\x", "", " ", "a,b", "{}", "\N{PILE OF POO}")
    payloads = (b"", b"\0\xff", b"NULL", b'{"a":"\\"}', b"\\x00", b",", b"{}")
    alarms = [
        Alarm(topic=topic, payload=payload, received_at=t("12:00"), whole=whole)
        for topic in topics
        for payload in payloads
        for whole in (None, Whole(size=9, sha256="0" * 64))
    ]
    await store.write(lambda tx: tx.inbox.save(alarms))
    kept = await store.read(lambda view: view.inbox.oldest(999))
    assert [alarm for _, alarm in kept] == alarms
