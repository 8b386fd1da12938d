"""The tables. States, invariants and the indexes that each loop lives on.

Instants are integers: milliseconds since 1970 in UTC. Ids and UIDs are text. What only
the core reads (`terms`, `fields`, `devices`, `detail`) is JSON text.

Each partial index holds only rows that a loop still has to look at, so a wake, a poll
and an alarm cost the same however much history there is.
"""

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from evidenced.core.incidents.silence import Subject
from evidenced.core.incidents.states import (
    EXPORT_LIVE,
    INCIDENT_ENDED,
    ClipState,
    ExportState,
    IncidentState,
)
from evidenced.core.keeping.evidence import RecordState
from evidenced.core.keeping.footage import FootageState
from evidenced.core.keeping.loss import LossKind
from evidenced.core.keeping.still import StillState
from evidenced.core.keeping.tag import TAG_OPEN, TagState
from evidenced.store.dialect import CLUSTERED, NUMBER, partial

metadata = MetaData()
HAS_GAPS = "state = 'exported' AND substr(coverage, 1, 10) = '{\"gaps\":[{'"
"""Of a clip: its footage has gaps. The text of `Coverage` begins with them."""


def _one_of(column: str, words: type[StrEnum] | frozenset[StrEnum]) -> str:
    listed = ", ".join(f"'{word}'" for word in sorted(words))
    return f"{column} IN ({listed})"


incidents = Table(
    "incidents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("rule", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("opened_at", BigInteger, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("begun_at", BigInteger),
    Column("start_at", BigInteger, nullable=False),
    Column("end_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("imported_at", BigInteger),
    Column("turn_at", BigInteger),
    Column("alert_at", BigInteger),
    Column("is_active", Integer, nullable=False),
    Column("is_open", Integer, nullable=False),
    Column("asked_at", BigInteger),
    Column("is_late_told", Integer, nullable=False),
    Column("alarms", Integer, nullable=False),
    Column("continues", Text),
    Column("fields", Text, nullable=False),
    Column("terms", Text, nullable=False),
    CheckConstraint(_one_of("state", IncidentState), name="incident_state"),
    CheckConstraint(
        f"(finished_at IS NOT NULL) = ({_one_of('state', INCIDENT_ENDED)})",
        name="incident_finished",
    ),
    CheckConstraint("start_at <= end_at", name="incident_span"),
    CheckConstraint("alarms >= 0", name="incident_alarms"),
    Index("incident_groups", "rule", "key", "end_at", **partial("is_open = 1")),
    Index("incident_turns", "turn_at", **partial("turn_at IS NOT NULL")),
    Index("incident_alerts", "alert_at", **partial("alert_at IS NOT NULL")),
    Index(
        "incident_finished_at",
        "finished_at",
        **partial("finished_at IS NOT NULL"),
    ),
    Index("incident_newest", "opened_at", "id"),
    Index("incident_states", "state", "opened_at", "id"),
    Index("incident_rules", "rule", "state", "opened_at", "id"),
    Index(
        "incident_late",
        "opened_at",
        "id",
        **partial("is_late_told = 1 AND finished_at IS NULL"),
    ),
)

clips = Table(
    "clips",
    metadata,
    Column("incident", Text, ForeignKey("incidents.id"), nullable=False),
    Column("n", Integer, nullable=False),
    Column("camera", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("recorder", Text, nullable=False),
    Column("destination", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("start_at", BigInteger, nullable=False),
    Column("end_at", BigInteger, nullable=False),
    Column("post_roll", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("rank", BigInteger, nullable=False),
    Column("cohort", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("no_video", Integer, nullable=False),
    Column("code", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("reason", Text),
    Column("ended_as", Text),
    Column("coverage", Text),
    Column("opened_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("incident", "n"),
    CheckConstraint(_one_of("state", ClipState), name="clip_state"),
    CheckConstraint("start_at <= end_at", name="clip_window"),
    Index("clip_due", "recorder", "due_at", **partial("state = 'due'")),
    Index("clip_cameras", "camera", "opened_at", "incident"),
    Index(
        "clip_uncovered",
        "recorder",
        "end_at",
        **partial("state = 'exported' AND coverage IS NULL"),
    ),
    Index("clip_gaps", "opened_at", "incident", **partial(HAS_GAPS)),
    Index("clip_queue", "recorder", "rank", **partial("state = 'due'")),
    **CLUSTERED,
)

exports = Table(
    "exports",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("incident", Text, ForeignKey("incidents.id"), nullable=False),
    Column("recorder", Text, nullable=False),
    Column("destination", Text, nullable=False),
    Column("n", Integer, nullable=False),
    Column("path", Text, nullable=False),
    Column("bandwidth", BigInteger, nullable=False),
    Column("devices", Text, nullable=False),
    Column("offset_ms", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("requested_at", BigInteger, nullable=False),
    Column("answered_at", BigInteger),
    Column("finished_at", BigInteger),
    Column("handle", Text),
    Column("code", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("unsent", Integer, nullable=False),
    Column("is_unsent", Integer, nullable=False),
    Column("moved_at", BigInteger),
    Column("check_at", BigInteger),
    Column("blanks", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    CheckConstraint(_one_of("state", ExportState), name="export_state"),
    CheckConstraint(
        f"(check_at IS NOT NULL) = (state = '{ExportState.CHECKING}')",
        name="export_check",
    ),
    CheckConstraint(
        f"(finished_at IS NULL) = ({_one_of('state', EXPORT_LIVE)})",
        name="export_finished",
    ),
    Index("export_number", "incident", "recorder", "n", unique=True),
    Index("export_live", "recorder", **partial("finished_at IS NULL")),
    Index("export_unsent", "recorder", **partial("is_unsent = 1")),
    Index(
        "export_vanished",
        "recorder",
        "finished_at",
        **partial(f"state = '{ExportState.VANISHED}'"),
    ),
    Index("export_checks", "check_at", **partial("check_at IS NOT NULL")),
)

inbox = Table(
    "inbox",
    metadata,
    Column("seq", NUMBER, primary_key=True),
    Column("received_at", BigInteger, nullable=False),
    # Running totals, in front of the payload: what waits is their difference between
    # the newest row and the oldest, whatever lies between.
    Column("bytes_before", BigInteger, nullable=False),
    Column("bytes_after", BigInteger, nullable=False),
    Column("is_retained", Integer, nullable=False),
    Column("absence", BigInteger, nullable=False),
    Column("whole_bytes", BigInteger),
    Column("whole_sha256", Text),
    Column("topic", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
)

alarms = Table(
    "alarms",
    metadata,
    Column("incident", Text, ForeignKey("incidents.id"), nullable=False),
    Column("n", Integer, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("signal", Text, nullable=False),
    Column("time_source", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("whole_bytes", BigInteger),
    Column("whole_sha256", Text),
    PrimaryKeyConstraint("incident", "n"),
)

# What a rule remembers of a group: a row while its last message was an alarm; with
# `due_at` and the message while that waits to become one.
memories = Table(
    "memories",
    metadata,
    Column("rule", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("names", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("due_at", BigInteger),
    Column("topic", Text),
    Column("payload", LargeBinary),
    Column("received_at", BigInteger),
    Column("is_retained", Integer),
    Column("absence", BigInteger),
    PrimaryKeyConstraint("rule", "key"),
    CheckConstraint("(due_at IS NULL) = (payload IS NULL)", name="memory_waits"),
    Index("memory_due", "due_at", **partial("due_at IS NOT NULL")),
    Index("memory_age", "at", **partial("due_at IS NULL")),
)

condition_states = Table(
    "condition_states",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holds", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("settings", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("payload", Text, nullable=False),
)

refused_alarms = Table(
    "refused_alarms",
    metadata,
    Column("seq", NUMBER, primary_key=True),
    Column("received_at", BigInteger, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("rule", Text),
    Column("detail", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("whole_bytes", BigInteger),
    Column("whole_sha256", Text),
    Column("raw", LargeBinary),
    # Of what a silence withheld: its group, what was read of it, and until when it is
    # silenced while it is still on; and the incident that was opened for it after all.
    Column("key", Text),
    Column("cameras", Text),
    Column("moment", Text),
    Column("fields", Text),
    Column("until", BigInteger),
    Column("grouping", Text),
    Column("incident", Text),
    Index("refused_outcomes", "outcome", "seq"),
    Index("refused_raw", "seq", **partial("raw IS NOT NULL")),
    Index("refused_on", "rule", "key", **partial("until IS NOT NULL")),
    Index("refused_until", "until", **partial("until IS NOT NULL")),
)

alarm_keys = Table(
    "alarm_keys",
    metadata,
    Column("key", Text, primary_key=True),
    Column("rule", Text, nullable=False),
    Column("group_key", Text),
    Column("group", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("until", BigInteger),
    Index("alarm_keys_age", "at"),
    Index(
        "alarm_keys_group",
        "rule",
        "group_key",
        **partial("group_key IS NOT NULL"),
    ),
    **CLUSTERED,
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("packet_id", Integer, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("session", BigInteger, nullable=False),
)

records = Table(
    "records",
    metadata,
    Column("incident", Text, ForeignKey("incidents.id"), primary_key=True),
    Column("state", Text, nullable=False),
    Column("wanted_at", BigInteger, nullable=False),
    Column("due_at", BigInteger),
    Column("revision", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("survey", Text, nullable=False),
    Column("surveyed_at", BigInteger),
    Column("intended", Text, nullable=False),
    Column("folders", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("written_at", BigInteger),
    Column("message", Text, nullable=False),
    CheckConstraint(_one_of("state", RecordState), name="record_state"),
    CheckConstraint("(due_at IS NOT NULL) = (state = 'wanted')", name="record_due_at"),
    Index("record_due", "due_at", **partial("due_at IS NOT NULL")),
)

record_files = Table(
    "record_files",
    metadata,
    Column("incident", Text, ForeignKey("incidents.id"), nullable=False),
    Column("folder", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("modified_ns", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("hashed_at", BigInteger, nullable=False),
    Column("was", Text, nullable=False),
    PrimaryKeyConstraint("incident", "folder", "name"),
)

papers = Table(
    "papers",
    metadata,
    Column("incident", Text, ForeignKey("incidents.id"), nullable=False),
    Column("folder", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
    PrimaryKeyConstraint("incident", "folder", "name"),
)

stills = Table(
    "stills",
    metadata,
    Column("incident", Text, ForeignKey("incidents.id"), nullable=False),
    Column("n", Integer, nullable=False),
    Column("camera", Text, nullable=False),
    Column("recorder", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("wanted_at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("due_at", BigInteger),
    Column("tries", Integer, nullable=False),
    Column("at", BigInteger),
    Column("sha256", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("message", Text, nullable=False),
    PrimaryKeyConstraint("incident", "n"),
    CheckConstraint(_one_of("state", StillState), name="still_state"),
    CheckConstraint("(due_at IS NOT NULL) = (state = 'wanted')", name="still_due_at"),
    Index("still_due", "recorder", "due_at", **partial("due_at IS NOT NULL")),
)

still_wishes = Table(
    "still_wishes",
    metadata,
    Column("incident", Text, ForeignKey("incidents.id"), nullable=False),
    Column("n", Integer, nullable=False),
    Column("clips", Text, nullable=False),
    Column("moment", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("incident", "n"),
    **CLUSTERED,
)

pictures = Table(
    "pictures",
    metadata,
    Column("incident", Text, ForeignKey("incidents.id"), nullable=False),
    Column("n", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
    PrimaryKeyConstraint("incident", "n"),
)

losses = Table(
    "losses",
    metadata,
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("number", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("acknowledged_at", BigInteger),
    Column("acknowledged_by", Text),
    Column("comment", Text),
    CheckConstraint(_one_of("kind", LossKind), name="loss_kind"),
    CheckConstraint("number > 0", name="loss_number"),
    PrimaryKeyConstraint("kind", "name"),
    Index("loss_open", "kind", "since", **partial("acknowledged_at IS NULL")),
    Index("loss_known", "acknowledged_at", **partial("acknowledged_at IS NOT NULL")),
)

footage = Table(
    "footage",
    metadata,
    Column("destination", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("incident", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("ended_at", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("checked_at", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("files", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("depicted", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("wait_until", BigInteger),
    Column("at", BigInteger),
    Column("author", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("statement", Text, nullable=False),
    Column("fault", Text, nullable=False),
    PrimaryKeyConstraint("destination", "path"),
    CheckConstraint(_one_of("state", FootageState), name="footage_state"),
    CheckConstraint(
        f"(at IS NULL) = (state = '{FootageState.KEPT}')", name="footage_at"
    ),
    Index("footage_incident", "incident"),
    Index("footage_newest", "destination", "ended_at"),
    Index(
        "footage_age",
        "destination",
        "ended_at",
        **partial(f"state = '{FootageState.KEPT}'"),
    ),
    Index(
        "footage_checks",
        "destination",
        "checked_at",
        **partial(f"state = '{FootageState.KEPT}'"),
    ),
    Index(
        "footage_disposing",
        "destination",
        **partial(f"state = '{FootageState.DISPOSING}'"),
    ),
    Index("footage_gone", "at", **partial("at IS NOT NULL")),
)
"""Folders with a record on shares. Their incidents may be pruned: no foreign key."""

held = Table(
    "held",
    metadata,
    Column("incident", Text, ForeignKey("incidents.id"), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("comment", Text, nullable=False),
)
"""Incidents that are neither pruned nor disposed of."""

tags = Table(
    "tags",
    metadata,
    Column("incident", Text, ForeignKey("incidents.id"), nullable=False),
    Column("camera", Text, nullable=False),
    Column("recorder", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("start_at", BigInteger, nullable=False),
    Column("end_at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("due_at", BigInteger),
    Column("n", Integer, nullable=False),
    Column("asked_at", BigInteger),
    Column("asked_start", BigInteger),
    Column("asked_end", BigInteger),
    Column("kept_start", BigInteger),
    Column("kept_end", BigInteger),
    Column("out_of_reach", BigInteger),
    Column("failures", Integer, nullable=False),
    Column("tag_id", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("reason", Text),
    Column("message", Text, nullable=False),
    PrimaryKeyConstraint("incident", "camera"),
    CheckConstraint(_one_of("state", TagState), name="tag_state"),
    CheckConstraint(
        f"(due_at IS NOT NULL) = ({_one_of('state', TAG_OPEN)})", name="tag_due_at"
    ),
    CheckConstraint("start_at <= end_at", name="tag_window"),
    Index("tag_due", "recorder", "due_at", **partial("due_at IS NOT NULL")),
)

history = Table(
    "history",
    metadata,
    Column("seq", NUMBER, primary_key=True),
    Column("incident", Text),
    Column("at", BigInteger, nullable=False),
    Column("event", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Index("history_incident", "incident", "seq"),
    # what loops read on in, past the rows that only seal others
    Index("history_told", "seq", **partial("event <> 'sealed'")),
)
TOLD = text("event <> 'sealed'")
"""Entries that people and programs are told of; as the index says it."""

silences = Table(
    "silences",
    metadata,
    Column("id", Text, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("starts_at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("ended_by", Text, nullable=False),
    Column("is_over", Integer, nullable=False),
    Column("held_back", BigInteger, nullable=False),
    CheckConstraint(_one_of("subject", Subject), name="silence_subject"),
    CheckConstraint("starts_at <= ends_at AND ends_at <= until", name="silence_span"),
    Index("silence_ends", "ends_at"),
    Index("silence_running", "ends_at", **partial("is_over = 0")),
)

troubles = Table(
    "troubles",
    metadata,
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
    Column("ended_at", BigInteger),
    CheckConstraint("ended_at IS NULL OR since <= ended_at", name="trouble_span"),
    PrimaryKeyConstraint("kind", "name", "since"),
    Index("trouble_ends", "ended_at"),
    **CLUSTERED,
)

# Whether cameras record, as far as the recorder said when it was asked last.
watches = Table(
    "watches",
    metadata,
    Column("camera", Text, primary_key=True),
    Column("asked_at", BigInteger, nullable=False),
    Column("recorded_at", BigInteger),
    Column("silent_since", BigInteger),
    **CLUSTERED,
)

camera_tallies = Table(
    "camera_tallies",
    metadata,
    Column("camera", Text, primary_key=True),
    Column("exported_at", BigInteger),
    Column("no_video_at", BigInteger),
    **CLUSTERED,
)

camera_failures = Table(
    "camera_failures",
    metadata,
    Column("camera", Text, nullable=False),
    Column("day", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    PrimaryKeyConstraint("camera", "day"),
    **CLUSTERED,
)

rooms = Table(
    "rooms",
    metadata,
    Column("destination", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("free", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    PrimaryKeyConstraint("destination", "at"),
    **CLUSTERED,
)

piles = Table(
    "piles",
    metadata,
    Column("route", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("count", Integer, nullable=False),
    Column("since", BigInteger),
    Column("first_at", BigInteger),
    Column("last_at", BigInteger),
    Column("samples", Text, nullable=False),
    Column("reasons", Text, nullable=False),
    Column("told_at", BigInteger),
    CheckConstraint("(since IS NULL) = (count = 0)", name="pile_waits"),
    PrimaryKeyConstraint("route", "kind", "subject"),
    **CLUSTERED,
)

tally = Table(
    "tally",
    metadata,
    Column("state", Text, primary_key=True),
    Column("incidents", Integer, nullable=False),
)

retained = Table(
    "retained",
    metadata,
    Column("incident", Text, primary_key=True),
    **CLUSTERED,
)
"""Incidents that are pruned and whose states the broker may still hold."""

rule_settings = Table(
    "rule_settings",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("text", Text, nullable=False),
)
"""Rules as they were written, so that they outlive the configuration."""

meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
