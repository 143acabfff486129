"""How far the topics of a backbone of Kafka are registered, and what of them cannot be read."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

long_ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
words = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "offsets",
        sa.Column("topic", words, nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("next", long_, nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition"),
    )
    op.create_table(
        "unread_records",
        sa.Column("topic", words, nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("place", long_, nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("headers", sa.LargeBinary(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("reason", words, nullable=False),
        sa.Column("at", long_, nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition", "place"),
    )
    if op.get_context().dialect.name == "postgresql":
        # Its rows are updated with each registration, none is ever longer.
        op.execute("ALTER TABLE offsets SET (fillfactor = 50)")
