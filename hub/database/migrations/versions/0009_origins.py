"""What an event is about, and the cases that it comes from."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

words = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    for name, kind in (("about", sa.LargeBinary()), ("origins", words)):
        op.add_column("journal", sa.Column(name, kind, server_default="", nullable=False))
