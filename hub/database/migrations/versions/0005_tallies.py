"""Tallies of what agencies send, and which refusals are an event's first."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

long_ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
words = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "tallies",
        sa.Column("agency", words, nullable=False),
        sa.Column("hour", long_, autoincrement=False, nullable=False),
        sa.Column("events", long_, nullable=False),
        sa.Column("last", long_, nullable=False),
        sa.PrimaryKeyConstraint("agency", "hour"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tallied",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", long_, nullable=False),
        sa.Column("hubtime", long_, nullable=False),
        sa.PrimaryKeyConstraint("shard"),
    )
    op.execute("INSERT INTO tallied (shard, position, hubtime) VALUES (0, 0, 0)")
    op.add_column(
        "refusals", sa.Column("nth", sa.SmallInteger(), server_default="0", nullable=False)
    )
    # No PostgreSQL database is older than this.
    if op.get_context().dialect.name == "sqlite":
        # Of the rows that are there, those of one event stand together and share its time.
        op.execute(
            "UPDATE refusals SET nth = 1 WHERE EXISTS (SELECT 1 FROM refusals AS earlier"
            " WHERE earlier.number = refusals.number - 1 AND earlier.caller = refusals.caller"
            " AND earlier.refused_at = refusals.refused_at AND earlier.source IS refusals.source"
            " AND earlier.event_id IS refusals.event_id)"
        )
    op.create_index(
        "refused_events",
        "refusals",
        ["refused_at", "caller", "code"],
        sqlite_where=sa.text("nth = 0"),
        postgresql_where=sa.text("nth = 0"),
    )
