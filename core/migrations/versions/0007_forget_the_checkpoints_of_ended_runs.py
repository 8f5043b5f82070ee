"""Forget the checkpoints of ended runs"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("pruned_run", sa.Integer(), nullable=False, server_default="0")
        )
        batch_op.create_index(
            "ix_contact_unpruned",
            ["updated_at"],
            sqlite_where=sa.text("pruned_run < run"),
            postgresql_where=sa.text("pruned_run < run"),
        )


def downgrade() -> None:
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.drop_index("ix_contact_unpruned")
        batch_op.drop_column("pruned_run")
