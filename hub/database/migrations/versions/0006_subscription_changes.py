"""The log of what changed of subscriptions."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

long_ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "subscription_changes",
        sa.Column("number", long_, autoincrement=True, nullable=False),
        sa.Column("revision", long_, nullable=False),
        sa.Column("subscription", long_, nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("revision"),
        sqlite_autoincrement=True,
    )
    # Where the log starts, so that what is read now can be brought up to date by it.
    op.execute(
        "INSERT INTO subscription_changes (revision, subscription)"
        " SELECT revision, 0 FROM revisions WHERE name = 'subscriptions'"
    )
