"""Bind an unlock to the lock that it opened"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("reason_autonomy", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("unlocked", sa.String(length=20), nullable=False, server_default="")
        )
    # Which lock it was nobody wrote down: what an admin opened stays open.
    op.execute("UPDATE reason_autonomy SET unlocked = 'tier map' WHERE unlocked_by IS NOT NULL")


def downgrade() -> None:
    with op.batch_alter_table("reason_autonomy", schema=None) as batch_op:
        batch_op.drop_column("unlocked")
