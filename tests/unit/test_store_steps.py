"""A step writes fewer columns: none may be forgotten."""

from dataclasses import fields

import pytest

from evidenced.core.incidents.incident import Clip, Incident
from evidenced.store import rows
from evidenced.store.schema import clips, incidents

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
