import json
from collections.abc import Mapping
from datetime import UTC
from typing import Any

from evidenced.core.alarms.alarm import Signal
from evidenced.core.incidents.history import Entry
from evidenced.core.keeping.evidence import Record, RecordState
from evidenced.core.keeping.kept import AuditHead, Dossier, KeptAlarm
from evidenced.core.telling.manifest import Circumstances, Folder, encode, manifest
from evidenced.core.telling.objects import (
    incident_object,
    incident_row,
    retained_state,
)
from fakes.incident import LOBBY, ended, requested, t

HEAD = "id rule label summary key state opened ended"
PROMISED = {
    "": HEAD + " reason finished fields alarms clips exports history",
    "alarms": "received time time_source topic payload",
    "clips": "camera label recorder server device start end state attempts code "
    "message next_try",
    "exports": "recorder exportid path bandwidth devices requested finished state "
    "progress",
    "history": "at event detail",
}
"""Names that programs rely on, of an incident and of the rows in its lists."""


def dossier() -> Dossier:
    incident, export = requested(ended(LOBBY))
    alarm = KeptAlarm(
        incident=incident.id,
        n=1,
        received_at=t("12:00"),
        at=t("12:00"),
        signal=Signal.ACTIVE,
        time_source="received",
        topic="t",
        payload=b"\xff\x1b",
    )
    entry = Entry(incident=incident.id, at=t("12:00"), event="opened", detail={"a": 1})
    return Dossier(
        incident=incident, alarms=(alarm,), exports=(export,), history=(entry,)
    )


def test_what_programs_rely_on_is_there() -> None:
    value = incident_object(dossier())
    for where, names in PROMISED.items():
        rows: Any = value[where] if where else [value]
        for row in rows:
            assert set(names.split()) <= row.keys()


def test_the_record_is_made_of_the_api_s_objects() -> None:
    found = dossier()
    record = Record(
        incident=found.incident.id,
        state=RecordState.WANTED,
        wanted_at=t("12:00"),
        due_at=None,
    )
    around = Circumstances(
        instance="hq",
        now=t("13:00"),
        head=AuditHead(seq=1, hash=""),
        versions={},
        rule=None,
        key="",
        zone=UTC,
        site="",
    )
    folder = Folder(path="V:\\a", place=("a",), files=(), others=())
    said = json.loads(encode(manifest(found, record, folder, around)))["incident"]
    shown = json.loads(json.dumps(incident_object(found)))
    [exact], [safe] = said.pop("alarms"), shown.pop("alarms")
    assert said == shown
    payload = {"payload": "/xs=", "encoding": "base64", "bytes": 2}
    assert exact == safe | payload
    assert safe["payload"] == "\ufffd\ufffd"


def test_lists_and_mqtt_say_the_same_of_an_incident() -> None:
    found = dossier()
    whole = incident_object(found)
    row = incident_row(found.incident, found.exports)
    state = retained_state(found.incident, found.exports)
    assert differing(row, whole) == {"alarms"}
    assert differing(state, whole) == {"clips", "path"}
    assert state["clips"] == {"total": 1, "exported": 0, "missing": 0, "rejected": 0}
    assert state["path"] == found.exports[0].path
    assert state.keys() == {*HEAD.split(), "clips", "path"}


def differing(some: Mapping[str, object], whole: Mapping[str, object]) -> set[str]:
    return {name for name in some if some[name] != whole.get(name)}
