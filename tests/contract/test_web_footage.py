"""Footage that people ask for, over the API and by the page's forms."""

import base64
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import pytest

from evidenced.core.account import Account, Role
from evidenced.core.errors import NotFound, Refused
from evidenced.core.folders.paths import PathTemplate
from evidenced.core.folders.whereabouts import Destination, Whereabouts
from evidenced.core.ids import DestinationName, IncidentId
from evidenced.core.incidents.byhand import FootageOrder, MoreOrder
from evidenced.core.keeping.evidence import RecordFolder
from evidenced.core.keeping.footage import recorded
from evidenced.core.keeping.loss import Loss, LossKind
from evidenced.ports import Tx
from evidenced.ports.control import Installation
from fakes.clock import START
from fakes.incident import m
from fakes.site import HASHED, PASSWORD, Reply, Site, serving

FORM = "application/x-www-form-urlencoded"
WHO = "unnamed at 127.0.0.1"
WANTED = {
    "cameras": ["lobby", "door"],
    "from": "2026-11-23T06:00:00+00:00",
    "to": "2026-11-23T06:10:00.000Z",
    "comment": "a van",
}
ORDER = FootageOrder(
    cameras=("lobby", "door"), start=START, end=START + m(10), comment="a van"
)
TYPED = {
    "from": "2026-11-23T06:00",
    "to": "2026-11-23T06:10:00",
    "comment": "a van",
}


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with serving(tmp_path) as site:
        site.control.about = Installation(
            instance="test", cameras={"lobby": "Lobby", "door": "Door <1>"}
        )
        yield site


async def send(site: Site, path: str, fields: list[tuple[str, str]]) -> Reply:
    """As a browser sends a form that has boxes; it follows nothing."""
    assert site.client is not None
    headers = {"Content-Type": FORM, "Accept": "text/html", "Origin": site.url}
    async with site.client.post(
        site.url + path,
        data=urlencode(fields).encode(),
        headers=headers,
        allow_redirects=False,
    ) as got:
        return Reply(got.status, got.headers, await got.read())


@pytest.mark.parametrize("is_pruned", [True, False])
async def test_what_became_of_footage_is_told_by_a_form(
    site: Site, *, is_pruned: bool
) -> None:
    incident = await site.open(1)
    folder = recorded(
        incident,
        DestinationName("nas"),
        RecordFolder(path=r"V:\evidence\x", files=2, size_bytes=9, sha256="0" * 64),
        START,
    )
    loss = Loss(
        kind=LossKind.ALTERED, name=incident.id, since=START, last_at=START, text="<a>"
    )

    def keep(tx: Tx) -> None:
        name = IncidentId("a-pruned-one") if is_pruned else incident.id
        tx.footage.save([replace(folder, incident=name)])
        tx.losses.save([replace(loss, name=name)])

    await site.store.write(keep)
    name = "a-pruned-one" if is_pruned else incident.id
    path = f"/incidents/{name}/footage"
    people = {"Accept": "text/html"}
    if is_pruned:
        for before in ("", "/acknowledge", "/hold"):
            way = f"{site.url}/incidents/{name}{before}"
            assert site.client is not None
            async with site.client.get(
                way, headers=people, allow_redirects=False
            ) as got:
                assert (got.status, got.headers["Location"]) == (303, path)
    page = (await site.get(path, **people)).body.decode()
    assert r"V:\evidence\x" in page
    assert "&lt;a&gt;" in page
    assert ("was pruned" in page) is is_pruned
    got = await send(
        site, path, [("became", "disposed"), ("to", "x"), ("comment", "c")]
    )
    assert (got.status, got.headers["Location"]) == (303, f"{path}?done=footage")
    got = await send(
        site, path, [("became", "moved"), ("to", "vault"), ("comment", "")]
    )
    assert got.status == 303
    assert site.control.asked == [
        ("footage", name, "", "c", WHO),
        ("footage", name, "vault", "", WHO),
    ]
    shown = (await site.get(f"{path}?done=footage", **people)).body.decode()
    assert "It is written down" in shown
    got = await send(site, path, [("became", "eaten")])
    assert got.status == 400
    told = f"/incidents/{name}/acknowledge"
    got = await send(site, told, [("comment", "police has it")])
    assert got.status == 303
    assert site.control.asked[-1] == ("acknowledge", name, "police has it", WHO)
    assert (await site.get("/incidents/nobody/footage")).status == 404


async def test_footage_is_saved_by_the_api(site: Site) -> None:
    site.control.answer = incident = await site.open(1)
    got = await site.post("/api/incidents", WANTED)
    assert (got.status, got.json()["id"]) == (201, incident.id)
    assert got.headers["Location"] == f"/api/incidents/{incident.id}"
    assert site.control.asked == [("save", ORDER, WHO)]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"comment": ""}, "comment is ''"),
        ({"comment": None}, "comment is missing"),
        ({"from": "ten past two"}, "from is 'ten past two'"),
        ({"from": ""}, "say from when and to when"),
        ({"cameras": "lobby"}, "cameras is 'lobby'"),
        ({"cameras": ["x" * 300]}, "cameras.0 is"),
        ({"cameras": ["a"] * 201}, "cameras is"),
        ({"rule": "forced"}, "a key is 'rule'"),
    ],
)
async def test_what_cannot_be_read_is_told(
    site: Site, said: Mapping[str, object], message: str
) -> None:
    status, code, text = (await site.post("/api/incidents", WANTED | said)).error()
    assert (status, code) == (400, "bad-request")
    assert message in text
    assert site.control.asked == []


async def test_more_of_an_incident_and_a_comment_by_the_api(site: Site) -> None:
    site.control.answer = incident = await site.open(1)
    path = f"/api/incidents/{incident.id}"
    more = {"until": "2026-11-23T06:10:00Z", "cameras": ["door"]}
    got = await site.post(f"{path}/extend", more)
    assert (got.status, got.json()["id"]) == (200, incident.id)
    assert (await site.post(f"{path}/extend", {"until": None})).status == 200
    assert (await site.post(f"{path}/comment", {"comment": "a van"})).status == 200
    assert (await site.post(f"{path}/comment", {})).error()[2] == "comment is missing"
    order = MoreOrder(until=START + m(10), cameras=("door",))
    assert site.control.asked == [
        ("add", incident.id, order, WHO),
        ("add", incident.id, MoreOrder(), WHO),
        ("comment", incident.id, "a van", WHO),
    ]


async def test_footage_goes_where_it_is_said_to_go(site: Site) -> None:
    site.control.answer = await site.open(1)
    form = (await site.get("/save", Accept="text/html")).body.decode()
    assert 'name="destination"' not in form  # there is one, or none
    nas = Destination(
        name=DestinationName("nas"),
        path=PathTemplate.parse("V:\\{id}"),
        root="V:",
        mount=None,
        marker=None,
    )
    vault = replace(nas, name=DestinationName("vault"), default=True)
    known = {each.name: each for each in (nas, vault)}
    site.control.about = replace(
        site.control.about,
        places=Whereabouts(known),
    )
    form = (await site.get("/save", Accept="text/html")).body.decode()
    assert "<option>vault</option><option>nas</option>" in form
    order = replace(ORDER, destination="nas")
    boxes = [("camera", "lobby"), ("camera", "door"), ("destination", "nas")]
    assert (await send(site, "/save", boxes + list(TYPED.items()))).status == 303
    got = await site.post("/api/incidents", WANTED | {"destination": "nas"})
    assert got.status == 201
    assert site.control.asked == [("save", order, WHO)] * 2


async def test_the_form_saves_and_shows_the_incident(site: Site) -> None:
    site.control.answer = incident = await site.open(1)
    form = (await site.get("/save", Accept="text/html")).body.decode()
    assert "Door &lt;1&gt;" in form
    begins = re.search(r'name="from" required value="([^"]+)"', form)
    assert begins is not None
    assert begins[1] == "2026-11-23T05:50:00"
    boxes = [("camera", "lobby"), ("camera", "door")]
    got = await send(site, "/save", boxes + list(TYPED.items()))
    assert (got.status, got.headers["Location"]) == (
        303,
        f"/incidents/{incident.id}?done=save",
    )
    assert site.control.asked == [("save", ORDER, WHO)]


@pytest.mark.parametrize(
    ("typed", "fault", "status", "message"),
    [
        (TYPED | {"from": "soon"}, None, 400, "From: write a date and a time"),
        (TYPED | {"comment": " "}, None, 400, "Comment is"),
        (TYPED, Refused("it begins in the future"), 409, "It begins in the future."),
        (TYPED, NotFound('no camera; did you mean "b"?'), 404, "did you mean"),
    ],
)
async def test_a_fault_is_told_in_the_form_with_all_that_was_typed(
    site: Site,
    typed: Mapping[str, str],
    fault: Exception | None,
    status: int,
    message: str,
) -> None:
    site.control.fault = fault
    got = await send(site, "/save", [("camera", "door"), *typed.items()])
    text = got.body.decode()
    assert got.status == status
    assert message in text
    assert 'value="door" checked' in text
    assert 'value="lobby" checked' not in text
    assert f'name="to" required value="{typed["to"]}"' in text


async def test_the_page_asks_for_more_and_takes_comments(site: Site) -> None:
    site.control.answer = incident = await site.open(1)
    path = f"/incidents/{incident.id}"
    page = (await site.get(path, Accept="text/html")).body.decode()
    assert f'href="{path}/extend"' in page
    form = (await site.get(f"{path}/extend", Accept="text/html")).body.decode()
    assert 'value="door"' in form
    assert 'value="lobby"' not in form  # it has that one
    end = incident.span.end
    for fields, order in (
        ([("more", "5m")], MoreOrder(until=end + m(5))),
        ([("more", ""), ("camera", "door")], MoreOrder(cameras=("door",))),
    ):
        got = await send(site, f"{path}/extend", fields)
        assert got.headers["Location"] == f"{path}?done=extend"
        assert site.control.asked[-1] == ("add", incident.id, order, WHO)
    got = await send(site, f"{path}/comment", [("comment", " a van ")])
    assert got.headers["Location"] == f"{path}?done=comment"
    assert site.control.asked[-1] == ("comment", incident.id, "a van", WHO)
    none = await site.get("/incidents/none/extend", Accept="text/html")
    assert none.status == 404


async def test_one_that_awaits_its_clear_takes_cameras_only(site: Site) -> None:
    incident = await site.open(1, clear="state == 'cleared'")
    path = f"/incidents/{incident.id}/extend"
    form = (await site.get(path, Accept="text/html")).body.decode()
    assert "until its alarm is cleared" in form
    assert 'name="more"' not in form


async def test_a_viewer_sees_no_form_and_changes_nothing(tmp_path: Path) -> None:
    account = Account(password=HASHED, role=Role.VIEWER)
    login = base64.b64encode(f"guard:{PASSWORD}".encode()).decode()
    headers = {"Authorization": f"Basic {login}", "Accept": "text/html"}
    async with serving(tmp_path, users={"guard": account}) as site:
        incident = await site.open(1)
        path = f"/incidents/{incident.id}"
        for each in ("/save", f"{path}/extend", f"{path}/comment"):
            got = await site.get(each, **headers)
            assert got.status == 200
            assert f'action="{each}"' not in got.body.decode()
        posted = await site.post(f"/api{path}/comment", {"comment": "a"}, **headers)
        assert posted.status == 403
        assert site.control.asked == []
