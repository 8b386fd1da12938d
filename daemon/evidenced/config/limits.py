"""Limits on what alarms can cause, whoever sends them."""

from typing import Annotated

from pydantic import Field

from evidenced.config.forms import whole
from evidenced.config.section import Section

MOST = 1_000_000


class LimitsConfig(Section):
    alarms_per_topic: Annotated[int, whole(0, MOST)] = Field(
        default=600,
        description="Alarms a minute on one topic that may open incidents. Those "
        "beyond are kept and exported all the same, in one incident for all groups of "
        "their rule, without waiting for a clear. 0 = unlimited.",
    )
    incidents_per_rule: Annotated[int, whole(0, MOST)] = Field(
        default=1000,
        description="Incidents an hour of one rule. Alarms beyond are kept and "
        "exported all the same, likewise in one. 0 = unlimited.",
    )
    exports_per_recorder: Annotated[int, whole(0, MOST)] = Field(
        default=1000,
        description="Export requests an hour on one recorder, those that are sent "
        "again not counted. Clips beyond wait until the hour is over. 0 = unlimited.",
    )
