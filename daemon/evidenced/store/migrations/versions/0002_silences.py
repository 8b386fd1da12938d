"""Silences.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
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
        sa.CheckConstraint(
            "subject IN ('camera', 'rule', 'topic')", name="silence_subject"
        ),
        sa.CheckConstraint(
            "starts_at <= ends_at AND ends_at <= until", name="silence_span"
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("silence_ends", "silences", ["ends_at"], unique=False)
    op.create_index(
        "silence_running",
        "silences",
        ["ends_at"],
        unique=False,
        sqlite_where=sa.text("is_over = 0"),
    )
