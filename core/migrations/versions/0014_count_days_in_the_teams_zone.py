"""Count days in the time zone of the team

The zone of what is counted so far is left empty, which is none: whoever counts next begins anew, and
keeps tiers and channels apart in what is counted since the beginning.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    zone = sa.Column("zone", sa.String(40), nullable=False, server_default="")
    op.add_column("metric_mark", zone)


def downgrade() -> None:
    op.drop_column("metric_mark", "zone")
