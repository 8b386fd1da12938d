"""Cameras as they are configured, and what a rule's names for them mean."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from evidenced.core.address import Address
from evidenced.core.ids import CameraName, GroupName, RecorderName


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """A configured name for a recorder's device. Rolls override the rule's."""

    name: CameraName
    recorder: RecorderName
    address: Address
    label: str = ""
    pre_roll: timedelta | None = None
    post_roll: timedelta | None = None


@dataclass(frozen=True, slots=True)
class CameraRef:
    """A camera or a group as a rule's template named it: not yet looked up.

    Only the template can make it a group; a captured value that begins with "@" stays
    a camera's name. A field that was missing leaves its braces in `name` ("{door}").
    """

    name: str
    is_group: bool = False

    # typing.override is there from 3.12 on
    def __str__(self) -> str:  # type: ignore[explicit-override]
        return f"@{self.name}" if self.is_group else self.name


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
