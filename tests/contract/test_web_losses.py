"""What is lost, some of it or all at once: retried, or acknowledged as it was shown."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from evidenced.core.ids import IncidentId
from evidenced.core.keeping.loss import LossKind, loss_about, unreadable
from fakes.clock import START
from fakes.incident import ended
from fakes.site import Reply, Site, serving

MINUTE = timedelta(minutes=1)
NAMES = ("i1", "i2", "i3")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with serving(tmp_path) as site:
        lost = [
            loss_about(LossKind.INCIDENT, IncidentId(name), "gone", START + n * MINUTE)
            for n, name in enumerate(NAMES)
        ]
        unread = unreadable("panic", START, "no JSON")
        await site.store.write(lambda tx: tx.losses.save([*lost, unread]))
        yield site


async def send(site: Site, path: str, form: str) -> Reply:
    return await site.ask(
        "POST",
        path,
        headers={
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "text/html",
            "Origin": site.url,
        },
        body=form.encode(),
    )


def asked(site: Site) -> list[tuple[object, ...]]:
    return [each[:2] for each in site.control.asked]


def hidden(page: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page):
        found.setdefault(name, []).append(value)
    return found


async def test_only_what_was_chosen_is_acknowledged_or_retried(site: Site) -> None:
    chosen = "incident=i1&incident=i2"
    shown = await site.get(f"/losses/acknowledge?{chosen}", Accept="text/html")
    page = shown.body.decode()
    assert "2 incidents without" in page
    assert hidden(page) == {
        "incident": ["i1", "i2"],
        "seen": ["2026-11-23T06:01:00+00:00"],
    }
    form = f"{chosen}&comment=known&seen=2026-11-23T06:01:00Z"
    await send(site, "/losses/acknowledge", form)
    assert [each[1:] for each in site.control.asked] == [
        ("i1", "known", "unnamed at 127.0.0.1", START + MINUTE),
        ("i2", "known", "unnamed at 127.0.0.1", START + MINUTE),
    ]
    site.control.asked.clear()
    site.control.answer = ended()
    await send(site, "/losses/retry", "incident=i3")
    assert asked(site) == [("retry", "i3")]


async def test_without_a_choice_it_is_all(site: Site) -> None:
    page = (await site.get("/losses/acknowledge", Accept="text/html")).body.decode()
    assert "3 incidents without" in page
    await send(site, "/losses/acknowledge", "comment=known")
    assert asked(site) == [("acknowledge", name) for name in NAMES]
    none = await site.get("/losses/retry?incident=other", Accept="text/html")
    assert "Nothing is left to do" in none.body.decode()


async def test_each_that_is_lost_has_a_box_where_people_may_choose(site: Site) -> None:
    page = (await site.get("/without-footage", Accept="text/html")).body.decode()
    assert re.findall(r'type="checkbox" name="incident" value="(\w+)"', page) == [
        *NAMES
    ]
    home = (await site.get("/", Accept="text/html")).body.decode()
    assert 'type="checkbox" name="incident"' not in home


async def test_messages_are_acknowledged_as_they_were_shown(site: Site) -> None:
    page = (await site.get("/losses/unreadable", Accept="text/html")).body.decode()
    assert hidden(page) == {"seen": ["2026-11-23T06:00:00+00:00"]}
    await send(site, "/losses/unreadable", "comment=x&seen=2026-11-23T06:00:00Z")
    assert site.control.asked == [("acknowledge", "x", "unnamed at 127.0.0.1", START)]
