"""Who is told of what, and the daily report."""

from datetime import time, timedelta
from typing import Annotated

from pydantic import Field

from evidenced.config.forms import choice, duration, text
from evidenced.config.section import Name, SecretValue, Section
from evidenced.config.special import time_of_day, weekdays
from evidenced.core.instants import MINUTE, SECOND
from evidenced.core.phrase import LANGUAGES
from evidenced.core.severity import Severity
from evidenced.core.telling.notice import CHOSEN, UNASKED, NoticeKind

EventWord = Annotated[NoticeKind, choice(*CHOSEN)]


class NotifyConfig(Section):
    url: SecretValue = Field(
        description="Where messages go, as an Apprise URL: mailtos://, msteams://, "
        "slack://, json:// and a hundred more. A secret, for most hold a password or "
        "a token; read whenever something is sent.",
        examples=[{"credential": "notify-duty"}],
    )
    events: tuple[EventWord, ...] = Field(
        default=tuple(UNASKED),
        description="What is told. Of incidents: failed, partial, rejected (a clip, "
        "for good), late (`alert_after`), gap (in exported footage, by what the "
        "recorder has), limit (alarms beyond a limit), exported, on-for (nobody "
        "clears it: after four hours, then daily). "
        "Of messages: unreadable (a rule should read them and cannot). "
        "Beginning and end of trouble: recorder, destination, queue (the exports of a "
        "recorder wait, for `limits` are reached), stuck (an export stands still), "
        "share, camera (it does not record: `recorders.NAME.watch`), broker, store, "
        "clock (more than 5 s off), records (evidence records cannot be written), "
        "timestamp (the authority gives none for the audit chain's head), "
        "source-silent (`expect_every` of a rule), config (the configuration on disk "
        "is not in force), page (its address is taken, its certificate ends). And "
        "silence. exported and silence only on wish.",
    )
    rules: tuple[Annotated[str, text("the name of a rule")], ...] = Field(
        default=(),
        description="Only incidents of these rules; without any: of all. Trouble is "
        "told in any case.",
        examples=[("panic-button",)],
    )
    severity: Annotated[Severity, choice(*Severity)] = Field(
        default=Severity.INFO,
        description="Only what is at least so severe: incidents as their rule says, "
        "broker and store critical, other trouble warning, exported and silence info.",
    )
    language: Annotated[str, choice(*LANGUAGES)] = Field(
        default=LANGUAGES[0],
        description="Of the messages: en, nl or de.",
        examples=["nl"],
    )
    group_wait: Annotated[timedelta, duration(most="1h", such_as="10s")] = Field(
        default=10 * SECOND,
        description="How long what comes together is gathered into one message.",
    )
    group_interval: Annotated[timedelta, duration(most="7d", such_as="5m")] = Field(
        default=5 * MINUTE,
        description="More of the same kind and rule (or recorder, ...) is told this "
        "long after the last message about it, at the earliest, as one.",
    )
    repeat: Annotated[timedelta, duration(most="30d", such_as="4h")] = Field(
        default=timedelta(hours=4),
        description="Trouble that goes on is told again after so long. "
        '"0s" never tells it again.',
    )
    timeout: Annotated[timedelta, duration(least="1s", most="5m")] = Field(
        default=30 * SECOND, description="Deadline of sending one message."
    )


class ReportConfig(Section):
    at: Annotated[time, time_of_day()] = Field(
        default=time(7),
        description="When the report of the day before is sent, local time of the "
        "daemon (`daemon.timezone`). One that was missed while the daemon was down is "
        "sent at its start, once.",
    )
    days: Annotated[frozenset[int], weekdays()] = Field(
        default=frozenset(range(7)),
        description="On which days; each report is of the day before.",
        examples=["mon-fri"],
    )
    to: tuple[Name, ...] = Field(
        default=(),
        description="The names of the [notify] tables that it goes to; nobody gets "
        "one without. `evidenced report` prints it.",
        examples=[("duty",)],
    )
