"""Rules: which alarm means what. `read_alarm` decides; everything else is its parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from hashlib import sha256
from json import JSONEncoder

from evidenced.core.alarms.alarm import (
    Alarm,
    Moment,
    NotTaken,
    Outcome,
    Reading,
    Signal,
)
from evidenced.core.alarms.expression import Expression, ExpressionError
from evidenced.core.alarms.fields import expand_cameras, field_value, group_key
from evidenced.core.alarms.moment import moment_of_receipt, read_moment
from evidenced.core.alarms.payload import PayloadFormat, one_line, parse_payload
from evidenced.core.alarms.textpattern import PAYLOAD, TextPattern
from evidenced.core.alarms.topic import TopicPattern
from evidenced.core.errors import BadInput
from evidenced.core.ids import FieldValue, RuleName
from evidenced.core.instants import render_utc
from evidenced.core.terms import Terms
from evidenced.core.trust import EVER

__all__ = ["PayloadFormat", "Rule", "read_alarm"]

_MAX_DETAIL = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What an alarm means: when it is one, and what footage it asks for.

    `cameras` are templates: a camera's name, "@group", and captured values in braces.
    `pattern` names parts of a text payload: for expressions, and as captured values.
    `clear_within` is how long after the last alarm its clear is waited for; None: for
    ever.
    `place` is where it stands in the configuration ("rules[2]"), for messages.
    `terms` is what every incident of this rule keeps.
    """

    name: RuleName
    place: str
    topics: tuple[TopicPattern, ...]
    format: PayloadFormat = PayloadFormat.JSON
    pattern: TextPattern | None = None
    when: Expression | None = None
    clear: Expression | None = None
    clear_within: timedelta | None = None
    time: Expression | None = None
    timezone: tzinfo
    max_age: timedelta
    accepts_retained: bool = False
    event_id: Expression | None = None
    fields: Mapping[str, Expression] = field(default_factory=dict)
    group_by: tuple[str, ...] = ()
    cameras: tuple[str, ...]
    pre_roll: timedelta
    post_roll: timedelta
    terms: Terms

    def without_clear(self) -> "Rule":
        """The same for an alarm that nobody will clear: opened by hand."""
        return replace(self, clear=None)

    def clear_lost_at(self, last_at: datetime) -> datetime | None:
        """From when on no clear is expected, if the last alarm was at `last_at`."""
        return None if self.clear_within is None else last_at + self.clear_within


def read_alarm(
    rules: Sequence[Rule], alarm: Alarm, sure: datetime = EVER
) -> Reading | NotTaken:
    """What the first rule that takes the alarm understands of it, or why none does.

    `sure` is what has come whatever the host's clock says: no alarm is older than that.

    A refusal is the first that a rule with a fitting topic gave (retained, stale,
    invalid); only if none did the alarm is unmatched. Faults of time, id and fields
    never lose the alarm. Pure, never raises.
    """
    reader = _Reader(alarm, min(alarm.received_at, sure))
    refusal: NotTaken | None = None
    unmet: list[str] = []
    for rule in rules:
        levels = _captured(rule.topics, alarm.topic)
        if levels is None:
            continue
        result = reader.read(rule, levels)
        if isinstance(result, Reading):
            return result
        if result is None:
            unmet.append(rule.name)
        refusal = refusal or result
    refusal = refusal or _unmatched(alarm.topic, unmet)
    return NotTaken(
        rule=refusal.rule,
        outcome=refusal.outcome,
        detail=one_line(refusal.detail, _MAX_DETAIL),
        faults=tuple(reader.faults),
    )


def _captured(patterns: tuple[TopicPattern, ...], topic: str) -> dict[str, str] | None:
    for pattern in patterns:
        levels = pattern.match(topic)
        if levels is not None:
            return levels
    return None


def _unmatched(topic: str, unmet: list[str]) -> NotTaken:
    detail = (
        f"topic fits, but no condition holds: {', '.join(unmet)}"
        if unmet
        else f"no rule has a topic that fits {topic!r}"
    )
    return NotTaken(rule=None, outcome=Outcome.UNMATCHED, detail=detail)


class _Reader:
    """One alarm while rules read it: payloads parsed so far, faults met so far."""

    __slots__ = ("_alarm", "_parsed", "_received_at", "faults")

    def __init__(self, alarm: Alarm, received_at: datetime) -> None:
        self._alarm = alarm
        self._received_at = received_at
        self._parsed: dict[PayloadFormat, object | BadInput] = {}
        self.faults: list[str] = []

    def read(self, rule: Rule, levels: dict[str, str]) -> Reading | NotTaken | None:
        """None: the rule's conditions say that the message is not for it."""
        if self._alarm.retained and not rule.accepts_retained:
            detail = f'rule {rule.name} ignores retained messages (retained = "ignore")'
            return NotTaken(rule=rule.name, outcome=Outcome.RETAINED, detail=detail)
        payload = self._payload(rule.format)
        if isinstance(payload, BadInput):
            return _invalid(rule, str(payload))
        if rule.pattern is not None and isinstance(payload, dict):
            parts = rule.pattern.match(payload[PAYLOAD])
            payload, levels = payload | parts, levels | parts
        known = len(self.faults)
        signal = self._signal(rule, payload)
        if signal is None:
            new = self.faults[known:]
            return _invalid(rule, new[0]) if new else None
        moment = self._moment(rule, payload)
        if _is_stale(rule, moment, self._received_at):
            return _stale(rule, moment)
        fields = self._fields(rule, payload, levels)
        return Reading(
            rule=rule.name,
            signal=signal,
            moment=moment,
            fields=fields,
            key=group_key(rule.group_by, fields),
            dedup_key=self._dedup_key(rule, payload, signal, moment),
            cameras=expand_cameras(rule.cameras, fields),
            faults=tuple(self.faults),
        )

    def _payload(self, payload_format: PayloadFormat) -> object | BadInput:
        parsed = self._parsed.get(payload_format, self)
        if parsed is self:
            try:
                parsed = parse_payload(
                    self._alarm.payload, payload_format, self._alarm.whole
                )
            except BadInput as error:
                parsed = error
            self._parsed[payload_format] = parsed
        return parsed

    def _signal(self, rule: Rule, payload: object) -> Signal | None:
        """A condition that fails does not hold; without `when` every message is one."""
        if rule.when is not None and self._holds(rule, "when", rule.when, payload):
            return Signal.ACTIVE
        if rule.clear is not None and self._holds(rule, "clear", rule.clear, payload):
            return Signal.CLEAR
        return Signal.ACTIVE if rule.when is None else None

    def _holds(
        self, rule: Rule, key: str, condition: Expression, payload: object
    ) -> bool:
        try:
            return condition.is_true(payload)
        except ExpressionError as error:
            self._report(rule, key, str(error))
            return False

    def _value(
        self, rule: Rule, key: str, expression: Expression, payload: object
    ) -> object:
        try:
            return expression.evaluate(payload)
        except ExpressionError as error:
            self._report(rule, key, str(error))
            return None

    def _report(self, rule: Rule, key: str, what: str) -> None:
        self.faults.append(f"{rule.place}.{key}: {what}")

    def _moment(self, rule: Rule, payload: object) -> Moment:
        alarm = self._alarm
        if rule.time is None:
            return moment_of_receipt(alarm.received_at, alarm.absence)
        return read_moment(
            self._value(rule, "time", rule.time, payload),
            received_at=alarm.received_at,
            absence=alarm.absence,
            zone=rule.timezone,
        )

    def _fields(
        self, rule: Rule, payload: object, levels: dict[str, str]
    ) -> dict[str, FieldValue]:
        fields: dict[str, FieldValue] = {}
        for name, level in levels.items():
            fields[name] = field_value(level) or ""
        for name, expression in rule.fields.items():
            value = field_value(
                self._value(rule, f"fields.{name}", expression, payload)
            )
            if value is not None:
                fields[name] = value
        return fields

    def _dedup_key(
        self, rule: Rule, payload: object, signal: Signal, moment: Moment
    ) -> str | None:
        event_id = self._event_id(rule, payload)
        if event_id is not None:
            return _digest([rule.name, signal, "id", event_id])
        if moment.is_from_receipt:
            return None
        head = [rule.name, signal, "raw", self._alarm.topic]
        return _digest(head, self._alarm.payload)

    def _event_id(self, rule: Rule, payload: object) -> str | float | None:
        """The source's own id. "" and true name no event: all alarms would be one."""
        if rule.event_id is None:
            return None
        value = self._value(rule, "id", rule.event_id, payload)
        if isinstance(value, bool | list | dict):
            kind = "true or false" if isinstance(value, bool) else "no single value"
            self._report(rule, "id", f"gives {kind}, which names no event")
            return None
        return value if isinstance(value, str | int | float) and value != "" else None


def _digest(head: Sequence[object], raw: bytes = b"") -> str:
    """A hash of both; JSON has no NUL inside, so the first one ends the head."""
    text = _JSON.encode(head).encode(errors="surrogatepass")
    return sha256(text + b"\0" + raw).hexdigest()


def _is_stale(rule: Rule, moment: Moment, received_at: datetime) -> bool:
    return not moment.is_from_receipt and received_at - moment.latest > rule.max_age


def _invalid(rule: Rule, detail: str) -> NotTaken:
    return NotTaken(rule=rule.name, outcome=Outcome.INVALID, detail=detail)


def _stale(rule: Rule, moment: Moment) -> NotTaken:
    detail = (
        f"rule {rule.name}: its time {render_utc(moment.latest)} is further back "
        f"than max_age"
    )
    return NotTaken(rule=rule.name, outcome=Outcome.STALE, detail=detail)


_JSON = JSONEncoder(ensure_ascii=False, check_circular=False)
