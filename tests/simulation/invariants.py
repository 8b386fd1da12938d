"""What must hold after every run, looked at from outside (design, numbers as there)."""

import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from evidenced.core.alarms.payload import MAX_TOPIC, keepable, one_line
from evidenced.core.alarms.repeats import REPEATED_WITHIN
from evidenced.core.incidents.history import ASKED_AGAIN, MERGED
from evidenced.core.incidents.states import CLIP_ENDED, CLIPS, ClipState
from evidenced.core.instants import from_ms
from evidenced.core.window import Window, merge
from evidenced.sense.address import read_address
from evidenced.simulator import ExportRecord
from evidenced.simulator.asked import AskedWindow
from evidenced.store.history import GENESIS, link
from fakes.clock import START
from fakes.proofs import early, peak_bandwidth, peak_exports
from simulation.boots import boot_problems
from simulation.figures import figure_problems
from simulation.messages import message_problems
from simulation.mqtt import Message
from simulation.process import BASE
from simulation.run import Run
from simulation.silences import is_of_a_message, quiet_of, silence_problems
from simulation.site import PAUSE_FROM, PAUSE_TO, ROOT
from simulation.stills import still_problems
from simulation.stories import CAMERAS, story_problems
from simulation.tags import tag_problems
from simulation.watching import watch_problems

PRE_ROLL = timedelta(seconds=10)
LATEST_MS = 4 * 60 * 1000
"""An alarm that comes later than that leaves too little of `give_up`, which counts from
the window's end, for faults to pass."""
SETTLING_S = 15.0
"""A request may be under way for so long."""


def violations(run: Run) -> list[str]:
    """One sentence for each; empty when all is well."""
    checks = [
        _kept(run),
        _counted(run),
        _covered(run),
        story_problems(run),
        _early(run),
        _final(run),
        _exported(run),
        _footage(run),
        _limits(run),
        _whole(run),
        _ruled(run),
        _repeats(run),
        _chained(run),
        _replayed(run),
        _paths(run),
        _published(run),
        _tallied(run),
        tag_problems(run),
        watch_problems(run),
        still_problems(run),
        figure_problems(run),
        silence_problems(run),
        boot_problems(run),
        _calm(run),
        message_problems(run),
    ]
    return [*run.problems, *(found for check in checks for found in check)]


def _kept(run: Run) -> Iterator[str]:
    """1: every acknowledged message is a row. Same texts are told apart by number."""
    joined, rows = _joined(run), _stored(run)
    if not run.server.acknowledged:
        yield "1: no message ever came through: the run tells nothing"
    acknowledged = Counter(map(_shape, run.server.acknowledged))
    routed = Counter(map(_shape, run.server.routed))
    for shape, count in acknowledged.items():
        # A broker that takes the lowest free packet id may send a second message of
        # the same text under the id of the first, which was acknowledged a moment
        # before. If we die then, its redelivery cannot be told from the first's.
        is_exact = run.plan.grows and not _names_its_event(shape[1])
        needed = count if is_exact else 1
        if rows[shape] < needed:
            yield f"1: {count} of {shape} acknowledged, {rows[shape]} kept"
    for shape, count in rows.items():
        if count > routed[shape]:
            yield f"2: {shape} came {routed[shape]} times, {count} kept"
    for shape, count in joined.items():
        # what no rule takes is kept as often as it comes, and a clear is no repetition
        most = 1 + _clears_of(run, shape[0]) + _far_ahead(run)
        is_clear = '"state": "off"' in shape[1]
        if count > most and _names_its_event(shape[1]) and not is_clear:
            yield f"2: {shape} is one event, and {count} alarms of incidents"


def _clears_of(run: Run, topic: str) -> int:
    """What comes after one of them repeats nothing from before it."""
    return sum(
        message.topic == topic and b'"state": "off"' in message.payload
        for message in run.server.routed
    )


def _far_ahead(run: Run) -> int:
    """How often our clock was set so far ahead that a repeat comes too late for one."""
    sets = (event.value for event in run.plan.events if event.kind == "host_clock")
    return sum(timedelta(seconds=by) >= REPEATED_WITHIN for by in sets)


def _joined(run: Run) -> Counter[tuple[str, str]]:
    """Messages that became alarms of incidents, by a clock that was right.

    By another an hour may lie between an alarm and its repeat, which is one no more.
    """
    query = "SELECT topic, payload, time_source FROM alarms"
    return Counter(
        (topic, keepable(payload))
        for topic, payload, source in run.disk.rows(query)
        if is_of_a_message(topic, source) and "not in sync" not in source
    )


def _stored(run: Run) -> Counter[tuple[str, str]]:
    """All messages. One that was silenced for some cameras only is kept twice."""
    joined = _taken(run)
    refused: dict[bool, Counter[tuple[str, str, int]]] = defaultdict(Counter)
    query = """SELECT topic, payload, received_at, outcome FROM refused_alarms
        WHERE NOT (outcome = 'duplicate' AND rule IS NULL)"""  # the broker's own
    for *message, outcome in run.disk.rows(query):
        refused[outcome == "silenced"][tuple(message)] += 1
    stored = (joined | refused[True]) + refused[False]
    found = Counter[tuple[str, str]]()
    for (topic, payload, _), count in stored.items():
        found[topic, payload] += count
    return found


def _taken(run: Run) -> Counter[tuple[str, str, int]]:
    """Messages that became alarms, with the millisecond of their receipt."""
    # a clear that ends several incidents is an alarm of each, and two may come at once
    query = """SELECT CASE signal WHEN 'clear' THEN incident END,
        topic, payload, received_at, time_source FROM alarms"""
    alarms = Counter(
        (ended, (topic, keepable(payload), at))
        for ended, topic, payload, at, source in run.disk.rows(query)
        if is_of_a_message(topic, source)
    )
    joined, clears = Counter[tuple[str, str, int]](), Counter[tuple[str, str, int]]()
    for (ended, message), count in alarms.items():
        if ended is None:
            joined[message] += count
        else:
            clears[message] = max(clears[message], count)
    return joined + clears


def _shape(message: Message) -> tuple[str, str]:
    return one_line(message.topic, MAX_TOPIC), keepable(message.payload)


def _names_its_event(payload: str) -> bool:
    """Whether the payload tells a repeated event from another."""
    try:
        said = json.loads(payload)
    except ValueError:
        return False
    return isinstance(said, dict) and ("id" in said or "at" in said)


def _counted(run: Run) -> Iterator[str]:
    """An incident's count of alarms is the number of its kept ones."""
    query = """SELECT i.id, i.alarms, count(a.n) FROM incidents i
        LEFT JOIN alarms a ON a.incident = i.id
        WHERE i.continues IS NULL GROUP BY i.id"""
    for name, count, kept in run.disk.rows(query):
        if count != kept:
            yield f"alarms of {name}: counted {count}, kept {kept}"


def _covered(run: Run) -> Iterator[str]:
    """Every alarm's pre- and post-roll is within clips of each of its cameras."""
    if "cover" in run.plan.allows:
        return
    post_roll = timedelta(seconds=min(shape.post_roll for shape in run.shapes))
    clips: dict[tuple[str, str, str], list[Window]] = defaultdict(list)
    query = """SELECT i.rule, i.key, c.camera, c.start_at, c.end_at
        FROM clips c JOIN incidents i ON i.id = c.incident"""
    for rule, key, camera, start, end in run.disk.rows(query):
        window = Window(start=from_ms(start), end=from_ms(end))
        clips[rule, key, camera].append(window)
    quiet = quiet_of(run)
    query = """SELECT i.rule, i.key, a.at, a.n, i.id, a.topic, a.received_at,
        a.time_source FROM alarms a
        JOIN incidents i ON i.id = a.incident WHERE a.signal = 'active'"""
    for rule, key, at, n, name, topic, came, source in run.disk.rows(query):
        moment, received = from_ms(at), from_ms(came)
        wanted = Window(start=moment - PRE_ROLL, end=moment + post_roll)
        for camera in CAMERAS[rule] if is_of_a_message(topic, source) else ():
            if not run.always_has(camera):
                continue
            if quiet.covers(rule, camera, topic, received):
                continue
            hulls = merge(clips[rule, key, camera])
            if not any(_holds(hull, wanted) for hull in hulls):
                yield f"cover: alarm {n} of {name} at {moment} misses {camera}"


def _holds(outer: Window, inner: Window) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _early(run: Run) -> Iterator[str]:
    """3: nothing is asked for before its end + settle by the recorder's clock."""
    if "early" in run.plan.allows:
        return
    settle = timedelta(seconds=run.plan.shape.settle)
    for name, simulator in run.simulators.items():
        if run.plan.jumps and run.plan.scenarios[name].info.form == "absent":
            continue  # nobody can know how far apart the clocks are
        for record in early(simulator.journal, settle):
            seconds = (record.at - START).total_seconds()
            if any(0 <= seconds - jump < SETTLING_S for jump in run.plan.jumps):
                continue  # it was on its way when our clock was set
            # What is known of a recorder without /info is that its clock is right.
            yield f"3: {name} was asked too early at {record.own_at}: {record.order}"


def _final(run: Run) -> Iterator[str]:
    """4: every clip ends."""
    needless = set() if "not-exported" in run.plan.allows else {"missing", "rejected"}
    query = """SELECT incident, n, address, state, end_at, (SELECT max(received_at)
        FROM alarms WHERE incident = clips.incident) FROM clips"""
    for incident, n, address, state, end, came in run.disk.rows(query):
        device = read_address(address).device
        is_hasty = came is not None and came - end > LATEST_MS
        if ClipState(state) not in CLIP_ENDED:
            yield f"4: clip {n} of {incident} is {state}"
        elif state in needless and device not in run.plan.blind and not is_hasty:
            yield f"4, 5: clip {n} of {incident} ({device}) is {state} without need"


def _exported(run: Run) -> Iterator[str]:
    """4: `exported` only if the recorder said so."""
    if "lies" in run.plan.allows:
        return
    done: set[tuple[str, str, str, datetime, datetime]] = set()
    for simulator in run.simulators.values():
        for record in simulator.journal.exports:
            if record.state in {"done", "failed"}:
                done.update(
                    (record.order.path, each.server, each.device, *_ends(each.window))
                    for each in record.order.devices
                )
    query = """SELECT c.incident, c.n, e.path, e.devices FROM clips c
        JOIN exports e ON e.incident = c.incident AND e.recorder = c.recorder
        WHERE c.state = 'exported' AND e.state IN ('exported', 'failed', 'cancelled')"""
    exported = run.disk.rows("SELECT incident, n FROM clips WHERE state = 'exported'")
    proven: dict[tuple[str, int], bool] = dict.fromkeys(exported, False)
    for incident, n, path, devices in run.disk.rows(query):
        for device in json.loads(devices):
            asked = device["asked"]
            ends = (from_ms(asked["window"][end]) for end in ("start", "end"))
            key = (path, *read_address(asked["address"]), *ends)
            if device["clip"] == n and key in done:
                proven[incident, n] = True
    for (incident, n), is_proven in proven.items():
        if not is_proven:
            yield f"4: clip {n} of {incident} is exported, the recorder did not say so"


def _footage(run: Run) -> Iterator[str]:
    """4: `exported` only if there is footage, where its folder can be seen."""
    if any(not shape.mounted or shape.gone_destination for shape in run.shapes):
        return
    empty = {
        record.order.path
        for simulator in run.simulators.values()
        for record in simulator.journal.exports
        if not record.has_footage
    }
    query = """SELECT c.incident, c.n, e.path, e.devices FROM clips c
        JOIN exports e ON e.incident = c.incident AND e.recorder = c.recorder
        WHERE c.state = 'exported' AND e.state IN ('exported', 'failed', 'cancelled')"""
    brought: dict[tuple[str, int], set[str]] = defaultdict(set)
    for incident, n, path, devices in run.disk.rows(query):
        if any(device["clip"] == n for device in json.loads(devices)):
            brought[incident, n].add(path)
    for (incident, n), paths in brought.items():
        if paths <= empty:
            yield f"4: clip {n} of {incident} is exported, and its folder is empty"


def _ends(window: Window) -> tuple[datetime, datetime]:
    return window.start, window.end


def _limits(run: Run) -> Iterator[str]:
    """6: exports at once and their bandwidth.

    One that stands still gives its slot away, and goes on whenever it likes.
    """
    if "peaks" in run.plan.allows:
        return
    yield from _paused(run)
    if any("its slot is given to others" in event for event in run.events):
        return
    exports = max(shape.max_exports for shape in run.shapes)
    budget = max(shape.bandwidth for shape in run.shapes)
    for name, simulator in run.simulators.items():
        peak = peak_exports(simulator.journal)
        if peak > exports:
            yield f"6: {peak} exports at once at {name}, {exports} allowed"
        rate = peak_bandwidth(simulator.journal)
        if rate > budget and run.plan.shape.bandwidth:
            yield f"6: {rate} bytes per second at {name}, {budget} allowed"


def _paused(run: Run) -> Iterator[str]:
    """No export begins in a window of the schedule that lets none begin."""
    if not run.plan.shape.paused or run.plan.jumps or run.reloads:
        return
    for name, simulator in run.simulators.items():
        for record in simulator.journal.exports:
            seconds = (record.accepted_at - START).total_seconds()
            if PAUSE_FROM + SETTLING_S < seconds < PAUSE_TO:
                yield f"6: {name} began an export at {seconds} s, in a pause"


def _whole(run: Run) -> Iterator[str]:
    """10: no incident that was ever opened is dropped."""
    there = {name for (name,) in run.disk.rows("SELECT id FROM incidents")}
    query = "SELECT DISTINCT incident FROM history WHERE incident IS NOT NULL"
    for (name,) in run.disk.rows(query):
        if name not in there:
            yield f"10: incident {name} is gone"


def _ruled(run: Run) -> Iterator[str]:
    """10: what came under a rule is read by it, though a reload takes the rule away."""
    if run.restarts > 1 or run.plan.jumps:
        return  # the rules of then are kept in memory only
    # a message of the very millisecond is the later rules'
    gone = {
        shape.gone: math.floor(at * 1000) / 1000
        for at, shape in reversed(run.reloads)
        if shape.gone
    }
    query = """SELECT topic, payload, received_at FROM refused_alarms
        WHERE outcome = 'unmatched'"""
    for topic, payload, received in run.disk.rows(query):
        at = (from_ms(received) - START).total_seconds()
        rule = topic.split("/")[0]
        is_alarm = payload in {"ALARM", "OPEN"} or '"on"' in payload
        if is_alarm and at < gone.get(rule, math.inf):
            yield f"10: {topic} {payload!r} of {at} s was read by later rules"


def _repeats(run: Run) -> Iterator[str]:
    """2, 7: one export for each clip, unless the recorder forgot or failed it."""
    if "repeats" in run.plan.allows:
        return
    owners = dict(run.disk.rows("SELECT path, incident FROM exports"))
    yield from _shared_folders(run)
    for name, simulator in run.simulators.items():
        asked: dict[tuple[str, AskedWindow], list[ExportRecord]] = defaultdict(list)
        for record in simulator.journal.exports:
            path = record.order.path
            if path not in owners:
                yield f"7: {name} exports to {path}, which no row knows"
                continue
            for device in record.order.devices:
                asked[owners[path], device].append(record)
        for (owner, device), records in asked.items():
            yield from (
                f"7: {name} exported {device} of {owner} twice: "
                f"{first.order.path} ({first.state}) and {second.order.path}"
                for first, second in pairwise(records)
                if not _may_repeat(first, second.accepted_at)
            )


def _shared_folders(run: Run) -> Iterator[str]:
    """Whatever recorders they are of."""
    folders = Counter(
        record.order.path.casefold()
        for simulator in run.simulators.values()
        for record in simulator.journal.exports
    )
    for folder, count in folders.items():
        if count > 1:
            yield f"7: {count} exports go to {folder}"


def _may_repeat(first: ExportRecord, at: datetime) -> bool:
    """Whether the recorder had forgotten the first by then, or failed at it."""
    if first.forgotten_at is not None:
        return first.forgotten_at <= at
    is_over = first.finished_at is not None and first.finished_at <= at
    return is_over and (first.state == "failed" or not first.has_footage)


def _chained(run: Run) -> Iterator[str]:
    """8: the audit chain verifies, from where the last pruning says that it begins."""
    pruned = (
        "SELECT detail FROM history WHERE event = 'pruned' ORDER BY seq DESC LIMIT 1"
    )
    head, first = GENESIS, 1
    for (detail,) in run.disk.rows(pruned):
        said = json.loads(detail)
        head, first = said["hash"], said["through"] + 1
    query = "SELECT seq, incident, at, event, detail, hash FROM history ORDER BY seq"
    for number, row in enumerate(run.disk.rows(query), start=first):
        seq, incident, at, event, detail, found = row
        head = link(head, seq, at, (incident, event, detail))
        if head != found or seq != number:
            yield f"8: the chain breaks at {seq}"
            return


def _replayed(run: Run) -> Iterator[str]:
    """8: every state of every clip follows from the history, step by step."""
    for seq, detail in run.disk.rows("SELECT seq, detail FROM history ORDER BY seq"):
        for step in json.loads(detail).get("clips", {}).values():
            before, after = step["from"], step["to"]
            if before is None or after in {MERGED, ASKED_AGAIN}:
                continue
            if ClipState(after) not in CLIPS[ClipState(before)].to:
                yield f"8: entry {seq}: no such step: {step}"
    for fault in run.disk.differing():
        yield f"8: {fault}"


def _paths(run: Run) -> Iterator[str]:
    """9: no path leaves the root, and no control character is in one."""
    for simulator in run.simulators.values():
        for record in simulator.journal.requests:
            if record.order is None:
                continue
            path = record.order.path
            parts = path.split("\\")
            if not path.startswith(ROOT + "\\") or {"..", ".", ""} & set(parts):
                yield f"9: {path!r} is not below {ROOT}"
            if re.search("[\x00-\x1f\x7f<>&]", path):
                yield f"9: {path!r} holds a character that it must not"


def _published(run: Run) -> Iterator[str]:
    """The retained state of each incident is its last one."""
    for name, state in run.disk.rows("SELECT id, state FROM incidents"):
        told = run.server.states.get(f"{BASE}/incidents/{name}")
        if told is None or json.loads(told)["state"] != state:
            yield f"mqtt: {name} is {state}, published {told!r}"


def _tallied(run: Run) -> Iterator[str]:
    query = "SELECT state, count(*) FROM incidents GROUP BY state"
    counted = {state: n for state, n in run.disk.rows("SELECT * FROM tally") if n}
    if counted != dict(run.disk.rows(query)):
        yield f"tally: {counted} counted, {run.disk.rows(query)} there"
    query = """SELECT i.id, i.alarms, max(a.n) FROM incidents i
        JOIN alarms a ON a.incident = i.id GROUP BY i.id, i.alarms"""
    for name, alarms, last in run.disk.rows(query):
        if alarms != last:
            yield f"tally: {alarms} alarms of {name} counted, the last is number {last}"
    # counted here: a statement with json_each does not outlive the next run's store.
    # By address: a clip that was cancelled and asked for again has another number
    asked = Counter(
        (incident, device["asked"]["address"])
        for incident, devices in run.disk.rows("SELECT incident, devices FROM exports")
        for device in json.loads(devices)
    )
    query = "SELECT incident, n, address, attempts FROM clips"
    for name, n, address, tries in run.disk.rows(query):
        if tries > (sent := asked[name, address]) and sent:
            yield f"tally: {tries} tries of clip {n} of {name}, {sent} requests"


def _calm(run: Run) -> Iterator[str]:
    """Without faults: all exported, in as few requests as can be."""
    if not run.plan.is_calm:
        return
    for incident, n, state in run.disk.rows("SELECT incident, n, state FROM clips"):
        is_over = state == "cancelled"  # nothing was left of it when its clear came
        if state != "exported" and not is_over:
            yield f"calm: clip {n} of {incident} is {state}"
    sent = sum(
        record.command == "exportVideo"
        for simulator in run.simulators.values()
        for record in simulator.journal.requests
    )
    most = run.plan.shape.max_devices
    groups: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    query = "SELECT incident, recorder, address FROM clips WHERE state = 'exported'"
    for incident, recorder, address in run.disk.rows(query):
        groups[incident, recorder][address] += 1
    needed = sum(
        max(-(-sum(devices.values()) // most), *devices.values())
        for devices in groups.values()
    )
    if sent != needed:
        yield f"calm: {sent} requests sent, {needed} needed"
