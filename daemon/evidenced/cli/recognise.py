"""Which of the ready-made rules fit what a broker says."""

import tomllib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from evidenced.config import load_text
from evidenced.config.compile import build_site
from evidenced.config.shipped import shipped_folder, shipped_names
from evidenced.config.tomltext import to_toml
from evidenced.core.alarms.alarm import Alarm, Reading
from evidenced.core.alarms.payload import PayloadFormat, Wrapping, read_payload
from evidenced.core.alarms.reading import read_alarm
from evidenced.core.errors import BadInput
from evidenced.core.ids import RuleName
from evidenced.core.site import Site

MAX_TOPICS = 1000
"""Topics that are told apart; a broker of a large site has more than anybody reads."""

_ANYWHERE = r"""
[mqtt]
url = "mqtts://broker.example"
[recorders.main]
url = "https://recorder.example"
username = "export"
password = { env = "NOT_NEEDED" }
auth = "plain"
[cameras.any]
server = "1"
device = "1"
[destinations.any]
path = 'V:\{rule}-{id}'
[groups]
"""


@dataclass(slots=True)
class Recognised:
    """A system whose messages were heard.

    `understood` of its messages are an alarm or the end of one; `cameras` are those
    that they name themselves.
    """

    system: str
    title: str
    messages: int = 0
    understood: int = 0
    cameras: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Recogniser:
    """What was heard so far."""

    titles: Mapping[str, str]
    _site: Site
    _system_of: Mapping[RuleName, str]
    messages: int = 0
    topics: dict[str, PayloadFormat] = field(default_factory=dict)
    found: dict[str, Recognised] = field(default_factory=dict)

    @classmethod
    def of_shipped(cls) -> "Recogniser":
        """With all the rules that come with evidenced."""
        titles: dict[str, str] = {}
        system_of: dict[RuleName, str] = {}
        for system, text in _shipped():
            titles[system] = text.partition("\n")[0].removeprefix("# ")
            names = (rule["name"] for rule in tomllib.loads(text)["rules"])
            system_of |= dict.fromkeys(names, system)
        include = f"include = {to_toml(list(shipped_names()))}\n"
        groups = "".join(f'{system} = ["any"]\n' for system in titles)
        site = build_site(load_text(f"{include}{_ANYWHERE}{groups}").config)
        return cls(titles, site, system_of)

    def hear(self, alarm: Alarm) -> None:
        """One message, retained or not: what it is about is the same."""
        self.messages += 1
        if len(self.topics) < MAX_TOPICS:
            self.topics.setdefault(alarm.topic, _format(alarm))
        switchboard = self._site.switchboard
        verdicts = read_alarm(switchboard, replace(alarm, retained=False))
        readings = [each for each in verdicts if isinstance(each, Reading)]
        for reading in readings:
            one = self._one(self._system_of[reading.rule])
            one.understood += 1
            if "{camera}" in self._site.rule_of[reading.rule].cameras:
                one.cameras |= {str(each) for each in reading.cameras}
        systems = {self._system_of[each.rule] for each in readings}
        for system in systems or self._by_prefix(alarm.topic):
            self._one(system).messages += 1

    def _one(self, system: str) -> Recognised:
        return self.found.setdefault(system, Recognised(system, self.titles[system]))

    def _by_prefix(self, topic: str) -> set[str]:
        """Systems that publish below a beginning of their own, such as zigbee2mqtt/."""
        return {
            self._system_of[rule.name]
            for rule in self._site.rules
            for pattern in rule.topics
            if (fixed := pattern.text.partition("{")[0]).count("/")
            and topic.startswith(fixed)
        }

    def rules_naming_cameras(self, system: str) -> list[RuleName]:
        """Its rules whose alarms name the cameras, in the order of the file."""
        rules = (each for each in self._site.rules if "{camera}" in each.cameras)
        return [each.name for each in rules if self._system_of[each.name] == system]

    def likely(self) -> list[Recognised]:
        """Those of which something was understood, most first."""
        understood = (each for each in self.found.values() if each.understood)
        return sorted(understood, key=lambda each: (-each.understood, each.system))

    def possible(self) -> list[Recognised]:
        """Those that may be there: their topics were heard, and no alarm or end."""
        rest = (each for each in self.found.values() if not each.understood)
        return sorted(rest, key=lambda each: (-each.messages, each.system))


def _shipped() -> Iterable[tuple[str, str]]:
    folder = shipped_folder()
    for name in shipped_names() if folder is not None else ():
        system = name.removeprefix("systems/").removesuffix(".toml")
        yield system, Path(folder or "", name).read_text(encoding="utf-8")


def _format(alarm: Alarm) -> PayloadFormat:
    """What a rule of one's own would have to be told of a payload like this."""
    for form in (PayloadFormat.JSON, PayloadFormat.TEXT):
        with suppress(BadInput):
            found = read_payload(alarm.payload, Wrapping(format=form), alarm.whole)
            if found.wrong_byte is None:
                return form
    return PayloadFormat.ANY
