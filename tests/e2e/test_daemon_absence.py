"""What happens while somebody is away: the daemon, the broker, the recorder."""

import asyncio
from datetime import UTC, datetime, timedelta

from fakes.installation import Installation, InstallationFactory, Recorder, active
from fakes.mosquitto import Mosquitto, Peer


async def test_alarms_of_an_absence_become_incidents_with_wider_windows(
    site: Installation,
) -> None:
    before = datetime.now(UTC)
    first = await site.start()
    assert await first.stop() == 0
    with Peer(site.broker.port) as peer:
        for n in range(3):
            peer.publish(f"access/away-{n}/forced", active())
    await asyncio.sleep(1.5)  # an absence: less than a second counts as none
    second = await site.start()
    [line] = second.find("connected to the broker")
    assert line["session_present"] is True
    incidents = await site.all_in("exported", count=3)
    for incident in incidents:
        [alarm] = incident["alarms"]
        assert "while evidenced was away" in alarm["time_source"]
        [clip] = incident["clips"]
        start, end = map(datetime.fromisoformat, (clip["start"], clip["end"]))
        assert end - start > timedelta(seconds=2), "the rolls alone are 2 s"
        assert start > before - timedelta(seconds=1), "more than its pre-roll earlier"
    assert len(site.recorders["main"].journal.exports) == len(incidents)


async def test_a_broker_that_restarts_loses_nothing(site: Installation) -> None:
    daemon = await site.start()
    with Peer(site.broker.port) as peer:
        peer.publish("access/before/forced", active())
    await site.until(lambda rows: len(rows) == 1)
    site.broker.stop()
    problem = await daemon.line("no connection to the broker")
    assert "broker at 127.0.0.1" in problem["problem"]
    site.broker.start()
    await daemon.subscribed(2)
    with Peer(site.broker.port) as peer:
        peer.publish("access/after/forced", active())
    incidents = await site.all_in("exported", count=2)
    assert [each["fields"]["site"] for each in incidents] == ["before", "after"]
    [line] = daemon.find("connected to the broker")[1:]
    assert line["session_present"] is True


async def test_a_broker_may_come_after_the_daemon(
    installation_factory: InstallationFactory, mosquitto: Mosquitto
) -> None:
    mosquitto.stop()
    site = await installation_factory()
    daemon = await site.start(is_subscribed=False)
    problem = await daemon.line("no connection to the broker")
    assert "refuses connections" in problem["problem"]
    answer = await site.get("/readyz")
    assert answer["status"] == "failing"
    assert problem["problem"] in answer["reasons"]
    mosquitto.start()
    await daemon.subscribed()
    assert (await site.get("/readyz"))["status"] == "ok"
    with Peer(mosquitto.port) as peer:
        peer.publish("access/hq/forced", active())
    await site.all_in("exported")


async def test_incidents_wait_for_a_recorder_that_is_down(
    installation_factory: InstallationFactory,
) -> None:
    recorder = Recorder()
    site = await installation_factory(main=recorder)
    await recorder.stop()
    daemon = await site.start()
    line = await daemon.line("recorder does not answer; incidents wait")
    assert line["reason"] == "unreachable"
    with Peer(site.broker.port) as peer:
        peer.publish("access/hq/forced", active())
    [incident] = await site.all_in("waiting")
    assert incident["clips"][0]["attempts"] == 0
    [row] = (await site.get("/api/recorders"))["recorders"]
    assert (row["up"], row["reason"]) == (False, "unreachable")
    await recorder.start()
    await site.all_in("exported")
    [row] = (await site.get("/api/recorders"))["recorders"]
    assert (row["up"], row["problem"]) == (True, None)
    assert len(daemon.find("recorder does not answer; incidents wait")) == 1
    assert len(recorder.journal.exports) == 1
