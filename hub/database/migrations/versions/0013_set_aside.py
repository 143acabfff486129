"""Batches that doors handed over and that no program could read."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

long_ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
words = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "set_aside",
        sa.Column("number", long_, autoincrement=False, nullable=False),
        sa.Column("publisher", words, nullable=False),
        sa.Column("atomic", sa.SmallInteger(), nullable=False),
        sa.Column("events", sa.LargeBinary(), nullable=False),
        sa.Column("receipts", sa.LargeBinary(), nullable=False),
        sa.Column("weight", long_, nullable=False),
        sa.Column("at", long_, nullable=False),
        sa.Column("reason", words, nullable=False),
        sa.Column("aside_at", long_, nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
