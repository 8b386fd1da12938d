"""The installation that the demo plays: a recorder, its cameras, and the rules.

The configuration is written to the demo's folder as a file, so that it can be read,
checked and played with afterwards.
"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from evidenced.config.tomltext import to_toml
from evidenced.evidence.signature import make_key
from evidenced.simulator import Scenario
from evidenced.simulator.scenario import (
    CameraScenario,
    ExportsScenario,
    LoginScenario,
    Recording,
)

SERVER = "1001"
USERNAME, PASSWORD = "export", "demo-password"
ROOT = r"V:\evidence"
MARKER = ".evidence-share"
CAMERAS = (
    "lobby",
    "reception",
    "door-north",
    "dock",
    "storage",
    "car-park",
    "hall",
    "server-room",
    "backyard",
)
DEAD_CAMERA = "backyard"
"""It is in the configuration, and has recorded nothing for days: its clip is lost."""
SLOW_CAMERA = "server-room"
SLOW = timedelta(seconds=6)
"""How long this camera's footage takes to reach the recorder's disk: -48 until then."""

LATER_RULE = "gate-open"
"""Its alarm comes only where the demo stays: a camera of it is dead."""
RULES = (
    "door-forced",
    "dock-input",
    "window-open",
    "person-at-night",
    "panel-alarm",
    "zone-alarm",
)
"""Each of them is to end as one exported incident."""


@dataclass(frozen=True, slots=True)
class Home:
    """The demo's folder and what lies where in it."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "evidenced.toml"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def share(self) -> Path:
        """The recorder's drives: V: is the folder V."""
        return self.folder / "recorder"

    @property
    def log(self) -> Path:
        return self.folder / "demo.log"

    @property
    def broker_log(self) -> Path:
        return self.folder / "broker.log"

    @property
    def password(self) -> Path:
        return self.folder / "recorder-password"

    @property
    def key(self) -> Path:
        """What signs the evidence records."""
        return self.folder / "evidence-key"

    @property
    def public_key(self) -> Path:
        return self.folder / "evidence-key.pub"

    @property
    def mount(self) -> Path:
        """The share as this machine sees it."""
        return self.find(ROOT)

    def find(self, path: str) -> Path:
        r"""Where a path on the recorder, such as V:\evidence, lies on this machine."""
        drive, _, rest = path.partition(":")
        return self.share.joinpath(drive, *rest.strip("\\").split("\\"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where everything listens: loopback, on ports that were free."""

    broker: str
    protocol: str
    recorder: str
    page: str


def scenario() -> Scenario:
    """A recorder that is busy enough for exports to be seen going on."""
    return Scenario(
        login=LoginScenario(users={USERNAME: PASSWORD}),
        recording=Recording(lag=timedelta(milliseconds=500), rate=500_000),
        exports=ExportsScenario(disk_speed=7_000_000, roots=(ROOT,)),
        devices=tuple(
            CameraScenario(
                server=SERVER,
                device=_device(name),
                name=name,
                lag=SLOW if name == SLOW_CAMERA else None,
                dead=name == DEAD_CAMERA,
            )
            for name in CAMERAS
        ),
    )


def _device(camera: str) -> str:
    return str(2001 + CAMERAS.index(camera))


def write(home: Home, places: Addresses) -> None:
    """Write the configuration, what it names, and the marker of the share.

    Raises:
        OSError: the folder cannot be written to.
    """
    home.mount.mkdir(parents=True, exist_ok=True)
    home.mount.joinpath(MARKER).touch()
    if not home.key.exists():  # records of earlier demos are signed by it
        home.public_key.write_text(make_key(home.key).pem, encoding="utf-8")
    home.password.unlink(missing_ok=True)
    home.password.touch(0o600)
    home.password.write_text(f"{PASSWORD}\n", encoding="utf-8")
    home.config.write_text(config(home, places), encoding="utf-8")


def config(home: Home, places: Addresses) -> str:
    """The configuration as TOML."""
    cameras = "\n".join(
        f"[cameras.{name}]\nserver = {to_toml(SERVER)}\ndevice = "
        f"{to_toml(_device(name))}"
        for name in CAMERAS
    )
    return _TEMPLATE.format(
        state=to_toml(str(home.state)),
        broker=to_toml(places.broker),
        protocol=to_toml(places.protocol),
        page=to_toml(places.page),
        recorder=to_toml(places.recorder),
        nonce=to_toml(LoginScenario().nonce),
        username=to_toml(USERNAME),
        password=to_toml(str(home.password)),
        cameras=cameras,
        mount=to_toml(str(home.mount)),
        marker=to_toml(MARKER),
        key=to_toml(str(home.key)),
        rules=_RULES,
    )


_TEMPLATE = r"""# Written by `evidenced demo`; the next one in this folder writes it
# anew. What earlier ones recorded stays.

[daemon]
instance  = "demo"
state_dir = {state}

[mqtt]
url      = {broker}
protocol = {protocol}

[web]
listen = {page}

[recorders.simulated]
url           = {recorder}
username      = {username}
password      = {{ file = {password} }}
nonce         = {nonce}
bandwidth     = "6 MB/s"
max_exports   = 3
settle        = "1s"
poll_interval = "250ms"
[recorders.simulated.retry]
first   = "2s"
max     = "4s"
give_up = "1m"

{cameras}

[groups]
entrance = ["lobby", "reception"]

[destinations.share]
path = 'V:\evidence\{{opened:%Y-%m-%d}}\{{rule}}-{{id}}'
root = 'V:\evidence'
mount  = {mount}
marker = {marker}

[evidence]
key    = {{ file = {key} }}
stable = "1s"
{rules}"""

_RULES = r"""
[[rules]]
name      = "door-forced"
topics    = ["access/{site}/{door}/forced"]
when      = "state == 'active'"
time      = "timestamp"
timezone  = "UTC"
id        = "event_id"
group_by  = ["site", "door"]
cameras   = ["@entrance", "{door}"]
pre_roll  = "5s"
post_roll = "3s"
priority  = 10

[[rules]]
name      = "dock-input"
topics    = ["axis/{serial}/event/io/port/{port}"]
when      = "message.data.state == '1'"
clear     = "message.data.state == '0'"
time      = "timestamp"
timezone  = "UTC"
group_by  = ["serial", "port"]
cameras   = ["dock"]
pre_roll  = "5s"
post_roll = "3s"

[[rules]]
name      = "window-open"
topics    = ["zigbee2mqtt/{sensor}"]
when      = "contact == `false`"
clear     = "contact == `true`"
group_by  = ["sensor"]
cameras   = ["storage"]
pre_roll  = "5s"
post_roll = "3s"

[[rules]]
name      = "person-at-night"
topics    = ["frigate/reviews"]
when      = "type != 'end' && after.severity == 'alert'"
time      = "after.start_time"
timezone  = "UTC"
id        = "after.id"
fields    = { camera = "after.camera" }
group_by  = ["camera"]
cameras   = ["{camera}"]
pre_roll  = "5s"
post_roll = "3s"

[[rules]]
name      = "panel-alarm"
topics    = ["panel/Get/{zone}"]
format    = "text"
when      = "payload == 'ALARM'"
group_by  = ["zone"]
cameras   = ["hall", "lobby"]
pre_roll  = "5s"
post_roll = "3s"

[[rules]]
name      = "zone-alarm"
topics    = ["paradox/events/raw"]
when      = "change.generated_alarm == `true`"
time      = "timestamp"
timezone  = "Europe/Amsterdam"
fields    = { zone = "label" }
group_by  = ["zone"]
cameras   = ["server-room"]
pre_roll  = "5s"
post_roll = "3s"

[[rules]]
name      = "gate-open"
topics    = ["gate/{gate}"]
when      = "state == 'open'"
group_by  = ["gate"]
cameras   = ["dock", "backyard"]
pre_roll  = "5s"
post_roll = "3s"
"""
