"""One export request: the due clips of one incident and one recorder, asked at once."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from evidenced.core.address import Handle
from evidenced.core.ids import DestinationName, IncidentId, RecorderName
from evidenced.core.incidents.states import EXPORT_LIVE, EXPORTS, ExportState
from evidenced.core.recorder import DeviceWindow, ExportOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedDevice:
    """One device of an export request and the clip that it serves.

    `has_failed` is whether the recorder could not do it: its clip goes its own way.
    """

    clip: int
    asked: DeviceWindow
    percent: float | None = None
    has_failed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """An export as intended, asked and answered.

    `id` is our own number, `handle` what the recorder knows it by.
    `n` counts the exports of one incident on one recorder from 1.
    `offset` is the clock offset that the devices' windows were shifted by.
    `code` and `text` are the recorder's answer to the request.
    `unsent` counts tries that certainly never reached the recorder. `is_unsent`: so did
    the last one, and nothing has to be looked up before it is sent again.
    `moved_at` is when its progress was last seen to change.
    While its folder is to be looked at: the next look is at `check_at`, `blanks` looks
    in a row have found nothing, `failures` in a row could not be made.
    """

    id: int
    incident: IncidentId
    recorder: RecorderName
    destination: DestinationName
    n: int
    path: str
    bandwidth: int
    devices: tuple[ExportedDevice, ...]
    offset: timedelta
    state: ExportState = ExportState.REQUESTED
    requested_at: datetime
    answered_at: datetime | None = None
    finished_at: datetime | None = None
    handle: Handle | None = None
    code: str = ""
    text: str = ""
    unsent: int = 0
    is_unsent: bool = False
    moved_at: datetime | None = None
    check_at: datetime | None = None
    blanks: int = 0
    failures: int = 0

    def moved(
        self,
        state: ExportState,
        **changes: Any,  # noqa: ANN401 - fields, the constructor knows their types
    ) -> "ExportRequest":
        """The export after one step of the table, with these fields changed besides.

        Only a request that is `requested` can wait to be sent again.

        Raises:
            IllegalStep: the table has no such step.
        """
        after = EXPORTS.step(self.state, state)
        return replace(self, state=after, is_unsent=False, **changes)

    @property
    def is_live(self) -> bool:
        """Whether it holds a slot and bandwidth at the recorder."""
        return self.state in EXPORT_LIVE

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
