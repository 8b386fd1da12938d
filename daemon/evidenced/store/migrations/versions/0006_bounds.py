"""What a payload was of which only the beginning is kept; the inbox counts its bytes.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("alarms", "refused_alarms"):
        op.add_column(table, sa.Column("whole_bytes", sa.BigInteger(), nullable=True))
        op.add_column(table, sa.Column("whole_sha256", sa.Text(), nullable=True))
    # Made anew, so that the totals stand in front of the payload, which may be long.
    op.rename_table("inbox", "inbox_before")
    op.create_table(
        "inbox",
        sa.Column("seq", sa.Integer(), nullable=False),
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
    op.execute(
        "INSERT INTO inbox (seq, received_at, bytes_before, bytes_after, is_retained, "
        "absence, topic, payload) "
        "SELECT seq, received_at, total - size, total, is_retained, absence, topic, "
        "payload FROM (SELECT *, SUM(size) OVER (ORDER BY seq) AS total FROM "
        "(SELECT *, LENGTH(CAST(topic AS BLOB)) + LENGTH(payload) AS size "
        "FROM inbox_before)) ORDER BY seq"
    )
    op.drop_table("inbox_before")
