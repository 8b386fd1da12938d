"""The first schema.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

from evidenced.store.dialect import CLUSTERED, NUMBER, partial

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alarm_keys",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("group_key", sa.Text(), nullable=True),
        sa.Column("group", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("key"),
        sa.Index("alarm_keys_age", "at"),
        sa.Index(
            "alarm_keys_group",
            "rule",
            "group_key",
            **partial("group_key IS NOT NULL"),
        ),
        **CLUSTERED,
    )
    op.create_table(
        "condition_states",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holds", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "deliveries",
        sa.Column("packet_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("session", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("packet_id"),
    )
    op.create_table(
        "history",
        sa.Column("seq", NUMBER, nullable=False),
        sa.Column("incident", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.Index("history_incident", "incident", "seq"),
        sa.Index(
            "history_told",
            "seq",
            sqlite_where=sa.text("event <> 'sealed'"),
        ),
    )
    op.create_table(
        "inbox",
        sa.Column("seq", NUMBER, nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("bytes_before", sa.BigInteger(), nullable=False),
        sa.Column("bytes_after", sa.BigInteger(), nullable=False),
        sa.Column("is_retained", sa.Integer(), nullable=False),
        sa.Column("absence", sa.BigInteger(), nullable=False),
        sa.Column("whole_bytes", sa.BigInteger(), nullable=True),
        sa.Column("whole_sha256", sa.Text(), nullable=True),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_table(
        "incidents",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=True),
        sa.Column("start_at", sa.BigInteger(), nullable=False),
        sa.Column("end_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("imported_at", sa.BigInteger(), nullable=True),
        sa.Column("turn_at", sa.BigInteger(), nullable=True),
        sa.Column("alert_at", sa.BigInteger(), nullable=True),
        sa.Column("is_active", sa.Integer(), nullable=False),
        sa.Column("is_open", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=True),
        sa.Column("is_late_told", sa.Integer(), nullable=False),
        sa.Column("alarms", sa.Integer(), nullable=False),
        sa.Column("continues", sa.Text(), nullable=True),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(finished_at IS NOT NULL) = (state IN ('cancelled', 'exported', 'failed', 'partial'))",
            name="incident_finished",
        ),
        sa.CheckConstraint(
            "state IN ('cancelled', 'exported', 'exporting', 'failed', 'partial', 'recording', 'waiting')",
            name="incident_state",
        ),
        sa.CheckConstraint("alarms >= 0", name="incident_alarms"),
        sa.CheckConstraint("start_at <= end_at", name="incident_span"),
        sa.PrimaryKeyConstraint("id"),
        sa.Index("incident_alerts", "alert_at", **partial("alert_at IS NOT NULL")),
        sa.Index(
            "incident_finished_at",
            "finished_at",
            **partial("finished_at IS NOT NULL"),
        ),
        sa.Index(
            "incident_groups",
            "rule",
            "key",
            "end_at",
            **partial("is_open = 1"),
        ),
        sa.Index(
            "incident_late",
            "opened_at",
            "id",
            **partial("is_late_told = 1 AND finished_at IS NULL"),
        ),
        sa.Index("incident_newest", "opened_at", "id"),
        sa.Index("incident_rules", "rule", "state", "opened_at", "id"),
        sa.Index("incident_states", "state", "opened_at", "id"),
        sa.Index("incident_turns", "turn_at", **partial("turn_at IS NOT NULL")),
    )
    op.create_table(
        "losses",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('altered', 'incident', 'stale', 'unplaced', 'unreadable', "
            "'unrecorded', 'untagged')",
            name="loss_kind",
        ),
        sa.CheckConstraint("number > 0", name="loss_number"),
        sa.PrimaryKeyConstraint("kind", "name"),
        sa.Index("loss_open", "kind", "since", **partial("acknowledged_at IS NULL")),
        sa.Index(
            "loss_known", "acknowledged_at", **partial("acknowledged_at IS NOT NULL")
        ),
    )
    op.create_table(
        "memories",
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("names", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("topic", sa.Text(), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=True),
        sa.Column("is_retained", sa.Integer(), nullable=True),
        sa.Column("absence", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(due_at IS NULL) = (payload IS NULL)", name="memory_waits"),
        sa.PrimaryKeyConstraint("rule", "key"),
        sa.Index("memory_age", "at", **partial("due_at IS NULL")),
        sa.Index("memory_due", "due_at", **partial("due_at IS NOT NULL")),
    )
    op.create_table(
        "meta",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "piles",
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=True),
        sa.Column("first_at", sa.BigInteger(), nullable=True),
        sa.Column("last_at", sa.BigInteger(), nullable=True),
        sa.Column("samples", sa.Text(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(since IS NULL) = (count = 0)", name="pile_waits"),
        sa.PrimaryKeyConstraint("route", "kind", "subject"),
        **CLUSTERED,
    )
    op.create_table(
        "refused_alarms",
        sa.Column("seq", NUMBER, nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("whole_bytes", sa.BigInteger(), nullable=True),
        sa.Column("whole_sha256", sa.Text(), nullable=True),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("cameras", sa.Text(), nullable=True),
        sa.Column("moment", sa.Text(), nullable=True),
        sa.Column("fields", sa.Text(), nullable=True),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("grouping", sa.Text(), nullable=True),
        sa.Column("incident", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
        sa.Index("refused_raw", "seq", **partial("raw IS NOT NULL")),
        sa.Index("refused_on", "rule", "key", **partial("until IS NOT NULL")),
        sa.Index("refused_outcomes", "outcome", "seq"),
        sa.Index("refused_until", "until", **partial("until IS NOT NULL")),
    )
    op.create_table(
        "retained",
        sa.Column("incident", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("incident"),
        **CLUSTERED,
    )
    op.create_table(
        "rule_settings",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "silences",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("ended_by", sa.Text(), nullable=False),
        sa.Column("is_over", sa.Integer(), nullable=False),
        sa.Column("held_back", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "subject IN ('camera', 'rule', 'topic')", name="silence_subject"
        ),
        sa.CheckConstraint(
            "starts_at <= ends_at AND ends_at <= until", name="silence_span"
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.Index("silence_ends", "ends_at"),
        sa.Index("silence_running", "ends_at", **partial("is_over = 0")),
    )
    op.create_table(
        "tally",
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("incidents", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("state"),
    )
    op.create_table(
        "camera_tallies",
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("exported_at", sa.BigInteger(), nullable=True),
        sa.Column("no_video_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("camera"),
        **CLUSTERED,
    )
    op.create_table(
        "camera_failures",
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("camera", "day"),
        **CLUSTERED,
    )
    op.create_table(
        "rooms",
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("free", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("destination", "at"),
        **CLUSTERED,
    )
    op.create_table(
        "watches",
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=True),
        sa.Column("silent_since", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("camera"),
        **CLUSTERED,
    )
    op.create_table(
        "troubles",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "ended_at IS NULL OR since <= ended_at", name="trouble_span"
        ),
        sa.PrimaryKeyConstraint("kind", "name", "since"),
        sa.Index("trouble_ends", "ended_at"),
        **CLUSTERED,
    )
    op.create_table(
        "alarms",
        sa.Column("incident", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("signal", sa.Text(), nullable=False),
        sa.Column("time_source", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("whole_bytes", sa.BigInteger(), nullable=True),
        sa.Column("whole_sha256", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["incident"],
            ["incidents.id"],
        ),
        sa.PrimaryKeyConstraint("incident", "n"),
    )
    op.create_table(
        "clips",
        sa.Column("incident", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("recorder", sa.Text(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("start_at", sa.BigInteger(), nullable=False),
        sa.Column("end_at", sa.BigInteger(), nullable=False),
        sa.Column("post_roll", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("rank", sa.BigInteger(), nullable=False),
        sa.Column("cohort", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("no_video", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("ended_as", sa.Text(), nullable=True),
        sa.Column("coverage", sa.Text(), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "state IN ('cancelled', 'due', 'exported', 'exporting', 'missing', 'recording', 'rejected', 'requested')",
            name="clip_state",
        ),
        sa.CheckConstraint("start_at <= end_at", name="clip_window"),
        sa.ForeignKeyConstraint(
            ["incident"],
            ["incidents.id"],
        ),
        sa.PrimaryKeyConstraint("incident", "n"),
        sa.Index("clip_cameras", "camera", "opened_at", "incident"),
        sa.Index("clip_due", "recorder", "due_at", **partial("state = 'due'")),
        sa.Index("clip_queue", "recorder", "rank", **partial("state = 'due'")),
        sa.Index(
            "clip_uncovered",
            "recorder",
            "end_at",
            **partial("state = 'exported' AND coverage IS NULL"),
        ),
        sa.Index(
            "clip_gaps",
            "opened_at",
            "incident",
            **partial(
                "state = 'exported' AND substr(coverage, 1, 10) = '{\"gaps\":[{'"
            ),
        ),
        **CLUSTERED,
    )
    op.create_table(
        "exports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident", sa.Text(), nullable=False),
        sa.Column("recorder", sa.Text(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("bandwidth", sa.BigInteger(), nullable=False),
        sa.Column("devices", sa.Text(), nullable=False),
        sa.Column("offset_ms", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("handle", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("unsent", sa.Integer(), nullable=False),
        sa.Column("is_unsent", sa.Integer(), nullable=False),
        sa.Column("moved_at", sa.BigInteger(), nullable=True),
        sa.Column("check_at", sa.BigInteger(), nullable=True),
        sa.Column("blanks", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(check_at IS NOT NULL) = (state = 'checking')",
            name="export_check",
        ),
        sa.CheckConstraint(
            "(finished_at IS NULL) = (state IN ('exporting', 'requested'))",
            name="export_finished",
        ),
        sa.CheckConstraint(
            "state IN ('cancelled', 'checking', 'empty', 'exported', 'exporting', 'failed', 'refused', 'requested', 'vanished')",
            name="export_state",
        ),
        sa.ForeignKeyConstraint(
            ["incident"],
            ["incidents.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.Index("export_checks", "check_at", **partial("check_at IS NOT NULL")),
        sa.Index("export_live", "recorder", **partial("finished_at IS NULL")),
        sa.Index("export_number", "incident", "recorder", "n", unique=True),
        sa.Index("export_unsent", "recorder", **partial("is_unsent = 1")),
        sa.Index(
            "export_vanished",
            "recorder",
            "finished_at",
            **partial("state = 'vanished'"),
        ),
    )
    op.create_table(
        "papers",
        sa.Column("incident", sa.Text(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident"],
            ["incidents.id"],
        ),
        sa.PrimaryKeyConstraint("incident", "folder", "name"),
    )
    op.create_table(
        "record_files",
        sa.Column("incident", sa.Text(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("modified_ns", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("hashed_at", sa.BigInteger(), nullable=False),
        sa.Column("was", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident"],
            ["incidents.id"],
        ),
        sa.PrimaryKeyConstraint("incident", "folder", "name"),
    )
    op.create_table(
        "records",
        sa.Column("incident", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("wanted_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("survey", sa.Text(), nullable=False),
        sa.Column("surveyed_at", sa.BigInteger(), nullable=True),
        sa.Column("intended", sa.Text(), nullable=False),
        sa.Column("folders", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("written_at", sa.BigInteger(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(due_at IS NOT NULL) = (state = 'wanted')", name="record_due_at"
        ),
        sa.CheckConstraint(
            "state IN ('failed', 'wanted', 'written')", name="record_state"
        ),
        sa.ForeignKeyConstraint(
            ["incident"],
            ["incidents.id"],
        ),
        sa.PrimaryKeyConstraint("incident"),
        sa.Index("record_due", "due_at", **partial("due_at IS NOT NULL")),
    )
    op.create_table(
        "footage",
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("incident", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("checked_at", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("depicted", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("wait_until", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state IN ('disposed', 'disposing', 'kept', 'moved')", name="footage_state"
        ),
        sa.CheckConstraint("(at IS NULL) = (state = 'kept')", name="footage_at"),
        sa.PrimaryKeyConstraint("destination", "path"),
        sa.Index("footage_incident", "incident"),
        sa.Index("footage_newest", "destination", "ended_at"),
        sa.Index("footage_age", "destination", "ended_at", **partial("state = 'kept'")),
        sa.Index(
            "footage_checks", "destination", "checked_at", **partial("state = 'kept'")
        ),
        sa.Index("footage_disposing", "destination", **partial("state = 'disposing'")),
        sa.Index("footage_gone", "at", **partial("at IS NOT NULL")),
    )
    op.create_table(
        "held",
        sa.Column("incident", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident"],
            ["incidents.id"],
        ),
        sa.PrimaryKeyConstraint("incident"),
    )
    op.create_table(
        "stills",
        sa.Column("incident", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("recorder", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("wanted_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('kept', 'none', 'wanted')", name="still_state"),
        sa.CheckConstraint(
            "(due_at IS NOT NULL) = (state = 'wanted')", name="still_due_at"
        ),
        sa.ForeignKeyConstraint(
            ["incident"],
            ["incidents.id"],
        ),
        sa.PrimaryKeyConstraint("incident", "n"),
        sa.Index("still_due", "recorder", "due_at", **partial("due_at IS NOT NULL")),
    )
    op.create_table(
        "still_wishes",
        sa.Column("incident", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("clips", sa.Text(), nullable=False),
        sa.Column("moment", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incidents.id"]),
        sa.PrimaryKeyConstraint("incident", "n"),
        **CLUSTERED,
    )
    op.create_table(
        "pictures",
        sa.Column("incident", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident"],
            ["incidents.id"],
        ),
        sa.PrimaryKeyConstraint("incident", "n"),
    )
    op.create_table(
        "tags",
        sa.Column("incident", sa.Text(), nullable=False),
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("recorder", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("start_at", sa.BigInteger(), nullable=False),
        sa.Column("end_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=True),
        sa.Column("asked_start", sa.BigInteger(), nullable=True),
        sa.Column("asked_end", sa.BigInteger(), nullable=True),
        sa.Column("kept_start", sa.BigInteger(), nullable=True),
        sa.Column("kept_end", sa.BigInteger(), nullable=True),
        sa.Column("out_of_reach", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("tag_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(due_at IS NOT NULL) = (state IN ('asked', 'wanted'))", name="tag_due_at"
        ),
        sa.CheckConstraint(
            "state IN ('asked', 'confirmed', 'refused', 'wanted', 'withdrawn')",
            name="tag_state",
        ),
        sa.CheckConstraint("start_at <= end_at", name="tag_window"),
        sa.ForeignKeyConstraint(
            ["incident"],
            ["incidents.id"],
        ),
        sa.PrimaryKeyConstraint("incident", "camera"),
        sa.Index("tag_due", "recorder", "due_at", **partial("due_at IS NOT NULL")),
    )
