"""Stops, kills and reloads of the real process: nothing lost, nothing twice."""

import asyncio
import signal
import socket
from datetime import timedelta
from pathlib import Path

import pytest

from evidenced.app import WRONG
from evidenced.simulator import Action, Strike
from evidenced.simulator.scenario import ExportsScenario, Recording
from fakes.installation import (
    Daemon,
    Installation,
    InstallationFactory,
    Recorder,
    active,
    quick,
    rule,
)
from fakes.mosquitto import Peer
from fakes.proofs import duplicates

BAD_RELOAD = "configuration is wrong; the one in force stays"


def slow() -> Recorder:
    """Exports of a few seconds of footage take some two seconds."""
    return Recorder(
        quick(
            recording=Recording(lag=timedelta(0), rate=1_000_000),
            exports=ExportsScenario(disk_speed=1_000_000),
        )
    )


async def alarm(site: Installation) -> None:
    with Peer(site.broker.port) as peer:
        peer.publish("access/hq/forced", active())
    await site.until(lambda rows: len(rows) == 1)


async def exported_once(site: Installation) -> None:
    """Everything ends exported, and the recorder was asked for nothing twice."""
    await site.all_in("exported")
    journal = site.recorders["main"].journal
    assert duplicates(journal) == []
    assert len(journal.exports) == 1


async def test_sigterm_ends_it_in_order(site: Installation) -> None:
    daemon = await site.start()
    with Peer(site.broker.port) as peer:
        peer.subscribe("evidenced/test/status")
        assert peer.next().payload == b"online"
        assert await daemon.stop() == 0
        assert peer.next().payload == b"offline"
    assert daemon.lines[-1]["event"] == "evidenced stopped"
    assert [line for line in daemon.lines if line["level"] == "error"] == []


async def test_sigterm_amid_an_export_is_taken_up_again(
    installation_factory: InstallationFactory,
) -> None:
    site = await installation_factory(main=slow())
    daemon = await site.start()
    await alarm(site)
    await site.all_in("exporting")
    assert await daemon.stop() == 0
    await site.start()
    await exported_once(site)


async def test_killed_while_a_window_is_open(site: Installation) -> None:
    site.config["rules"][0]["post_roll"] = "2s"
    daemon = await site.start()
    await alarm(site)
    await site.all_in("recording")
    await daemon.kill()
    await site.start()
    await exported_once(site)


async def test_killed_while_footage_settles(site: Installation) -> None:
    site.config["recorders"]["main"]["settle"] = "2s"
    daemon = await site.start()
    await alarm(site)
    await site.all_in("waiting")
    await daemon.kill()
    await site.start()
    await exported_once(site)


@pytest.mark.parametrize("action", [Action.DELAY, Action.HANG, Action.CUT])
async def test_killed_between_intent_and_answer(
    site: Installation, action: Action
) -> None:
    """The recorder obeyed; whatever became of its answer, it is not asked again."""
    recorder = site.recorders["main"]
    recorder.inject(
        Strike(
            action=action,
            command="exportVideo",
            after=True,
            delay=timedelta(seconds=30) if action is Action.DELAY else None,
        )
    )
    daemon = await site.start()
    await alarm(site)
    await recorder.until(lambda: len(recorder.journal.exports) == 1)
    await daemon.kill()
    await site.start()
    await exported_once(site)
    [incident] = await site.incidents()
    assert "adopted" in [entry["event"] for entry in incident["history"]]


async def test_killed_while_the_recorder_exports(
    installation_factory: InstallationFactory,
) -> None:
    site = await installation_factory(main=slow())
    daemon = await site.start()
    await alarm(site)
    await site.all_in("exporting")
    await daemon.kill()
    await site.start()
    await exported_once(site)


async def test_killed_amid_a_storm_of_alarms(site: Installation) -> None:
    """What the broker was told is kept is kept, and the rest it delivers again."""
    daemon = await site.start()
    names = [f"s{n}" for n in range(40)]

    def storm() -> None:
        with Peer(site.broker.port) as peer:
            for name in names:
                peer.publish(f"access/{name}/forced", active())

    publishing = asyncio.create_task(asyncio.to_thread(storm))
    await daemon.line("incident opened", 5)
    await daemon.kill()
    await publishing
    await site.start()
    incidents = await site.all_in("exported", count=len(names))
    assert sorted(each["fields"]["site"] for each in incidents) == sorted(names)
    assert len(site.recorders["main"].journal.exports) == len(names)


async def test_the_last_will_says_offline(site: Installation) -> None:
    daemon = await site.start()
    with Peer(site.broker.port) as peer:
        peer.subscribe("evidenced/test/status")
        assert peer.next().payload == b"online"
        await daemon.kill()
        message = peer.next()
    assert (message.payload, message.topic) == (b"offline", "evidenced/test/status")


async def reload(site: Installation, daemon: Daemon) -> None:
    site.write()
    daemon.signal(signal.SIGHUP)


async def test_sighup_puts_a_good_configuration_in_force(site: Installation) -> None:
    daemon = await site.start()
    site.config["rules"].append(rule("held", cameras=["main-2"]))
    await reload(site, daemon)
    await daemon.line("configuration read and in force")
    await daemon.subscribed(2)
    with Peer(site.broker.port) as peer:
        peer.publish("access/hq/held", active())
        peer.publish("access/hq/forced", active())
    incidents = await site.all_in("exported", count=2)
    assert {incident["rule"] for incident in incidents} == {"held", "forced"}
    assert await site.metric("evidenced_config_last_reload_successful") == 1


async def test_sighup_with_a_bad_configuration_changes_nothing(
    site: Installation,
) -> None:
    daemon = await site.start()
    site.config["rules"][0] |= {"cameras": ["nobody-knows-it"], "pre_roll": "soon"}
    await reload(site, daemon)
    line = await daemon.line(BAD_RELOAD)
    first, second = line["problems"]
    assert "soon" in first + second
    assert "nobody-knows-it" in first + second
    assert await site.metric("evidenced_config_last_reload_successful") == 0
    await alarm(site)
    await exported_once(site)


async def test_sighup_with_another_recorder_address_keeps_open_incidents(
    site: Installation,
) -> None:
    site.config["rules"][0]["post_roll"] = "3s"
    daemon = await site.start()
    await alarm(site)
    site.config["recorders"]["main"]["timeout"] = "6s"
    await reload(site, daemon)
    await daemon.subscribed(2)
    await exported_once(site)


async def test_what_cannot_be_put_in_force_goes_back_to_the_one_before(
    site: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is right, but no store can be where it says."""
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    with _service_manager(tmp_path / "notify") as manager:
        daemon = await site.start()
        before = dict(site.config["daemon"])
        site.config["daemon"]["state_dir"] = str(site.file / "state")
        await reload(site, daemon)
        await daemon.line(
            "configuration cannot be put in force; back to the one before"
        )
        site.config["daemon"] = before
        await daemon.subscribed(2)
        while not (await _told(manager)).endswith(WRONG):
            pass  # which is what `systemctl status` shows
    await alarm(site)
    await exported_once(site)
    assert await site.metric("evidenced_config_last_reload_successful") == 0


def _service_manager(path: Path) -> socket.socket:
    """Its end of the socket. What it does not read keeps nobody waiting for long."""
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(path))
    manager.setblocking(False)
    return manager


async def _told(manager: socket.socket) -> str:
    """What the service manager is told next."""
    told = await asyncio.get_running_loop().sock_recv(manager, 65536)
    return told.decode()


@pytest.mark.parametrize("first", [signal.SIGHUP, signal.SIGTERM])
async def test_sigterm_stops_whatever_a_reload_began(
    site: Installation, first: signal.Signals
) -> None:
    daemon = await site.start()
    await daemon.subscribed()
    site.config["recorders"]["main"]["timeout"] = "6s"
    site.write()
    daemon.signal(first)
    await daemon.line("evidenced is stopping")
    other = signal.SIGTERM if first is signal.SIGHUP else signal.SIGHUP
    daemon.signal(other)
    assert await daemon.exit() == 0
    assert len(daemon.find("evidenced started")) == 1


async def test_sighup_changes_the_log_level_of_a_restart_too(
    site: Installation,
) -> None:
    daemon = await site.start()
    await daemon.subscribed()
    site.config["recorders"]["main"]["timeout"] = "6s"
    site.config.setdefault("daemon", {})["log_level"] = "warning"
    await reload(site, daemon)
    await daemon.line("evidenced stopped")
    daemon.signal(signal.SIGTERM)
    assert await daemon.exit() == 0
    assert len(daemon.find("evidenced started")) == 1


async def test_a_second_instance_is_refused(site: Installation) -> None:
    await site.start()
    second = await Daemon(site.file).start()
    try:
        assert await second.exit() == 1
    finally:
        await second.end()
    sentences = [text for text in second.raw if not text.startswith("{")]
    told = sentences[-1] if sentences else second.lines[-1]["event"]
    assert str(site.folder / "state") in told
    assert "Traceback" not in "".join(second.raw)
    await alarm(site)
    await exported_once(site)
