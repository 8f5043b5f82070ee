"""Keep what agents and the assistant say, and find open contacts by what they wait for"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import core.database

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_OPEN = "status IN ('new', 'drafting', 'in_review', 'deciding', 'escalated', 'failed')"
_SETTLED = _OPEN.replace(" IN ", " NOT IN ")
_AT_ONCE = 500


def upgrade() -> None:
    op.create_table(
        "chat_turn",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("contact_id", sa.String(length=40), nullable=False),
        sa.Column("review_id", sa.String(length=40), nullable=True),
        sa.Column("by", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("draft", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("report", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("at", core.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_chat_turn_contact_id_contact")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_turn")),
    )
    with op.batch_alter_table("chat_turn", schema=None) as batch_op:
        batch_op.create_index("ix_chat_turn_contact", ["contact_id", "id"])

    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("low_confidence", sa.Boolean(), nullable=False, server_default="0")
        )
        batch_op.add_column(
            sa.Column("lacks_details", sa.Boolean(), nullable=False, server_default="0")
        )
        batch_op.add_column(sa.Column("rank", sa.Integer(), nullable=False, server_default="0"))
        batch_op.drop_index("ix_contact_queue")
    op.create_index(
        "ix_contact_open",
        "contact",
        [
            "rank",
            "created_at",
            "id",
            "assigned_to",
            "due_at",
            "low_confidence",
            "lacks_details",
            "status",
        ],
        sqlite_where=sa.text(_OPEN),
        postgresql_where=sa.text(_OPEN),
    )
    op.create_index(
        "ix_contact_mine",
        "contact",
        ["assigned_to", "rank", "created_at", "id"],
        sqlite_where=sa.text(_OPEN),
        postgresql_where=sa.text(_OPEN),
    )
    op.create_index(
        "ix_contact_settled",
        "contact",
        ["id"],
        sqlite_where=sa.text(_SETTLED),
        postgresql_where=sa.text(_SETTLED),
    )
    _fill_in(op.get_bind())


def _fill_in(connection: sa.Connection) -> None:
    contact = sa.table(
        "contact",
        sa.column("id", sa.String),
        sa.column("triggers", sa.JSON),
        sa.column("low_confidence", sa.Boolean),
        sa.column("lacks_details", sa.Boolean),
        sa.column("risk", sa.Integer),
        sa.column("rank", sa.Integer),
    )
    connection.execute(contact.update().values(rank=-contact.c.risk))
    query = sa.select(contact.c.id, contact.c.triggers).order_by(contact.c.id)
    after = ""
    while rows := connection.execute(query.where(contact.c.id > after).limit(_AT_ONCE)).all():
        unsure = [
            id for id, fired in rows if any(one.get("id") == "low_confidence" for one in fired)
        ]
        if unsure:
            connection.execute(
                contact.update().where(contact.c.id.in_(unsure)).values(low_confidence=True)
            )
        after = rows[-1][0]
    review = sa.table(
        "review",
        sa.column("contact_id", sa.String),
        sa.column("status", sa.String),
        sa.column("kind", sa.String),
    )
    asks = sa.select(review.c.contact_id).where(
        review.c.status == "pending", review.c.kind == "clarify"
    )
    connection.execute(contact.update().where(contact.c.id.in_(asks)).values(lacks_details=True))


def downgrade() -> None:
    op.drop_index("ix_contact_settled", "contact")
    op.drop_index("ix_contact_mine", "contact")
    op.drop_index("ix_contact_open", "contact")
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.create_index("ix_contact_queue", ["status", "risk", "created_at", "id"])
        batch_op.drop_column("rank")
        batch_op.drop_column("lacks_details")
        batch_op.drop_column("low_confidence")
    op.drop_table("chat_turn")
