"""Remember what answers rest on and what changed under them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import core.database

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "source_flag",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("article_id", sa.String(length=512), nullable=True),
        sa.Column("passage_id", sa.String(length=48), nullable=True),
        sa.Column("other_article_id", sa.String(length=512), nullable=True),
        sa.Column("owner", sa.String(length=256), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("evidence", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("damage", sa.Double(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("opened_at", core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(length=60), nullable=True),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_flag")),
        sa.UniqueConstraint("key", name=op.f("uq_source_flag_key")),
    )
    with op.batch_alter_table("source_flag", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_source_flag_article_id"), ["article_id"], unique=False)
        batch_op.create_index(
            "ix_source_flag_status_damage", ["status", "damage", "id"], unique=False
        )

    op.create_table(
        "source_use",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(length=40), nullable=False),
        sa.Column("contact_id", sa.String(length=40), nullable=False),
        sa.Column("article_id", sa.String(length=512), nullable=False),
        sa.Column("version_id", sa.String(length=40), nullable=False),
        sa.Column("passage_id", sa.String(length=48), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("at", core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("stale_at", core.database.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_use")),
        sa.UniqueConstraint("holder", "passage_id", name=op.f("uq_source_use_holder_passage_id")),
    )
    with op.batch_alter_table("source_use", schema=None) as batch_op:
        batch_op.create_index(
            "ix_source_use_article_status", ["article_id", "status"], unique=False
        )
        batch_op.create_index("ix_source_use_contact", ["contact_id"], unique=False)
        batch_op.create_index("ix_source_use_passage", ["passage_id"], unique=False)

    op.create_table(
        "passage_change",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("article_id", sa.String(length=512), nullable=False),
        sa.Column("old_version_id", sa.String(length=40), nullable=False),
        sa.Column("new_version_id", sa.String(length=40), nullable=False),
        sa.Column("old_passage_id", sa.String(length=48), nullable=True),
        sa.Column("new_passage_id", sa.String(length=48), nullable=True),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("at", core.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name=op.f("fk_passage_change_article_id_article")
        ),
        sa.ForeignKeyConstraint(
            ["new_version_id"],
            ["article_version.id"],
            name=op.f("fk_passage_change_new_version_id_article_version"),
        ),
        sa.ForeignKeyConstraint(
            ["old_version_id"],
            ["article_version.id"],
            name=op.f("fk_passage_change_old_version_id_article_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passage_change")),
    )
    with op.batch_alter_table("passage_change", schema=None) as batch_op:
        batch_op.create_index("ix_passage_change_article_id_at", ["article_id", "at"], unique=False)
        batch_op.create_index("ix_passage_change_new_version_id", ["new_version_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_passage_change_old_passage_id"), ["old_passage_id"], unique=False
        )

    op.create_table(
        "source_rewrite",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("review_id", sa.String(length=40), nullable=False),
        sa.Column("article_id", sa.String(length=512), nullable=False),
        sa.Column("passage_id", sa.String(length=48), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("at", core.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["review_id"], ["review.id"], name=op.f("fk_source_rewrite_review_id_review")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_rewrite")),
    )
    with op.batch_alter_table("source_rewrite", schema=None) as batch_op:
        batch_op.create_index("ix_source_rewrite_article", ["article_id", "at"], unique=False)

    with op.batch_alter_table("article", schema=None) as batch_op:
        batch_op.add_column(sa.Column("withheld", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("superseded_by", sa.String(length=512), nullable=True))
        batch_op.add_column(
            sa.Column("decided", sa.JSON(none_as_null=True), nullable=False, server_default="{}")
        )

    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.add_column(sa.Column("stale", sa.JSON(), nullable=False, server_default="[]"))


def downgrade() -> None:
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.drop_column("stale")

    with op.batch_alter_table("article", schema=None) as batch_op:
        batch_op.drop_column("decided")
        batch_op.drop_column("superseded_by")
        batch_op.drop_column("withheld")

    with op.batch_alter_table("source_rewrite", schema=None) as batch_op:
        batch_op.drop_index("ix_source_rewrite_article")

    op.drop_table("source_rewrite")
    with op.batch_alter_table("passage_change", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_passage_change_old_passage_id"))
        batch_op.drop_index("ix_passage_change_new_version_id")
        batch_op.drop_index("ix_passage_change_article_id_at")

    op.drop_table("passage_change")
    with op.batch_alter_table("source_use", schema=None) as batch_op:
        batch_op.drop_index("ix_source_use_passage")
        batch_op.drop_index("ix_source_use_contact")
        batch_op.drop_index("ix_source_use_article_status")

    op.drop_table("source_use")
    with op.batch_alter_table("source_flag", schema=None) as batch_op:
        batch_op.drop_index("ix_source_flag_status_damage")
        batch_op.drop_index(batch_op.f("ix_source_flag_article_id"))

    op.drop_table("source_flag")
