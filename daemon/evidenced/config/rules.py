"""Rules and the destinations that their exports go to."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field

from evidenced.config.forms import (
    choice,
    duration,
    file,
    flag,
    rate,
    size,
    text,
    whole,
)
from evidenced.config.section import (
    FieldName,
    Name,
    Section,
)
from evidenced.config.special import syntax, zone
from evidenced.core.alarms.expression import Expression
from evidenced.core.alarms.payload import PayloadFormat
from evidenced.core.alarms.textpattern import TextPattern
from evidenced.core.alarms.topic import TopicPattern
from evidenced.core.folders.paths import PathTemplate
from evidenced.core.instants import DAY, MINUTE, SECOND, ZERO
from evidenced.core.severity import Severity

Topic = Annotated[
    TopicPattern,
    syntax(
        'a topic pattern such as "access/{site}/{door}/forced"',
        parser=TopicPattern.parse,
        most=1024,
    ),
]
_JMES = syntax(
    "a JMESPath expression in quotes such as \"state == 'active'\"",
    parser=Expression.parse,
)
Jmes = Annotated[Expression | None, _JMES]


class DestinationConfig(Section):
    path: Annotated[
        PathTemplate,
        syntax(
            r"""a path on the recorder such as 'V:\evidence\{rule}-{id}'""",
            parser=PathTemplate.parse,
            most=1024,
        ),
    ] = Field(
        description="A folder for each export, on the recorder. Fields: {id} (needed) "
        "{rule} {key} {recorder} {instance} {opened:FORMAT} {ended:FORMAT} (strftime, "
        "local time) and the rule's captured names and `fields`. Values are made safe.",
        examples=[r"V:\evidence\{opened:%Y}\{opened:%m-%d}\{rule}-{id}"],
    )
    root: Annotated[
        str | None,
        text("the part of the path that all exports share", most=240),
    ] = Field(
        default=None,
        description="No path that leaves this folder is ever requested. Without it: "
        "the part of `path` before its first field.",
        examples=["V:\\evidence"],
    )
    mount: Annotated[
        Path | None, file(what="the absolute path of a folder", such_as="/mnt/evidence")
    ] = Field(
        default=None,
        description="Where this host sees the same share (`root` here): finished "
        "files are then verified.",
        examples=["/mnt/evidence"],
    )
    marker: Annotated[
        str | None,
        text(
            "the name of a file, without a folder",
            pattern=r"(?!\.\.?$)[^\x00-\x1f\x7f/\\]{1,255}",
            most=255,
        ),
    ] = Field(
        default=None,
        description="A file that must be in `mount`; without it the share is not the "
        "right one and is held.",
        examples=[".evidenced-share"],
    )
    record: Annotated[bool, flag()] = Field(
        default=True,
        description="Where `mount` is set: an evidence record is written beside the "
        "footage. false only looks at the share and never writes. Without `marker` the "
        "mount must be a mount point itself, so that nothing is written to the local "
        "disk when the share is away.",
    )
    min_free: Annotated[int, size()] = Field(
        default=0,
        description="With less room than this on `mount` the destination is held, "
        "before the recorder runs into a full disk. 0 leaves that to the recorder.",
        examples=["10 GB"],
    )

    @property
    def fixed_root(self) -> str:
        """The root that holds: as written, else the folder before the first field."""
        if self.root is not None:
            return self.root
        fixed = self.path.text.partition("{")[0]
        cut = max(fixed.rfind("\\"), fixed.rfind("/"))
        return fixed[: cut + 1]


class RuleConfig(Section):
    name: Name = Field(
        description="Stands in folders, topics and metrics; of one rule only.",
        examples=["door-forced"],
    )
    enabled: Annotated[bool, flag()] = Field(
        default=True,
        description="false leaves the rule out, as if it were not there.",
    )
    topics: Annotated[tuple[Topic, ...], Field(min_length=1, max_length=256)] = Field(
        description="What to subscribe. {name} captures one level; + and # work too.",
        examples=[("access/{site}/{door}/forced",)],
    )
    format: Annotated[PayloadFormat, choice(*PayloadFormat)] = Field(
        default=PayloadFormat.JSON,
        description=(
            '"text" is plain text; use `payload` in expressions then. As "json" a '
            "payload that is none, or empty, is kept as invalid and opens nothing."
        ),
    )
    pattern: Annotated[
        TextPattern | None,
        syntax(
            'a text with names in braces such as "Event:{event};Zone:{zone}"',
            parser=TextPattern.parse,
            most=512,
        ),
    ] = Field(
        default=None,
        description="Names parts of a plain text payload: for expressions, `cameras`, "
        "`group_by` and paths. A text that does not fit has none of them.",
        examples=["Event:{event};SubEvent:{zone}"],
    )
    when: Jmes = Field(
        default=None,
        description="JMESPath: which messages are an alarm. Without it: every one.",
        examples=["state == 'active'"],
    )
    clear: Jmes = Field(
        default=None,
        description="JMESPath: which messages end it. The incident then ends at that "
        "time + `post_roll`, and lasts until then.",
        examples=["state == 'cleared'"],
    )
    clear_within: Annotated[timedelta, duration(most="30d", such_as="1h")] = Field(
        default=ZERO,
        description="With `clear`: when none has come this long after the last alarm, "
        'it is taken as lost, and the incident ends at its next cut. "0s" waits for '
        "ever, one cut after the other.",
        examples=["1h"],
    )
    time: Jmes = Field(
        default=None,
        description="JMESPath: when it happened. ISO 8601 or epoch s, ms, us (told "
        "apart by size). Without it: the time of receipt.",
        examples=["timestamp"],
    )
    timezone: Annotated[str, zone(may_be_empty=True, whose="the daemon's")] = Field(
        default="UTC",
        description="Of times in payloads that carry no zone. "
        'With "" it is `daemon.timezone`, else the host\'s own.',
        examples=["Europe/Amsterdam"],
    )
    max_age: Annotated[timedelta, duration(least="1m", most="3650d", such_as="7d")] = (
        Field(
            default=7 * DAY,
            description="An alarm older than this is kept and counted as stale, and "
            "exports nothing.",
        )
    )
    retained: Annotated[str, choice("ignore", "accept")] = Field(
        default="ignore",
        description="A retained message is the replay of an old state at every "
        "subscribe.",
    )
    id: Jmes = Field(
        default=None,
        description="JMESPath: the source's own event id, for exact de-duplication.",
        examples=["event_id"],
    )
    fields: dict[FieldName, Annotated[Expression, _JMES]] = Field(
        default={},
        description="JMESPath: more named values beside the captured levels, for "
        "`cameras`, `group_by` and paths.",
        examples=[{"badge": "card.number"}],
    )
    group_by: tuple[FieldName, ...] = Field(
        default=(),
        description="Names of captured levels or `fields`: alarms of one group whose "
        "windows touch are one incident.",
        examples=[("site", "door")],
    )
    cameras: Annotated[
        tuple[
            Annotated[
                str,
                text(
                    'a camera, an "@group" or a template such as "{door}"',
                    most=200,
                ),
            ],
            ...,
        ],
        Field(min_length=1, max_length=1000),
    ] = Field(
        description="Names of cameras or @groups; captured levels and `fields` may be "
        "used.",
        examples=[("@entrance", "{door}")],
    )
    pre_roll: Annotated[timedelta, duration(most="1d")] = Field(
        default=30 * SECOND, description="Footage before the alarm."
    )
    post_roll: Annotated[timedelta, duration(most="1d", such_as="2m")] = Field(
        default=2 * MINUTE, description="Footage after the alarm, or after its end."
    )
    max_length: Annotated[timedelta, duration(least="1s", most="7d", such_as="30m")] = (
        Field(
            default=30 * MINUTE,
            description="An incident that stays active longer is cut into consecutive "
            "ones.",
        )
    )
    destination: Annotated[str | None, text("the name of a destination")] = Field(
        default=None,
        description="Where its exports go. Without it: the only destination there is.",
        examples=["nas"],
    )
    bandwidth: Annotated[int, rate()] = Field(
        default=0,
        description="Cap of this rule's exports, within the recorder's budget.",
        examples=["8 Mbit/s"],
    )
    priority: Annotated[int, whole(0, 1000)] = Field(
        default=50,
        description="Lower goes first when exports queue; a minute of waiting is "
        "worth one.",
    )
    protect: Annotated[bool, flag()] = Field(
        default=False,
        description="The recorder is asked to tag the footage as soon as the alarm is "
        "stored, so that it is not overwritten. Tags stay until a person releases them "
        "at the recorder, also when the incident is cancelled.",
    )
    severity: Annotated[Severity, choice(*Severity)] = Field(
        default=Severity.WARNING,
        description="How bad it is when footage of an incident fails or is late: "
        "decides who is told.",
    )
    alert_after: Annotated[timedelta, duration(most="30d", such_as="30m")] = Field(
        default=30 * MINUTE,
        description="No footage this long after the window's end, or after the alarm "
        'came where it waited at the broker, or after a retry: alert once. "0s" never '
        "alerts.",
    )
