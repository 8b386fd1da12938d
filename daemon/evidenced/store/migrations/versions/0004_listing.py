"""Indexes for lists by state, rule and camera, newest first, and for late footage.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "clips",
        sa.Column(
            "opened_at", sa.BigInteger(), nullable=False, server_default=sa.text("0")
        ),
    )
    op.execute(
        "UPDATE clips SET opened_at = "
        "(SELECT opened_at FROM incidents WHERE incidents.id = clips.incident)"
    )
    op.create_index("clip_cameras", "clips", ["camera", "opened_at", "incident"])
    op.create_index("incident_states", "incidents", ["state", "opened_at", "id"])
    op.create_index("incident_rules", "incidents", ["rule", "state", "opened_at", "id"])
    op.create_index(
        "incident_late",
        "incidents",
        ["opened_at", "id"],
        sqlite_where=sa.text("is_late_told = 1 AND finished_at IS NULL"),
    )
