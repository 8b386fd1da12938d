"""Every page that a server gives, and every kind of message, in a made-up language.

Outside of its brackets stand names and what people wrote, and nothing else: see
tests/unit/test_bypassing.py, which has incidents in all their states.
"""

from collections.abc import AsyncIterator
from datetime import UTC, date, timedelta
from pathlib import Path

import pytest

from evidenced.core.account import Account, Role
from evidenced.core.alarms.alarm import Outcome
from evidenced.core.exports.bandwidth import Budget
from evidenced.core.ids import DestinationName, RecorderName, RuleName, SilenceId
from evidenced.core.incidents.silence import Silence, Subject
from evidenced.core.incidents.states import IncidentState
from evidenced.core.keeping import loss as losses
from evidenced.core.keeping.health import Room
from evidenced.core.keeping.kept import RefusedAlarm
from evidenced.core.phrase import ENGLISH
from evidenced.core.severity import Severity
from evidenced.core.telling.judgement import Findings
from evidenced.core.telling.mail import Letterhead, compose
from evidenced.core.telling.notice import (
    OF_INCIDENTS,
    OF_RULES,
    Notice,
    NoticeKind,
    Phase,
)
from evidenced.core.telling.report import DayReport, Figures, Tally, report_text
from evidenced.core.telling.routing import Pile
from evidenced.core.telling.trouble import Trouble
from evidenced.core.telling.verdict import verdict
from evidenced.ports.control import Installation, RecorderStatus, ShareStatus
from evidenced.web.languages import Languages
from fakes.bracketed import Bracketed, bypassing, outside, words
from fakes.clock import START
from fakes.site import DOOR, HASHED, LOBBY, Site, serving

TONGUE = Bracketed()
KNOWN = words(
    "test evidenced API CSV Lobby Door lobby door north main nas hq UTC Mbit Ann ann "
    "fine because SHA evidence MB GB panic forced guard XX at State Limit From For Day "
    "rule camera topic from until for comment author recording waiting exporting "
    "exported partial failed cancelled mnt notify exportVideo"
)
PAGES = [
    "/",
    "/?q=nothing+at+all",
    "/?state=failed&day=2026-11-23",
    "/without-footage",
    "/wall",
    "/recorders",
    "/refused",
    "/refused?outcome=silenced",
    "/silences",
    "/save",
    "/losses/retry",
    "/losses/acknowledge",
    "/losses/unreadable",
    "/nowhere",
    "/?state=XX",
    "/?day=XX",
    "/?limit=XX",
    "/incidents/20261123-060009-00000009",
    "/silences/x/end",
    "/refused/99/export",
]
ACTS = ("retry", "cancel", "acknowledge", "hold", "release", "extend", "comment")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with serving(tmp_path, languages=Languages("nl", lambda _: TONGUE)) as site:
        site.control.about = Installation(
            instance="test",
            rules={RuleName("door-forced"): "Door"},
            cameras={LOBBY.name: "Lobby", DOOR.name: "door"},
            used={LOBBY.name: RecorderName("main")},
        )
        yield site


async def page(site: Site, path: str) -> str:
    got = await site.get(path, Accept="text/html")
    return got.body.decode()


async def fill(site: Site) -> None:
    """One of each: an incident that waits, one that is lost, a silence, trouble."""
    waiting = await site.open(1, cameras=(LOBBY, DOOR))
    await site.export(await site.end(waiting))
    await site.open(2, at=START - timedelta(days=1), clear="b")
    lost = losses.unreadable("door-forced", START, "because")
    silence = Silence(
        id=SilenceId("s1"),
        subject=Subject.CAMERA,
        name="lobby",
        starts_at=START,
        until=START + timedelta(hours=1),
        ends_at=START + timedelta(hours=1),
        author="ann",
        comment="fine",
    )

    refused = [
        RefusedAlarm(
            received_at=START,
            outcome=outcome,
            rule=RuleName("door-forced"),
            detail="silenced by ann until XX: fine",
            topic="a/north",
            payload="{}",
        )
        for outcome in Outcome
    ]

    def step(tx: object) -> None:
        tx.losses.save([lost])  # type: ignore[attr-defined]
        tx.silences.save([silence])  # type: ignore[attr-defined]
        tx.refused.save(refused)  # type: ignore[attr-defined]

    await site.store.write(step)


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_of_an_empty_site(site: Site, path: str) -> None:
    assert bypassing(await page(site, path), KNOWN) == []


@pytest.mark.parametrize(
    "path",
    [
        *PAGES,
        *(
            f"/incidents/20261123-060001-00000001{act}"
            for act in ["", *(f"/{a}" for a in ACTS)]
        ),
        "/incidents/20261123-060002-00000002",
        "/silences/s1/end",
    ],
)
async def test_a_page_of_a_site_where_much_is_wrong(site: Site, path: str) -> None:
    await fill(site)
    site.control.why_unready = ["the store has not answered for 10 s"]
    minute = timedelta(minutes=1)
    site.control.status = [
        RecorderStatus(
            name=RecorderName("main"),
            is_up=False,
            problem="version 2.6 cannot export: exportVideo came with 2.7; update it",
            offset=-minute,
            answered_ago=minute,
            next_try=minute,
            limited_until=START,
            stuck={"V": "the store has not answered for 10 s"},
            budget=Budget(limit=10_000_000),
            budget_until=START,
        ),
        RecorderStatus(name=RecorderName("north"), is_up=True, offset=minute),
    ]
    site.control.mounts = [
        ShareStatus(
            destination=DestinationName("nas"),
            problem="/mnt is full: make room",
            no_records="/mnt is full: make room",
            room=Room(free=400_000_000, total=10**9),
        )
    ]
    site.control.told = ["notify.main takes no messages: because"]
    assert bypassing(await page(site, path), KNOWN) == []


async def test_what_a_form_is_refused_with(site: Site) -> None:
    await fill(site)
    for path, form in [
        ("/save", "camera=lobby&from=XX&to=XX"),
        ("/save", "camera=lobby&from=&to=&comment=fine"),
        ("/silences", "subject=rule&name=door&for=XX"),
        ("/silences", "subject=&name="),
        ("/incidents/20261123-060001-00000001/cancel", "comment="),
    ]:
        got = await site.ask(
            "POST",
            path,
            headers={
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "text/html",
                "Origin": site.url,
            },
            body=form.encode(),
        )
        assert got.status in {400, 404, 409}, got.body
        assert bypassing(got.body.decode(), KNOWN) == []


async def test_the_page_for_logging_in(tmp_path: Path) -> None:
    users = {
        "ann": Account(password=HASHED),
        "guard": Account(password=HASHED, role=Role.VIEWER),
    }
    languages = Languages("nl", lambda _: TONGUE)
    async with serving(tmp_path, users=users, languages=languages) as site:
        assert bypassing(await page(site, "/login"), KNOWN) == []
        got = await site.ask(
            "POST",
            "/login",
            headers={
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "text/html",
                "Origin": site.url,
            },
            body=b"name=ann&password=wrong",
        )
        assert got.status == 401
        assert bypassing(got.body.decode(), KNOWN) == []


def head() -> Letterhead:
    return Letterhead(
        instance="test",
        zone=UTC,
        retentions={"main": timedelta(days=30)},
        tongue=TONGUE,
    )


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("kind", [k for k in NoticeKind if k is not NoticeKind.REPORT])
def test_a_message_of_this_kind(kind: NoticeKind, phase: Phase) -> None:
    is_lost = kind in OF_INCIDENTS
    notice = Notice(
        kind=kind,
        subject="main",
        severity=Severity.WARNING,
        at=START,
        text="no-video" if kind in OF_RULES else "the store has not answered for 10 s",
        phase=phase,
        what="Lobby" if is_lost else "",
        cameras=("Lobby",) if is_lost else (),
        begin=START if is_lost else None,
        end=START + timedelta(minutes=1) if is_lost else None,
        why="Lobby missing: the recorder has no video of it (asked 16 times)",
        advice="Make room; it goes on by itself.",
        recorders=("main",),
    )
    pile = Pile(
        route="duty",
        kind=kind,
        subject="main",
        severity=Severity.WARNING,
        count=9 if kind in OF_RULES and phase is Phase.ENDED else 1,
        first_at=START,
        last_at=START,
        samples=(notice,),
        reasons={"no-video": 8, "no answer yet": 1},
    )
    message = compose([pile], head())
    assert outside(message.title, KNOWN) == []
    assert outside(message.body, KNOWN) == []


def test_the_report_of_a_day() -> None:
    trouble = Trouble(
        kind=NoticeKind.RECORDER, name="main", text="because", since=START
    )
    tally = Tally(
        rule="door",
        state=IncidentState.PARTIAL,
        reason="operator",
        incidents=2,
        alarms=3,
    )
    report = DayReport(
        day=date(2026, 11, 23),
        start=START,
        end=START + timedelta(days=1),
        now=START + timedelta(days=1),
        zone=UTC,
        figures=Figures(
            incidents=[tally],
            clips=[],
            troubles=[trouble],
            silences=[],
            not_taken={"unmatched": 3},
            is_cut=True,
        ),
        verdict=verdict(Findings(now=START, troubles=[trouble])),
    )
    assert outside(report_text(report, TONGUE), KNOWN) == []
    assert "Recorder main has not answered" in report_text(report, ENGLISH)


async def test_each_browser_gets_its_language_at_once(tmp_path: Path) -> None:
    """Also where another looked at the same part a moment ago."""
    async with serving(tmp_path) as site:
        for wish, code, words in [
            ("nl-BE", "nl", "Geen incidenten in de laatste 24 uur."),
            ("de", "de", "Keine Vorfälle in den letzten 24 Stunden."),
            ("fr", "en", "No incidents in the last 24 hours."),
            ("nl;q=0.1, de;q=0.9", "de", "Keine Vorfälle in den letzten 24 Stunden."),
        ]:
            asked = {"Accept": "text/html", "Accept-Language": wish}
            whole = await site.ask("GET", "/", headers=asked)
            live = {**asked, "X-Evidenced-Live": "1"}
            part = await site.ask("GET", "/", headers=live)
            assert f'<html lang="{code}">' in whole.body.decode()
            for got in (whole, part):
                assert words in got.body.decode()
                assert got.headers["Content-Language"] == code
                assert got.headers["Vary"] == "Accept-Language"


async def test_a_configured_language_is_everybodys(tmp_path: Path) -> None:
    async with serving(tmp_path, languages=Languages("de")) as site:
        asked = {"Accept": "text/html", "Accept-Language": "nl"}
        got = await site.ask("GET", "/", headers=asked)
        assert got.headers["Content-Language"] == "de"
        assert "Vary" not in got.headers
        assert '<html lang="de">' in got.body.decode()
        lost = await site.ask("GET", "/nowhere", headers=asked)
        assert "Unter dieser Adresse ist nichts." in lost.body.decode()
        told = await site.ask("GET", "/api/nowhere", headers={"Accept-Language": "nl"})
        assert told.error() == (404, "not-found", "there is nothing at this address")
