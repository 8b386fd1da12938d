"""Messages of the real process to a real receiver; a dead one holds up nothing."""

import json
from collections.abc import AsyncIterator

import pytest

from fakes.installation import Installation, active
from fakes.mosquitto import Peer
from fakes.receiver import PASSWORD, SECRET, Receiver, receiving


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


@pytest.fixture
def told(site: Installation, receiver: Receiver) -> Installation:
    """An installation that tells the receiver what goes well, too."""
    secret = site.folder / "notify-url"
    secret.write_text(receiver.url)
    site.config["daemon"]["trouble_after"] = "1s"
    site.config["web"]["public_url"] = "https://evidence.example/"
    site.config["notify"] = {
        "duty": {
            "url": {"file": str(secret)},
            "events": ["failed", "exported", "silence", "recorder"],
            "group_wait": "100ms",
            "group_interval": "1s",
        }
    }
    return site


async def test_what_happens_is_told_once_across_a_crash(
    told: Installation, receiver: Receiver
) -> None:
    daemon = await told.start()
    with Peer(told.broker.port) as peer:
        peer.publish("access/hq/forced", active())
    [incident] = await told.all_in("exported")
    await daemon.line("message sent", to="duty")
    [message] = receiver.messages
    assert message["title"] == "evidenced test: 1 incident of forced exported"
    link = f"https://evidence.example/incidents/{incident['id']}"
    assert link in message["message"]
    assert (
        await told.metric('evidenced_notifications_total{outcome="sent",to="duty"}')
        == 1
    )
    await daemon.kill()
    again = await told.start()
    asked = {"rule": "forced", "for": "1h", "comment": "a drill"}
    async with told.http.post("/api/silences", json=asked) as made:
        assert made.status == 201
    await receiver.until(2)
    assert receiver.titles[1] == "evidenced test: rule forced is silent"
    lines = json.dumps([*daemon.raw, *again.raw])
    assert SECRET not in lines
    assert PASSWORD not in lines


@pytest.mark.parametrize("status", [0, 503])
async def test_a_receiver_that_is_down_delays_no_export(
    told: Installation, receiver: Receiver, status: int
) -> None:
    receiver.status = status
    told.config["notify"]["duty"]["timeout"] = "1s"
    daemon = await told.start()
    with Peer(told.broker.port) as peer:
        peer.publish("access/hq/forced", active())
    await told.all_in("exported")
    await receiver.until_tried(1)
    await daemon.line("messages do not get through", to="duty")
    with Peer(told.broker.port) as peer:
        peer.publish("access/hq/forced", active(), retain=False)
    await told.all_in("exported", count=2)
    async with told.http.get("/readyz") as ready:
        notes = (await ready.json())["notes"]
    assert [note for note in notes if note.startswith("notify.duty takes no")]
    assert len(daemon.find("messages do not get through")) == 1
    assert await daemon.stop() == 0


async def test_a_recorder_that_goes_and_comes_is_told_at_both_ends(
    told: Installation, receiver: Receiver
) -> None:
    await told.start()
    recorder = told.recorders["main"]
    await recorder.stop()
    with Peer(told.broker.port) as peer:
        peer.publish("access/hq/forced", active())
    await receiver.until(1)
    assert receiver.titles[0] == "evidenced test: recorder main is in trouble"
    await recorder.start()
    await receiver.until_told("recorder main is in order again")
    await receiver.until_told("1 incident of forced exported")
