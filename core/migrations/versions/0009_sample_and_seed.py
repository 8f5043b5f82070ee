"""Draw samples for QA, and slip in checks with a known fault"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import core.database

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = core.database.UtcDateTime(timezone=True)
    op.create_table(
        "qa_draw",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("since", moment, nullable=False),
        sa.Column("until", moment, nullable=False),
        sa.Column("cells", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_qa_draw")),
    )
    op.create_table(
        "seeded_look",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("owed", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seeded_look")),
    )
    op.create_table(
        "qa_pick",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("draw_id", sa.String(length=40), nullable=False),
        sa.Column("contact_id", sa.String(length=40), nullable=False),
        sa.Column("review_id", sa.String(length=40), nullable=True),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("risk", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=80), nullable=True),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("twice", sa.Boolean(), nullable=False),
        sa.Column("decided_by", sa.String(length=40), nullable=True),
        sa.Column("own_words", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_qa_pick_contact_id_contact")
        ),
        sa.ForeignKeyConstraint(
            ["draw_id"], ["qa_draw.id"], name=op.f("fk_qa_pick_draw_id_qa_draw")
        ),
        sa.ForeignKeyConstraint(
            ["review_id"], ["review.id"], name=op.f("fk_qa_pick_review_id_review")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_qa_pick")),
        sa.UniqueConstraint("draw_id", "contact_id", name=op.f("uq_qa_pick_draw_id_contact_id")),
    )
    op.create_table(
        "qa_score",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("pick_id", sa.String(length=40), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("reader", sa.String(length=40), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("marks", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("notes", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["pick_id"], ["qa_pick.id"], name=op.f("fk_qa_score_pick_id_qa_pick")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_qa_score")),
        sa.UniqueConstraint("pick_id", "ordinal", name=op.f("uq_qa_score_pick_id_ordinal")),
        sa.UniqueConstraint("pick_id", "reader", name=op.f("uq_qa_score_pick_id_reader")),
    )
    op.create_table(
        "seeded_check",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("contact_id", sa.String(length=40), nullable=False),
        sa.Column("review_id", sa.String(length=40), nullable=False),
        sa.Column("source_contact_id", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=80), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("sentence", sa.Integer(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("marked", sa.Boolean(), nullable=False),
        sa.Column("placed_at", moment, nullable=False),
        sa.Column("resolved_at", moment, nullable=True),
        sa.Column("resolved_by", sa.String(length=40), nullable=True),
        sa.Column("decision", sa.String(length=10), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("dwell_seconds", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_seeded_check_contact_id_contact")
        ),
        sa.ForeignKeyConstraint(
            ["review_id"], ["review.id"], name=op.f("fk_seeded_check_review_id_review")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seeded_check")),
        sa.UniqueConstraint("contact_id", name=op.f("uq_seeded_check_contact_id")),
        sa.UniqueConstraint("review_id", name=op.f("uq_seeded_check_review_id")),
    )
    op.create_index("ix_seeded_check_resolved_at", "seeded_check", ["resolved_at"])
    op.create_index("ix_seeded_check_resolved_by", "seeded_check", ["resolved_by", "resolved_at"])
    op.create_index("ix_seeded_check_source_contact_id", "seeded_check", ["source_contact_id"])


def downgrade() -> None:
    op.drop_table("seeded_check")
    op.drop_table("qa_score")
    op.drop_table("qa_pick")
    op.drop_table("seeded_look")
    op.drop_table("qa_draw")
