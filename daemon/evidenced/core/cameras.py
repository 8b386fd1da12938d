"""From the names that a rule produced to the cameras that are configured."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from evidenced.core.alarms.alarm import CameraRef
from evidenced.core.ids import CameraName, GroupName
from evidenced.core.incidents.incident import Camera


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """All cameras and groups; groups are flat, in the order of the configuration."""

    cameras: Mapping[CameraName, Camera]
    groups: Mapping[GroupName, tuple[CameraName, ...]]

    def find(
        self, refs: Iterable[CameraRef]
    ) -> tuple[tuple[Camera, ...], tuple[str, ...]]:
        """The cameras meant, once each and in order, and names nobody configured."""
        found: dict[CameraName, Camera] = {}
        unknown: dict[str, None] = {}
        for ref in refs:
            names = self._names(ref)
            if not names:
                unknown[str(ref)] = None
            for name in names:
                found[name] = self.cameras[name]
        return tuple(found.values()), tuple(unknown)

    def _names(self, ref: CameraRef) -> tuple[CameraName, ...]:
        if ref.is_group:
            return self.groups.get(GroupName(ref.name), ())
        name = CameraName(ref.name)
        return (name,) if name in self.cameras else ()
