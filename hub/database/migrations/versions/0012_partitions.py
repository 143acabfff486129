"""The journal in partitions on PostgreSQL, and what of it is held."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

long_ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TENDED = "autovacuum_vacuum_threshold = 100, autovacuum_vacuum_scale_factor = 0.01"
# By the millions, as tables are tended that grow without end; a partition does not.
_UNTENDED = (
    "autovacuum_vacuum_insert_scale_factor, autovacuum_vacuum_insert_threshold,"
    " autovacuum_analyze_scale_factor, autovacuum_analyze_threshold"
)


def upgrade() -> None:
    op.add_column("shards", sa.Column("room", long_, nullable=False, server_default="0"))
    op.add_column("shards", sa.Column("purged", long_, nullable=False, server_default="0"))
    if op.get_context().dialect.name == "sqlite":
        op.execute("CREATE VIEW held AS SELECT * FROM journal")
        return
    first = op.get_bind().exec_driver_sql("SELECT min(position) FROM journal").scalar_one()
    last = op.get_bind().exec_driver_sql("SELECT max(position) FROM journal").scalar_one()
    # What there is becomes the first partition as it stands: it is looked through, not written.
    op.execute("ALTER TABLE journal RENAME TO journal_before")
    op.execute("ALTER INDEX journal_pkey RENAME TO journal_before_pkey")
    op.execute(
        "CREATE TABLE journal (LIKE journal_before INCLUDING ALL) PARTITION BY RANGE (position)"
    )
    if first is None:
        op.execute("DROP TABLE journal_before")
    else:
        op.execute(f"ALTER TABLE journal_before RESET ({_UNTENDED})")
        op.execute(f"ALTER TABLE journal_before SET ({_TENDED})")
        op.execute(f"ALTER TABLE journal_before RENAME TO journal_{first}")
        op.execute(f"ALTER INDEX journal_before_pkey RENAME TO journal_{first}_pkey")
        op.execute(
            f"ALTER TABLE journal ATTACH PARTITION journal_{first}"
            f" FOR VALUES FROM ({first}) TO ({last + 1})"
        )
    # The shard is named, so that the number is known before the first partition is looked into.
    op.execute(
        "CREATE VIEW held AS SELECT * FROM journal"
        " WHERE position > (SELECT purged FROM shards WHERE shard = 0)"
    )
