"""Rules as a configuration would say them, without a configuration."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from evidenced.core.alarms.alarm import Alarm, Noted, NotTaken, Reading
from evidenced.core.alarms.expression import Expression
from evidenced.core.alarms.payload import PLAIN, PayloadFormat, Wrapping
from evidenced.core.alarms.reading import read_alarm as read_all
from evidenced.core.alarms.rules import Rule
from evidenced.core.alarms.switchboard import Switchboard
from evidenced.core.alarms.textpattern import TextPattern
from evidenced.core.alarms.topic import TopicPattern
from evidenced.core.ids import DestinationName, RuleName
from evidenced.core.terms import Terms

TEXT = Wrapping(format=PayloadFormat.TEXT)
RECEIVED = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def make_rule(
    *topics: str,
    n: int = 0,
    text: bool = False,
    pattern: str = "",
    when: str = "",
    clear: str = "",
    time: str = "",
    timezone: str = "UTC",
    max_age: timedelta = timedelta(days=7),
    retained: bool = False,
    each: str = "",
    until: str = "",
    time_format: str = "",
    final: bool = False,
    wrapping: Wrapping | None = None,
    excepted: Sequence[str] = (),
    id: str = "",  # noqa: A002 - the configuration's word
    fields: Mapping[str, str] | None = None,
    group_by: Sequence[str] = (),
    cameras: Sequence[str] = ("lobby",),
) -> Rule:
    return Rule(
        name=RuleName(f"rule-{n}"),
        place=f"rules[{n}]",
        topics=tuple(TopicPattern.parse(topic) for topic in topics),
        excepted=tuple(TopicPattern.parse(topic) for topic in excepted),
        final=final,
        wrapping=wrapping or (TEXT if text else PLAIN),
        each=_expression(each),
        until=_expression(until),
        time_format=time_format,
        pattern=TextPattern.parse(pattern) if pattern else None,
        when=_expression(when),
        clear=_expression(clear),
        time=_expression(time),
        timezone=ZoneInfo(timezone),
        max_age=max_age,
        accepts_retained=retained,
        event_id=_expression(id),
        fields={key: Expression.parse(said) for key, said in (fields or {}).items()},
        group_by=tuple(group_by),
        cameras=tuple(cameras),
        pre_roll=timedelta(seconds=30),
        post_roll=timedelta(minutes=2),
        terms=Terms(
            destination=DestinationName("nas"),
            path=r"V:\evidence\{id}",
            root=r"V:\evidence",
            max_length=timedelta(minutes=30),
        ),
    )


def read_alarm(rules: Iterable[Rule], alarm: Alarm) -> Reading | NotTaken:
    """What the first rule that takes it makes of a message, or why none does."""
    told = [v for v in read_all(Switchboard(rules), alarm) if not isinstance(v, Noted)]
    return next((each for each in told if isinstance(each, Reading)), told[0])


def make_alarm(
    topic: str,
    payload: bytes | str,
    *,
    at: datetime = RECEIVED,
    retained: bool = False,
    absence: timedelta = timedelta(0),
) -> Alarm:
    return Alarm(
        topic=topic,
        payload=payload if isinstance(payload, bytes) else payload.encode(),
        received_at=at,
        retained=retained,
        absence=absence,
    )


def _expression(text: str) -> Expression | None:
    return Expression.parse(text) if text else None


TRICKY = (
    make_rule(
        "{site}/{door}/#",
        n=0,
        when="state == 'on' || length(zones) > `0`",
        clear="contains(state, 'off')",
        time="t",
        timezone="Europe/Amsterdam",
        id="id",
        fields={"x": "v", "y": "to_number(v)", "all": "@"},
        group_by=("site", "x"),
        cameras=("@{x}", "{door}-{x}"),
    ),
    make_rule("$SYS/#", "z{n}/+", n=1, text=True, when="payload != 'OFF'"),
    make_rule(
        "z{n}/#",
        n=2,
        wrapping=Wrapping(format=PayloadFormat.LINES, encoding="latin-1"),
        each="split(payload, ',')",
        when="bits(payload) || from_json(payload)",
        clear="topic() == payload",
        until="payload",
        time="substr(payload, `0`, `20`)",
        time_format="%d.%m.%Y %H:%M",
        id="captured('n')",
        fields={"x": "bits(payload)"},
        cameras=("{x}",),
    ),
)
"""Rules that ask of a message all that a rule can: for what sends anything at all."""
