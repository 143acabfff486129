"""What an event is about, and the cases that it comes from."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, kind in (("about", sa.LargeBinary()), ("origins", sa.Text())):
        op.add_column("journal", sa.Column(name, kind, server_default="", nullable=False))
