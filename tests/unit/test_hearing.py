"""A source that has fallen silent: `rules.expect_every`."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from evidenced.core.alarms.alarm import Alarm
from evidenced.core.site import Site
from evidenced.core.telling.notice import NoticeKind
from evidenced.core.trust import exactly
from evidenced.pipeline.hearing import Hearing
from evidenced.store import SqlStore, StoreSettings, open_store
from fakes.clock import START
from fakes.world import TOML, build_site, load_text

HOUR = timedelta(hours=1)
EVERY = 'expect_every = "26h"\n'


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(StoreSettings(directory=tmp_path / "state"))
    yield made
    made.close()


def site_of(more: str = EVERY) -> Site:
    text = TOML.format(destination="", cameras='"lobby"') + more
    return build_site(load_text(text).config)


SITE = site_of()
[RULE] = SITE.rules
KEY = (NoticeKind.SOURCE, RULE.name)
TOPIC = RULE.topics[0].filter.replace("+", "north").replace("#", "x")


def alarm(at: timedelta, topic: str = TOPIC) -> Alarm:
    return Alarm(topic=topic, payload=b"{}", received_at=START + at)


def silent(hearing: Hearing, after: timedelta, site: Site = SITE) -> bool:
    return KEY in hearing.silent(site, exactly(START + after))


def test_silence_begins_after_the_time_and_ends_with_any_message_of_its_topics() -> (
    None
):
    hearing = Hearing()
    hearing.hear(SITE, [alarm(HOUR)])
    assert not silent(hearing, 27 * HOUR)
    assert silent(hearing, 27 * HOUR + timedelta(seconds=1))
    hearing.hear(SITE, [alarm(28 * HOUR, "somewhere/else")])
    hearing.hear(SITE, [replace(alarm(28 * HOUR), retained=True)])
    assert silent(hearing, 28 * HOUR)
    hearing.hear(SITE, [alarm(28 * HOUR)])
    assert not silent(hearing, 28 * HOUR)


def test_it_says_since_when_by_the_clock_on_the_wall() -> None:
    hearing = Hearing()
    hearing.hear(SITE, [alarm(HOUR)])
    [text] = hearing.silent(SITE, exactly(START + 28 * HOUR)).values()
    assert "2026-11-23T07:00:00.000Z" in text
    assert "every 1 d 2 h" in text


def test_one_that_was_never_heard_has_its_time_from_the_start() -> None:
    hearing = Hearing()
    assert not silent(hearing, HOUR)
    assert not silent(hearing, 27 * HOUR)
    assert silent(hearing, 28 * HOUR)


def test_a_clock_in_doubt_knows_of_no_silence() -> None:
    hearing = Hearing()
    hearing.hear(SITE, [alarm(HOUR)])
    doubt = replace(exactly(START + 99 * HOUR), is_trusted=False)
    assert hearing.silent(SITE, doubt) == {}


def test_a_rule_that_expects_nothing_is_never_silent() -> None:
    site, hearing = site_of(""), Hearing()
    hearing.hear(site, [alarm(HOUR)])
    assert hearing.silent(site, exactly(START + 999 * HOUR)) == {}


async def test_a_restart_begins_no_new_wait(store: SqlStore) -> None:
    before, after = Hearing(), Hearing()
    before.hear(SITE, [alarm(HOUR)])
    await store.write(before.note)
    await store.read(after.recall)
    assert silent(after, 28 * HOUR)


async def test_what_came_since_the_start_is_newer_than_the_note(
    store: SqlStore,
) -> None:
    before, after = Hearing(), Hearing()
    before.hear(SITE, [alarm(HOUR)])
    await store.write(before.note)
    after.hear(SITE, [alarm(9 * HOUR)])
    await store.read(after.recall)
    assert not silent(after, 28 * HOUR)
