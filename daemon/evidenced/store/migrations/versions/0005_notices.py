"""Troubles that were told, and what each receiver has not been told yet.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
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
        sqlite_with_rowid=False,
    )
    op.create_index("trouble_ends", "troubles", ["ended_at"], unique=False)
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
        sqlite_with_rowid=False,
    )
