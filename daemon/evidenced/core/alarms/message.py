"""What one rule understands of one message: signal, time, fields, cameras, key.

Faults of time, id and fields are told and never lose the alarm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from json import JSONEncoder

from evidenced.core.alarms.alarm import (
    Alarm,
    Moment,
    NotTaken,
    Outcome,
    Reading,
    Signal,
    TimeSource,
)
from evidenced.core.alarms.expression import Expression, ExpressionError
from evidenced.core.alarms.fields import (
    MAX_ITEMS,
    expand_cameras,
    field_value,
    group_key,
    id_text,
)
from evidenced.core.alarms.functions import Context
from evidenced.core.alarms.moment import moment_of_receipt, read_end, read_moment
from evidenced.core.alarms.payload import has_wrong_bytes
from evidenced.core.alarms.rules import Rule
from evidenced.core.alarms.textpattern import PAYLOAD
from evidenced.core.ids import FieldValue
from evidenced.core.instants import render_utc
from evidenced.core.phrase import mark

_STALE = mark("rule {rule}: its time {at} is further back than max_age")
"""A plain text, as those of `reading`."""
_JSON = JSONEncoder(ensure_ascii=False, check_circular=False, default=str)


class Attempt:
    """One alarm while rules read it: the faults met so far."""

    __slots__ = ("alarm", "faults", "received_at")

    def __init__(self, alarm: Alarm, received_at: datetime) -> None:
        self.alarm = alarm
        self.received_at = received_at
        self.faults: list[str] = []

    def value(
        self,
        rule: Rule,
        key: str,
        expression: Expression,
        payload: object,
        context: Context,
    ) -> object:
        """What an expression gives; null after telling why it gives nothing."""
        try:
            return expression.evaluate(payload, context)
        except ExpressionError as error:
            self.report(rule, key, str(error))
            return None

    def report(self, rule: Rule, key: str, what: str) -> None:
        """A fault of the rule's, met on the way."""
        self.faults.append(f"{rule.place}.{key}: {what}")


class ReadMessage:
    """One message out of an alarm while one rule reads it."""

    __slots__ = (
        "_levels",
        "_number",
        "_reader",
        "_rule",
        "context",
        "is_garbled",
        "message",
    )

    def __init__(
        self,
        reader: Attempt,
        rule: Rule,
        levels: Mapping[str, str],
        message: object,
        whole: object,
        number: int,
    ) -> None:
        self._reader = reader
        self._rule = rule
        self._number = number
        self.is_garbled = False
        """Whether something that was read has a byte in it that is no character."""
        if rule.pattern is not None and isinstance(message, dict):
            parts = rule.pattern.match(str(message.get(PAYLOAD, "")))
            message, levels = message | parts, {**levels, **parts}
            self.is_garbled = any(map(has_wrong_bytes, parts.values()))
        self.message = message
        self._levels = levels
        self.context = Context(reader.alarm.topic, levels, whole)

    def read(self) -> Reading | NotTaken | None:
        """None: the conditions say that the message is not for the rule."""
        rule = self._rule
        signal = self._signal()
        if signal is None:
            return None
        moment = self._moment()
        if signal is Signal.ACTIVE and moment.is_from_receipt:
            moment = self._moment_of_end() or moment
        if signal is Signal.ACTIVE and _is_stale(
            rule, moment, self._reader.received_at
        ):
            return _stale(rule, moment)
        fields = self._fields()
        key = group_key(rule.group_by, fields)
        cameras = expand_cameras(rule.cameras, fields)
        dedup_key, until = None, None
        if signal is Signal.ACTIVE:
            said = None if rule.until is None else self._value("until", rule.until)
            until = self._until(moment, said)
            ordered = [key, *map(str, cameras), *([said] if until else [])]
            dedup_key = self._dedup_key(moment, ordered)
        return Reading(
            rule=rule.name,
            signal=signal,
            moment=moment,
            until=until,
            fields=fields,
            key=key,
            group={name: fields[name] for name in rule.group_by if fields.get(name)},
            dedup_key=dedup_key,
            cameras=cameras,
            faults=tuple(self._reader.faults),
        )

    def _signal(self) -> Signal | None:
        """A condition that fails does not hold; without `when` every message is one."""
        rule = self._rule
        if rule.when is not None and self._holds("when", rule.when):
            return Signal.ACTIVE
        if rule.clear is not None and self._holds("clear", rule.clear):
            return Signal.CLEAR
        return Signal.ACTIVE if rule.when is None else None

    def _holds(self, key: str, condition: Expression) -> bool:
        try:
            return condition.is_true(self.message, self.context)
        except ExpressionError as error:
            self._reader.report(self._rule, key, str(error))
            return False

    def _value(self, key: str, expression: Expression) -> object:
        value = self._reader.value(
            self._rule, key, expression, self.message, self.context
        )
        self.is_garbled = self.is_garbled or has_wrong_bytes(value)
        return value

    def _moment(self) -> Moment:
        rule, alarm = self._rule, self._reader.alarm
        if rule.time is None:
            return moment_of_receipt(alarm.received_at, alarm.absence)
        return read_moment(
            self._value("time", rule.time),
            received_at=alarm.received_at,
            absence=alarm.absence,
            zone=rule.timezone,
            time_format=rule.time_format,
        )

    def _moment_of_end(self) -> Moment | None:
        """Of an alarm that tells its end alone: nearer to it than the receipt."""
        rule, alarm = self._rule, self._reader.alarm
        if rule.until is None:
            return None
        end = read_moment(
            self._value("until", rule.until),
            received_at=alarm.received_at,
            absence=alarm.absence,
            zone=rule.timezone,
            time_format=rule.time_format,
        )
        return None if end.is_from_receipt else replace(end, source=TimeSource.END)

    def _until(self, begin: Moment, value: object) -> Moment | None:
        """The alarm's own end, from what `until` gives; None: none, or not yet."""
        rule = self._rule
        if value is None or value == "":
            return None
        received_at = self._reader.alarm.received_at
        end = read_end(value, begin, received_at, rule.timezone, rule.time_format)
        if end is None:
            what = "gives no time that could be this alarm's end; post_roll ends it"
            self._reader.report(rule, "until", what)
        return end

    def _fields(self) -> dict[str, FieldValue]:
        fields: dict[str, FieldValue] = {}
        for name, level in self._levels.items():
            fields[name] = field_value(level) or ""
        for name, expression in self._rule.fields.items():
            key = f"fields.{name}"
            given = self._value(key, expression)
            if isinstance(given, list) and len(given) > MAX_ITEMS:
                what = f"gives {len(given)} values; the first {MAX_ITEMS} are used"
                self._reader.report(self._rule, key, what)
            value = field_value(given)
            if value is not None:
                fields[name] = value
        return fields

    def _dedup_key(self, moment: Moment, ordered: Sequence[object]) -> str | None:
        """What a repetition of it would have: id or payload, and its time.

        `ordered` is what footage it asks for, an end that it tells among it: what asks
        for other footage repeats none. The end is as it was written: a length of time
        that is counted from the receipt ends later in each repetition.
        """
        rule, alarm = self._rule, self._reader.alarm
        time = None if moment.is_from_receipt else render_utc(moment.at)
        event_id = self._event_id()
        if event_id is not None:
            return _digest([rule.name, alarm.topic, "id", event_id, time, *ordered])
        if time is None:
            return None
        head: list[object] = [rule.name, alarm.topic, "raw", time, *ordered]
        if self._number == 1:
            return _digest(head, alarm.payload)
        return _digest([*head, self.message])

    def _event_id(self) -> str | None:
        """The source's own id. "" and true name no event: all alarms would be one."""
        rule = self._rule
        if rule.event_id is None:
            return None
        value = self._value("id", rule.event_id)
        if isinstance(value, bool | list | dict):
            kind = "true or false" if isinstance(value, bool) else "no single value"
            self._reader.report(rule, "id", f"gives {kind}, which names no event")
            return None
        return id_text(value) or None


def _digest(head: Sequence[object], raw: bytes = b"") -> str:
    """A hash of both; JSON has no NUL inside, so the first one ends the head."""
    text = _JSON.encode(head).encode(errors="surrogatepass")
    return sha256(text + b"\0" + raw).hexdigest()


def _is_stale(rule: Rule, moment: Moment, received_at: datetime) -> bool:
    return not moment.is_from_receipt and received_at - moment.latest > rule.max_age


def _stale(rule: Rule, moment: Moment) -> NotTaken:
    detail = _STALE.format(rule=rule.name, at=render_utc(moment.latest))
    return NotTaken(rule=rule.name, outcome=Outcome.STALE, detail=detail)
