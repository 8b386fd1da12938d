"""Cameras as they are configured, and what a rule's names for them mean."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TypeVar
from unicodedata import normalize

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


Name = TypeVar("Name", bound=str)


def spelt(name: str) -> str:
    """What two spellings of one name have in common.

    Panels write names in capitals, and an umlaut as one character or as two.
    Source: Unicode Standard Annex 15, normalization forms.
    """
    return normalize("NFC", name.strip()).casefold()


def _by_spelling(names: Iterable[Name]) -> dict[str, Name]:
    """The names that are told apart by more than their spelling."""
    found: dict[str, list[Name]] = {}
    for name in names:
        found.setdefault(spelt(name), []).append(name)
    return {key: each[0] for key, each in found.items() if len(each) == 1}


@dataclass(frozen=True, kw_only=True)
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
        """Exactly the name; else the one that is spelt otherwise, if there is one."""
        if ref.is_group:
            group = GroupName(ref.name)
            if group not in self.groups:
                group = self._spelt_groups.get(spelt(ref.name), group)
            return self.groups.get(group, ())
        name = CameraName(ref.name)
        if name not in self.cameras:
            name = self._spelt_cameras.get(spelt(ref.name), name)
        return (name,) if name in self.cameras else ()

    @cached_property
    def _spelt_cameras(self) -> dict[str, CameraName]:
        return _by_spelling(self.cameras)

    @cached_property
    def _spelt_groups(self) -> dict[str, GroupName]:
        return _by_spelling(self.groups)
