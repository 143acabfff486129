"""Retention: how far it has come, what was purged, and what feeds lost by it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

long_ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
words = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("subscriptions", sa.Column("expired", long_, nullable=False, server_default="0"))
    op.create_table(
        "expired",
        sa.Column("subscription", long_, autoincrement=False, nullable=False),
        sa.Column("position", long_, autoincrement=False, nullable=False),
        sa.Column("hubtime", long_, nullable=False),
        sa.PrimaryKeyConstraint("subscription", "position"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sweeps",
        sa.Column("type", words, nullable=False),
        sa.Column("version", words, nullable=False),
        sa.Column("position", long_, nullable=False),
        sa.PrimaryKeyConstraint("type", "version"),
    )
    op.create_table(
        "purges",
        sa.Column("number", long_, autoincrement=True, nullable=False),
        sa.Column("type", words, nullable=False),
        sa.Column("version", words, nullable=False),
        sa.Column("first", long_, nullable=False),
        sa.Column("last", long_, nullable=False),
        sa.Column("from_hubtime", long_, nullable=False),
        sa.Column("to_hubtime", long_, nullable=False),
        sa.Column("events", long_, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("at", long_, nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sqlite_autoincrement=True,
    )
