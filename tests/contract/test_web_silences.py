"""/api/silences over real HTTP and a real store: names are promises."""

import base64
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest

from evidenced.core.account import Account
from evidenced.core.errors import NotFound, Refused
from evidenced.core.ids import SilenceId
from evidenced.core.incidents.silence import Silence, SilenceOrder, Subject
from fakes.clock import START
from fakes.site import HASHED, PASSWORD, Site, serving

HOUR = timedelta(hours=1)
RULE = Silence(
    id=SilenceId("k3f9qx2a"),
    subject=Subject.RULE,
    name="door-forced",
    starts_at=START,
    until=START + HOUR,
    ends_at=START + HOUR,
    author="ann",
    comment="lock is being replaced",
)
SHOWN = {
    "id": "k3f9qx2a",
    "rule": "door-forced",
    "camera": None,
    "topic": None,
    "active": True,
    "planned": False,
    "started": "2026-11-23T06:00:00.000Z",
    "until": "2026-11-23T07:00:00.000Z",
    "ended": None,
    "author": "ann",
    "comment": "lock is being replaced",
    "held_back": 0,
    "ended_by": None,
}
ASKED = {"rule": "door-forced", "for": "1h", "comment": "lock is being replaced"}


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with serving(tmp_path) as site:
        yield site


async def test_those_in_force_come_first_then_the_past(site: Site) -> None:
    assert (await site.get("/api/silences")).json() == {"silences": []}
    past = replace(
        RULE,
        id=SilenceId("older"),
        starts_at=START - HOUR,
        ends_at=START,
        ended_by="bob",
        is_over=True,
    )
    camera = replace(RULE, id=SilenceId("c"), subject=Subject.CAMERA, name="lobby")
    await site.store.write(lambda tx: tx.silences.save([past, RULE, camera]))
    listed = (await site.get("/api/silences")).json()["silences"]
    assert listed[0] == SHOWN
    assert (listed[1]["rule"], listed[1]["camera"]) == (None, "lobby")
    assert [each["active"] for each in listed] == [True, True, False]
    assert listed[2]["ended"] == "2026-11-23T06:00:00.000Z"
    assert listed[2]["ended_by"] == "bob"


@pytest.mark.parametrize(
    ("said", "who"),
    [
        ({}, "unnamed at 127.0.0.1"),
        ({"author": "ann"}, "ann (unnamed at 127.0.0.1)"),
    ],
)
async def test_one_is_made(site: Site, said: dict[str, str], who: str) -> None:
    later = timedelta(milliseconds=3)  # the daemon looks at its clock after the page
    site.control.meanwhile = lambda: site.clock.advance(later.total_seconds())
    site.control.silenced = replace(RULE, starts_at=START + later)
    got = await site.post("/api/silences", ASKED | said)
    shown = SHOWN | {"started": "2026-11-23T06:00:00.003Z"}
    assert (got.status, got.json()) == (201, shown)
    order = SilenceOrder(
        subject=Subject.RULE,
        name="door-forced",
        until=START + HOUR,
        comment="lock is being replaced",
    )
    assert site.control.asked == [("silence", order, who)]


async def test_until_an_instant(site: Site) -> None:
    site.control.silenced = RULE
    asked = {"topic": "a/+", "until": "2026-11-23T08:00:00+01:00", "comment": "x"}
    await site.post("/api/silences", asked)
    [(_, order, _)] = site.control.asked
    assert isinstance(order, SilenceOrder)
    assert (order.subject, order.until) == (Subject.TOPIC, START + HOUR)


async def test_one_is_planned(site: Site) -> None:
    starts = START + HOUR
    site.control.silenced = replace(
        RULE, starts_at=starts, until=starts + HOUR, ends_at=starts + HOUR
    )
    got = await site.post("/api/silences", ASKED | {"from": "2026-11-23T07:00:00Z"})
    assert (got.json()["planned"], got.json()["active"]) == (True, False)
    assert got.json()["ended"] is None
    [(_, order, _)] = site.control.asked
    assert isinstance(order, SilenceOrder)
    assert (order.start, order.until) == (starts, starts + HOUR)


async def test_what_was_held_back_and_what_is_planned_is_shown(site: Site) -> None:
    later = START + HOUR
    planned = replace(
        RULE,
        id=SilenceId("later"),
        starts_at=later,
        until=later + HOUR,
        ends_at=later + HOUR,
        comment="cleaners",
    )
    counted = replace(RULE, held_back=121)
    await site.store.write(lambda tx: tx.silences.save([counted, planned]))
    listed = (await site.get("/api/silences")).json()["silences"]
    assert [(each["held_back"], each["planned"]) for each in listed] == [
        (121, False),
        (0, True),
    ]
    shown = (await site.get("/silences", accept="text/html")).body.decode()
    force, plans = shown.split("<h2>Planned</h2>")
    assert ("121 alarms held back" in force, "121 alarms" in plans) == (True, False)
    assert ("cleaners" in force, "cleaners" in plans) == (False, True)
    home = (await site.get("/", accept="text/html")).body.decode()
    assert "121 alarms held back" in home
    assert "cleaners" not in home
    verdict = (await site.get("/api/status")).json()["verdict"]
    assert verdict["text"].endswith("121 alarms held back.")
    asked = await site.get("/silences/later/end", accept="text/html")
    assert "Call this silence off?" in asked.body.decode()


async def test_one_is_ended(site: Site) -> None:
    site.control.silenced = replace(RULE, ends_at=START, ended_by="bob", is_over=True)
    got = await site.post("/api/silences/k3f9qx2a/end")
    assert (got.status, got.json()["active"]) == (200, False)
    assert site.control.asked == [("end", "k3f9qx2a", "unnamed at 127.0.0.1")]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ([], "has to be a JSON object"),
        ({"rule": "a", "camera": "b"}, "say one of rule, camera and topic"),
        ({"for": "1h"}, "say one of rule, camera and topic"),
        ({"rule": "a", "why": "b"}, "a key is 'why'; there are rule, camera"),
        ({"rule": 7}, "rule is 7; write a text"),
        ({"rule": "a"}, "say until when"),
        ({"rule": "a", "for": "1h", "until": "2026-11-23T08:00Z"}, "say until when"),
        ({"rule": "a", "for": "soon"}, "for is 'soon'; write a duration such as 90m"),
        ({"rule": "a", "until": "noon"}, "until is 'noon'"),
        ({"rule": "a", "for": "999999999d"}, "for is too long"),
        ({"rule": "a", "for": "1h", "author": "a\nb"}, "write at most 60"),
    ],
)
async def test_orders_that_cannot_be_read(site: Site, body: object, says: str) -> None:
    status, code, message = (await site.post("/api/silences", body)).error()
    assert (status, code) == (400, "bad-request")
    assert says in message
    assert site.control.asked == []


async def test_refusals_are_told(site: Site) -> None:
    site.control.fault = NotFound("there is no rule 'x'")
    assert (await site.post("/api/silences", ASKED)).error()[:2] == (404, "not-found")
    site.control.fault = Refused("it is over")
    assert (await site.post("/api/silences/x/end")).error()[:2] == (409, "refused")
    assert (await site.post("/api/silences/..%2f/end")).status == 404


async def test_a_form_of_another_site_makes_none(site: Site) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    got = await site.ask("POST", "/api/silences", headers=form, body=b"rule=a")
    assert got.status == 415
    assert site.control.asked == []


async def test_who_is_logged_in_signs_as_nobody_else(tmp_path: Path) -> None:
    users = {"anna": Account(password=HASHED)}
    async with serving(tmp_path, users=users) as site:
        site.control.silenced = RULE
        said = base64.b64encode(f"anna:{PASSWORD}".encode()).decode()
        got = await site.post(
            "/api/silences", ASKED | {"author": "chief"}, Authorization=f"Basic {said}"
        )
        assert got.status == 201
        assert site.control.asked[0][-1] == "chief (anna)"


async def test_a_form_that_is_refused_keeps_what_was_typed(site: Site) -> None:
    assert site.client is not None
    site.control.fault = NotFound("there is no camera 'loby'; did you mean \"lobby\"?")
    typed = {"subject": "camera", "name": "loby", "for": "4h", "comment": "a lens"}
    headers = {"Accept": "text/html", "Origin": site.url}
    async with site.client.post(
        site.url + "/silences", data=typed, headers=headers
    ) as got:
        page = await got.text()
    assert got.status == 404
    assert "There is no camera &#39;loby&#39;; did you mean" in page
    assert '<option value="camera" selected>' in page
    assert '<option value="4h" selected>' in page
    assert 'value="loby"' in page
    assert 'value="a lens"' in page
    assert "In force" in page


async def test_one_is_extended_by_the_next_from_its_end_on(site: Site) -> None:
    asked = replace(RULE, comment='"key" & lock')
    await site.store.write(lambda tx: tx.silences.save([asked]))
    shown = (await site.get("/silences", accept="text/html")).body.decode()
    [link] = re.findall(r'href="(/silences\?[^"#]+)#new"', shown)
    form = (await site.get(unescape(link), accept="text/html")).body.decode()
    start = asked.ends_at.strftime("%Y-%m-%dT%H:%M")
    assert f'name="from" value="{start}"' in form
    assert f'list="names" value="{asked.name}"' in form
    assert '<option value="rule" selected>' in form
    assert 'name="comment" value="&#34;key&#34; &amp; lock"' in form
