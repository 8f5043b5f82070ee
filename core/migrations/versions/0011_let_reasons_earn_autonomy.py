"""Let contact reasons earn autonomy"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import core.database

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = core.database.UtcDateTime(timezone=True)
    op.create_table(
        "autonomy_evidence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("reason", sa.String(length=80), nullable=True),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("loss", sa.Double(), nullable=False),
        sa.Column("review_id", sa.String(length=40), nullable=True),
        sa.Column("contact_id", sa.String(length=40), nullable=True),
        sa.Column("person_id", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_autonomy_evidence")),
        sa.UniqueConstraint("key", name=op.f("uq_autonomy_evidence_key")),
    )
    op.create_index("ix_autonomy_evidence_reason", "autonomy_evidence", ["reason", "round", "id"])
    op.create_index("ix_autonomy_evidence_person", "autonomy_evidence", ["person_id", "kind"])
    op.create_table(
        "reason_autonomy",
        sa.Column("reason", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("since", moment, nullable=False),
        sa.Column("round_since", moment, nullable=False),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("rules", sa.String(length=64), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.Column("e_value", sa.Double(), nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.Column("loss", sa.Double(), nullable=False),
        sa.Column("standing", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("looked_at", moment, nullable=True),
        sa.Column("unlocked_by", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("reason", name=op.f("pk_reason_autonomy")),
    )
    op.create_table(
        "autopilot_switch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("on", sa.Boolean(), nullable=False),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_autopilot_switch")),
    )
    op.create_table(
        "autopilot_approval",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("contact_id", sa.String(length=40), nullable=False),
        sa.Column("thread", sa.String(length=60), nullable=False),
        sa.Column("reason", sa.String(length=80), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("tier", sa.String(length=20), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("e_value", sa.Double(), nullable=False),
        sa.Column("evidence", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_autopilot_approval")),
    )
    op.create_index("ix_autopilot_approval_contact_id", "autopilot_approval", ["contact_id"])
    op.create_index("ix_autopilot_approval_reason_at", "autopilot_approval", ["reason", "at"])


def downgrade() -> None:
    op.drop_table("autopilot_approval")
    op.drop_table("autopilot_switch")
    op.drop_table("reason_autonomy")
    op.drop_table("autonomy_evidence")
