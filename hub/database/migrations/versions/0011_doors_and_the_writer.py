"""Several processes on one database: who writes, and what doors hand to it."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

long_ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
words = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("shards", sa.Column("epoch", long_, nullable=False, server_default="0"))
    op.add_column("shards", sa.Column("writer", words, nullable=False, server_default=""))
    op.add_column("shards", sa.Column("beat", long_, nullable=False, server_default="0"))
    op.create_table(
        "intake",
        sa.Column("number", long_, autoincrement=True, nullable=False),
        sa.Column("door", long_, nullable=False),
        sa.Column("batch", long_, nullable=False),
        sa.Column("atomic", sa.SmallInteger(), nullable=False),
        sa.Column("publisher", words, nullable=False),
        sa.Column("events", sa.LargeBinary(), nullable=False),
        sa.Column("receipts", sa.LargeBinary(), nullable=False),
        sa.Column("weight", long_, nullable=False),
        sa.Column("at", long_, nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "settled",
        sa.Column("door", long_, autoincrement=False, nullable=False),
        sa.Column("batch", long_, autoincrement=False, nullable=False),
        sa.Column("outcomes", sa.LargeBinary(), nullable=False),
        sa.Column("at", long_, nullable=False),
        sa.PrimaryKeyConstraint("door", "batch"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "refused",
        sa.Column("receipt", sa.LargeBinary(), nullable=False),
        sa.Column("publisher", words, nullable=False),
        sa.Column("told", sa.LargeBinary(), nullable=False),
        sa.Column("at", long_, nullable=False),
        sa.PrimaryKeyConstraint("receipt"),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO revisions (name, revision) VALUES ('tokens', 0)")
    if op.get_bind().dialect.name == "postgresql":
        # Rows come and go by the hundred a second: compressing them is wasted, and what is dead
        # must not lie before what is alive.
        op.execute("ALTER TABLE intake ALTER COLUMN events SET STORAGE EXTERNAL")
        for table in ("intake", "settled"):
            op.execute(
                f"ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = 0,"
                " autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0)"
            )
