"""The site that is simulated: two recorders, five rules, hostile names."""

from dataclasses import dataclass
from functools import cache

from evidenced.config.load import load_text
from evidenced.config.site import Site, build_site

ROOT = r"V:\evidence"
DOORS = ("north", "south", "east")
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
    gone: str = ""
    """A rule that the configuration does not have."""
    post_roll: int = 20


@cache
def site_of(shape: Shape) -> Site:
    return build_site(load_text(_text(shape)).config)


def _text(shape: Shape) -> str:
    rules = [text for name, text in _rules(shape).items() if name != shape.gone]
    return _HEAD + "".join(
        [*(_recorder(name, shape) for name in ("main", "annex")), *rules]
    )


_HEAD = r"""
[daemon]
instance = "sim"
timezone = "Europe/Amsterdam"
[mqtt]
url = "mqtts://broker.example"
[destinations.nas]
path = 'V:\evidence\{opened:%Y-%m-%d}\{rule}\{who}-{id}-{recorder}'
root = 'V:\evidence'
[destinations.plain]
path = 'V:\evidence\{rule}\{key}-{id}-{recorder}'
root = 'V:\evidence'
[groups]
entrance = ["c1", "c2", "a1"]
""" + "".join(
    f"""
[cameras.{letter}{n}]
recorder = "{recorder}"
server = "1001"
device = "{base + n}"
"""
    for letter, recorder, base in (("c", "main", 2000), ("a", "annex", 3000))
    for n in (1, 2, 3, 4)
)


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
[recorders.{name}.retry]
first = "{shape.retry_first}s"
max = "1m"
give_up = "10m"
"""


def _rules(shape: Shape) -> dict[str, str]:
    tail = f"""
pre_roll = "10s"
post_roll = "{shape.post_roll}s"
max_length = "3m"
alert_after = "1m"
"""
    return {
        "door": """
[[rules]]
name = "door"
destination = "nas"
topics = ["door/{door}"]
when = "state == 'on'"
clear = "state == 'off'"
time = "at"
id = "id"
fields = { who = "who" }
group_by = ["door"]
cameras = ["@entrance"]
"""
        + tail,
        "button": """
[[rules]]
name = "button"
destination = "plain"
topics = ["button/{zone}"]
format = "text"
when = "payload == 'ALARM'"
group_by = ["zone"]
cameras = ["c3"]
priority = 10
"""
        + tail,
        "motion": """
[[rules]]
name = "motion"
destination = "nas"
topics = ["motion/{site}"]
time = "at"
fields = { who = "who" }
group_by = ["site"]
cameras = ["a2", "c4", "a3"]
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
        "open": """
[[rules]]
name = "open"
destination = "plain"
topics = ["open/{door}"]
format = "text"
when = "payload == 'OPEN'"
clear = "payload == 'CLOSED'"
group_by = ["door"]
cameras = ["a4", "c2"]
retained = "accept"
"""
        + tail,
    }
