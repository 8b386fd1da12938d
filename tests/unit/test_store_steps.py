"""A step writes fewer columns: none that changed may be forgotten."""

from dataclasses import fields

import pytest

from evidenced.core.incident import Clip, Incident
from evidenced.core.states import ClipState
from evidenced.store import rows
from evidenced.store.schema import clips, incidents
from evidenced.store.statement import Moves
from fakes.incident import ended, requested

FOREVER = {"id", "rule", "key"}
"""Of an incident: what it is from beginning to end."""


def test_every_part_of_an_incident_is_in_its_step_or_makes_it_none() -> None:
    parts = {each.name for each in fields(Incident)}
    compared = set(rows.ALARMED) | {"clips"}
    assert parts - compared - FOREVER <= set(rows.INCIDENT_STEP)


def test_every_part_of_a_clip_is_in_its_step_or_makes_it_none() -> None:
    parts = {each.name for each in fields(Clip)}
    assert parts - set(rows.PLACED) - {"n"} <= set(rows.CLIP_STEP)


@pytest.mark.parametrize(
    ("table", "columns"), [(incidents, rows.INCIDENT_STEP), (clips, rows.CLIP_STEP)]
)
def test_a_step_is_made_of_columns(table: object, columns: tuple[str, ...]) -> None:
    assert set(columns) <= {each.name for each in table.columns}  # type: ignore[attr-defined]


def test_a_step_tells_every_column_that_is_different_and_no_other() -> None:
    before = ended()
    after, _ = requested(before)
    old, new = rows.incident_row(before), rows.incident_row(after)
    assert rows.incident_step(before, after) == _different(old, new)
    for was, clip in zip(before.clips, after.clips, strict=True):
        old, new = rows.clip_row(before, was), rows.clip_row(after, clip)
        assert rows.clip_step(was, clip) == _different(old, new)
        assert rows.clip_step(was, clip) == {"state": ClipState.REQUESTED.value}


def test_a_row_in_which_nothing_changed_is_not_written() -> None:
    incident = ended()
    moves = Moves(incidents, "id")
    moves.add(rows.incident_step(incident, incident), id=incident.id)
    assert not moves.by_columns


def _different(old: dict[str, object], new: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in new.items() if value != old[name]}


def test_what_is_read_from_rows_has_every_field_and_is_what_was_written() -> None:
    incident = ended()
    clip_rows = [rows.clip_row(incident, clip) for clip in incident.clips]
    found = rows.incident_of(rows.incident_row(incident), clip_rows)
    assert found == incident
    assert found.__dict__.keys() == {each.name for each in fields(Incident)}
    for clip in found.clips:
        assert clip.__dict__.keys() == {each.name for each in fields(Clip)}
