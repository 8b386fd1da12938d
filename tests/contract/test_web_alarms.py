"""/api/alarms and the page "Ignored messages" over real HTTP and a real store."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from evidenced.core.alarms.alarm import Outcome
from evidenced.core.errors import Refused
from evidenced.core.ids import RuleName
from evidenced.core.keeping import loss as losing
from fakes.clock import START
from fakes.refused import SILENCED, UNMATCHED
from fakes.site import Site, serving


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with serving(tmp_path) as site:
        await site.store.write(
            lambda tx: tx.refused.save([SILENCED, UNMATCHED, UNMATCHED])
        )
        yield site


async def test_what_opened_nothing_is_listed_newest_first(site: Site) -> None:
    got = (await site.get("/api/alarms?limit=2")).json()
    assert [each["number"] for each in got["alarms"]] == [3, 2]
    assert got["alarms"][0] == {
        "number": 3,
        "received": "2026-11-23T06:00:00.000Z",
        "outcome": "unmatched",
        "rule": None,
        "why": "no rule has a topic that fits",
        "topic": "x",
        "payload": "abc",
        "cut_from": {"bytes": 9, "sha256": "ff"},
        "cameras": [],
        "on_until": None,
        "incident": None,
    }
    rest = (await site.get(f"/api/alarms?limit=2&cursor={got['next']}")).json()
    assert ([each["number"] for each in rest["alarms"]], rest["next"]) == ([1], None)


async def test_one_outcome_is_listed_alone(site: Site) -> None:
    [silenced] = (await site.get("/api/alarms?outcome=silenced")).json()["alarms"]
    assert silenced["cameras"] == ["lobby"]
    assert silenced["on_until"] == "2026-11-23T07:00:00.000Z"
    assert "cut_from" not in silenced


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("outcome=loud", "outcome is 'loud'; there are opened, extended"),
        ("cursor=x", "cursor is 'x'; take `next` of an answer"),
        ("rule=a", "a parameter is 'rule'; there is outcome, limit, cursor"),
    ],
)
async def test_wrong_queries_are_told(site: Site, query: str, says: str) -> None:
    status, code, message = (await site.get(f"/api/alarms?{query}")).error()
    assert (status, code) == (400, "bad-request")
    assert message.startswith(says)


async def test_what_could_not_be_read_is_acknowledged(site: Site) -> None:
    got = await site.post("/api/alarms/acknowledge", {"comment": "a test sender"})
    assert (got.status, got.json()) == (200, {"acknowledged": 3})
    who = "unnamed at 127.0.0.1"
    assert site.control.asked == [("acknowledge", "a test sender", who)]
    wrong = (await site.post("/api/alarms/acknowledge", {})).error()
    assert wrong == (400, "bad-request", "comment is missing")
    site.control.fault = Refused("there is none")
    again = await site.post("/api/alarms/acknowledge", {"comment": "more"})
    assert again.error()[:2] == (409, "refused")


async def test_the_footage_is_asked_for_after_all(site: Site) -> None:
    site.control.answer = incident = await site.open(1)
    got = await site.post("/api/alarms/1/export")
    assert (got.status, got.json()) == (201, {"incident": incident.id})
    assert got.headers["Location"] == f"/api/incidents/{incident.id}"
    assert site.control.asked == [("export", 1, "unnamed at 127.0.0.1")]
    site.control.fault = Refused("exported already")
    assert (await site.post("/api/alarms/1/export")).error()[:2] == (409, "refused")
    assert (await site.post("/api/alarms/x/export")).error()[:2] == (404, "not-found")


async def test_what_was_meant_for_nobody_is_one_line_with_its_number(
    site: Site,
) -> None:
    shown = (await site.get("/refused", Accept="text/html")).body.decode()
    assert shown.index("Held back by a silence") < shown.index("Meant for nobody")
    [row] = re.findall(r"<tr><td[^>]*>(\d+)</td>", shown)
    assert row == "2"
    assert shown.count("explain --record 3") == 2  # to read, and to copy
    assert "Could not be read" not in shown
    listed = await site.get("/refused?outcome=unmatched", Accept="text/html")
    assert listed.body.decode().count('class="card"') == 2


async def test_what_could_not_be_read_stands_first_and_is_acknowledged_there(
    site: Site,
) -> None:
    unread = replace(UNMATCHED, outcome=Outcome.INVALID, rule=RuleName("gate"))
    await site.store.write(lambda tx: tx.refused.save([unread]))
    shown = (await site.get("/refused", Accept="text/html")).body.decode()
    assert shown.index("Could not be read") < shown.index("Held back by a silence")
    assert 'href="/losses/unreadable"' not in shown  # nobody has to any more
    loss = losing.unreadable("gate", START, "no JSON")
    await site.store.write(lambda tx: tx.losses.save([loss]))
    shown = (await site.get("/refused", Accept="text/html")).body.decode()
    assert 'href="/losses/unreadable"' in shown
