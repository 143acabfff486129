"""What was read, and how events are to be handled."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

long_ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
words = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column(
        "journal", sa.Column("caveats", sa.SmallInteger(), server_default="0", nullable=False)
    )
    op.create_table(
        "reads",
        sa.Column("number", long_, autoincrement=True, nullable=False),
        sa.Column("subscription", long_, nullable=False),
        sa.Column("agency", words, nullable=False),
        sa.Column("subscription_id", words, nullable=False),
        sa.Column("token", long_, nullable=False),
        sa.Column("channel", words, nullable=False),
        sa.Column("policy", long_, nullable=False),
        sa.Column("read_at", long_, nullable=False),
        sa.Column("first", long_, nullable=False),
        sa.Column("last", long_, nullable=False),
        sa.Column("outcomes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("reads_of_position", "reads", ["last", "first"], unique=False)
    op.create_index("reads_of_agency", "reads", ["agency", "number"], unique=False)
