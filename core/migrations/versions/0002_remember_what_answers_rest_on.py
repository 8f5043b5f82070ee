"""Remember what answers rest on and what changed under them"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

import core.database

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_AT_ONCE = 500
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


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
        batch_op.create_index(
            "ix_source_use_status_stale", ["status", "stale_at", "id"], unique=False
        )

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

    op.create_table(
        "reason_correction",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("contact_id", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(length=80), nullable=True),
        sa.Column("was", sa.String(length=80), nullable=True),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.Column("at", core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("undone_at", core.database.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_reason_correction_contact_id_contact")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reason_correction")),
    )
    with op.batch_alter_table("reason_correction", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_reason_correction_contact_id"), ["contact_id"], unique=False
        )

    with op.batch_alter_table("article", schema=None) as batch_op:
        batch_op.add_column(sa.Column("withheld", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("addresses", sa.JSON(), nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("superseded_by", sa.String(length=512), nullable=True))
        batch_op.add_column(
            sa.Column("decided", sa.JSON(none_as_null=True), nullable=False, server_default="{}")
        )
        batch_op.add_column(
            sa.Column("assess_at", core.database.UtcDateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(
            sa.Column("flags_due", core.database.UtcDateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(sa.Column("replaces", sa.Boolean(), nullable=False, server_default="0"))
        batch_op.create_index(batch_op.f("ix_article_assess_at"), ["assess_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_article_flags_due"), ["flags_due"], unique=False)
        batch_op.create_index(batch_op.f("ix_article_replaces"), ["replaces"], unique=False)

    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.add_column(sa.Column("stale", sa.JSON(), nullable=False, server_default="[]"))

    _fill_in(op.get_bind())


def _fill_in(connection: sa.Connection) -> None:
    """Write down what waiting reviews and released answers rest on, and have it all looked at."""
    at = core.database.UtcDateTime(timezone=True)
    review = sa.table(
        "review",
        sa.column("id", sa.String),
        sa.column("contact_id", sa.String),
        sa.column("status", sa.String),
        sa.column("state", sa.JSON),
        sa.column("opened_at", at),
    )
    pending = sa.select(review.c.id, review.c.contact_id, review.c.opened_at, review.c.state)
    _write_uses(connection, pending.where(review.c.status == "pending"), review.c.id, "pending")
    delivery = sa.table(
        "delivery",
        sa.column("id", sa.String),
        sa.column("contact_id", sa.String),
        sa.column("status", sa.String),
        sa.column("draft", sa.JSON),
        sa.column("created_at", at),
    )
    released = sa.select(
        delivery.c.id, delivery.c.contact_id, delivery.c.created_at, delivery.c.draft
    ).where(delivery.c.status.in_(("scheduled", "sending", "sent")))
    _write_uses(connection, released, delivery.c.id, "answered")
    version = sa.table(
        "article_version", sa.column("article_id", sa.String), sa.column("supersedes", sa.JSON)
    )
    replacing = {
        article_id
        for article_id, replaced in connection.execute(
            sa.select(version.c.article_id, version.c.supersedes)
        )
        if replaced
    }
    article = sa.table(
        "article",
        sa.column("id", sa.String),
        sa.column("replaces", sa.Boolean),
        sa.column("assess_at", at),
        sa.column("flags_due", at),
    )
    connection.execute(article.update().values(assess_at=_LONG_AGO, flags_due=_LONG_AGO))
    for article_id in sorted(replacing):
        connection.execute(article.update().where(article.c.id == article_id).values(replaces=True))


def _write_uses(
    connection: sa.Connection, query: sa.Select, key: sa.ColumnElement, status: str
) -> None:
    source_use = sa.table(
        "source_use",
        sa.column("holder", sa.String),
        sa.column("contact_id", sa.String),
        sa.column("article_id", sa.String),
        sa.column("version_id", sa.String),
        sa.column("passage_id", sa.String),
        sa.column("content_hash", sa.String),
        sa.column("status", sa.String),
        sa.column("at", core.database.UtcDateTime(timezone=True)),
    )
    after = ""
    while rows := connection.execute(query.where(key > after).order_by(key).limit(_AT_ONCE)).all():
        uses = []
        for holder, contact_id, at, kept in rows:
            draft = kept.get("draft", kept)  # a review keeps it in its state
            cited = {
                citation["passage_id"]: citation
                for sentence in draft["sentences"]
                for citation in sentence["citations"]
            }
            uses += [
                {
                    "holder": holder,
                    "contact_id": contact_id,
                    "article_id": citation["article_id"],
                    "version_id": citation["version_id"],
                    "passage_id": passage_id,
                    "content_hash": citation["content_hash"],
                    "status": status,
                    "at": at,
                }
                for passage_id, citation in cited.items()
            ]
        if uses:
            connection.execute(source_use.insert(), uses)
        after = rows[-1][0]


def downgrade() -> None:
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.drop_column("stale")

    with op.batch_alter_table("article", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_article_replaces"))
        batch_op.drop_index(batch_op.f("ix_article_flags_due"))
        batch_op.drop_index(batch_op.f("ix_article_assess_at"))
        batch_op.drop_column("replaces")
        batch_op.drop_column("flags_due")
        batch_op.drop_column("assess_at")
        batch_op.drop_column("decided")
        batch_op.drop_column("superseded_by")
        batch_op.drop_column("addresses")
        batch_op.drop_column("withheld")

    with op.batch_alter_table("reason_correction", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_reason_correction_contact_id"))

    op.drop_table("reason_correction")
    with op.batch_alter_table("source_rewrite", schema=None) as batch_op:
        batch_op.drop_index("ix_source_rewrite_article")

    op.drop_table("source_rewrite")
    with op.batch_alter_table("passage_change", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_passage_change_old_passage_id"))
        batch_op.drop_index("ix_passage_change_new_version_id")
        batch_op.drop_index("ix_passage_change_article_id_at")

    op.drop_table("passage_change")
    with op.batch_alter_table("source_use", schema=None) as batch_op:
        batch_op.drop_index("ix_source_use_status_stale")
        batch_op.drop_index("ix_source_use_passage")
        batch_op.drop_index("ix_source_use_contact")
        batch_op.drop_index("ix_source_use_article_status")

    op.drop_table("source_use")
    with op.batch_alter_table("source_flag", schema=None) as batch_op:
        batch_op.drop_index("ix_source_flag_status_damage")
        batch_op.drop_index(batch_op.f("ix_source_flag_article_id"))

    op.drop_table("source_flag")
