"""What a browser sends: logins, sessions, forms; and pages over anything."""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlencode

import pytest

from evidenced.core.account import Account, Role
from evidenced.core.alarms.alarm import Outcome
from evidenced.core.ids import RuleName
from evidenced.core.incidents.history import Change, Event
from evidenced.core.incidents.states import ClipState
from evidenced.core.keeping.kept import RefusedAlarm
from evidenced.web.sessions import IDLE_S, LONGEST_S
from fakes.clock import START
from fakes.refused import SILENCED, UNMATCHED
from fakes.site import HASHED, LOBBY, Site, serving

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
    says: Mapping[str, str] | None = None
    """What it says of where a form stands; by default that it is this page."""

    async def get(self, path: str) -> Got:
        return await self._ask("GET", path)

    async def post(self, path: str, **fields: str) -> Got:
        return await self._ask("POST", path, urlencode(fields).encode())

    async def log_in(self, name: str, password: str, target: str = "/") -> Got:
        fields = {"name": name, "password": password, "next": target}
        return await self.post("/login", **fields)

    async def _ask(self, method: str, path: str, body: bytes | None = None) -> Got:
        assert self.site.client is not None
        headers = {"Accept": "text/html,*/*", "Cookie": f"evidenced={self.cookie}"}
        if body is not None:
            headers |= {"Content-Type": FORM}
            headers |= {"Origin": self.site.url} if self.says is None else self.says
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


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with serving(tmp_path) as site:
        yield site


@pytest.fixture
async def locked(tmp_path: Path) -> AsyncIterator[Site]:
    users = {
        "ann": Account(password=HASHED),
        "guard": Account(password=HASHED, role=Role.VIEWER),
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
    await browser.post("/logout")
    assert (await Browser(locked, cookie).get("/")).status == 303


@pytest.mark.parametrize(
    "says",
    [
        {},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
    ],
)
async def test_a_form_of_another_page_does_nothing(
    site: Site, says: dict[str, str]
) -> None:
    site.control.answer = incident = await site.open(1)
    for path in (f"/incidents/{incident.id}/cancel", "/silences", "/login", "/logout"):
        got = await Browser(site, says=says).post(path)
        assert got.status == 403, (path, got.text)
    assert site.control.asked == []


async def test_a_form_of_this_page_acts(site: Site) -> None:
    site.control.answer = incident = await site.open(1)
    path = f"/incidents/{incident.id}/cancel"
    for says in (None, {"Sec-Fetch-Site": "same-origin"}):
        got = await Browser(site, says=says).post(path, comment="a test")
        place = f"/incidents/{incident.id}?done=cancel"
        assert (got.status, got.location) == (303, place)
    asked = ("cancel", incident.id, "unnamed at 127.0.0.1", "a test")
    assert site.control.asked == [asked, asked]


async def test_no_link_makes_a_page_say_what_nobody_did(site: Site) -> None:
    """It is told to who did it, once; the address alone proves nothing."""
    site.control.answer = incident = await site.open(1)
    browser, path = Browser(site), f"/incidents/{incident.id}"
    told = "Cancelled: nothing more is asked for"
    assert told not in (await browser.get(f"{path}?done=cancel")).text
    got = await browser.post(f"{path}/cancel", comment="a test")
    assert told not in (await browser.get(f"{path}?done=hold")).text
    assert told in (await browser.get(got.location)).text
    assert told not in (await browser.get(got.location)).text
    for link in ("/?done=retry-all", "/silences?done=ended"):
        text = (await browser.get(link)).text
        assert "Asked for again" not in text
        assert "It has ended." not in text


async def test_who_cancels_says_why(site: Site) -> None:
    incident = await site.open(1)
    got = await Browser(site).post(f"/incidents/{incident.id}/cancel", comment=" ")
    assert got.status == 400
    assert "say why" in got.text
    assert site.control.asked == []


@pytest.mark.parametrize("action", ["hold", "release"])
async def test_who_holds_or_releases_an_incident_says_why(
    site: Site, action: str
) -> None:
    site.control.answer = incident = await site.open(1)
    path, browser = f"/incidents/{incident.id}", Browser(site)
    assert f'href="{path}/hold"' in (await browser.get(path)).text
    if action == "hold":
        assert "Hold it" in (await browser.get(f"{path}/hold")).text
    else:
        assert "Nobody holds it" in (await browser.get(f"{path}/release")).text
    assert (await browser.post(f"{path}/{action}", comment="")).status == 400
    got = await browser.post(f"{path}/{action}", comment="file 2026/311")
    assert (got.status, got.location) == (303, f"{path}?done={action}")
    asked = (action, incident.id, "unnamed at 127.0.0.1", "file 2026/311")
    assert site.control.asked == [asked]


async def test_the_page_asks_again_for_what_is_exported(site: Site) -> None:
    incident = await site.open(1)
    over = incident.with_clips(
        *(replace(clip, state=ClipState.EXPORTED) for clip in incident.clips)
    ).settled(site.clock.now())
    change = Change(before=incident, after=over, event=Event.EXPORTED)
    await site.store.write(lambda tx: tx.ledger.save([change], site.clock.now()))
    browser, path = Browser(site), f"/incidents/{incident.id}/retry"
    site.control.answer = incident
    assert f"{path}?again=1" in (await browser.get(f"/incidents/{incident.id}")).text
    assert 'name="again"' in (await browser.get(f"{path}?again=1")).text
    assert 'name="again"' not in (await browser.get(path)).text
    await browser.post(path, again="1")
    asked = ("retry", incident.id, "unnamed at 127.0.0.1", "again")
    assert site.control.asked == [asked]


async def test_a_viewer_changes_nothing_anywhere(locked: Site) -> None:
    incident = await locked.open(1)
    browser = Browser(locked)
    await browser.log_in("guard", "pässword")
    for path in (
        f"/incidents/{incident.id}/retry",
        f"/incidents/{incident.id}/cancel",
        "/silences",
        "/refused/1/export",
    ):
        got = await browser.post(path)
        assert (got.status, "log in as an operator" in got.text) == (403, True)
    cookie = f"evidenced={browser.cookie}"
    for path in (f"/api/incidents/{incident.id}/retry", "/api/incidents"):
        assert (await locked.post(path, Cookie=cookie)).error()[:2] == (403, "viewer")
    assert locked.control.asked == []
    assert (await locked.get("/api/incidents", Cookie=cookie)).status == 200


@pytest.mark.parametrize(
    ("proxies", "who", "is_secure"),
    [((), "127.0.0.1", False), (("127.0.0.1/32",), "198.51.100.7", True)],
)
async def test_a_proxy_that_is_known_says_for_whom_it_asks(
    tmp_path: Path, proxies: tuple[str, ...], who: str, is_secure: bool
) -> None:
    said = {"X-Forwarded-For": "192.0.2.9, 198.51.100.7", "X-Forwarded-Proto": "https"}
    async with serving(tmp_path, proxies=proxies) as site:
        site.control.answer = incident = await site.open(1)
        await site.post(f"/api/incidents/{incident.id}/retry", **said)
        assert site.control.asked == [("retry", incident.id, f"unnamed at {who}")]
    users = {"ann": Account(password=HASHED)}
    async with serving(tmp_path, users=users, proxies=proxies) as site:
        headers = {"Content-Type": FORM, "Origin": site.url} | said
        form = urlencode({"name": "ann", "password": "pässword"}).encode()
        assert site.client is not None
        async with site.client.post(
            f"{site.url}/login", headers=headers, data=form, allow_redirects=False
        ) as got:
            assert ("Secure" in got.headers["Set-Cookie"]) is is_secure


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
    await site.store.write(lambda tx: tx.refused.save([refused]))
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
        seen += re.findall(r'what"><a href="/incidents/([\w-]+)"', got.text)
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
        ("/without-footage?rule=x", 400, "there is cursor"),
        ("/refused?before=x", 400, "That cannot be read"),
    ],
)
async def test_errors_are_pages_for_people(
    site: Site, path: str, status: int, words: str
) -> None:
    got = await Browser(site).get(path)
    assert (got.status, words in got.text) == (status, True), got.text


async def test_a_silenced_alarm_is_exported_after_all_from_the_page(site: Site) -> None:
    site.control.answer = incident = await site.open(1)
    await site.store.write(lambda tx: tx.refused.save([SILENCED, UNMATCHED]))
    browser = Browser(site)
    page = (await browser.get("/refused?outcome=silenced")).text
    assert page.count("Export it after all") == 1
    assert "/refused/1/export" in page
    assert "If no clear has come by" in page
    assert "unmatched" not in page.split(" data-live")[1]
    asks = (await browser.get("/refused/1/export")).text
    assert "an incident of rule door-forced is opened" in asks
    other = (await browser.get("/refused/2/export")).text
    assert "nothing says what its footage is" in other
    got = await browser.post("/refused/1/export")
    assert (got.status, got.location) == (303, f"/incidents/{incident.id}")
    assert site.control.asked == [("export", 1, "unnamed at 127.0.0.1")]
    [kept] = await site.store.read(
        lambda view: view.refused.newest(1, outcome=Outcome.SILENCED)
    )
    assert kept == replace(SILENCED, number=1)
    done = replace(kept, incident=incident.id)
    await site.store.write(lambda tx: tx.refused.move([done]))
    for path in ("/refused", "/refused/1/export"):
        assert f'href="/incidents/{incident.id}"' in (await browser.get(path)).text
    assert (await browser.get("/refused/99/export")).status == 404


@pytest.mark.parametrize(
    "kind",
    [
        *(f"{FORM}; charset={name}" for name in ("bogus", "hex", "rot13", "utf-7")),
        "multipart/form-data; boundary=x",
        "text/plain",
    ],
)
async def test_a_form_in_a_coding_of_its_own_is_no_bug(site: Site, kind: str) -> None:
    """It was one, with a traceback in the log, for whoever reaches the port."""
    headers = {"Content-Type": kind, "Origin": site.url}
    body = b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\n+2AA-'
    got = await site.ask("POST", "/login", headers=headers, body=body)
    assert got.error()[:2] == (400, "bad-request")
