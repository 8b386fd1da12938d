"""What the rules understand of one message.

Every rule whose topics match reads it, in the order of the file; what one rule makes of
it is nothing to the others, but for `final`, which is looked at when it is taken: only
then is known whether a rule's conditions hold.

A message may hold several (`each`, `format = "lines"`): each is read as one of its own.
What a rule does not read cannot make a message unreadable for it; what it should read
and cannot may have been an alarm, and is invalid.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from evidenced.core.alarms.alarm import (
    Alarm,
    MessageVerdict,
    Noted,
    NotTaken,
    Outcome,
    Reading,
)
from evidenced.core.alarms.expression import ExpressionError
from evidenced.core.alarms.functions import Context
from evidenced.core.alarms.message import Attempt, ReadMessage
from evidenced.core.alarms.payload import (
    UNREAD,
    Contents,
    PayloadFormat,
    Wrapping,
    not_encoded,
    one_line,
    read_payload,
)
from evidenced.core.alarms.rules import Precondition, Rule
from evidenced.core.alarms.switchboard import Switchboard
from evidenced.core.alarms.textpattern import PAYLOAD
from evidenced.core.errors import BadInput
from evidenced.core.phrase import mark
from evidenced.core.trust import EVER

MAX_MESSAGES = 1000
"""Messages that are read out of one: a panel's table of zones, not a database."""

_MAX_DETAIL = 500


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
    noted: list[Noted | NotTaken] = []
    unmet: list[str] = []
    for condition, levels in switchboard.conditions_of(alarm.topic):
        said = reader.note(condition, levels)
        noted += [said] if said else []
        unmet += [] if said else [condition.name]
    verdicts: list[Reading | NotTaken] = []
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
    return [(part.message, part.context) for part in _parts_of(rule, alarm, levels)]


def taken_parts(rule: Rule, alarm: Alarm, levels: Mapping[str, str]) -> list[int]:
    """Which of them the rule takes, by their positions.

    Raises:
        BadInput: the rule cannot read it.
    """
    parts = _parts_of(rule, alarm, levels)
    return [n for n, part in enumerate(parts) if isinstance(part.read(), Reading)]


def _parts_of(rule: Rule, alarm: Alarm, levels: Mapping[str, str]) -> list[ReadMessage]:
    reader = _Reader(alarm, alarm.received_at)
    contents = reader.contents(rule.wrapping) if rule.reads_payload else UNREAD
    if isinstance(contents, BadInput):
        raise contents
    return reader.parts(rule, levels, contents)


class _Reader(Attempt):
    """One alarm while rules read it, with its payloads as far as they are parsed."""

    __slots__ = ("_parsed",)

    def __init__(self, alarm: Alarm, received_at: datetime) -> None:
        super().__init__(alarm, received_at)
        self._parsed: dict[Wrapping, Contents | BadInput] = {}

    def read(
        self, rule: Rule, levels: Mapping[str, str]
    ) -> Sequence[Reading | NotTaken]:
        """None: the rule's conditions say that the message is not for it.

        A retained message is the state before now: of those that a rule ignores, one
        that goes by changes reads what state that was.
        """
        if not self.alarm.retained or rule.accepts_retained:
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
    ) -> Noted | NotTaken | None:
        """What a message says of a condition; one that cannot be read changes none.

        None: it is about something else.
        """
        contents = self.contents(condition.wrapping)
        context = Context(self.alarm.topic, levels)
        try:
            if isinstance(contents, BadInput):
                raise contents
            holds = _holds(condition, contents.messages, context)
        except (BadInput, ExpressionError) as error:
            detail = one_line(f"{condition.place}: {error}", _MAX_DETAIL)
            return NotTaken(rule=None, outcome=Outcome.INVALID, detail=detail)
        return None if holds is None else Noted(condition=condition.name, holds=holds)

    def contents(self, wrapping: Wrapping) -> Contents | BadInput:
        parsed = self._parsed.get(wrapping)
        if parsed is None:
            try:
                parsed = read_payload(self.alarm.payload, wrapping, self.alarm.whole)
            except BadInput as error:
                parsed = error
            self._parsed[wrapping] = parsed
        return parsed

    def parts(
        self, rule: Rule, levels: Mapping[str, str], contents: Contents
    ) -> list[ReadMessage]:
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
        return [ReadMessage(self, rule, levels, *each, number) for each in found]

    def _items(
        self, rule: Rule, levels: Mapping[str, str], whole: object
    ) -> Sequence[object]:
        """What `each` gives of a message; without it that is the only one."""
        if rule.each is None:
            return [whole]
        context = Context(self.alarm.topic, levels, whole)
        items = _items(self.value(rule, "each", rule.each, whole, context))
        if rule.wrapping.format in {PayloadFormat.TEXT, PayloadFormat.LINES}:
            return [{PAYLOAD: i} if isinstance(i, str) else i for i in items]
        return items


def _holds(
    condition: Precondition, messages: Sequence[object], context: Context
) -> bool | None:
    """Whether the state holds by these messages; None: they say nothing of it."""
    if condition.clear is None:
        return any(condition.when.is_true(each, context) for each in messages)
    for each in reversed(messages):
        if condition.when.is_true(each, context):
            return True
        if condition.clear.is_true(each, context):
            return False
    return None


def _items(value: object) -> Sequence[object]:
    """A list's items; null has none, and a single value is one."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _retained(rule: Rule, state: Reading | None = None) -> NotTaken:
    detail = f'rule {rule.name} ignores retained messages (retained = "ignore")'
    if state is not None:
        detail += "; what it says is the state before the next change"
    return NotTaken(
        rule=rule.name, outcome=Outcome.RETAINED, detail=detail, recalls=state
    )


def _invalid(rule: Rule, detail: str) -> NotTaken:
    return NotTaken(rule=rule.name, outcome=Outcome.INVALID, detail=detail)
