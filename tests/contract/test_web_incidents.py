"""The API's objects over real HTTP and a real store: names are promises."""

import asyncio
import csv
import gzip
import io
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import pytest
from typing_extensions import override

from evidenced.core.cluster import HeldLease
from evidenced.core.errors import NotFound, Refused, StoreError
from evidenced.core.ids import DestinationName, IncidentId, RecorderName
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.incident import Incident
from evidenced.core.incidents.states import ClipState
from evidenced.core.keeping.footage import Depicted, FootageFolder, loss_of_footage
from evidenced.core.keeping.held import Held
from evidenced.core.keeping.loss import LossKind
from evidenced.core.keeping.still import take
from evidenced.ports import Tx, View
from evidenced.ports.control import RecorderStatus, ShareStatus
from evidenced.simulator.drawn import draw
from fakes.clock import START
from fakes.incident import pictured
from fakes.site import DEADLINE_S, DOOR, LOBBY, Site, numbered, serving
from fakes.stills import stills_after

T = TypeVar("T")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with serving(tmp_path) as site:
        yield site


async def test_an_empty_store_lists_nothing(site: Site) -> None:
    got = await site.get("/api/incidents")
    assert (got.status, got.json()) == (200, {"incidents": [], "next": None})


async def test_a_row_of_the_list(site: Site) -> None:
    incident = await site.open(1, cameras=(LOBBY, DOOR))
    [row] = (await site.get("/api/incidents")).json()["incidents"]
    clip = {
        "camera": "lobby",
        "label": "Lobby",
        "recorder": "main",
        "server": "1001",
        "device": "17167089910108338829",
        "start": "2026-11-23T05:59:30.000Z",
        "end": "2026-11-23T06:02:00.000Z",
        "n": 1,
        "state": "recording",
        "attempts": 0,
        "code": None,
        "message": "",
        "reason": None,
        "next_try": None,
        "coverage": {
            "state": "unknown",
            "gaps": [],
            "unseen_s": 0.0,
            "is_loss": False,
            "message": "not asked yet",
        },
        "stills": [],
    }
    second = {"n": 2, "camera": "door", "label": "door", "device": "2002"}
    assert row == {
        "id": incident.id,
        "rule": "door-forced",
        "label": "door-forced",
        "summary": "",
        "key": "hq/north",
        "state": "recording",
        "reason": None,
        "opened": "2026-11-23T06:00:00.000Z",
        "ended": "2026-11-23T06:02:00.000Z",
        "finished": None,
        "fields": {"door": "north"},
        "destination": "nas",
        "protect": False,
        "continues": None,
        "imported": None,
        "alarms": 1,
        "held": None,
        "clips": [clip, clip | second],
        "exports": [],
    }


async def test_an_incident_that_awaits_its_clear_has_no_end(site: Site) -> None:
    await site.open(1, clear="state == 'cleared'")
    [row] = (await site.get("/api/incidents")).json()["incidents"]
    assert row["ended"] is None


async def test_a_due_clip_says_when_it_is_tried(site: Site) -> None:
    await site.end(await site.open(1))
    [row] = (await site.get("/api/incidents")).json()["incidents"]
    assert row["state"] == "waiting"
    assert row["clips"][0]["next_try"] == "2026-11-23T06:02:15.000Z"


async def test_one_incident_with_all_that_is_kept(site: Site) -> None:
    opened = await site.open(1, payload=b'\xff{"a":\x1b1}')
    incident, _ = await site.export(await site.end(opened))
    found = (await site.get(f"/api/incidents/{incident.id}")).json()
    assert found["alarms"] == [
        {
            "n": 1,
            "received": "2026-11-23T06:00:01.000Z",
            "time": "2026-11-23T06:00:00.000Z",
            "time_source": "payload",
            "signal": "active",
            "topic": "a/north",
            "payload": '\ufffd{"a":\ufffd1}',
        }
    ]
    assert found["alarm_count"] == 1
    events = [entry["event"] for entry in found["history"]]
    assert events == ["opened", "ended", "requested", "accepted"]
    assert found["history"][0].keys() == {"at", "event", "detail"}
    assert found["history"][0]["at"] == "2026-11-23T06:00:00.000Z"
    assert found["clips"][0]["next_try"] is None


async def test_an_export_shows_what_was_asked_in_recorder_time(site: Site) -> None:
    incident, _ = await site.export(await site.end(await site.open(1)))
    [row] = (await site.get("/api/incidents")).json()["incidents"]
    assert row["exports"] == [
        {
            "n": 1,
            "recorder": "main",
            "exportid": "7",
            "session": "s1",
            "path": rf"V:\evidence\{incident.id}",
            "bandwidth": 1_000_000,
            "devices": [
                {
                    "clip": 1,
                    "server": "1001",
                    "device": "17167089910108338829",
                    "start": "2026-11-23T05:59:30.000Z",
                    "end": "2026-11-23T06:02:00.000Z",
                    "asked": {
                        "start": "2026-11-23T05:59:33.000Z",
                        "end": "2026-11-23T06:02:03.000Z",
                    },
                    "progress": None,
                }
            ],
            "clock_offset_s": 3.0,
            "requested": "2026-11-23T06:02:15.000Z",
            "answered": "2026-11-23T06:02:16.000Z",
            "finished": None,
            "state": "exporting",
            "unsent": 0,
            "progress": 0.0,
            "code": "0",
            "message": "",
        }
    ]


async def test_pages_are_newest_first_and_lose_none(site: Site) -> None:
    """Also where several were opened in the same millisecond."""
    for n in range(7):
        await site.open(n, at=START + timedelta(seconds=n // 3))
    seen: list[str] = []
    path = "/api/incidents?limit=2"
    for _ in range(4):
        page = (await site.get(path)).json()
        seen += [row["id"] for row in page["incidents"]]
        path = f"/api/incidents?limit=2&cursor={page['next']}"
    assert path.endswith("cursor=None")
    assert seen == [numbered(n) for n in reversed(range(7))]


async def test_a_last_page_that_is_just_full_has_no_next(site: Site) -> None:
    for n in range(2):
        await site.open(n)
    assert (await site.get("/api/incidents?limit=2")).json()["next"] is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=waiting", [2]),
        ("state=waiting,exported&state=recording", [3, 2, 1]),
        ("rule=fire", [3]),
        ("camera=door", [2]),
        ("camera=doo", []),
        ("since=2026-11-23T06:01:00Z", [3, 2]),
        ("until=2026-11-23T06:01:00Z", [1]),
        ("since=2026-11-23T07:01:00%2B01:00&until=2026-11-23T06:02:00Z", [2]),
        ("q=FIR", [3]),
        ("q=plate-9", [1]),
        ("q=%25", []),
        ("rule=&q=", [3, 2, 1]),
    ],
)
async def test_filters(site: Site, query: str, found: list[int]) -> None:
    minute = timedelta(minutes=1)
    await site.open(1, fields={"plate": "plate-9"})
    await site.end(await site.open(2, at=START + minute, cameras=(DOOR,)))
    await site.open(3, at=START + 2 * minute, rule="fire")
    rows = (await site.get(f"/api/incidents?{query}")).json()["incidents"]
    assert [row["id"] for row in rows] == [numbered(n) for n in found]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("state=done", "state is 'done'"),
        ("limit=9999", "limit is '9999'; write a number from 1 to 500"),
        ("since=now", "since is 'now'"),
        ("cursor=x", "cursor is 'x'"),
        ("page=2", "a parameter is 'page'"),
        ("q=" + "x" * 5000, "the query has 5002 characters"),
    ],
)
async def test_a_wrong_parameter_is_400(site: Site, query: str, said: str) -> None:
    status, code, message = (await site.get(f"/api/incidents?{query}")).error()
    assert (status, code) == (400, "bad-request")
    assert said in message


async def test_what_an_incident_lost_is_acknowledged(site: Site) -> None:
    site.control.answer = incident = await site.open(1)
    path = f"/api/incidents/{incident.id}/acknowledge"
    got = await site.post(path, {"comment": "the cable was cut"})
    assert (got.status, got.json()["id"]) == (200, incident.id)
    assert got.json()["acknowledged"] is None
    who = "unnamed at 127.0.0.1"
    asked = ("acknowledge", incident.id, "the cable was cut", who)
    assert site.control.asked == [asked]
    assert (await site.post(path, {})).error()[2] == "comment is missing"


@pytest.mark.parametrize("action", ["hold", "release"])
async def test_an_incident_is_held_and_released_with_a_comment(
    site: Site, action: str
) -> None:
    site.control.answer = incident = await site.open(1)
    path = f"/api/incidents/{incident.id}/{action}"
    got = await site.post(path, {"comment": "file 2026/311"})
    assert (got.status, got.json()["held"]) == (200, None)
    asked = (action, incident.id, "unnamed at 127.0.0.1", "file 2026/311")
    assert site.control.asked == [asked]


async def test_held_incidents_are_found_and_lists_say_who_holds_them(
    site: Site,
) -> None:
    first, second = await site.open(1), await site.open(2)
    known = Held(incident=first.id, at=START, by="anna", comment="case <311>")
    await site.store.write(lambda tx: tx.held.save(known))
    rows = (await site.get("/api/incidents")).json()["incidents"]
    assert [row["id"] for row in rows] == [second.id, first.id]
    assert [row["held"] and row["held"]["by"] for row in rows] == [None, "anna"]
    for query, found in {
        "held=true": [first.id],
        "held=": [second.id, first.id],
        "held=true&state=waiting,recording&camera=lobby&limit=1": [first.id],
        "held=true&state=failed": [],
        f"held=true&q={first.id}": [first.id],
        "held=true&camera=nowhere": [],
    }.items():
        rows = (await site.get(f"/api/incidents?{query}")).json()["incidents"]
        assert [row["id"] for row in rows] == found, query
    got = await site.get("/api/incidents?held=1")
    assert "there is true, or leave it out" in got.error()[2]
    page = (await site.get("/?held=true", Accept="text/html")).body.decode()
    assert page.count('class="row-when"') == 1
    assert 'title="anna: case &lt;311&gt;">held</small>' in page
    assert "held=true" in page[page.index("incidents.csv") :][:40]


async def test_what_became_of_footage_by_hand_is_told(site: Site) -> None:
    path = "/api/incidents/a-1/footage"
    said = {"became": "moved", "to": "vault 3", "comment": "case 311"}
    got = await site.post(path, said)
    assert (got.status, got.json()) == (200, {"id": "a-1", "footage": []})
    who = "unnamed at 127.0.0.1"
    assert site.control.asked == [("footage", "a-1", "vault 3", "case 311", who)]
    for wrong in ({"became": "moved"}, {"became": "disposed", "to": "x"}, {}):
        assert (await site.post(path, wrong)).status == 400


NAMES = ["nobody", "%00", "a%20b", "x" * 300, "%ED%A0%80"]


@pytest.mark.parametrize("name", NAMES)
async def test_an_incident_that_is_not_there_is_404(site: Site, name: str) -> None:
    site.control.fault = NotFound("no such incident")
    for got in (
        await site.get(f"/api/incidents/{name}"),
        await site.post(f"/api/incidents/{name}/retry"),
    ):
        assert got.error()[:2] == (404, "not-found")


@pytest.mark.parametrize("action", ["retry", "cancel"])
async def test_actions_give_the_incident(site: Site, action: str) -> None:
    site.control.answer = incident = await site.open(1)
    got = await site.post(f"/api/incidents/{incident.id}/{action}")
    assert (got.status, got.json()["id"]) == (200, incident.id)
    assert "history" in got.json()
    assert site.control.asked == [(action, incident.id, "unnamed at 127.0.0.1")]


async def test_a_program_may_say_why_it_cancels(site: Site) -> None:
    site.control.answer = incident = await site.open(1)
    said = {"comment": "a test"}
    got = await site.post(f"/api/incidents/{incident.id}/cancel", said)
    assert got.status == 200
    asked = ("cancel", incident.id, "unnamed at 127.0.0.1", "a test")
    assert site.control.asked == [asked]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (NotFound("no such incident"), (404, "not-found", "no such incident")),
        (Refused("nothing is left to cancel"), (409, "refused", "nothing is left")),
        (StoreError("the disk is full"), (503, "store", "the disk is full")),
        (ValueError("secret 123"), (500, "internal", "a bug")),
    ],
)
async def test_actions_that_fail(
    site: Site, fault: Exception, expected: tuple[int, str, str]
) -> None:
    site.control.fault = fault
    for path, value in (
        ("/api/incidents/a-1/retry", None),
        ("/api/incidents/a-1/cancel", {}),
        ("/api/incidents", {"rule": "door-forced"}),
    ):
        status, code, message = (await site.post(path, value)).error()
        assert (status, code) == expected[:2]
        assert message.startswith(expected[2])


async def test_an_action_outlives_the_client_that_asked(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident = await site.open(1)
    begun, left, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def cancel(_incident: IncidentId, _who: str, _why: str) -> Incident:
        begun.set()
        await left.wait()
        done.set()
        return incident

    monkeypatch.setattr(site.control, "cancel", cancel)
    async with asyncio.timeout(DEADLINE_S), asyncio.TaskGroup() as group:
        path = f"/api/incidents/{incident.id}/cancel"
        client = group.create_task(site.post(path))
        await begun.wait()
        client.cancel()
        await asyncio.wait({client})
        # A request after it on another connection: the server has seen the first end.
        assert (await site.get("/healthz")).status == 200
        left.set()
        await done.wait()


async def test_a_trigger_opens_an_incident(site: Site) -> None:
    site.control.answer = incident = await site.open(1)
    asked = {"rule": "door-forced", "fields": {"door": "north"}, "at": None}
    got = await site.post("/api/incidents", asked)
    assert got.status == 201
    assert got.headers["Location"] == f"/api/incidents/{incident.id}"
    assert got.json()["id"] == incident.id
    assert site.control.asked == [
        ("trigger", "door-forced", {"door": "north"}, None, "unnamed at 127.0.0.1")
    ]


async def test_a_trigger_that_joined_an_open_incident_made_none(site: Site) -> None:
    site.control.answer = replace(await site.open(1), alarms=2)
    assert (await site.post("/api/incidents", {"rule": "door-forced"})).status == 200


async def test_a_trigger_at_an_instant(site: Site) -> None:
    site.control.answer = await site.open(1)
    await site.post("/api/incidents", {"rule": "a", "at": "2026-11-23T07:00:00+01:00"})
    assert site.control.asked[0][1:4] == ("a", {}, START)


async def test_a_body_has_a_limit(site: Site) -> None:
    got = await site.post("/api/incidents", {"rule": "x" * 70_000})
    assert got.error()[:2] == (413, "too-large")
    assert site.control.asked == []


async def test_a_compressed_body_is_not_unpacked(site: Site) -> None:
    bomb = gzip.compress(json.dumps({"rule": "x" * 1_000_000}).encode())
    got = await site.ask(
        "POST",
        "/api/incidents",
        headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
        body=bomb,
    )
    assert got.error()[0] == 400


async def test_unknown_addresses_and_methods(site: Site) -> None:
    assert (await site.get("/api/nothing")).error()[:2] == (404, "not-found")
    assert (await site.get("/nothing")).error()[:2] == (404, "not-found")
    got = await site.ask("DELETE", "/api/recorders", headers={"X-Evidenced": "1"})
    assert got.error()[:2] == (405, "method-not-allowed")
    assert got.headers["Allow"] == "GET, HEAD"


async def test_recorders(site: Site) -> None:
    site.control.status = [
        RecorderStatus(name=RecorderName("main"), is_up=True, version="7.1")
    ]
    site.control.mounts = [
        ShareStatus(destination=DestinationName("nas"), no_records="read-only")
    ]
    assert (await site.get("/api/recorders")).json() == {
        "recorders": [
            {
                "name": "main",
                "up": True,
                "problem": None,
                "reason": None,
                "version": "7.1",
                "answered": None,
                "clock_offset_s": None,
                "exports": 0,
                "slots": 0,
                "waiting": 0,
                "bandwidth": 0,
                "paused": False,
                "budget_until": None,
                "limited_until": None,
                "stuck": [],
                "next_try": None,
                "holds": [],
            }
        ],
        "shares": [
            {
                "destination": "nas",
                "up": True,
                "problem": None,
                "no_records": "read-only",
                "free_bytes": None,
                "total_bytes": None,
                "full_in_s": None,
            }
        ],
        "cameras": [],
        "records_waiting": 0,
    }


class BrokenStore:
    """`ports.Store` of a dying disk."""

    async def write(self, step: Callable[[Tx], T], lease: HeldLease | None = None) -> T:
        raise StoreError(f"no {step} {lease}")

    async def read(self, query: Callable[[View], T]) -> T:
        raise StoreError(f"the store cannot be read: disk I/O error\n{query}")


@pytest.mark.parametrize(
    "path", ["/api/incidents", "/api/incidents/a", "/metrics", "/"]
)
async def test_a_store_that_cannot_be_read_is_503(tmp_path: Path, path: str) -> None:
    async with serving(tmp_path, store=BrokenStore()) as site:
        status, code, message = (await site.get(path)).error()
    assert (status, code) == (503, "store")
    assert "disk I/O error" in message
    assert "\n" not in message


async def test_a_store_that_hangs_is_503(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class HangingStore(BrokenStore):
        @override
        async def read(self, query: Callable[[View], T]) -> T:
            await asyncio.Event().wait()
            raise AssertionError(query)

    monkeypatch.setattr("evidenced.web.answers.WORK_S", 0.01)
    async with serving(tmp_path, store=HangingStore()) as site:
        status, code, message = (await site.get("/api/incidents")).error()
    assert (status, code) == (503, "store")
    assert message.startswith("the list of incidents was not finished within")


async def test_what_is_exported_is_asked_for_again_only_where_it_is_said(
    site: Site,
) -> None:
    site.control.answer = incident = await site.open(1)
    path = f"/api/incidents/{incident.id}/retry"
    for said in ({"again": True}, {"again": False}):
        assert (await site.post(path, said)).status == 200
    who = "unnamed at 127.0.0.1"
    assert site.control.asked == [
        ("retry", incident.id, who, "again"),
        ("retry", incident.id, who),
    ]
    assert (await site.post(path, {"again": "maybe"})).status == 400


async def test_a_still_is_served_as_what_it_is_and_to_nobody_else(site: Site) -> None:
    incident = await site.open(1)
    data = draw("lobby", START)
    wanted = stills_after(None, pictured(incident), START)
    kept = [take(each, START, data) for each in wanted]

    def keep(tx: Tx) -> None:
        tx.stills.save(wanted[:1])
        tx.stills.keep(kept[1], data)

    await site.store.write(keep)
    [clip] = (await site.get(f"/api/incidents/{incident.id}")).json()["clips"]
    first, second = clip["stills"]
    assert (first["state"], first["at"]) == ("wanted", None)
    assert second["sha256"] == sha256(data).hexdigest()
    path = f"/api/incidents/{incident.id}/stills"
    got = await site.get(f"{path}/{second['n']}.jpg")
    assert (got.status, got.body) == (200, data)
    assert got.headers["Content-Type"] == "image/jpeg"
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Cache-Control"].startswith("private")
    assert "default-src 'none'" in got.headers["Content-Security-Policy"]
    for wrong in (f"{path}/{first['n']}.jpg", f"{path}/999999999.jpg", f"{path}/x.jpg"):
        assert (await site.get(wrong)).status == 404
    shown = (await site.get(f"/incidents/{incident.id}", Accept="text/html")).body
    assert f"stills/{second['n']}.jpg".encode() in shown
    assert b"fetched as soon as" in shown
    rows = (await site.get("/", Accept="text/html")).body
    assert f"stills/{second['n']}.jpg".encode() in rows


async def test_a_list_shows_pictures_within_bounds_and_says_what_it_leaves_out(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recorders give none that is small; the incident's page shows it all the same."""
    data = draw("lobby", START)
    monkeypatch.setattr("evidenced.web.page.PICTURE_BYTES", len(data))
    monkeypatch.setattr("evidenced.web.page.LIST_BYTES", 2 * len(data))
    incidents = [await site.open(n) for n in range(1, 4)]
    stills = [
        take(stills_after(None, pictured(each), START)[0], START, data)
        for each in incidents
    ]

    def keep(tx: Tx) -> None:
        for still in stills:
            tx.stills.keep(still, data)

    await site.store.write(keep)
    rows = (await site.get("/", Accept="text/html")).body.decode()
    assert rows.count("/stills/") == 2
    assert rows.count("A large picture") == 1
    monkeypatch.setattr("evidenced.web.page.PICTURE_BYTES", len(data) - 1)
    site.clock.advance(10)
    rows = (await site.get("/", Accept="text/html")).body.decode()
    assert rows.count("/stills/") == 0
    assert rows.count("A large picture") == 3


def _found(tx: Tx, folder: FootageFolder) -> None:
    """As custody does what it has seen."""
    tx.footage.save([folder])
    tx.losses.settle(LossKind.ALTERED, folder.incident, loss_of_footage([folder]))


async def test_a_row_says_by_whose_word_footage_is_there(site: Site) -> None:
    incident = await site.open(1)
    clips = [
        clip.moved(ClipState.DUE).moved(ClipState.REQUESTED).exported()
        for clip in incident.clips
    ]
    exported = incident.with_clips(*clips).settled(START)
    change = Change(before=incident, after=exported, event=Event.ENDED)
    await site.store.write(lambda tx: tx.ledger.save([change], START))
    rows = (await site.get("/", Accept="text/html")).body.decode()
    assert "verified" not in rows
    folder = FootageFolder(
        incident=incident.id,
        destination=DestinationName("nas"),
        path="V:\\1",
        sha256="0" * 64,
        files=1,
        size_bytes=9,
        ended_at=START,
        recorded_at=START,
        checked_at=START,
        depicted=Depicted(rule="r", label="", summary="", opened_at=START, cameras=()),
    )
    for fault, said in (("", "· verified"), ("a file is altered", ">altered<")):
        put = replace(folder, fault=fault)
        await site.store.write(partial(_found, folder=put))
        site.clock.advance(10)
        assert said in (await site.get("/", Accept="text/html")).body.decode()


async def test_no_cell_of_the_table_is_a_formula(site: Site) -> None:
    """What alarms say stands there: a table that is opened obeys none of it."""
    evil = ("=1+1", " =1+1", "\uff1d1+1", "+1", "-1", "@x", "\ufe62x", "plain")
    for n, text in enumerate(evil, 1):
        incident = await site.open(n)
        named = replace(incident, terms=replace(incident.terms, label=text))
        change = Change(before=incident, after=named, event=Event.COMMENTED)
        await site.store.write(partial(_saved, change))
    found = (await site.get("/api/incidents.csv")).body.decode()
    labels = [row["rule"] for row in csv.DictReader(io.StringIO(found))]
    assert labels[::-1] == [f"'{each}" for each in evil[:-1]] + ["plain"]


def _saved(change: Change, tx: Tx) -> None:
    tx.ledger.save([change], START)
