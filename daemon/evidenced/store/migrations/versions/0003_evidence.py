"""Evidence records, the hashes of files, and tags.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
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
            "state IN ('failed', 'wanted', 'written')", name="record_state"
        ),
        sa.CheckConstraint(
            "(due_at IS NOT NULL) = (state = 'wanted')", name="record_due_at"
        ),
        sa.ForeignKeyConstraint(["incident"], ["incidents.id"]),
        sa.PrimaryKeyConstraint("incident"),
    )
    op.create_index(
        "record_due",
        "records",
        ["due_at"],
        sqlite_where=sa.text("due_at IS NOT NULL"),
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
        sa.ForeignKeyConstraint(["incident"], ["incidents.id"]),
        sa.PrimaryKeyConstraint("incident", "folder", "name"),
    )
    op.create_table(
        "tags",
        sa.Column("incident", sa.Text(), nullable=False),
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("recorder", sa.Text(), nullable=False),
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
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
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("tag_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state IN ('asked', 'confirmed', 'refused', 'wanted', 'withdrawn')",
            name="tag_state",
        ),
        sa.CheckConstraint(
            "(due_at IS NOT NULL) = (state IN ('asked', 'wanted'))", name="tag_due_at"
        ),
        sa.CheckConstraint("start_at <= end_at", name="tag_window"),
        sa.ForeignKeyConstraint(["incident"], ["incidents.id"]),
        sa.PrimaryKeyConstraint("incident", "camera"),
    )
    op.create_index(
        "tag_due",
        "tags",
        ["recorder", "due_at"],
        sqlite_where=sa.text("due_at IS NOT NULL"),
    )
