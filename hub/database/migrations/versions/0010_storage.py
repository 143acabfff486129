"""How PostgreSQL stores what is updated all the time, and tends what only grows."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# Each registration updates its shard, each cursor its subscription: with room on the page the new
# version stands beside the old, which the next update clears away, and no index is touched.
_ROOM = {
    "shards": 10,
    "revisions": 10,
    "tallied": 10,
    "sweeps": 50,
    "tallies": 70,
    "tokens": 70,
    "subscriptions": 70,
}
# By the millions, not by a share of a table that may have hundreds of them: each round then is as
# short as the last, and rows are frozen while they are still in memory.
_GROWING = ("journal", "dedup", "feed", "reads", "refusals")
_TENDED = (
    "autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 1000000,"
    " autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500000,"
    " autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 500000"
)


def upgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        return
    for table, fillfactor in _ROOM.items():
        op.execute(f"ALTER TABLE {table} SET (fillfactor = {fillfactor})")
    for table in _GROWING:
        op.execute(f"ALTER TABLE {table} SET ({_TENDED})")
    # An agency's readings are found in the index alone, and only those that are told are fetched.
    op.drop_index("reads_of_agency_over", "reads")
    op.create_index(
        "reads_of_agency_over",
        "reads",
        ["agency", "last", "first"],
        postgresql_include=["number"],
    )
