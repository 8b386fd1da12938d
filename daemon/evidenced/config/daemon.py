"""The daemon as a whole, and what alarms can cause at most."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field

from evidenced.config.forms import choice, duration, file, text, whole
from evidenced.config.secret import Secret
from evidenced.config.section import (
    ANY_LINE,
    Name,
    Section,
)
from evidenced.config.special import (
    EMBEDDED,
    secret,
    store_in,
    zone,
)
from evidenced.core.instants import DAY, MINUTE

MOST_OF_ALL = 1_000_000


class DaemonConfig(Section):
    instance: Name = Field(
        default="site-1",
        description="Names this installation in MQTT topics, metrics and reports.",
    )
    site: Annotated[str, text("text on one line", pattern=ANY_LINE, most=200)] = Field(
        default="",
        description="Name and address of the place, as evidence records tell it to "
        'people. With "" they say the instance.',
        examples=["Bakker, Grote Markt 1, Haarlem"],
    )
    state_dir: Annotated[
        Path | None,
        file(what="the absolute path of a folder", such_as="/var/lib/evidenced"),
    ] = Field(
        default=None,
        description="Folder of the embedded store, the one thing to back up. "
        "Without it: $STATE_DIRECTORY (systemd sets it), else ./state.",
        examples=["/var/lib/evidenced"],
    )
    store: Annotated[str, store_in()] = Field(
        default=EMBEDDED,
        description="Where alarms, incidents and the audit chain are kept: embedded in "
        "`state_dir`, or in a PostgreSQL database that several hosts share. One of "
        "them works, the others stand by and take over within seconds. Such a "
        "database sorts by C, and its commits must be durable: systemd/README.md.",
        examples=["postgresql://evidenced@db.example/evidenced?sslmode=verify-full"],
    )
    store_password: Annotated[Secret | None, secret()] = Field(
        default=None,
        description="The password of the database's user; read at every connect.",
        examples=[{"credential": "store-password"}],
    )
    node: Annotated[
        str | None,
        text(
            'a name of at most 64 letters, digits, ".", "_" and "-"',
            pattern=r"[A-Za-z0-9._-]{1,64}",
            most=64,
        ),
    ] = Field(
        default=None,
        description="This host among those that share the store. Without it: the "
        "host's name.",
        examples=["host-a"],
    )
    timezone: Annotated[str, zone(may_be_empty=True)] = Field(
        default="",
        description="Local time of paths and of bandwidth windows. "
        'With "" it is the host\'s own.',
        examples=["Europe/Amsterdam"],
    )
    trouble_after: Annotated[
        timedelta, duration(least="1s", most="1d", such_as="1m")
    ] = Field(
        default=MINUTE,
        description="A recorder, destination, queue, share, broker, store or clock in "
        "trouble for so long is written down and told; for as long it has to be in "
        "order to count as over.",
    )
    log_level: Annotated[str, choice("debug", "info", "warning", "error")] = Field(
        default="info",
        description="Least severe log lines that are written: JSON on stderr, or "
        "readable colour where stderr is a terminal.",
    )
    retain: Annotated[timedelta, duration(least="1d", most="3650d", such_as="90d")] = (
        Field(
            default=90 * DAY,
            description="Finished incidents older than this are pruned, unless "
            "somebody holds them; what is lost of them stays until somebody "
            "acknowledges it, and the audit chain keeps its head. Not until the "
            "host's clock has run for an hour without being set.",
        )
    )


class LimitsConfig(Section):
    alarms_per_topic: Annotated[int, whole(0, MOST_OF_ALL)] = Field(
        default=600,
        description="Alarms a minute on one topic that may open incidents. Those "
        "beyond are kept and exported all the same, in one incident for all groups of "
        "their rule, without waiting for a clear. 0 = unlimited.",
    )
    incidents_per_rule: Annotated[int, whole(0, MOST_OF_ALL)] = Field(
        default=1000,
        description="Incidents an hour of one rule. Alarms beyond are kept and "
        "exported all the same, likewise in one. 0 = unlimited.",
    )
    exports_per_recorder: Annotated[int, whole(0, MOST_OF_ALL)] = Field(
        default=1000,
        description="Export requests an hour on one recorder, those that are sent "
        "again not counted. Clips beyond wait until the hour is over. 0 = unlimited.",
    )
