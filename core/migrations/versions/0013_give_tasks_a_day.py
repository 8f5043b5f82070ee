"""Say by which day a task is to be done"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("desk_task", sa.Column("due_on", sa.Date(), nullable=True))


def downgrade() -> None:
    op.drop_column("desk_task", "due_on")
