"""Indexes for what is asked of one event: who read it, why it was refused."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("reads_of_agency_over", "reads", ["agency", "last", "first"], unique=False)
    op.create_index("refusals_of_event", "refusals", ["event_id", "source"], unique=False)
