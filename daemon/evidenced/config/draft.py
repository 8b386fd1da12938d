"""What can be understood of a configuration that may have faults.

So that one run tells all of them: what is wrong in one key must hide neither what is
wrong elsewhere nor cause complaints of its own.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from evidenced.config.faults import Located
from evidenced.config.models import (
    Config,
    DaemonConfig,
    EvidenceConfig,
    MqttConfig,
    WebConfig,
)
from evidenced.config.notices import NotifyConfig, ReportConfig
from evidenced.config.recorders import CameraConfig, RecorderConfig
from evidenced.config.rules import DestinationConfig, RuleConfig
from evidenced.core.wording import Place

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The tables that could be read, and what was wrong before.

    A key that was wrong or missing has its default or a stand-in here: ask `is_sound`
    before saying anything about it. `names` are those of all tables of a section, also
    of tables that could not be read. Rules carry their position in the file.
    """

    daemon: DaemonConfig | None
    mqtt: MqttConfig | None
    web: WebConfig | None
    evidence: EvidenceConfig | None
    notify: Mapping[str, NotifyConfig]
    report: ReportConfig | None
    recorders: Mapping[str, RecorderConfig]
    cameras: Mapping[str, CameraConfig]
    groups: Mapping[str, tuple[str, ...]]
    destinations: Mapping[str, DestinationConfig]
    rules: tuple[tuple[int, RuleConfig], ...]
    names: Mapping[str, Mapping[str, object]]
    locate: Callable[[Place], Located]
    """Where a place of the whole is written: the file, and the place in it."""
    faulty: frozenset[Place] = frozenset()
    touched: frozenset[Place] = frozenset()
    """All places at or above a fault."""

    def is_sound(self, *place: str | int) -> bool:
        """Whether no fault was found at, above or below this place."""
        above = (place[:depth] for depth in range(len(place)))
        return place not in self.touched and self.faulty.isdisjoint(above)


NAMED = ("notify", "recorders", "cameras", "groups", "destinations")


def draft_of(config: Config, locate: Callable[[Place], Located]) -> Draft:
    """The draft of a configuration without faults so far."""
    return Draft(
        daemon=config.daemon,
        mqtt=config.mqtt,
        web=config.web,
        evidence=config.evidence,
        notify=config.notify,
        report=config.report,
        recorders=config.recorders,
        cameras=config.cameras,
        groups=config.groups,
        destinations=config.destinations,
        rules=tuple(enumerate(config.rules)),
        names={section: getattr(config, section) for section in NAMED},
        locate=locate,
    )


def salvage(
    raw: Mapping[str, Any],
    faulty: Iterable[Place],
    locate: Callable[[Place], Located],
) -> Draft:
    """What can be read of a file in which these places are wrong."""
    faulty = frozenset(faulty)
    below: dict[Place, list[Place]] = {}
    for place in faulty:
        for depth in _PART_DEPTHS:
            below.setdefault(place[:depth], []).append(place[depth:])
    reader = _Reader(raw, below)
    rules = raw.get("rules")
    numbered = enumerate(rules if isinstance(rules, list) else ())
    read_rules = (
        (n, reader.part(RuleConfig, rule, ("rules", n))) for n, rule in numbered
    )
    return Draft(
        daemon=reader.part(DaemonConfig, raw.get("daemon", {}), ("daemon",)),
        mqtt=reader.part(MqttConfig, raw.get("mqtt"), ("mqtt",)),
        web=reader.part(WebConfig, raw.get("web", {}), ("web",)),
        evidence=reader.part(EvidenceConfig, raw.get("evidence", {}), ("evidence",)),
        notify=reader.parts(NotifyConfig, "notify"),
        report=reader.part(ReportConfig, raw.get("report", {}), ("report",)),
        recorders=reader.parts(RecorderConfig, "recorders"),
        cameras=reader.parts(CameraConfig, "cameras"),
        groups={
            name: tuple(member for member in members if isinstance(member, str))
            for name, members in reader.section("groups").items()
            if isinstance(members, list)
        },
        destinations=reader.parts(DestinationConfig, "destinations"),
        rules=tuple((n, rule) for n, rule in read_rules if rule is not None),
        names={section: reader.section(section) for section in NAMED},
        locate=locate,
        faulty=faulty,
        touched=frozenset(
            place[:depth] for place in faulty for depth in range(1, len(place) + 1)
        ),
    )


_PART_DEPTHS = (1, 2)
"""[mqtt] is one key deep, [recorders.main] and rules[0] are two."""
_STAND_INS: Mapping[type[BaseModel], Mapping[str, Any]] = {
    MqttConfig: {"url": "mqtts://stand-in"},
    RecorderConfig: {
        "url": "https://stand-in",
        "username": "stand-in",
        "password": {"env": "STAND_IN"},
    },
    NotifyConfig: {"url": {"env": "STAND_IN"}},
    CameraConfig: {"server": "1", "device": "1"},
    DestinationConfig: {"path": "V:\\stand-in\\{id}"},
    RuleConfig: {"name": "stand-in", "topics": ["stand-in"], "cameras": ["stand-in"]},
}


@dataclass(frozen=True, slots=True)
class _Reader:
    raw: Mapping[str, Any]
    below: Mapping[Place, list[Place]]

    def section(self, name: str) -> Mapping[str, Any]:
        section = self.raw.get(name)
        return section if isinstance(section, dict) else {}

    def parts(self, model: type[Model], section: str) -> dict[str, Model]:
        read = (
            (name, self.part(model, value, (section, name)))
            for name, value in self.section(section).items()
        )
        return {name: part for name, part in read if part is not None}

    def part(self, model: type[Model], raw: object, place: Place) -> Model | None:
        """The table without what is wrong in it; None if that is not enough."""
        if not isinstance(raw, dict):
            return None
        values = _without(raw, self.below.get(place, ()))
        values = {**_STAND_INS.get(model, {}), **values}
        try:
            return model.model_validate(values)
        except ValidationError:
            return None


def _without(raw: Mapping[str, Any], places: Iterable[Place]) -> dict[str, Any]:
    """A copy without these places; a list that would be empty then is left out."""
    drop: dict[str | int, list[Place]] = {}
    for place in places:
        if place:
            drop.setdefault(place[0], []).append(place[1:])
    kept: dict[str, Any] = {}
    for key, value in raw.items():
        inner = drop.get(key)
        if inner is None:
            kept[key] = value
        elif () in inner:
            continue
        elif isinstance(value, dict):
            kept[key] = _without(value, inner)
        elif isinstance(value, list):
            wrong = {place[0] for place in inner}
            items = [item for n, item in enumerate(value) if n not in wrong]
            if items:
                kept[key] = items
    return kept
