"""The site that is simulated: two recorders, five rules, hostile names."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from evidenced.config.compile import build_site
from evidenced.config.load import load_text
from evidenced.core.site import Site

ROOT = r"V:\evidence"
MOUNT = Path("/mnt/simulated")
MARKER = ".evidenced-share"
DOORS = ("north", "south", "east")
FAR: Mapping[str, int] = {"button": 10}
NEAR: Mapping[str, int] = {"button": 48, "open": 49, "motion": 51}
RULES = ("door", "button", "motion", "badge", "open")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What differs between seeds, and at a reload. Bandwidths in bytes per second."""

    max_exports: int = 2
    max_devices: int = 32
    bandwidth: int = 2_000_000
    settle: int = 5
    timeout: int = 10
    retry_first: int = 5
    limit: int = 0
    """Incidents of a rule in an hour, and alarms of a topic in a minute."""
    gone: str = ""
    """A rule that the configuration does not have."""
    post_roll: int = 20
    mounted: bool = False
    """Whether this host sees the share."""
    recorded: bool = False
    """Whether evidence records are written to it."""
    is_partly: bool = False
    """Whether those are of the destination `nas` only."""
    notified: bool = False
    """Whether people are told of anything."""
    is_near: bool = False
    """Whether priorities differ by minutes, so that waiting counts."""
    gone_recorder: bool = False
    """Whether there is no annex, nor any camera of its."""
    gone_camera: bool = False
    """Whether there is no camera c4."""
    gone_destination: bool = False
    """Whether there is no destination `plain`; its rules go to another one."""
    regrouped: bool = False
    """Whether alarms of doors have one more name in their groups."""
    stills: int = 0
    """Pictures of each camera."""
    watch: int = 0
    """Seconds between two questions whether a camera records; 0 = never asked."""
    is_one_folder: bool = False
    """Whether folders have one name whatever recorder they are of."""
    paused: bool = False
    """Whether no export may begin from PAUSE_FROM to PAUSE_TO, on any recorder."""

    @property
    def recorders(self) -> tuple[str, ...]:
        return ("main",) if self.gone_recorder else ("main", "annex")

    @property
    def priorities(self) -> Mapping[str, int]:
        """Of rules that have one of their own."""
        return NEAR if self.is_near else FAR

    def has_camera(self, name: str) -> bool:
        return not (
            (self.gone_recorder and name.startswith("a"))
            or (self.gone_camera and name == "c4")
        )


@cache
def site_of(shape: Shape) -> Site:
    return build_site(load_text(_text(shape)).config)


def _text(shape: Shape) -> str:
    text = _whole_text(shape)
    return text.replace("-{recorder}'", "'") if shape.is_one_folder else text


def _whole_text(shape: Shape) -> str:
    rules = [text for name, text in _rules(shape).items() if name != shape.gone]
    plain = (_OTHER if shape.gone_destination else _PLAIN) + _mount(
        shape, is_recorded=not shape.is_partly
    )
    return "".join(
        [
            f"[limits]\nincidents_per_rule = {shape.limit}\n",
            f"alarms_per_topic = {shape.limit}\n",
            _EVIDENCE if shape.recorded else "",
            _NOTIFY if shape.notified else "",
            _HEAD + _NAS + _mount(shape) + plain,
            f"[groups]\nentrance = [{_named(shape, 'c1', 'c2', 'a1')}]\n",
            *(_recorder(name, shape) for name in shape.recorders),
            *(text for name, text in _CAMERAS.items() if shape.has_camera(name)),
            *rules,
        ]
    )


def _mount(shape: Shape, *, is_recorded: bool = True) -> str:
    if not shape.mounted:
        return ""
    marker = f'marker = "{MARKER}"\n' if shape.recorded else ""
    record = str(shape.recorded and is_recorded).lower()
    return f'mount = "{MOUNT}"\n{marker}record = {record}\n'


def _named(shape: Shape, *names: str) -> str:
    return ", ".join(f'"{name}"' for name in names if shape.has_camera(name))


_HEAD = """
[daemon]
instance = "sim"
timezone = "Europe/Amsterdam"
[mqtt]
url = "mqtts://broker.example"
"""
NOTIFIED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "duty": (("failed", "partial", "rejected", "late", "exported"), ()),
    "night": (("failed", "partial", "rejected", "late"), ("button",)),
}
"""Who hears of which kinds, and of which rules' incidents; without any: of all."""
_NOTIFY = """
[notify.duty]
url = "json://duty.example"
events = ["failed", "partial", "rejected", "late", "exported", "limit", "recorder",
    "destination", "queue", "share", "broker", "store", "clock"]
group_wait = "2s"
group_interval = "20s"
[notify.night]
url = "json://night.example"
events = ["failed", "partial", "rejected", "late"]
severity = "critical"
group_wait = "1s"
group_interval = "1m"
"""
_EVIDENCE = """
[evidence]
stable = "5s"
patience = "30m"
"""
_NAS = r"""
[destinations.nas]
path = 'V:\evidence\{opened:%Y-%m-%d}\{rule}\{who}-{id}-{recorder}'
root = 'V:\evidence'
"""
_PLAIN = r"""
[destinations.plain]
path = 'V:\evidence\{rule}\{key}-{id}-{recorder}'
root = 'V:\evidence'
"""
_OTHER = r"""
[destinations.other]
path = 'V:\evidence\other\{rule}-{id}-{recorder}'
root = 'V:\evidence'
"""
_CAMERAS = {
    f"{letter}{n}": f"""
[cameras.{letter}{n}]
recorder = "{recorder}"
server = "1001"
device = "{base + n}"
"""
    for letter, recorder, base in (("c", "main", 2000), ("a", "annex", 3000))
    for n in (1, 2, 3, 4)
}
PAUSE_FROM, PAUSE_TO = 60.0, 180.0
"""Seconds since the start, which is 07:00 on a Monday where the daemon is."""
_PAUSE = """
[[recorders.{name}.bandwidth_windows]]
from = "07:01"
to = "07:03"
pause = true
"""


def _recorder(name: str, shape: Shape) -> str:
    return f"""
[recorders.{name}]
url = "http://{name}.example"
username = "export"
password = "secret"
nonce = "AR5chsWVZagPfMpB"
max_exports = {shape.max_exports}
max_devices = {shape.max_devices}
bandwidth = {shape.bandwidth}
settle = "{shape.settle}s"
timeout = "{shape.timeout}s"
poll_interval = "5s"
stuck_after = "90s"
watch = "{shape.watch}s"
[recorders.{name}.retry]
first = "{shape.retry_first}s"
max = "1m"
give_up = "10m"
""" + (_PAUSE.format(name=name) if shape.paused else "")


def _rules(shape: Shape) -> dict[str, str]:
    tail = f"""
pre_roll = "10s"
post_roll = "{shape.post_roll}s"
max_length = "3m"
max_age = "1h"
alert_after = "1m"
stills = {shape.stills}
"""
    plain = "other" if shape.gone_destination else "plain"
    texts = {
        "door": f"""
[[rules]]
name = "door"
destination = "nas"
topics = ["door/{{door}}"]
when = "state == 'on'"
clear = "state == 'off'"
time = "at"
id = "id"
fields = {{ who = "who"{', part = "id && `1`"' if shape.regrouped else ""} }}
group_by = [{'"part", ' if shape.regrouped else ""}"door"]
cameras = ["@entrance"]
protect = true
"""
        + tail,
        "button": f"""
[[rules]]
name = "button"
destination = "{plain}"
topics = ["button/{{zone}}"]
format = "text"
when = "payload == 'ALARM'"
group_by = ["zone"]
cameras = ["c3"]
protect = true
{'severity = "critical"' if shape.notified else ""}
"""
        + tail,
        "motion": f"""
[[rules]]
name = "motion"
destination = "nas"
topics = ["motion/{{site}}"]
time = "at"
fields = {{ who = "who" }}
group_by = ["site"]
cameras = [{_named(shape, "a2", "c4", "a3") or '"c3"'}]
bandwidth = 700000
"""
        + tail,
        "badge": """
[[rules]]
name = "badge"
destination = "nas"
topics = ["badge/#"]
id = "id"
fields = { who = "who", cam = "cam" }
group_by = ["cam"]
cameras = ["{cam}", "c1"]
"""
        + tail,
        "open": f"""
[[rules]]
name = "open"
destination = "{plain}"
topics = ["open/{{door}}"]
format = "text"
when = "payload == 'OPEN'"
clear = "payload == 'CLOSED'"
group_by = ["door"]
cameras = [{_named(shape, "a4", "c2")}]
retained = "accept"
"""
        + tail,
    }
    for name, priority in shape.priorities.items():
        texts[name] += f"priority = {priority}\n"
    return texts
