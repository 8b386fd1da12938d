"""What a browser sends: logins, sessions, tokens of forms; and pages over anything."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest
from argon2 import PasswordHasher

from evidenced.core.account import Account, Role
from evidenced.core.alarms.alarm import Outcome
from evidenced.core.ids import RuleName
from evidenced.core.keeping.records import RefusedAlarm
from evidenced.web.sessions import IDLE_S, LONGEST_S
from fakes.clock import START
from fakes.site import LOBBY, Site, serving

HOSTILE = "<script>alert(1)</script>"
FORM = "application/x-www-form-urlencoded"


@dataclass
class Got:
    status: int
    text: str
    location: str
    cookie: str


@dataclass
class Browser:
    """One that keeps the cookie, sends what browsers send, and follows nothing."""

    site: Site
    cookie: str = ""

    async def get(self, path: str) -> Got:
        return await self._ask("GET", path)

    async def post(self, path: str, **fields: str) -> Got:
        return await self._ask("POST", path, urlencode(fields).encode())

    async def token(self, path: str) -> str:
        """Of the form that stands at this address."""
        found = re.search(r'name="token" value="(\w+)"', (await self.get(path)).text)
        assert found is not None
        return found[1]

    async def log_in(self, name: str, password: str, target: str = "/") -> Got:
        token = await self.token("/login")
        fields = {"token": token, "name": name, "password": password, "next": target}
        return await self.post("/login", **fields)

    async def _ask(self, method: str, path: str, body: bytes | None = None) -> Got:
        assert self.site.client is not None
        headers = {"Accept": "text/html,*/*", "Cookie": f"evidenced={self.cookie}"}
        if body is not None:
            headers |= {"Content-Type": FORM, "Origin": self.site.url}
        async with self.site.client.request(
            method,
            self.site.url + path,
            headers=headers,
            data=body,
            allow_redirects=False,
        ) as got:
            set_cookie = got.headers.get("Set-Cookie", "")
            found = re.match(r"evidenced=([\w-]*)", set_cookie)
            if found is not None:
                self.cookie = found[1]
            place = got.headers.get("Location", "")
            return Got(got.status, await got.text(), place, set_cookie)


@pytest.fixture(scope="module")
def hashed() -> str:
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    return cheap.hash("pässword")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with serving(tmp_path) as site:
        yield site


@pytest.fixture
async def locked(tmp_path: Path, hashed: str) -> AsyncIterator[Site]:
    users = {
        "ann": Account(password=hashed),
        "guard": Account(password=hashed, role=Role.VIEWER),
    }
    async with serving(tmp_path, users=users) as site:
        yield site


async def test_who_is_not_logged_in_is_asked_and_comes_back(locked: Site) -> None:
    browser = Browser(locked)
    got = await browser.get("/?state=failed")
    assert (got.status, got.location) == (303, "/login?next=%2F%3Fstate%3Dfailed")
    planted = browser.cookie = "planted-by-somebody"
    got = await browser.log_in("ann", "pässword", "/?state=failed")
    assert (got.status, got.location) == (303, "/?state=failed")
    assert "HttpOnly" in got.cookie
    assert "SameSite=Strict" in got.cookie
    assert browser.cookie != planted
    assert (await browser.get("/")).status == 200
    assert (await Browser(locked, planted).get("/")).status == 303


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example", "/\\evil.example", "x", "/a\r\nb", ""],
)
async def test_a_login_leads_to_no_other_site(locked: Site, target: str) -> None:
    got = await Browser(locked).log_in("ann", "pässword", target)
    assert got.location == "/"


async def test_wrong_passwords_are_told_and_slowed_down(locked: Site) -> None:
    browser = Browser(locked)
    for _ in range(5):
        got = await browser.log_in("ann", "wrong")
        assert (got.status, "the password is wrong" in got.text) == (401, True)
    assert (await browser.log_in("ann", "pässword")).status == 429
    locked.clock.advance(2)
    assert (await browser.log_in("ann", "pässword")).status == 303


@pytest.mark.parametrize("seconds", [IDLE_S, LONGEST_S])
async def test_a_session_ends(locked: Site, seconds: float) -> None:
    browser = Browser(locked)
    await browser.log_in("ann", "pässword")
    for _ in range(int(seconds // 3600) if seconds > IDLE_S else 0):
        locked.clock.advance(3600)  # it is used all the time
        await browser.get("/")
    locked.clock.advance(seconds + 1 if seconds == IDLE_S else 1)
    assert (await browser.get("/")).status == 303


async def test_logging_out_ends_the_session(locked: Site) -> None:
    browser = Browser(locked)
    await browser.log_in("ann", "pässword")
    cookie = browser.cookie
    await browser.post("/logout", token=await browser.token("/"))
    assert (await Browser(locked, cookie).get("/")).status == 303


async def test_a_form_acts_once_it_carries_its_token(site: Site) -> None:
    incident = await site.open(1)
    site.control.answer = incident
    browser = Browser(site)
    path = f"/incidents/{incident.id}/cancel"
    token = await browser.token(path)
    other = Browser(site)
    await other.get("/")
    for who, sent in ((browser, ""), (browser, "0" * 64), (other, token)):
        got = await who.post(path, token=sent)
        assert (got.status, "load the page again" in got.text) == (403, True)
    assert site.control.asked == []
    got = await browser.post(path, token=token)
    assert (got.status, got.location) == (303, f"/incidents/{incident.id}?done=cancel")
    assert site.control.asked == [("cancel", incident.id, "unnamed at 127.0.0.1")]


async def test_a_viewer_changes_nothing_anywhere(locked: Site) -> None:
    incident = await locked.open(1)
    browser = Browser(locked)
    await browser.log_in("guard", "pässword")
    token = await browser.token("/")
    for path in (
        f"/incidents/{incident.id}/retry",
        f"/incidents/{incident.id}/cancel",
        "/silences",
    ):
        got = await browser.post(path, token=token)
        assert (got.status, "log in as an operator" in got.text) == (403, True)
    cookie = f"evidenced={browser.cookie}"
    for path in (f"/api/incidents/{incident.id}/retry", "/api/incidents"):
        assert (await locked.post(path, Cookie=cookie)).error()[:2] == (403, "viewer")
    assert locked.control.asked == []
    assert (await locked.get("/api/incidents", Cookie=cookie)).status == 200


async def test_a_proxy_says_for_whom_it_asks(site: Site) -> None:
    incident = await site.open(1)
    site.control.answer = incident
    said = {"X-Forwarded-For": "192.0.2.9, 198.51.100.7"}
    await site.post(f"/api/incidents/{incident.id}/retry", **said)
    assert site.control.asked == [("retry", incident.id, "unnamed at 198.51.100.7")]
    got = await site.get("/", **{"X-Forwarded-Proto": "https"})
    assert "Secure" in got.headers["Set-Cookie"]


async def test_what_others_wrote_is_text_on_every_page(site: Site) -> None:
    incident = await site.open(
        1, rule=HOSTILE, payload=HOSTILE.encode(), fields={"door": HOSTILE}
    )
    refused = RefusedAlarm(
        received_at=START,
        outcome=Outcome.INVALID,
        rule=RuleName(HOSTILE),
        detail=HOSTILE,
        topic=HOSTILE,
        payload=HOSTILE,
    )
    await site.store.write(lambda tx: tx.save_refused([refused]))
    browser = Browser(site)
    for path in (
        "/",
        f"/?q={HOSTILE}",
        f"/incidents/{incident.id}",
        f"/incidents/{incident.id}/cancel",
        "/refused",
    ):
        got = await browser.get(path)
        assert got.status == 200, path
        assert HOSTILE not in got.text
        assert "&lt;script&gt;" in got.text
        assert " style=" not in got.text


async def test_many_incidents_are_leafed_through(site: Site) -> None:
    for n in range(60):
        await site.open(n, cameras=(LOBBY,))
    browser, path, seen = Browser(site), "/?rule=door-forced", []
    while path:
        got = await browser.get(path)
        seen += re.findall(r'<h2><a href="/incidents/([\w-]+)"', got.text)
        found = re.search(r'rel="next" href="([^"]+)"', got.text)
        path = found[1].replace("&amp;", "&") if found else ""
    assert len(seen) == len(set(seen)) == 60


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/nothing", 404, "Nothing is here"),
        ("/incidents/none", 404, "there is no incident none".capitalize()),
        ("/?state=lost", 400, "State is &#39;lost&#39;"),
        ("/?day=yesterday", 400, "Day: write a date"),
        ("/refused?before=x", 400, "That cannot be read"),
    ],
)
async def test_errors_are_pages_for_people(
    site: Site, path: str, status: int, words: str
) -> None:
    got = await Browser(site).get(path)
    assert (got.status, words in got.text) == (status, True), got.text
