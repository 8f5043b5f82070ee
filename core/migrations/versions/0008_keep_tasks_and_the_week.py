"""Keep tasks, and what the week's days go through"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import core.database

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_INDEXES = (
    ("ix_handoff_opened_at", "handoff", ["opened_at"]),
    ("ix_reason_correction_at", "reason_correction", ["at"]),
    ("ix_article_version_synced_at", "article_version", ["synced_at"]),
    ("ix_passage_change_at", "passage_change", ["at"]),
)


def upgrade() -> None:
    moment = core.database.UtcDateTime(timezone=True)
    op.create_table(
        "desk_task",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=600), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(length=256), nullable=False),
        sa.Column("evidence", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("raised_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.Column("ended_at", moment, nullable=True),
        sa.Column("ended_by", sa.String(length=60), nullable=True),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_task")),
        sa.UniqueConstraint("key", "round", name=op.f("uq_desk_task_key_round")),
    )
    op.create_index("ix_desk_task_state_id", "desk_task", ["state", "id"])
    op.create_table(
        "rhythm_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("subject", sa.String(length=10), nullable=False),
        sa.Column("subject_id", sa.String(length=512), nullable=False),
        sa.Column("why", sa.String(length=40), nullable=False),
        sa.Column("figures", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("listed_at", moment, nullable=False),
        sa.Column("done_at", moment, nullable=True),
        sa.Column("done_by", sa.String(length=60), nullable=True),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rhythm_item")),
        sa.UniqueConstraint(
            "week",
            "day",
            "subject",
            "subject_id",
            name=op.f("uq_rhythm_item_week_day_subject_subject_id"),
        ),
    )
    for name, table, columns in _INDEXES:
        op.create_index(name, table, columns)


def downgrade() -> None:
    for name, table, _ in reversed(_INDEXES):
        op.drop_index(name, table_name=table)
    op.drop_table("rhythm_item")
    op.drop_index("ix_desk_task_state_id", table_name="desk_task")
    op.drop_table("desk_task")
