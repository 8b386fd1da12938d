"""Who gets in over real HTTP: guard, login, headers."""

import asyncio
import base64
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from evidenced.config.special import account
from evidenced.core.account import Account
from evidenced.web.throttle import FREE_OF_ACCOUNT, FREE_OF_ADDRESS
from evidenced.web.users import Users
from fakes.site import HASHED, Site, serving

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Server": "evidenced",
}


def basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with serving(tmp_path, hosts=("Evidence.example",)) as site:
        yield site


@pytest.fixture
async def locked(tmp_path: Path) -> AsyncIterator[Site]:
    async with serving(tmp_path, users={"ann": Account(password=HASHED)}) as site:
        yield site


PATHS = ["/", "/healthz", "/metrics", "/api/incidents", "/api/nothing"]


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_carries_the_headers(site: Site, path: str) -> None:
    got = await site.get(path)
    assert got.status == (404 if path.endswith("nothing") else 200)
    assert {name: got.headers[name] for name in HEADERS} == HEADERS
    policy = got.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    # a form of the page would send "Origin: null" under no-referrer
    is_page = path == "/"
    referrer = "same-origin" if is_page else "no-referrer"
    assert got.headers["Referrer-Policy"] == referrer


@pytest.mark.parametrize("path", PATHS)
async def test_a_rebound_name_reads_nothing(site: Site, path: str) -> None:
    got = await site.get(path, Host="evil.example")
    assert got.error()[:2] == (421, "foreign-host")


async def test_a_configured_name_is_fine(site: Site) -> None:
    assert (await site.get("/", Host="evidence.example:8470")).status == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": "application/json", "Origin": "http://evil.example"}, 403),
        ({"Content-Type": "application/json", "Origin": "null"}, 403),
        ({"Content-Type": "application/json", "Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
async def test_another_site_cannot_act(
    site: Site, headers: dict[str, str], status: int
) -> None:
    got = await site.ask(
        "POST", "/api/incidents", headers=headers, body=b'{"rule": "a"}'
    )
    assert got.error()[0] == status
    assert site.control.asked == []


async def test_an_action_without_body_needs_its_mark(site: Site) -> None:
    got = await site.ask("POST", "/api/incidents/a/retry")
    assert got.error()[0] == 415
    assert "X-Evidenced: 1" in got.error()[2]
    assert site.control.asked == []


async def test_our_own_page_may_act(site: Site) -> None:
    site.control.answer = incident = await site.open(1)
    path = f"/api/incidents/{incident.id}/retry"
    got = await site.post(path, Origin=site.url)
    assert got.status == 200


async def test_without_a_password_only_health_is_told(locked: Site) -> None:
    locked.control.why_unready = ["the broker is not connected"]
    assert (await locked.get("/healthz")).json() == {"status": "ok"}
    ready = await locked.get("/readyz")
    assert (ready.status, ready.json()) == (503, {"status": "failing"})
    for path in ("/", "/metrics", "/api/incidents", "/api/events", "/api/nothing"):
        got = await locked.get(path)
        assert got.error()[:2] == (401, "login")
        assert got.headers["WWW-Authenticate"].startswith("Basic ")


async def test_a_password_opens(locked: Site) -> None:
    right = {"Authorization": basic("ann", "pässword")}
    assert (await locked.get("/api/incidents", **right)).status == 200
    locked.control.why_unready = ["the broker is not connected"]
    ready = await locked.get("/readyz", **right)
    assert ready.json()["reasons"] == ["the broker is not connected"]


async def test_the_name_is_told_to_the_daemon(locked: Site) -> None:
    locked.control.answer = incident = await locked.open(1)
    right = {"Authorization": basic("ann", "pässword")}
    await locked.post(f"/api/incidents/{incident.id}/cancel", **right)
    assert locked.control.asked == [("cancel", incident.id, "ann")]


async def test_with_users_the_page_may_have_any_name(locked: Site) -> None:
    right = {"Authorization": basic("ann", "pässword")}
    assert (await locked.get("/", Host="evidence.example", **right)).status == 200


@pytest.mark.parametrize(
    "header",
    [
        basic("ann", "password"),
        basic("bob", "pässword"),
        basic("", ""),
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Basic " + base64.b64encode(b"\xff:\xff").decode(),
        "Bearer abc",
    ],
)
async def test_what_is_wrong_does_not_open(locked: Site, header: str) -> None:
    got = await locked.get("/api/incidents", Authorization=header)
    assert got.error()[:2] == (401, "login")


async def test_guessing_gets_slower(locked: Site) -> None:
    wrong = {"Authorization": basic("ann", "x")}
    right = {"Authorization": basic("ann", "pässword")}
    for _ in range(5):
        assert (await locked.get("/", **wrong)).status == 401
    got = await locked.get("/", **right)
    assert got.error()[:2] == (429, "too-many-logins")
    assert got.headers["Retry-After"] == "2"
    locked.clock.advance(2)
    assert (await locked.get("/", **wrong)).status == 401
    locked.clock.advance(1)
    assert (await locked.get("/", **wrong)).status == 429
    locked.clock.advance(2)
    assert (await locked.get("/", **right)).status == 200


async def test_who_is_in_stays_in_while_others_guess(locked: Site) -> None:
    """Behind a proxy all have one address."""
    right = {"Authorization": basic("ann", "pässword")}
    assert (await locked.get("/", **right)).status == 200
    for n in range(FREE_OF_ADDRESS + 1):
        await locked.get("/", Authorization=basic("ann", f"{n}"))
    assert (await locked.get("/", Authorization=basic("ann", "y"))).status == 429
    assert (await locked.get("/", **right)).status == 200
    locked.clock.advance(300)  # forgotten, and the pause of those who guess is over
    assert (await locked.get("/", Authorization=basic("ann", "z"))).status == 401
    assert (await locked.get("/", **right)).status == 429


async def test_a_hash_that_is_none_opens_to_nobody(tmp_path: Path) -> None:
    async with serving(
        tmp_path, users={"ann": Account(password="$argon2id$nonsense")}
    ) as site:
        got = await site.get("/", Authorization=basic("ann", "nonsense"))
    assert got.error()[:2] == (401, "login")


async def test_a_flood_of_logins_is_sent_away(
    locked: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = {"Authorization": basic("ann", "pässword")}
    monkeypatch.setattr("evidenced.web.turns.WAITING_OF_PLACE", 0)
    got = await locked.get("/", **right)
    assert got.error()[:2] == (429, "too-many-logins")
    monkeypatch.undo()
    assert (await locked.get("/", **right)).status == 200


async def test_a_burst_of_guesses_is_no_way_round_the_pause(locked: Site) -> None:
    answers = await asyncio.gather(
        *(locked.get("/", Authorization=basic("ann", f"{n}")) for n in range(16))
    )
    statuses = Counter(got.status for got in answers)
    assert statuses[401] <= FREE_OF_ACCOUNT
    assert statuses.keys() == {401, 429}


async def test_a_right_password_is_hashed_once_for_many_at_once(
    locked: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed = []
    monkeypatch.setattr(Users, "_verify", lambda *_: hashed.append(1) or True)
    right = {"Authorization": basic("ann", "pässword")}
    answers = await asyncio.gather(*(locked.get("/", **right) for _ in range(4)))
    assert {got.status for got in answers} == {200}
    assert len(hashed) == 1


async def test_an_unknown_name_costs_a_hash_too(
    locked: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the time that it takes would tell who has an account."""
    hashed = []
    monkeypatch.setattr(Users, "_verify", lambda *_: hashed.append(1) or True)
    got = await locked.get("/", Authorization=basic("nobody", "pässword"))
    assert (got.status, len(hashed)) == (401, 1)


async def test_a_hash_may_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "anna-hash"
    file.write_text(f"{HASHED}\n")
    user = account().parse({"file": str(file)})
    async with serving(tmp_path, users={"ann": user}) as site:
        right = {"Authorization": basic("ann", "pässword")}
        assert (await site.get("/", **right)).status == 200
        file.unlink()
        site.clock.advance(3600)
        assert (await site.get("/", **right)).status == 401
