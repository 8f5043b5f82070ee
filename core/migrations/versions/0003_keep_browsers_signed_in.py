"""Keep browsers signed in, know who looks at what, page the queues at any depth"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import core.database

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_AT_ONCE = 500


def upgrade() -> None:
    op.create_table(
        "browser_session",
        sa.Column("token_digest", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("created_at", core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", core.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_browser_session_person_id_person")
        ),
        sa.PrimaryKeyConstraint("token_digest", name=op.f("pk_browser_session")),
    )
    with op.batch_alter_table("browser_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_browser_session_person_id"), ["person_id"])

    op.create_table(
        "presence",
        sa.Column("person_id", sa.String(length=40), nullable=False),
        sa.Column("review_id", sa.String(length=40), nullable=False),
        sa.Column("at", core.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_presence_person_id_person")
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_presence")),
    )
    with op.batch_alter_table("presence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_presence_review_id"), ["review_id"])

    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.add_column(sa.Column("changed", sa.Boolean(), nullable=False, server_default="0"))
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index("ix_delivery_status_id", ["status", "id"])

    _mark_changed(op.get_bind())


def _mark_changed(connection: sa.Connection) -> None:
    review = sa.table(
        "review",
        sa.column("id", sa.String),
        sa.column("state", sa.JSON),
        sa.column("stale", sa.JSON),
        sa.column("changed", sa.Boolean),
    )
    query = sa.select(review.c.id, review.c.state, review.c.stale).order_by(review.c.id)
    after = ""
    while rows := connection.execute(query.where(review.c.id > after).limit(_AT_ONCE)).all():
        changed = [id for id, state, stale in rows if stale or (state or {}).get("changes")]
        if changed:
            connection.execute(review.update().where(review.c.id.in_(changed)).values(changed=True))
        after = rows[-1][0]


def downgrade() -> None:
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index("ix_delivery_status_id")
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.drop_column("changed")
    op.drop_table("presence")
    op.drop_table("browser_session")
