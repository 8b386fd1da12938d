"""What programs published when they were run (tests/live), and the shipped rules."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from evidenced.core.alarms.alarm import Outcome
from fakes.playedrules import Message
from fakes.shippedsystems import make_play

CAPTURED = Path(__file__).parent / "captured"
ONE_INCIDENT = {
    "modbus2mqtt-0.73": ("modbus", datetime(2026, 11, 30, 17, 5, tzinfo=UTC)),
    "paradox-pai-3.8.1": ("paradox-pai", datetime(2026, 11, 30, 10, 7, 47, tzinfo=UTC)),
}


@pytest.mark.parametrize("file", ONE_INCIDENT)
def test_one_alarm_and_its_end_are_one_incident(file: str) -> None:
    system, begin = ONE_INCIDENT[file]
    play = make_play(system)
    outcomes = []
    lines = (CAPTURED / f"{file}.jsonl").read_text().splitlines()
    for n, line in enumerate(lines):
        said = json.loads(line)
        message = Message(said["topic"], said["payload"], Outcome.UNMATCHED)
        at = begin + timedelta(milliseconds=100 * n)
        heard = play.hear(message, at)
        if heard.incident is not None:
            outcomes.append(heard.outcome)
    assert outcomes.count(Outcome.OPENED) == 1
    assert outcomes.count(Outcome.CLEARED) == 1
    assert len(play.incidents) == 1
    assert all(incident.clips for incident in play.incidents.values())
