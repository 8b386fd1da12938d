"""config/systems: what each file's head advises, done exactly as it is written."""

from itertools import chain

import pytest

from evidenced.config.compile import build_site
from evidenced.core.alarms.alarm import Outcome
from fakes.playedrules import GAP, Message, Play
from fakes.rule import RECEIVED
from fakes.shippedsystems import FILES
from fakes.systemadvice import Advice, advice_of

EXCEPTED = Outcome.EXCEPTED, Outcome.UNMATCHED
"""What a rule leaves out, said as what nobody takes."""
ALL = list(chain.from_iterable(advice_of(system) for system in sorted(FILES)))


@pytest.mark.parametrize("advice", ALL, ids=lambda a: f"{a.system}-{a.title}")
def test_its_messages_do_what_it_says(advice: Advice) -> None:
    loaded = advice.loaded()
    unused = f"groups.{advice.system}: is used by no rule"
    assert [each for each in loaded.warnings if not each.startswith(unused)] == []
    site = build_site(loaded.config)
    play = Play(site=site, rules=site.rules)
    for n, said in enumerate(advice.messages):
        before = set(play.incidents)
        payload = "" if said.payload == "(empty)" else said.payload
        message = Message(said.topic, payload, said.outcome)
        heard = play.hear(message, RECEIVED + n * GAP)
        told = f"{said.topic} {said.payload}: {heard}"
        outcomes = heard.outcome, said.outcome
        assert outcomes == EXCEPTED or heard.outcome is said.outcome, told
        assert heard.faults == (), told
        opened = [each for key, each in play.incidents.items() if key not in before]
        cameras = {str(clip.camera) for each in opened for clip in each.clips}
        assert cameras == said.opens, told
        if heard.outcome is Outcome.CLEARED:
            assert (heard.incident is None) is (said.said == "end of nothing"), told


@pytest.mark.parametrize("system", FILES)
def test_each_file_shows_an_alarm_and_how_to_adapt_it(system: str) -> None:
    first, *others = advice_of(system)
    assert first.title == "As it is"
    assert first.toml.strip() == ""
    assert any(said.opens for said in first.messages)
    for advice in others:
        assert advice.toml.strip(), advice.title
        assert advice.messages, advice.title
