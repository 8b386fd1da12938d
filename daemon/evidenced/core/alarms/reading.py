"""What the rules understand of one message.

Every rule whose topics match reads it, in the order of the file; what one rule makes of
it is nothing to the others, but for `final`, which is looked at when it is taken: only
then is known whether a rule's conditions hold.

A message may hold several (`each`, `format = "lines"`): each is read as one of its own.
What a rule does not read cannot make a message unreadable for it; what it should read
and cannot may have been an alarm, and is invalid.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from json import JSONEncoder

from evidenced.core.alarms.alarm import (
    Alarm,
    MessageVerdict,
    Moment,
    Noted,
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
from evidenced.core.alarms.payload import (
    UNREAD,
    Contents,
    PayloadFormat,
    Wrapping,
    has_wrong_bytes,
    not_encoded,
    one_line,
    read_payload,
)
from evidenced.core.alarms.router import Router
from evidenced.core.alarms.rules import Precondition, Rule
from evidenced.core.alarms.textpattern import PAYLOAD
from evidenced.core.errors import BadInput
from evidenced.core.ids import FieldValue
from evidenced.core.instants import render_utc
from evidenced.core.phrase import mark
from evidenced.core.trust import EVER

MAX_MESSAGES = 1000
"""Messages that are read out of one: a panel's table of zones, not a database."""

_MAX_DETAIL = 500


class Switchboard:
    """The rules and conditions of a configuration, by their topics."""

    def __init__(
        self, rules: Iterable[Rule], conditions: Iterable[Precondition] = ()
    ) -> None:
        self.rules = tuple(rules)
        self._conditions = Router(((each.topic,), each) for each in conditions)
        self._rules = Router((rule.topics, rule) for rule in self.rules)

    def conditions_of(self, topic: str) -> list[tuple[Precondition, dict[str, str]]]:
        """Those whose state a message on this topic tells."""
        return self._conditions.find(topic)

    def rules_of(self, topic: str) -> list[tuple[Rule, dict[str, str]]]:
        """Those that read a message on this topic, and what their topics capture."""
        return [
            (rule, levels)
            for rule, levels in self._rules.find(topic)
            if not _is_excepted(rule, topic)
        ]

    def excepting(self, topic: str) -> list[str]:
        """The rules that would read it, but for their `except`."""
        found = self._rules.find(topic)
        return [rule.name for rule, _ in found if _is_excepted(rule, topic)]


def _is_excepted(rule: Rule, topic: str) -> bool:
    return any(each.match(topic) is not None for each in rule.excepted)


def read_alarm(
    switchboard: Switchboard, alarm: Alarm, sure: datetime = EVER
) -> tuple[MessageVerdict, ...]:
    """What it means, in the order in which it is to be taken; at least one verdict.

    `sure` is what has come whatever the host's clock says: no alarm is older than that.
    States of conditions first, then what the rules say, in their order. That a rule
    cannot read it, or finds it stale, is told beside what others read; of many such
    rules the first. If nobody takes it there is one refusal. Faults of time, id and
    fields never lose the alarm. Pure, never raises.
    """
    reader = _Reader(alarm, min(alarm.received_at, sure))
    noted = [
        reader.note(condition, levels)
        for condition, levels in switchboard.conditions_of(alarm.topic)
    ]
    verdicts: list[Reading | NotTaken] = []
    unmet: list[str] = []
    for rule, levels in switchboard.rules_of(alarm.topic):
        read = reader.read(rule, levels)
        verdicts += read
        unmet += [] if read else [rule.name]
    told = _worth_telling(verdicts, reader.faults)
    if not told and not noted:
        told = [_unmatched(switchboard, alarm.topic, unmet)]
    faults = tuple(reader.faults)
    return (*noted, *(_with_faults(each, faults) for each in told))


_TOLD_BESIDE = frozenset({Outcome.INVALID, Outcome.STALE})
"""What may have been an alarm for one rule, whatever another makes of the message."""


def _worth_telling(
    verdicts: Sequence[Reading | NotTaken], faults: Collection[str]
) -> list[Reading | NotTaken]:
    """All that is read, and of each outcome that may be a loss the first refusal.

    Where there are none, the first refusal of any other kind. An expression that fails
    on a message that another rule takes may just be about others: that is a fault,
    which is told and counted by itself.
    """
    told: list[Reading | NotTaken] = []
    known: set[Outcome] = set()
    is_taken = any(isinstance(each, Reading) for each in verdicts)
    for each in verdicts:
        if isinstance(each, Reading) or each.recalls:
            told.append(each)
        elif each.outcome in _TOLD_BESIDE - known and not (
            is_taken and each.detail in faults
        ):
            known.add(each.outcome)
            told.append(each)
    return told or list(verdicts[:1])


def _with_faults(
    verdict: Reading | NotTaken, faults: tuple[str, ...]
) -> Reading | NotTaken:
    if isinstance(verdict, Reading):
        return verdict
    detail = one_line(verdict.detail, _MAX_DETAIL)
    return replace(verdict, detail=detail, faults=faults)


_NO_CONDITION = mark("topic fits, but no condition holds: {unmet}")
_LEFT_OUT = mark("left out by `except` of {rules}")
_NO_TOPIC = mark("no rule has a topic that fits {topic}")
_STALE = mark("rule {rule}: its time {at} is further back than max_age")
"""Plain texts: many messages a second end so. The page recognises them."""


def _unmatched(
    switchboard: "Switchboard", topic: str, unmet: Sequence[str]
) -> NotTaken:
    outcome = Outcome.UNMATCHED
    if unmet:
        detail = _NO_CONDITION.format(unmet=", ".join(unmet))
    elif names := switchboard.excepting(topic):
        outcome, detail = (
            Outcome.EXCEPTED,
            _LEFT_OUT.format(rules=", ".join(names)),
        )
    else:
        detail = _NO_TOPIC.format(topic=repr(topic))
    return NotTaken(rule=None, outcome=outcome, detail=detail)


def parts_of(
    rule: Rule, alarm: Alarm, levels: Mapping[str, str]
) -> list[tuple[object, Context]]:
    """What a rule's expressions see of a message: the messages in it.

    Raises:
        BadInput: the rule cannot read it.
    """
    reader = _Reader(alarm, alarm.received_at)
    contents = reader.contents(rule.wrapping) if rule.reads_payload else UNREAD
    if isinstance(contents, BadInput):
        raise contents
    parts = reader.parts(rule, levels, contents)
    return [(part.message, part.context) for part in parts]


class _Reader:
    """One alarm while rules read it: payloads parsed so far, faults met so far."""

    __slots__ = ("_alarm", "_parsed", "faults", "received_at")

    def __init__(self, alarm: Alarm, received_at: datetime) -> None:
        self._alarm = alarm
        self.received_at = received_at
        self._parsed: dict[Wrapping, Contents | BadInput] = {}
        self.faults: list[str] = []

    def read(
        self, rule: Rule, levels: Mapping[str, str]
    ) -> Sequence[Reading | NotTaken]:
        """None: the rule's conditions say that the message is not for it.

        A retained message is the state before now: of those that a rule ignores, one
        that goes by changes reads what state that was.
        """
        if not self._alarm.retained or rule.accepts_retained:
            return self._read(rule, levels)
        told = self._read(rule, levels) if rule.only_changes else ()
        states = [each for each in told if isinstance(each, Reading)]
        return [_retained(rule, each) for each in states] or [_retained(rule)]

    def _read(
        self, rule: Rule, levels: Mapping[str, str]
    ) -> Sequence[Reading | NotTaken]:
        contents = self.contents(rule.wrapping) if rule.reads_payload else UNREAD
        if isinstance(contents, BadInput):
            return [_invalid(rule, str(contents))]
        known = len(self.faults)
        parts = self.parts(rule, levels, contents)
        found = [each for part in parts if (each := part.read()) is not None]
        wrong = contents.wrong_byte
        if wrong is not None and (not found or any(p.is_garbled for p in parts)):
            return [_invalid(rule, str(not_encoded(wrong, rule.wrapping.encoding)))]
        new = self.faults[known:]
        return found or ([_invalid(rule, new[0])] if new else [])

    def note(
        self, condition: Precondition, levels: Mapping[str, str]
    ) -> Noted | NotTaken:
        """What a message says of a condition; one that cannot be read changes none."""
        contents = self.contents(condition.wrapping)
        context = Context(self._alarm.topic, levels)
        try:
            if isinstance(contents, BadInput):
                raise contents
            holds = any(
                condition.when.is_true(each, context) for each in contents.messages
            )
        except (BadInput, ExpressionError) as error:
            detail = one_line(f"{condition.place}: {error}", _MAX_DETAIL)
            return NotTaken(rule=None, outcome=Outcome.INVALID, detail=detail)
        return Noted(condition=condition.name, holds=holds)

    def contents(self, wrapping: Wrapping) -> Contents | BadInput:
        parsed = self._parsed.get(wrapping)
        if parsed is None:
            try:
                parsed = read_payload(self._alarm.payload, wrapping, self._alarm.whole)
            except BadInput as error:
                parsed = error
            self._parsed[wrapping] = parsed
        return parsed

    def parts(
        self, rule: Rule, levels: Mapping[str, str], contents: Contents
    ) -> list["_Message"]:
        """What is read as a message of its own, as many as there are in it."""
        found = [
            (item, whole)
            for whole in contents.messages
            for item in self._items(rule, levels, whole)
        ]
        if len(found) > MAX_MESSAGES:
            what = f"gives {len(found)} messages; the first {MAX_MESSAGES} are read"
            self.report(rule, "each" if rule.each else "format", what)
            found = found[:MAX_MESSAGES]
        number = len(found)
        return [_Message(self, rule, levels, *each, number) for each in found]

    def _items(
        self, rule: Rule, levels: Mapping[str, str], whole: object
    ) -> Sequence[object]:
        """What `each` gives of a message; without it that is the only one."""
        if rule.each is None:
            return [whole]
        context = Context(self._alarm.topic, levels, whole)
        items = _items(self.value(rule, "each", rule.each, whole, context))
        if rule.wrapping.format in {PayloadFormat.TEXT, PayloadFormat.LINES}:
            return [{PAYLOAD: i} if isinstance(i, str) else i for i in items]
        return items

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

    @property
    def alarm(self) -> Alarm:
        return self._alarm


def _items(value: object) -> Sequence[object]:
    """A list's items; null has none, and a single value is one."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


class _Message:
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
        reader: _Reader,
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
        dedup_key = None
        if signal is Signal.ACTIVE:
            dedup_key = self._dedup_key(moment, [key, *map(str, cameras)])
        return Reading(
            rule=rule.name,
            signal=signal,
            moment=moment,
            until=self._until(moment) if signal is Signal.ACTIVE else None,
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

    def _until(self, begin: Moment) -> Moment | None:
        """The alarm's own end; none of what it tells no end of, or not yet."""
        rule = self._rule
        value = None if rule.until is None else self._value("until", rule.until)
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

    def _dedup_key(self, moment: Moment, ordered: Sequence[str]) -> str | None:
        """What a repetition of it would have: id or payload, and its time.

        `ordered` is what footage it asks for: what asks for other footage repeats none.
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


def _retained(rule: Rule, state: Reading | None = None) -> NotTaken:
    detail = f'rule {rule.name} ignores retained messages (retained = "ignore")'
    if state is not None:
        detail += "; what it says is the state before the next change"
    return NotTaken(
        rule=rule.name, outcome=Outcome.RETAINED, detail=detail, recalls=state
    )


def _is_stale(rule: Rule, moment: Moment, received_at: datetime) -> bool:
    return not moment.is_from_receipt and received_at - moment.latest > rule.max_age


def _invalid(rule: Rule, detail: str) -> NotTaken:
    return NotTaken(rule=rule.name, outcome=Outcome.INVALID, detail=detail)


def _stale(rule: Rule, moment: Moment) -> NotTaken:
    detail = _STALE.format(rule=rule.name, at=render_utc(moment.latest))
    return NotTaken(rule=rule.name, outcome=Outcome.STALE, detail=detail)


_JSON = JSONEncoder(ensure_ascii=False, check_circular=False, default=str)
