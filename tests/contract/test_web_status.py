"""GET /api/status; the page says the same sentence."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from evidenced.cli.status import status_lines
from evidenced.core.errors import Reason
from evidenced.core.exports.bandwidth import Budget
from evidenced.core.exports.watching import CameraWatch
from evidenced.core.ids import DestinationName, RecorderName
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.states import ClipState
from evidenced.core.instants import DAY
from evidenced.core.keeping.health import Room
from evidenced.ports import Tx
from evidenced.ports.control import RecorderStatus, ShareStatus
from fakes.site import DOOR, LOBBY, MAIN, Site, numbered, serving


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
        "text": "No incidents in the last 24 hours.",
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


async def test_health_of_each_camera_and_share_is_told_alike(site: Site) -> None:
    await lose(site, 1)
    site.control.about = replace(
        site.control.about,
        cameras={"lobby": "Lobby", "door": "Door"},
        used={LOBBY.name: MAIN, DOOR.name: MAIN},
        destinations={"nas": "V:", "far": "W:"},
    )
    site.control.status = [
        RecorderStatus(
            name=MAIN,
            is_up=True,
            answered_ago=timedelta(seconds=12),
            slots=2,
            budget=Budget(limit=10_000_000),
        )
    ]
    nas = DestinationName("nas")
    site.control.mounts = [
        ShareStatus(destination=nas, room=Room(free=400_000_000, total=10**9))
    ]
    now = site.clock.now()
    dead = CameraWatch(camera=LOBBY.name, asked_at=now, silent_since=now - 3 * DAY)
    first = Room(free=500_000_000, total=10**9)
    last = Room(free=400_000_000, total=10**9)

    def write(tx: Tx) -> None:
        tx.watches.save([dead])
        tx.health.see({nas: first}, now - DAY)
        tx.health.see({nas: last}, now)

    await site.store.write(write)
    got = (await site.get("/api/status")).json()
    assert (await site.get("/api/recorders")).json().items() <= got.items()
    lobby, door = got["cameras"]
    assert (lobby["records"], door["records"]) == (False, None)
    assert (lobby["failures"], lobby["last_export"]) == (1, None)
    [share] = got["shares"]
    assert (share["free_bytes"], share["full_in_s"]) == (4 * 10**8, 4 * 86_400.0)
    [recorder] = got["recorders"]
    assert (recorder["slots"], recorder["bandwidth"]) == (2, 10_000_000)
    page = (await site.get("/recorders", Accept="text/html")).body.decode()
    for said in (
        "Lobby</a>",
        "nothing since",
        "12 s ago",
        "0 of 2",
        "80.0 Mbit/s",
        "full in about 4 d",
        "Not looked at: it has no",
    ):
        assert said in page


def test_the_command_line_tells_shares_and_cameras_that_do_not_record() -> None:
    found = {
        "verdict": {"mood": "warn", "text": "t", "reasons": [{}]},
        "queue": {"incidents": {}, "messages": 0},
        "cameras": [
            {"label": "Lobby", "records": False, "silent_since": "2026-11-20"},
            {"label": "Door", "records": None, "silent_since": None},
        ],
        "shares": [
            {
                "destination": "nas",
                "up": True,
                "problem": None,
                "free_bytes": 4 * 10**8,
                "full_in_s": 345_600.0,
            }
        ],
    }
    told = dict(status_lines(found))
    assert told["not recording"] == ["Lobby since 2026-11-20"]
    assert told["shares"] == ["nas: up, 400.0 MB free, full in about 4 d"]


async def test_an_alarm_that_has_been_on_for_hours_is_told(site: Site) -> None:
    await site.open(1, clear="state == 'off'")
    await site.open(2)
    site.clock.advance(4 * 3600)
    kinds = [each["kind"] for each in await reasons(site)]
    assert "on-for" not in kinds
    site.clock.advance(60)
    [on] = [each for each in await reasons(site) if each["kind"] == "on-for"]
    assert (on["mood"], on["incident"]) == ("warn", numbered(1))


async def reasons(site: Site) -> list[dict[str, str]]:
    found: list[dict[str, str]] = (await site.get("/api/status")).json()["verdict"][
        "reasons"
    ]
    return found
