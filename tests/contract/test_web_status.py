"""GET /api/status; the page says the same sentence."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from evidenced.core.errors import Reason
from evidenced.core.ids import DestinationName, RecorderName
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.states import ClipState
from evidenced.ports.control import RecorderStatus, ShareStatus
from fakes.site import DOOR, LOBBY, Site, serving


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with serving(tmp_path) as site:
        yield site


async def lose(site: Site, n: int) -> None:
    """The footage of an incident, whose recorder has no video."""
    before = await site.open(n, cameras=(LOBBY, DOOR))
    lost = [
        clip.moved(ClipState.DUE).moved(ClipState.MISSING, reason=Reason.NO_VIDEO)
        for clip in before.clips
    ]
    after = before.with_clips(*lost).settled(site.clock.now())
    change = Change(before=before, after=after, event=Event.REFUSED)
    await site.store.write(lambda tx: tx.ledger.save([change], site.clock.now()))


async def test_a_quiet_day(site: Site) -> None:
    got = (await site.get("/api/status")).json()
    assert got["verdict"] == {
        "mood": "good",
        "text": "No alarms in the last 24 hours.",
        "more": "Nothing waits.",
        "reasons": [],
    }
    assert got["broker"] == {"up": True, "problems": []}
    assert got["last_alarm"] is None
    assert got["queue"]["messages"] == 0


async def test_what_is_lost_stays_until_somebody_has_taken_note(site: Site) -> None:
    await lose(site, 1)
    site.clock.advance(8 * 24 * 3600)
    got = (await site.get("/api/status")).json()
    [reason] = got["verdict"]["reasons"]
    said = got["verdict"]["text"]
    assert (got["verdict"]["mood"], reason["kind"]) == ("bad", "loss")
    assert said.startswith("Footage of Lobby and door, Mon 23 Nov ")
    assert said in (await site.get("/")).body.decode()
    assert got["last_alarm"]["incident"] == reason["incident"]


@pytest.mark.parametrize("waiting", [False, True])
async def test_a_recorder_that_is_away_is_worse_once_something_waits(
    site: Site, *, waiting: bool
) -> None:
    site.control.status = [
        RecorderStatus(name=RecorderName("main"), is_up=False, problem="refused")
    ]
    if waiting:
        before = await site.open(1)
        due = before.with_clips(*(c.moved(ClipState.DUE) for c in before.clips))
        change = Change(before=before, after=due, event=Event.ENDED)
        await site.store.write(lambda tx: tx.ledger.save([change], site.clock.now()))
    said = []
    for _ in range(2):
        verdict = (await site.get("/api/status")).json()["verdict"]
        said.append(verdict["mood"])
        site.clock.advance(60)
    assert said == (["warn", "bad"] if waiting else ["warn", "warn"])
    words = "1 incident waits for it." if waiting else "Nothing waits for it yet."
    assert verdict["text"].endswith(f": refused. {words}")


async def test_a_full_share_has_its_sentence(site: Site) -> None:
    full = "/mnt/nas is nearly full"
    site.control.mounts = [
        ShareStatus(destination=DestinationName("nas"), problem=full)
    ]
    verdict = (await site.get("/api/status")).json()["verdict"]
    assert verdict["mood"] == "warn"
    assert verdict["text"].startswith("Share nas is in trouble since ")
    assert full in verdict["text"]
