"""A row in every table, whatever tables there are."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Table, insert

from evidenced.ports import Tx


def fill(tx: Tx, tables: Iterable[Table], incident: str, at: int) -> None:
    """A row in each of them that has none, of this incident where it is of one."""
    for table in tables:
        if not tx._db.execute(table.select()).first():
            tx._db.execute(insert(table).values(filled(table, incident, at)))


def other_rows(incident: str, at: int) -> dict[str, dict[str, Any]]:
    """Of tables that the life of these incidents leaves empty."""
    return {
        "footage": {"destination": "nas", "state": "kept", "depicted": "{}"},
        "tags": {"camera": "lobby", "state": "confirmed", "end_at": at + 9},
        "records": {"state": "written", "folders": "[]", "intended": "[]"},
        "record_files": {"folder": "V:\\x", "name": '"a.g64"', "was": "[]"},
        "exports": {"id": 1, "state": "exported", "finished_at": at, "devices": "[]"},
        "refused_alarms": {"seq": 5, "outcome": "invalid"},
        "silences": {"subject": "rule", "until": at + 9, "ends_at": at + 9},
        "troubles": {"kind": "broker", "name": "b"},
        "losses": {"kind": "incident", "name": incident},
        "memories": {"rule": "r", "key": "k", "names": "{}"},
        "condition_states": {"name": "night"},
        "piles": {"since": at, "samples": "[]", "reasons": "{}"},
        "stills": {"state": "kept"},
        "rule_settings": {"digest": "d", "text": "{}"},
    }


def filled(table: Table, incident: str, at: int) -> dict[str, Any]:
    """A row that the table takes."""
    row = {
        column.name: (
            None
            if column.nullable
            else at
            if column.name.endswith("_at") or column.name in {"since", "until", "at"}
            else 1
            if column.type.python_type is int
            else b"x"
            if column.type.python_type is bytes
            else "x"
        )
        for column in table.columns
    }
    if "incident" in row and not table.c.incident.nullable:
        row["incident"] = incident
    return row | other_rows(incident, at).get(table.name, {})
