"""Recorders, how they are asked, and the cameras that they record."""

from dataclasses import replace
from datetime import time, timedelta
from typing import Annotated

from pydantic import Field

from evidenced.config.forms import Form, choice, duration, flag, rate, text, whole
from evidenced.config.section import (
    ANY_LINE,
    FilePath,
    RateValue,
    SecretValue,
    Section,
    Uid,
    Words,
)
from evidenced.config.special import DAYS, address, time_of_day, weekdays
from evidenced.core.address import Address, address_of
from evidenced.core.instants import HOUR, MINUTE, SECOND
from evidenced.kinds import DEFAULT_KIND, KINDS

EVERY_DAY = frozenset(range(len(DAYS)))


class RetryConfig(Section):
    first: Annotated[timedelta, duration(least="1s", most="1h", such_as="15s")] = Field(
        default=15 * SECOND,
        description="First wait after the recorder had no video (-48); it doubles "
        "each time, with jitter.",
    )
    max: Annotated[timedelta, duration(least="1s", most="1d", such_as="10m")] = Field(
        default=10 * MINUTE, description="The longest wait between two tries."
    )
    isolate: Annotated[int, whole(1, 100)] = Field(
        default=3,
        description="Answers of -48 before the cameras without video are told apart "
        "from those with it.",
    )
    give_up: Annotated[timedelta, duration(least="1m", most="365d", such_as="24h")] = (
        Field(
            default=timedelta(hours=24),
            description="Counted from the window's end; then the clip is `missing`.",
        )
    )


class BandwidthWindowConfig(Section):
    starts: Annotated[time, time_of_day()] = Field(
        alias="from",
        description="Start, local time of the daemon.",
        examples=["08:00"],
    )
    to: Annotated[time, time_of_day()] = Field(
        description="End; at or before the start it is one of the next day.",
        examples=["18:00"],
    )
    days: Annotated[frozenset[int], weekdays()] = Field(
        default=EVERY_DAY, description="Days on which it starts."
    )
    bandwidth: Annotated[int | None, rate()] = Field(
        default=None,
        description="The budget meanwhile, in the place of the recorder's.",
        examples=["4 Mbit/s"],
    )
    pause: Annotated[bool, flag()] = Field(
        default=False,
        description="Meanwhile no new export starts; those running go on.",
    )


def _kind() -> Form:
    """A kind that the factory knows when the file is read."""

    def parse(value: object) -> str:
        if isinstance(value, str) and value in KINDS:
            return value
        raise ValueError

    return replace(choice(*KINDS), parse=parse)


class RecorderConfig(Section):
    kind: Annotated[str, _kind()] = Field(
        default=DEFAULT_KIND, description="Which kind of recorder it is."
    )
    url: Annotated[
        str,
        address(
            "http",
            "https",
            such_as="https://sense.example",
            with_path={"http", "https"},
        ),
    ] = Field(
        description="The management server's API; http:// works too.",
        examples=["https://sense.example"],
    )
    ca_file: FilePath = Field(
        default=None,
        description="Certificates that sign the recorder's; without it the system's.",
        examples=["/etc/evidenced/ca.pem"],
    )
    username: Words = Field(
        description="An account of the daemon's own, with the right to export.",
        examples=["export"],
    )
    password: SecretValue = Field(
        description="Its password; read at every login.",
        examples=[{"credential": "sense-password"}],
    )
    auth: Annotated[str | None, choice("digest", "plain")] = Field(
        default=None,
        description='How to log in: "digest" keeps the password off the wire and needs '
        '`nonce`, "plain" sends it. Without it: digest where there is a nonce.',
        examples=["digest"],
    )
    nonce: Annotated[
        str | None,
        text(
            "the nonce that the vendor gave, printable ASCII",
            pattern=r"[!-~]{1,256}",
        ),
    ] = Field(
        default=None,
        repr=False,
        description="The client-type nonce for digest login, from the vendor.",
        examples=["AR5chsWVZagPfMpB"],
    )
    bandwidth: RateValue = Field(
        default=0,
        description=(
            "Budget over all exports running at once on this recorder; each is given "
            "its part, by `max_exports`."
        ),
        examples=["20 Mbit/s"],
    )
    max_exports: Annotated[int, whole(1, 64)] = Field(
        default=2, description="Exports running at once."
    )
    max_devices: Annotated[int, whole(1, 1000)] = Field(
        default=32, description="Devices in one exportVideo request."
    )
    settle: Annotated[timedelta, duration(most="1h", such_as="15s")] = Field(
        default=15 * SECOND,
        description="Wait after a window's end before asking: the recorder has to "
        "write it first.",
    )
    timeout: Annotated[timedelta, duration(least="1s", most="10m")] = Field(
        default=30 * SECOND, description="Deadline of one HTTP exchange."
    )
    poll_interval: Annotated[
        timedelta, duration(least="100ms", most="5m", such_as="5s")
    ] = Field(
        default=5 * SECOND,
        description="Between two looks at the status list while an export runs.",
    )
    stuck_after: Annotated[
        timedelta, duration(least="10s", most="7d", such_as="30m")
    ] = Field(
        default=30 * MINUTE,
        description="An export whose progress stands still for so long is a trouble "
        "of its own and gives its slot to others; it is watched on. A recorder that "
        "tells no progress needs longer than its longest export takes, where no "
        "`mount` shows files that grow.",
    )
    watch: Annotated[timedelta, duration(most="7d", such_as="1h")] = Field(
        default=HOUR,
        description="Each camera that a rule uses is asked this often whether it has "
        "recorded anything for so long; one that has not is a trouble. While exports "
        "run or are due nobody is asked. Cameras that record on motion only need "
        'longer; "0s" asks never.',
    )
    retention: Annotated[
        timedelta | None, duration(least="1h", most="3650d", such_as="14d")
    ] = Field(
        default=None,
        description="How long the recorder keeps footage. `evidenced check` tells what "
        "would ask for more, and messages about missing footage until when it is to be "
        "had.",
        examples=["14d"],
    )
    retry: RetryConfig = Field(
        default=RetryConfig(),
        description="Trying again what the recorder did not give.",
    )
    bandwidth_windows: tuple[BandwidthWindowConfig, ...] = Field(
        default=(),
        description="Other budgets by time of day; the first that covers the moment "
        "counts.",
    )

    @property
    def is_digest(self) -> bool:
        if self.auth is None:
            return self.nonce is not None
        return self.auth == "digest"


class CameraConfig(Section):
    recorder: Annotated[str | None, text("the name of a recorder")] = Field(
        default=None,
        description="The recorder it belongs to. Without it: the only one there is.",
        examples=["main"],
    )
    server: Uid = Field(
        description="UID of its server (serverid), always text.", examples=["1001"]
    )
    device: Uid = Field(description="UID of the device (deviceid).", examples=["2001"])
    label: Annotated[str, text("text on one line", pattern=ANY_LINE)] = Field(
        default="",
        description="What people read in its place; without it the name.",
    )
    pre_roll: Annotated[timedelta | None, duration(most="1d", such_as="10s")] = Field(
        default=None, description="In the place of its rule's.", examples=["10s"]
    )
    post_roll: Annotated[timedelta | None, duration(most="1d", such_as="1m")] = Field(
        default=None,
        description="In the place of its rule's. A window is never shorter than 1s, "
        "whatever the rolls come to: it would hold no picture.",
        examples=["1m"],
    )

    @property
    def address(self) -> Address:
        """Its keys that say where it is, by their names."""
        return address_of({"server": self.server, "device": self.device})
