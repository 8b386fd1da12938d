"""Which ready-made rules `evidenced init` proposes for what it hears."""

import pytest

from evidenced.cli.recognise import Recogniser
from evidenced.core.alarms.payload import PayloadFormat
from fakes.rule import make_alarm
from fakes.shippedsystems import FILES
from fakes.systemadvice import advice_of


@pytest.fixture(scope="module")
def nothing() -> Recogniser:
    return Recogniser.of_shipped()


@pytest.fixture
def heard(nothing: Recogniser) -> Recogniser:
    nothing.found, nothing.topics, nothing.messages = {}, {}, 0
    return nothing


@pytest.mark.parametrize("system", FILES)
def test_the_messages_of_each_file_are_recognised(
    system: str, heard: Recogniser
) -> None:
    first, *_ = advice_of(system)
    for said in first.messages:
        heard.hear(make_alarm(said.topic, said.payload.encode()))
    assert system in [each.system for each in heard.likely()]
    assert heard.found[system].title == heard.titles[system]


def test_topics_of_its_own_may_be_a_system(heard: Recogniser) -> None:
    heard.hear(make_alarm("zigbee2mqtt/Lamp", b'{"state": "ON"}'))
    assert heard.likely() == []
    assert [each.system for each in heard.possible()] == ["zigbee2mqtt"]


def test_what_nobody_knows_is_only_counted(heard: Recogniser) -> None:
    payloads = {"json": b'{"a": 1}', "text": b"on", "any": b"\xff\xd8\xff"}
    for topic, payload in payloads.items():
        heard.hear(make_alarm(f"own/{topic}", payload))
    assert heard.found == {}
    assert heard.messages == 3
    assert heard.topics == {f"own/{each}": PayloadFormat(each) for each in payloads}


def test_cameras_that_alarms_name_are_known(heard: Recogniser) -> None:
    heard.hear(make_alarm("neolink/drive/status/motion", b"on"))
    assert heard.found["neolink"].cameras == {"drive"}
    assert heard.rules_naming_cameras("neolink") == ["neolink-motion"]
