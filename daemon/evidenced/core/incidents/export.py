"""One export request: the due clips of one incident and one recorder, asked at once."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from evidenced.core.ids import (
    ExportId,
    IncidentId,
    RecorderName,
    SessionId,
)
from evidenced.core.incidents.states import EXPORTS, ExportState
from evidenced.core.recorder import DeviceWindow, ExportOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedDevice:
    """One device of an export request and the clip that it serves."""

    clip: int
    asked: DeviceWindow
    percent: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """An export as intended, asked and answered.

    `id` is our own number; `exportid` the recorder's, believed only within `session`.
    `n` counts the exports of one incident on one recorder from 1.
    `offset` is the clock offset that the devices' windows were shifted by.
    `code` and `text` are the recorder's answer to the request.
    """

    id: int
    incident: IncidentId
    recorder: RecorderName
    n: int
    path: str
    bandwidth: int
    devices: tuple[ExportedDevice, ...]
    offset: timedelta
    state: ExportState = ExportState.REQUESTED
    requested_at: datetime
    answered_at: datetime | None = None
    finished_at: datetime | None = None
    session: SessionId | None = None
    exportid: ExportId | None = None
    code: str = ""
    text: str = ""

    def moved(
        self,
        state: ExportState,
        **changes: Any,  # noqa: ANN401 - fields, the constructor knows their types
    ) -> "ExportRequest":
        """The export after one step of the table, with these fields changed besides.

        Raises:
            IllegalStep: the table has no such step.
        """
        return replace(self, state=EXPORTS.step(self.state, state), **changes)

    @property
    def is_live(self) -> bool:
        """Whether it holds a slot and bandwidth at the recorder."""
        return not EXPORTS[self.state].is_ended

    @property
    def order(self) -> ExportOrder:
        """What goes over the wire."""
        return ExportOrder(
            devices=tuple(device.asked for device in self.devices),
            path=self.path,
            bandwidth=self.bandwidth,
        )

    @property
    def percent(self) -> float:
        """Mean progress of its devices, 0 to 100; unknown counts as 0."""
        if not self.devices:
            return 0.0
        return sum(device.percent or 0.0 for device in self.devices) / len(self.devices)
