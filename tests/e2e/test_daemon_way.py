"""The way of an alarm through the real process: from a message to exported footage."""

import asyncio
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from fakes.installation import (
    Installation,
    InstallationFactory,
    Recorder,
    active,
    quick,
    rule,
)
from fakes.mosquitto import Peer
from fakes.proofs import duplicates, early


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def history(site: Installation, incident: str) -> list[str]:
    found = await site.get(f"/api/incidents/{incident}")
    return [entry["event"] for entry in found["history"]]


async def test_an_alarm_becomes_exported_footage(site: Installation) -> None:
    site.config["rules"][0]["cameras"] = ["main-1", "main-2"]
    site.config["rules"][0]["time"] = "at"
    await site.start()
    when = datetime.now(UTC).replace(microsecond=0)
    with Peer(site.broker.port) as peer:
        peer.publish("access/hq/forced", active(at=when.isoformat()))
    [incident] = await site.all_in("exported")
    assert (incident["rule"], incident["fields"]) == ("forced", {"site": "hq"})
    assert [at(clip["start"]) for clip in incident["clips"]] == [
        when - timedelta(seconds=1)
    ] * 2
    assert [at(clip["end"]) for clip in incident["clips"]] == [
        when + timedelta(seconds=1)
    ] * 2
    [record] = site.recorders["main"].journal.exports
    assert record.order.path == rf"V:\evidence\forced-{incident['id']}"
    assert [device.device for device in record.order.devices] == ["2001", "2002"]
    assert early(site.recorders["main"].journal, timedelta(0)) == []
    async with site.events() as news:  # pictures come beside the footage, or after it
        while (events := await history(site, incident["id"])).count("pictured") < 2:
            await anext(news)
    assert events.count("pictured") == 2
    footage = [each for each in events if each != "pictured"]
    assert footage == ["opened", "ended", "requested", "accepted", "exported"]


async def test_each_rule_and_recorder_goes_its_own_way(
    installation_factory: InstallationFactory,
) -> None:
    north, south = Recorder(), Recorder()
    site = await installation_factory(north=north, south=south)
    site.config["rules"] = [
        rule("forced", cameras=["north-1", "south-1"]),
        rule("held", cameras=["south-2"]),
    ]
    await site.start()
    with Peer(site.broker.port) as peer:
        peer.publish("access/hq/forced", active())
        peer.publish("access/hq/held", active())
    incidents = await site.all_in("exported", count=2)
    assert {incident["rule"] for incident in incidents} == {"forced", "held"}
    asked = {
        name: sorted(
            device.device
            for record in recorder.journal.exports
            for device in record.order.devices
        )
        for name, recorder in (("north", north), ("south", south))
    }
    assert asked == {"north": ["2001"], "south": ["2001", "2002"]}


async def test_repeats_extend_and_the_same_event_is_a_duplicate(
    site: Installation,
) -> None:
    site.config["rules"][0] |= {"id": "event", "post_roll": "2s"}
    await site.start()
    with Peer(site.broker.port) as peer:
        peer.publish("access/hq/forced", active(event="a"))
        peer.publish("access/hq/forced", active(event="a"))
        peer.publish("access/hq/forced", active(event="b"))
        peer.publish("access/lab/forced", active(event="c"))
    incidents = await site.all_in("exported", count=2)
    alarms = {each["fields"]["site"]: each["alarm_count"] for each in incidents}
    assert alarms == {"hq": 2, "lab": 1}
    assert len(site.recorders["main"].journal.exports) == 2
    name = 'evidenced_alarms_total{outcome="duplicate",rule="forced"}'
    assert await site.metric(name) == 1


async def test_what_is_silenced_is_exported_only_when_asked(site: Installation) -> None:
    await site.start()
    asked = {"topic": "access/hq/forced", "for": "1h", "comment": "a drill"}
    async with site.http.post("/api/silences", json=asked) as made:
        assert made.status == 201
    with Peer(site.broker.port) as peer:
        peer.publish("access/hq/forced", active())
        peer.publish("access/lab/forced", active())
    [lab] = await site.all_in("exported")
    assert lab["fields"]["site"] == "lab"
    [silenced] = (await site.get("/api/alarms?outcome=silenced"))["alarms"]
    assert silenced["why"].endswith(": a drill")
    assert (silenced["incident"], len(silenced["cameras"])) == (None, 1)
    counted = 'evidenced_alarms_total{outcome="silenced",rule="forced"}'
    assert await site.metric(counted) == 1
    export = f"/api/alarms/{silenced['number']}/export"
    async with site.http.post(export, headers={"X-Evidenced": "1"}) as opened:
        assert opened.status == 201
        incident = (await opened.json())["incident"]
    await site.all_in("exported", count=2)
    assert len(site.recorders["main"].journal.exports) == 2
    [silenced] = (await site.get("/api/alarms?outcome=silenced"))["alarms"]
    assert silenced["incident"] == incident


async def test_a_clear_ends_the_window(site: Installation) -> None:
    site.config["rules"][0]["clear"] = "state == 'cleared'"
    await site.start()
    with Peer(site.broker.port) as peer:
        peer.publish("access/hq/forced", active())
        [incident] = await site.until(lambda rows: len(rows) == 1)
        assert (incident["state"], incident["ended"]) == ("recording", None)
        peer.publish("access/hq/forced", json.dumps({"state": "cleared"}))
    [incident] = await site.all_in("exported")
    cleared = at(incident["alarms"][1]["time"])
    assert at(incident["clips"][0]["end"]) == cleared + timedelta(seconds=1)


async def test_what_goes_on_too_long_is_cut_without_gap_or_overlap(
    site: Installation,
) -> None:
    site.config["rules"][0] |= {"clear": "state == 'cleared'", "max_length": "1s"}
    await site.start()
    with Peer(site.broker.port) as peer:
        peer.publish("access/hq/forced", active())
        await site.until(lambda rows: len(rows) >= 3)
        peer.publish("access/hq/forced", json.dumps({"state": "cleared"}))
    incidents = await site.all_in("exported", count=3)
    pieces = [incident["clips"][0] for incident in incidents]
    for earlier, later in pairwise(pieces):
        assert earlier["end"] == later["start"]
    first = incidents[0]
    length = at(pieces[0]["end"]) - at(first["opened"])
    assert length == timedelta(seconds=1)
    assert duplicates(site.recorders["main"].journal) == []


async def test_windows_are_shifted_by_the_recorders_clock(
    installation_factory: InstallationFactory,
) -> None:
    recorder = Recorder(quick(clock={"offset": "40s"}))
    site = await installation_factory(main=recorder)
    await site.start()
    with Peer(site.broker.port) as peer:
        peer.publish("access/hq/forced", active())
    [incident] = await site.all_in("exported")
    [asked] = recorder.journal.exports[0].order.devices
    shift = asked.window.start - at(incident["clips"][0]["start"])
    assert timedelta(seconds=38.5) <= shift <= timedelta(seconds=41.5)
    [requested] = [e for e in incident["history"] if e["event"] == "requested"]
    assert requested["detail"]["clock_offset_s"] == shift.total_seconds()
    [row] = (await site.get("/api/recorders"))["recorders"]
    assert row["clock_offset_s"] == pytest.approx(40, abs=1.5)


async def test_an_older_broker_is_spoken_to_in_its_language(
    site: Installation,
) -> None:
    site.config["mqtt"]["protocol"] = "3.1.1"
    await site.start()
    with Peer(site.broker.port) as peer:
        peer.publish("access/hq/forced", active())
    await site.all_in("exported")
    assert "(p2, c0" in site.broker.log, "it did not connect as MQTT 3.1.1"


async def test_states_are_published_and_retained(site: Installation) -> None:
    await site.start()
    with Peer(site.broker.port) as peer:
        peer.subscribe("evidenced/test/#")
        # audit head and verdict may be there already: retained ones have no order
        others = {"evidenced/test/audit", "evidenced/test/verdict"}
        while (status := peer.next()).topic != "evidenced/test/status":
            assert status.topic in others
        assert status.payload == b"online"
        peer.publish("access/hq/forced", active())
        seen: list[dict[str, Any]] = []
        while not seen or seen[-1]["state"] != "exported":
            message = await asyncio.to_thread(peer.next)
            if "/incidents/" in message.topic:
                seen.append(json.loads(message.payload))
                assert message.topic.endswith(seen[-1]["id"])
    assert seen[0]["state"] == "recording"
    assert seen[-1]["clips"] == {
        "total": 1,
        "exported": 1,
        "missing": 0,
        "rejected": 0,
    }
    with Peer(site.broker.port) as late:
        late.subscribe(f"evidenced/test/incidents/{seen[-1]['id']}")
        assert json.loads(late.next().payload) == seen[-1]


async def test_a_retained_message_is_no_alarm(site: Installation) -> None:
    with Peer(site.broker.port) as peer:
        peer.publish("access/old/forced", active(), retain=True)
        await site.start()
        peer.publish("access/new/forced", active())
    [incident] = await site.all_in("exported")
    assert incident["fields"] == {"site": "new"}
    name = 'evidenced_alarms_total{outcome="retained",rule="forced"}'
    assert await site.metric(name) == 1


BROKEN = (
    b'{"state": "acti',
    b"\xff\xfe\x00state",
    b'"' + b"x" * (3 << 20) + b'"',
    b"[" * 10_000,
    b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    b"",
)
"""None of them can be read as JSON by anybody who bounds what he reads."""
STRANGE = (b"NaN", b'{"state": NaN}', b"[1, 2]", b"null", b'"active"', b"1e999")
"""These can, but are no alarm."""


async def test_what_cannot_be_read_holds_up_nothing(site: Installation) -> None:
    await site.start()
    with Peer(site.broker.port) as peer:
        for n, payload in enumerate((*BROKEN, *STRANGE)):
            peer.publish("access/bad/forced", payload)
            peer.publish(f"access/good-{n}/forced", active())
    count = len(BROKEN) + len(STRANGE)
    incidents = await site.all_in("exported", count=count)
    sites = {incident["fields"]["site"] for incident in incidents}
    assert sites == {f"good-{n}" for n in range(count)}
    kept = refused(site)
    assert len(kept) == count
    assert {outcome for outcome, _ in kept[: len(BROKEN)]} == {"invalid"}
    assert max(len(payload.encode()) for _, payload in kept) <= 4096
    invalid = sum(outcome == "invalid" for outcome, _ in kept)
    names = ('""', '"forced"')
    counted = [
        await site.metric(f'evidenced_alarms_total{{outcome="invalid",rule={name}}}')
        for name in names
    ]
    assert sum(counted) == invalid


def refused(site: Installation) -> list[tuple[str, str]]:
    """Outcome and payload of the messages that opened nothing, as they were kept."""
    name = site.folder / "state" / "evidenced.sqlite3"
    with closing(sqlite3.connect(f"file:{name}?mode=ro", uri=True)) as db:
        return db.execute(
            "SELECT outcome, payload FROM refused_alarms ORDER BY seq"
        ).fetchall()
