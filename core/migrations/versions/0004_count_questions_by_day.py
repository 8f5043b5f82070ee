"""Count questions by day, and find what one person did, without reading every row"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_review_opened", "review", ["opened_at", "kind", "contact_id"])
    op.create_index("ix_audit_event_actor_id", "audit_event", ["actor", "id"])


def downgrade() -> None:
    op.drop_index("ix_audit_event_actor_id", "audit_event")
    op.drop_index("ix_review_opened", "review")
