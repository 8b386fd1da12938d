"""Rules: what an alarm means, and the states of other topics that rules ask for.

What a rule understands of a message is in `reading`, what it remembers in `memory`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from functools import cached_property
from hashlib import sha256

from evidenced.core.alarms.constancy import reads_payload
from evidenced.core.alarms.expression import Expression
from evidenced.core.alarms.payload import PLAIN, PayloadFormat, Wrapping
from evidenced.core.alarms.textpattern import TextPattern
from evidenced.core.alarms.topic import TopicPattern
from evidenced.core.ids import ConditionName, RuleName
from evidenced.core.instants import ZERO
from evidenced.core.terms import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Precondition:
    """The state of another topic: whether its last message meets `when`.

    With `clear` only messages that meet one of them tell it: on a topic of events, most
    are about something else.
    """

    name: ConditionName
    topic: TopicPattern
    wrapping: Wrapping = PLAIN
    when: Expression
    clear: Expression | None = None

    @property
    def settings(self) -> str:
        """What a state that was read by them can be told by."""
        said: tuple[object, ...] = (self.topic.text, self.wrapping, self.when.text)
        if self.clear is not None:
            said = (*said, self.clear.text)
        return sha256(repr(said).encode()).hexdigest()[:16]

    @property
    def place(self) -> str:
        """Where it stands in the configuration, for messages."""
        return f"conditions.{self.name}"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What an alarm means: when it is one, and what footage it asks for.

    `cameras` are templates: a camera's name, "@group", and captured values in braces.
    `expect_every` is how often its source says something at least; zero: whenever.
    `pattern` names parts of a text payload: for expressions, and as captured values.
    `clear_within` is how long after the last alarm its clear is waited for; None: for
    ever.
    `place` is where it stands in the configuration ("rules[2]"), for messages.
    `terms` is what every incident of this rule keeps.
    """

    name: RuleName
    place: str
    topics: tuple[TopicPattern, ...]
    excepted: tuple[TopicPattern, ...] = ()
    final: bool = False
    wrapping: Wrapping = PLAIN
    pattern: TextPattern | None = None
    each: Expression | None = None
    when: Expression | None = None
    clear: Expression | None = None
    clear_within: timedelta | None = None
    time: Expression | None = None
    time_format: str = ""
    until: Expression | None = None
    timezone: tzinfo
    max_age: timedelta
    expect_every: timedelta = ZERO
    accepts_retained: bool = False
    event_id: Expression | None = None
    fields: Mapping[str, Expression] = field(default_factory=dict)
    group_by: tuple[str, ...] = ()
    cameras: tuple[str, ...]
    ignores_unknown: bool = False
    only_while: tuple[ConditionName, ...] = ()
    once: bool = False
    only_changes: bool = False
    after: timedelta = ZERO
    pre_roll: timedelta
    post_roll: timedelta
    terms: Terms

    @cached_property
    def reads_payload(self) -> bool:
        """Whether anything of the payload matters; if not, any bytes are an alarm."""
        if self.wrapping.format is PayloadFormat.ANY:
            return False
        asked = (self.each, self.when, self.clear, self.time, self.until, self.event_id)
        return self.pattern is not None or any(
            map(reads_payload, (*asked, *self.fields.values()))
        )

    def listens_to(self, topic: str) -> bool:
        """Whether a message on this topic is for it to read."""
        takes = any(each.match(topic) is not None for each in self.topics)
        return takes and all(each.match(topic) is None for each in self.excepted)

    @property
    def awaits_clear(self) -> bool:
        """Whether an incident of it lasts until a clear comes.

        With `once` a clear only makes the rule ready for the next opening.
        """
        return self.clear is not None and not self.once

    @property
    def remembers(self) -> bool:
        """Whether what it last knew of a group decides what a message means."""
        return self.once or self.only_changes or bool(self.after)

    def without_clear(self) -> "Rule":
        """The same for an alarm that nobody will clear: opened by hand, now."""
        return replace(
            self, clear=None, after=ZERO, once=False, only_changes=False, only_while=()
        )

    def clear_lost_at(self, last_at: datetime) -> datetime | None:
        """From when on no clear is expected, if the last alarm was at `last_at`."""
        return None if self.clear_within is None else last_at + self.clear_within
