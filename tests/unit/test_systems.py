"""config/systems: each file does with its system's messages what its head says."""

import re
from collections.abc import Iterator

import pytest

from evidenced.config import load_text
from evidenced.config.compile import build_site
from evidenced.core.alarms.alarm import Outcome
from fakes.playedrules import GAP, Message, Play, as_retained, played
from fakes.rule import RECEIVED
from fakes.shippedsystems import FILES, ROOT, SITE, loaded, make_play
from fakes.systemadvice import advice_of
from fakes.systemplays import PLAYS

HEAD = ("Bridge", "Source", "Alarm", "Clear", "Trap", "Adapt")


def test_the_readme_counts_them() -> None:
    readme = (ROOT / "README.md").read_text()
    assert f"For {len(FILES)} alarm systems" in readme
    assert len(FILES) >= 25


@pytest.mark.parametrize("system", FILES)
def test_its_head_says_what_an_integrator_asks(system: str) -> None:
    text = FILES[system].read_text()
    head = text.partition("\n\n")[0]
    labels = re.findall(r"^# ([A-Z][a-z]+): +\S", head, re.MULTILINE)
    assert tuple(labels) == HEAD
    assert re.match(r"# \S", text)
    uses_group = f'"@{system}"' in text
    assert uses_group or 'cameras = ["{camera}"]' in text
    assert f"{system}" in head, "which group to define"


@pytest.mark.parametrize("system", FILES)
def test_it_is_fine_in_a_minimal_site(system: str) -> None:
    site = loaded(system)
    uses_group = f'"@{system}"' in FILES[system].read_text()
    unused = f"groups.{system}: is used by no rule"
    assert [
        w for w in site.warnings if not (w.startswith(unused) and not uses_group)
    ] == []
    assert [rule for rule in site.config.rules if rule.enabled]


@pytest.mark.parametrize("system", FILES)
def test_a_copy_works_like_an_include(system: str) -> None:
    text = SITE.format(system=system) + FILES[system].read_text()
    assert load_text(text).config.rules == loaded(system).config.rules


@pytest.mark.parametrize("system", FILES)
def test_what_waits_for_a_clear_does_not_wait_for_ever(system: str) -> None:
    for rule in loaded(system).config.rules:
        assert bool(rule.clear) == ("clear_within" in rule.model_fields_set), rule.name
        assert rule.group_by or system in SITE_WIDE, rule.name


SITE_WIDE = {"ajax-sia", "alarmo", "home-assistant", "intelbras"}
"""Systems with one state for all: their rules cannot tell alarms apart."""


@pytest.mark.parametrize("name", PLAYS)
def test_messages_of_its_traits_do_what_they_must(name: str) -> None:
    play, messages = make_play(name), PLAYS[name]
    for message, heard in zip(messages, played(play, messages), strict=True):
        told = f"{message.topic} {message.payload}: {heard}"
        assert heard.outcome is message.outcome, told
        if heard.outcome is Outcome.CLEARED:
            assert (heard.incident is None) is message.is_idle, told
        assert heard.faults == (), told
        if heard.moment is not None:
            assert heard.is_from_receipt is not bool(message.time), told
            if message.time:
                clock = heard.moment.isoformat(timespec="milliseconds")[11:23]
                assert clock == message.time, told
    assert all(incident.clips for incident in play.incidents.values())


@pytest.mark.parametrize("name", PLAYS)
def test_a_replay_of_a_retained_message_opens_nothing(name: str) -> None:
    play = make_play(name)
    replayed = [as_retained(message) for message in PLAYS[name]]
    outcomes = {heard.outcome for heard in played(play, replayed)}
    assert outcomes <= {Outcome.RETAINED, Outcome.UNMATCHED, Outcome.EXCEPTED}
    assert play.incidents == {}


def played_messages() -> Iterator[tuple[str, Play, list[Message]]]:
    """Each play with its system, and what the heads of the files play."""
    for name, messages in PLAYS.items():
        yield name.partition(":")[0], make_play(name), messages
    for system in FILES:
        for advice in advice_of(system):
            site = build_site(advice.loaded().config)
            said = [Message(m.topic, m.payload, m.outcome) for m in advice.messages]
            yield system, Play(site=site, rules=site.rules), said


def test_each_rule_of_each_file_has_its_play() -> None:
    """Every rule opens, every rule with a clear is cleared, every file refuses."""
    seen: dict[str, set[Outcome]] = {}
    for system, play, messages in played_messages():
        for n, message in enumerate(messages):
            before = dict(play.incidents)
            heard = play.hear(message, RECEIVED + n * GAP)
            seen.setdefault(system, set()).add(heard.outcome)
            for key, incident in play.incidents.items():
                if before.get(key) != incident:
                    rule = f"{system}:{incident.rule}"
                    seen.setdefault(rule, set()).add(heard.outcome)
    again = {Outcome.DUPLICATE, Outcome.EXTENDED, Outcome.UNCHANGED}
    for system in FILES:
        for rule in loaded(system).config.rules:
            outcomes = seen.get(f"{system}:{rule.name}", set())
            assert Outcome.OPENED in outcomes, rule.name
            assert not rule.clear or Outcome.CLEARED in outcomes, rule.name
        assert Outcome.UNMATCHED in seen[system], system
        assert again & seen[system], system
