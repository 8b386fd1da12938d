"""Marks of deliveries are told apart by a number, not by an instant.

The milliseconds that stand there serve as numbers: the next ones are larger.

Revision ID: 0007
Revises: 0006
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE deliveries RENAME COLUMN at TO delivery")
