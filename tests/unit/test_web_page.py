from datetime import timedelta

from evidenced.core.ids import RecorderName
from evidenced.core.incidents.history import Entry, Told
from evidenced.ports.control import RecorderStatus
from evidenced.web.events import render_event
from evidenced.web.incidentpage import detail_of
from evidenced.web.recorders import recorder_object
from fakes.clock import START


def test_an_event_cannot_forge_another() -> None:
    entry = Entry(
        incident=None,
        at=START,
        event="opened\n\nid: 9",
        detail={"topic": "a\n\ndata: x\r\u2028", "lone": "\ud800"},
    )
    block = render_event(Told(seq=4, entry=entry)).decode()
    assert block.startswith("id: 4\nevent: opened\ufffd\ufffdid: 9\ndata: {")
    assert block.count("\n\n") == 1
    assert block.endswith("\n\n")


def test_a_recorder_s_next_try_is_an_instant() -> None:
    status = RecorderStatus(
        name=RecorderName("main"),
        is_up=False,
        problem="it does not answer",
        offset=timedelta(seconds=-3),
        next_try=timedelta(seconds=90),
    )
    shown = recorder_object(status, START)
    assert shown["next_try"] == "2026-11-23T06:01:30.000Z"
    assert shown["clock_offset_s"] == -3.0
    assert shown["up"] is False


def test_a_step_of_a_clip_is_read_as_an_arrow() -> None:
    detail = {
        "state": {"from": None, "to": "recording"},
        "clips": {"3": {"camera": "lobby", "from": "due", "to": "missing"}},
    }
    entry = Entry(incident=None, at=START, event="x", detail=detail)
    assert detail_of(entry) == [
        ("state", "-> recording"),
        ("clips", "3: lobby due -> missing"),
    ]
