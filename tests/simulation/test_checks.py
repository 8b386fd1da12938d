"""Each check can fail: the product is broken on purpose, and a seed must tell."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from evidenced.core import errors
from evidenced.core.alarms.deliveries import Repeats
from evidenced.core.errors import RecorderError
from evidenced.core.exports import checking
from evidenced.core.exports.bandwidth import Budget
from evidenced.core.exports.following import Verdict
from evidenced.core.exports.growth import Sighting
from evidenced.core.exports.retry import End
from evidenced.core.incidents import lifecycle
from evidenced.core.incidents.history import Event, entry_of
from evidenced.core.incidents.incident import ends_of
from evidenced.core.incidents.states import ClipState, IncidentState
from evidenced.pipeline import answers, outbox
from evidenced.pipeline.rulebook import Rulebooks
from evidenced.pipeline.shares import Shares
from evidenced.store.messages import StoredInbox
from evidenced.store.queue import Queue
from simulation.mutant import Mutant, Patch
from simulation.plan import Plan


def _loses_an_alarm(patch: Patch) -> None:
    save = StoredInbox.save
    patch.setattr(StoredInbox, "save", lambda inbox, alarms: save(inbox, alarms[1:]))


def _takes_repeats_for_new(patch: Patch) -> None:
    patch.setattr("evidenced.pipeline.intake.find_repeats", lambda *_: Repeats())


def _forgets_event_ids(patch: Patch) -> None:
    patch.setattr("evidenced.store.alarms.StoredAlarms.seen", lambda *_: set())


def _does_not_settle(patch: Patch) -> None:
    patch.setattr(
        "evidenced.core.incidents.incident.Incident.first_due", lambda _, c: c.due_at
    )
    patch.setattr("evidenced.core.incidents.clipping.ends_of", _ends_early)


def _ends_early(clips: Any) -> Any:
    return {name: end - timedelta(seconds=4) for name, end in ends_of(clips).items()}


def _believes_unfinished_exports(patch: Patch) -> None:
    def judge(export: Any, _entry: Any) -> Verdict:
        done = frozenset(device.clip for device in export.devices)
        return Verdict(devices=export.devices, done=done, failed=frozenset())

    patch.setattr("evidenced.sense.matching.judge", judge)


def _gives_up_at_once(patch: Patch) -> None:
    end = End(state=ClipState.MISSING)
    patch.setattr("evidenced.core.exports.answers.after_refusal", lambda *_: end)


def _never_tells_cameras_apart(patch: Patch) -> None:
    patch.setattr("evidenced.core.exports.answers.must_tell_apart", lambda *_: False)


def _stops_looking_at_exports(patch: Patch) -> None:
    async def once(_: object) -> bool:
        return False

    patch.setattr("evidenced.pipeline.track.Track.once", once)


def _counts_no_running_exports(patch: Patch) -> None:
    patch.setattr("evidenced.store.exports.StoredExports.running", lambda *_: [])


def _ignores_the_schedule(patch: Patch) -> None:
    patch.setattr(
        "evidenced.pipeline.dispatch.budget_at", lambda base, *_: Budget(limit=base)
    )


def _repeats_what_got_no_answer(patch: Patch) -> None:
    after = answers._after_error

    def unsent(incident: Any, export: Any, error: RecorderError, now: Any) -> Any:
        unsent_error = RecorderError(error.reason, str(error), is_sent=False)
        with suppress(errors.EvidencedError):
            return after(incident, export, unsent_error, now)
        raise error

    patch.setattr(answers, "_after_error", unsent)


def _writes_no_history_of_ends(patch: Patch) -> None:
    def forgetful(change: Any, at: Any) -> Any:
        return None if change.event is Event.ENDED else entry_of(change, at)

    patch.setattr("evidenced.store.ledger.entry_of", forgetful)


def _chains_nothing(patch: Patch) -> None:
    patch.setattr("evidenced.store.history.link", lambda previous, *_: previous)


def _uses_names_as_they_come(patch: Patch) -> None:
    def filled(text: str) -> str:
        return text or "x"

    patch.setattr("evidenced.core.folders.paths.safe_name", filled)
    patch.setattr(
        "evidenced.core.folders.paths.clean", lambda value, _limit: str(value) or "x"
    )
    # the last guard would reject them, and nothing would reach the recorder
    patch.setattr("evidenced.core.folders.destination.within", lambda *_: True)


def _reads_by_the_latest_rules(patch: Patch) -> None:
    patch.setattr(Rulebooks, "of", lambda books, _: books.current)


def _loses_a_rule_in_one_life(plan: Plan) -> bool:
    """A reload takes a rule away whose alarms come just then, and nothing dies."""
    gone = {event.value.gone for event in plan.events if event.kind == "reload"}
    lives = not any("crash" in name for name in plan.families)
    others = {"stop", "recorder-gone", "host-clock", "broker", "broker-forgets"}
    return lives and bool(gone & {"button", "open"}) and not others & {*plan.families}


def _drops_incidents(patch: Patch) -> None:
    turning = Queue.turning

    def lossy(queue: Any, now: Any, sure: Any, limit: int) -> Any:
        found = turning(queue, now, sure, limit)
        for incident in found[:1]:
            queue._db.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            for table in ("clips", "alarms"):
                queue._db.exec_driver_sql(
                    f"DELETE FROM {table} WHERE incident = ?",  # noqa: S608
                    (incident.id,),
                )
            queue._db.exec_driver_sql(
                "DELETE FROM incidents WHERE id = ?", (incident.id,)
            )
        return found[1:]

    patch.setattr(Queue, "turning", lossy)


def _has_no_post_roll(patch: Patch) -> None:
    patch.setattr(
        "evidenced.core.incidents.happening.post_roll_of",
        lambda *_: timedelta(seconds=1),
    )


def _keeps_no_count(patch: Patch) -> None:
    patch.setattr("evidenced.store.incidents.StoredIncidents.count", lambda *_: None)


def _publishes_another_state(patch: Patch) -> None:
    told = outbox.retained_state

    def wrong(incident: Any, exports: Any) -> dict[str, object]:
        value = told(incident, exports)
        if value["state"] is IncidentState.EXPORTED:
            value["state"] = "partial"
        return value

    patch.setattr(outbox, "retained_state", wrong)


def _asks_for_each_camera_alone(patch: Patch) -> None:
    patch.setattr(
        "evidenced.core.exports.exporting.split",
        lambda clips, _most: [(c,) for c in clips],
    )


def _counts_alarms_twice(patch: Patch) -> None:
    extend = lifecycle.extend

    def twice(*values: Any) -> Any:
        *steps, last = extend(*values)
        more = replace(last.after, alarms=last.after.alarms + 1)
        return [*steps, replace(last, after=more)]

    patch.setattr("evidenced.pipeline.taking.extend", twice)


def _believes_empty_folders(patch: Patch) -> None:
    """As it was: what the recorder calls done is exported."""
    patch.setattr("evidenced.core.exports.checking.is_denied", lambda _: True)
    patch.setattr(
        "evidenced.core.exports.checking.deny",
        lambda incident, export, patience: checking.confirm(
            incident, export, None, patience
        ),
    )


def _skips_a_look_when_the_share_blinks(patch: Patch) -> None:
    """As it was: an export whose share is away just then is not looked at."""
    sighting = Shares.sighting

    async def sight(shares: Shares, export: Any) -> Any:
        with suppress(OSError):
            return await sighting(shares, export)
        return Sighting(files=1, size_bytes=1 << 40)

    patch.setattr(Shares, "sighting", sight)


def _looks_into_no_folder(patch: Patch) -> None:
    async def run(_: object) -> None:
        await asyncio.Event().wait()

    patch.setattr("evidenced.pipeline.checking.Checking.run", run)


def _counts_only_what_was_accepted(patch: Patch) -> None:
    """As it was: what a recorder refused was no end of a request."""
    patch.setattr("evidenced.pipeline.dispatch.count_exports", lambda *_: None)


MUTANTS = {
    "counts only what was accepted": Mutant(
        "metrics:", _counts_only_what_was_accepted, first=12
    ),
    "believes empty folders": Mutant(
        "4: clip", _believes_empty_folders, "nothing-written", spoils="lies"
    ),
    "skips a look when the share blinks": Mutant(
        "4: clip",
        _skips_a_look_when_the_share_blinks,
        "nothing-written",
        spoils="lies",
        fits=lambda plan: "blinks" in plan.families,
    ),
    "looks into no folder": Mutant("4: not quiet", _looks_into_no_folder, "blinks"),
    "loses an alarm": Mutant("1:", _loses_an_alarm),
    "takes repeats for new": Mutant("2:", _takes_repeats_for_new, "drop-often"),
    "forgets event ids": Mutant("2:", _forgets_event_ids),
    "does not settle": Mutant("3:", _does_not_settle, spoils="early"),
    "believes unfinished exports": Mutant("4: clip", _believes_unfinished_exports),
    "stops looking at exports": Mutant("4: not quiet", _stops_looking_at_exports),
    "gives up at once": Mutant(
        "4, 5:", _gives_up_at_once, "slow-cameras", "not-exported"
    ),
    "never tells cameras apart": Mutant(
        "4, 5:", _never_tells_cameras_apart, "holes", "not-exported", first=205
    ),
    "counts no running exports": Mutant(
        "6:", _counts_no_running_exports, spoils="peaks"
    ),
    "ignores the schedule": Mutant("6:", _ignores_the_schedule, "schedule", first=28),
    "repeats what got no answer": Mutant(
        "7:", _repeats_what_got_no_answer, "wire", "repeats", first=28
    ),
    "writes no history of ends": Mutant("8:", _writes_no_history_of_ends),
    "chains nothing": Mutant("8: the chain", _chains_nothing),
    "uses names as they come": Mutant("9:", _uses_names_as_they_come),
    "reads by the latest rules": Mutant(
        "10:",
        _reads_by_the_latest_rules,
        "reload",
        fits=_loses_a_rule_in_one_life,
        first=1974,
    ),
    "drops incidents": Mutant("10:", _drops_incidents),
    "has no post-roll": Mutant("cover:", _has_no_post_roll, spoils="cover"),
    "keeps no count": Mutant("tally:", _keeps_no_count),
    "publishes another state": Mutant("mqtt:", _publishes_another_state),
    "asks for each camera alone": Mutant("calm:", _asks_for_each_camera_alone),
    "counts alarms twice": Mutant("alarms of", _counts_alarms_twice),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_fault_in_the_product_is_found(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not MUTANTS[name].is_found(monkeypatch):
        pytest.fail(f"no seed notices that it {name}", pytrace=False)
