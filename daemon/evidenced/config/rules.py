"""Rules, and the conditions that they ask for."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from evidenced.config.forms import (
    choice,
    duration,
    flag,
    rate,
    text,
    whole,
)
from evidenced.config.section import (
    ANY_LINE,
    FieldName,
    Name,
    Section,
)
from evidenced.config.special import encoding_name, syntax, time_form, zone
from evidenced.core.alarms.expression import Expression
from evidenced.core.alarms.payload import PayloadFormat
from evidenced.core.alarms.textpattern import TextPattern
from evidenced.core.alarms.topic import TopicPattern
from evidenced.core.alarms.unpacking import Packing
from evidenced.core.instants import DAY, MINUTE, SECOND
from evidenced.core.keeping.still import MOST
from evidenced.core.severity import Severity

Topic = Annotated[
    TopicPattern,
    syntax(
        'a topic pattern such as "access/{site}/{door}/forced"',
        parser=TopicPattern.parse,
        most=1024,
    ),
]
_EXPRESSION = "a JMESPath expression in quotes such as \"state == 'active'\""
_JMES = syntax(_EXPRESSION, parser=Expression.parse)
DEFAULT_END = DAY
"""Of an alarm that nothing clears: longer than a door stands open on purpose."""
FORMATS = tuple(PayloadFormat)
EncodingName = Annotated[str, encoding_name()]
Jmes = Annotated[Expression | None, _JMES]
"""Without it every message counts; "" is refused, for it may be half an edit."""
Readable = Annotated[
    Expression | None,
    syntax(_EXPRESSION, parser=lambda text: Expression.parse(text) if text else None),
]
"""What is read beside it; "" reads nothing, as if the key were left out."""


class ConditionConfig(Section):
    topic: Topic = Field(
        description="The topic that tells the state; + and # work too. A retained "
        "message counts like any other. There is one state, of the last message on "
        "any of them: write a condition for each site. While nothing was heard it "
        "holds.",
        examples=["alarmo/state"],
    )
    format: Annotated[PayloadFormat, choice(*FORMATS[:-1])] = Field(
        default=PayloadFormat.JSON, description="As in `rules`."
    )
    encoding: EncodingName = Field(default="utf-8", description="As in `rules`.")
    unpack: Annotated[Packing, choice(*Packing)] = Field(
        default=Packing.NOTHING, description="As in `rules`."
    )
    when: Annotated[Expression, _JMES] = Field(
        description="JMESPath: with which messages the condition holds. The last one "
        "counts, also over a restart.",
        examples=["state != 'disarmed'"],
    )
    clear: Jmes = Field(
        default=None,
        description="JMESPath: with which messages it holds no more, for a topic that "
        "tells other things, too: what is neither changes nothing. Without it the "
        "condition holds no more with any message that is not as `when` says.",
        examples=["event == 'disarmed'"],
    )

    def expressions(self) -> Iterator[tuple[str, Expression]]:
        """Both, each with its key."""
        yield "when", self.when
        if self.clear is not None:
            yield "clear", self.clear


class RuleConfig(Section):
    """One rule.

    A new key: is it needed after a reload, for incidents that are open (then it is one
    of `core.terms.Terms`), or only when a message is read (then of `Rule`)? A key of
    the same name is carried over by `compile`. Lints that ask what a rule never takes
    have to know it, and so has `explain`.
    """

    name: Name = Field(
        description="Stands in folders, topics and metrics; of one rule only.",
        examples=["door-forced"],
    )
    label: Annotated[str, text("text on one line", pattern=ANY_LINE)] = Field(
        default="",
        description="What people read in its place; without it the name.",
        examples=["Door forced"],
    )
    summary: Annotated[
        str,
        text(
            'text on one line with names in braces, such as "{door} forced"',
            pattern=ANY_LINE,
            most=200,
        ),
    ] = Field(
        default="",
        description="One line about each incident, for lists, messages and the "
        "record: captured names and `fields` in braces, {rule} and {key}.",
        examples=["{door} forced at {site}"],
    )
    enabled: Annotated[bool, flag()] = Field(
        default=True,
        description="false leaves the rule out, as if it were not there.",
    )
    final: Annotated[bool, flag()] = Field(
        default=False,
        description="Every rule whose topics match reads a message, in the order of "
        "the file. true: what this rule takes, later rules do not see.",
    )
    topics: Annotated[tuple[Topic, ...], Field(min_length=1, max_length=256)] = Field(
        description="What to subscribe. {name} captures one level, or the part of one "
        "beside other text, {name:a|b} only these values; + and # work too.",
        examples=[("access/{site}/{door}/forced",)],
    )
    except_: Annotated[tuple[Topic, ...], Field(max_length=256)] = Field(
        default=(),
        alias="except",
        description="Topics that are left out again.",
        examples=[("access/test/#",)],
    )
    format: Annotated[PayloadFormat, choice(*FORMATS)] = Field(
        default=PayloadFormat.JSON,
        description=(
            '"text" is plain text; use `payload` in expressions then. "lines": every '
            "line is a message of its own, `payload` in expressions; a line that is a "
            'JSON object has its keys, too. "any": nobody reads the payload, any bytes '
            "are an alarm. What a rule should read and cannot is kept as invalid; a "
            "rule that asks for nothing in it takes any bytes."
        ),
    )
    encoding: EncodingName = Field(
        default="utf-8",
        description="The character set of payloads, any that Python knows.",
        examples=["latin-1"],
    )
    unpack: Annotated[Packing, choice(*Packing)] = Field(
        default=Packing.NOTHING,
        description="What payloads are wrapped in. Deflate is taken raw and with "
        "zlib's head; hex is the bytes written as digits.",
        examples=["gzip"],
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
    each: Readable = Field(
        default=None,
        description="JMESPath that gives a list: every item is read as a message of "
        "its own, with its own time, id, fields and clear; `whole()` is what stands "
        "around it. `items(zones)` makes a list of an object, `pairs(panels, &zones)` "
        "one of lists in a list.",
        examples=["events"],
    )
    when: Jmes = Field(
        default=None,
        description="JMESPath: which messages are an alarm. Without it: every one. "
        'False are null, false and what is empty; 0 and "false" are true, so compare.',
        examples=["state == 'active'"],
    )
    clear: Jmes = Field(
        default=None,
        description="JMESPath: which messages end it. The incident then ends at that "
        "time + `post_roll`, and lasts until then.",
        examples=["state == 'cleared'"],
    )
    clear_within: Annotated[timedelta, duration(most="30d", such_as="1h")] = Field(
        default=DEFAULT_END,
        description="With `clear`: when none has come this long after the last alarm, "
        'it is taken as lost, and the incident ends at its next cut. "0s" waits for '
        "ever, one cut after the other.",
        examples=["1h"],
    )
    time: Readable = Field(
        default=None,
        description="JMESPath: when it happened. ISO 8601, epoch s, ms, us, ns (told "
        "apart by size), and what stands above. Without it: the time of receipt.",
        examples=["timestamp"],
    )
    time_format: Annotated[str, time_form()] = Field(
        default="",
        description="How times are written that nothing else reads, in the words of "
        "strptime.",
        examples=["%H:%M:%S,%m-%d-%Y"],
    )
    timezone: Annotated[str, zone(may_be_empty=True, whose="the daemon's")] = Field(
        default="",
        description="Of times in payloads that carry no zone. "
        'With "" it is `daemon.timezone`, else the host\'s own.',
        examples=["Europe/Amsterdam"],
    )
    until: Readable = Field(
        default=None,
        description="JMESPath: the alarm's own end, where one message tells both: a "
        "time, or how long it lasted: seconds, `00:01:30`, `PT90S`, `90s`. The "
        "incident lasts from `time` to then; where no begin can be read, the end is "
        "the alarm's time. Null is no end.",
        examples=["end"],
    )
    only_while: tuple[Name, ...] = Field(
        default=(),
        description="Names of `conditions` that must hold for an alarm to count; a "
        "clear always does.",
        examples=[("armed",)],
    )
    once: Annotated[bool, flag()] = Field(
        default=False,
        description="true: one clip for each opening. After an alarm nothing of its "
        "group until the clear, whatever is repeated; the clip keeps its rolls. What "
        "the rule remembers survives restarts.",
    )
    only_changes: Annotated[bool, flag()] = Field(
        default=False,
        description="true: a message counts only where it changes what the rule last "
        "knew of its group, for sources that publish states at every start. A retained "
        "message, also an ignored one, tells what it knows and changes nothing. The "
        "incident lasts until its clear as usual; `clear_within` ends it and is no "
        "change.",
    )
    after: Annotated[timedelta, duration(most="7d", such_as="5m")] = Field(
        default=timedelta(0),
        description="An alarm only if no clear has come for so long; its window begins "
        'at the first message. "0s" waits for nothing.',
        examples=["5m"],
    )
    max_age: Annotated[timedelta, duration(least="1m", most="3650d", such_as="7d")] = (
        Field(
            default=7 * DAY,
            description="An alarm older than this is kept and counted as stale, and "
            "exports nothing.",
        )
    )
    expect_every: Annotated[timedelta, duration(most="90d", such_as="26h")] = Field(
        default=timedelta(0),
        description="How often a message comes on its topics at least, be it no alarm. "
        "When none came for longer, its source has fallen silent (a dead battery, a "
        'reader that is unplugged): told as trouble `source-silent`. "0s" expects '
        "none.",
        examples=["26h"],
    )
    retained: Annotated[str, choice("ignore", "accept")] = Field(
        default="ignore",
        description="A retained message is the replay of an old state at every "
        "subscribe.",
    )
    id: Readable = Field(
        default=None,
        description="JMESPath: the source's own event id, for exact de-duplication. It "
        "holds within rule and topic; with another `time`, of another group or for "
        "other cameras it is another event. Where a "
        "rule reads no `time`, a message with the same id is the same event as long as "
        "it comes within 10m of the last one, or within `post_roll` where that is "
        "longer: it is listed as a repeat, and no footage is asked for. After that, or "
        "after a clear of its group, the source counts anew, and it is an alarm: a "
        "source that tells its last event again later than that, such as when it "
        "connects again, needs `time`, or `once` and a `clear`.",
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
        "windows touch are one incident. A clear ends every group that agrees with the "
        "names that it carries; empty ones it does not carry.",
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
        "used. What they give finds a camera in other letter case too, and whether an "
        "umlaut is written as one character or as two, if only one is meant so.",
        examples=[("@entrance", "{door}")],
    )
    unknown: Annotated[str, choice("fail", "ignore")] = Field(
        default="fail",
        description='Names that no camera here has: "fail" tells them, "ignore" takes '
        "them for somebody else's. An alarm of which none is left then opens nothing.",
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
    stills: Annotated[int, whole(0, MOST)] = Field(
        default=3,
        description="Pictures of each camera around the alarm, which the recorder is "
        "asked for as soon as it has them: on the page, in messages, in the record. 0 "
        "fetches none.",
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

    def expressions(self) -> Iterator[tuple[tuple[str, ...], Expression]]:
        """All of them, each with its place below the rule."""
        for key in ("each", "when", "clear", "time", "until", "id"):
            expression = getattr(self, key)
            if expression is not None:
                yield (key,), expression
        for name, expression in self.fields.items():
            yield ("fields", name), expression
