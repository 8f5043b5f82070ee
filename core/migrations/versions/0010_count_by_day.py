"""Count what the audit trail tells by day"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_OPEN = "status IN ('new', 'drafting', 'in_review', 'deciding', 'escalated', 'failed')"
_NAMES = ("reason", "tier", "channel", "person", "day", "part")
_SIZES = (80, 20, 10, 60, 11, 30)


def _keys() -> list[sa.Column[str]]:
    return [
        sa.Column(name, sa.String(length=size), nullable=False)
        for name, size in zip(_NAMES, _SIZES, strict=True)
    ]


def upgrade() -> None:
    op.create_table(
        "metric_sum",
        *_keys(),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("total", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint(*_NAMES, name=op.f("pk_metric_sum")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_metric_sum_day", "metric_sum", ["day"])
    op.create_table(
        "metric_lengths",
        *_keys(),
        sa.Column("lengths", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(*_NAMES, name=op.f("pk_metric_lengths")),
    )
    op.create_index("ix_metric_lengths_day", "metric_lengths", ["day"])
    op.create_table(
        "metric_mark",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_metric_mark")),
    )
    op.create_table(
        "complaint",
        sa.Column("contact_id", sa.String(length=40), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=80), nullable=False),
        sa.Column("tier", sa.String(length=20), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("theme_id", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("contact_id", name=op.f("pk_complaint")),
    )
    op.create_index("ix_complaint_theme_id", "complaint", ["theme_id"])
    op.create_index("ix_complaint_day_theme", "complaint", ["day", "theme_id"])
    op.create_table(
        "complaint_theme",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("words", sa.JSON(), nullable=False),
        sa.Column("centre", sa.LargeBinary(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("examples", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint_theme")),
    )
    op.create_index(
        "ix_contact_backlog",
        "contact",
        ["created_at", "reason", "tier", "channel", "origin", "status"],
        sqlite_where=sa.text(_OPEN),
        postgresql_where=sa.text(_OPEN),
    )


def downgrade() -> None:
    op.drop_index("ix_contact_backlog", table_name="contact")
    op.drop_table("complaint_theme")
    op.drop_index("ix_complaint_day_theme", table_name="complaint")
    op.drop_index("ix_complaint_theme_id", table_name="complaint")
    op.drop_table("complaint")
    op.drop_table("metric_mark")
    op.drop_table("metric_lengths")
    op.drop_table("metric_sum")
