"""The first tables, and the rows a journal starts from."""

import secrets
import time

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

long_ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
words = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "dedup",
        sa.Column("slot", long_, autoincrement=False, nullable=False),
        sa.Column("position", long_, nullable=False),
        sa.PrimaryKeyConstraint("slot"),
    )
    op.create_table(
        "feed",
        sa.Column("subscription", long_, autoincrement=False, nullable=False),
        sa.Column("first", long_, autoincrement=False, nullable=False),
        sa.Column("last", long_, nullable=False),
        sa.Column("positions", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("subscription", "first"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "journal",
        sa.Column("position", long_, autoincrement=False, nullable=False),
        sa.Column("hubtime", long_, nullable=False),
        sa.Column("audience", words, nullable=False),
        sa.Column("parties", sa.LargeBinary(), nullable=False),
        sa.Column("receipt", sa.LargeBinary(), nullable=False),
        sa.Column("type", words, nullable=False),
        sa.Column("version", words, nullable=False),
        sa.Column("publisher", words, nullable=False),
        sa.Column("region", words, nullable=False),
        sa.Column("key", words, nullable=False),
        sa.Column("addressed_to", words, nullable=False),
        sa.Column("copied_to", words, nullable=False),
        sa.Column("marking", sa.SmallInteger(), nullable=False),
        sa.Column("expires", long_, nullable=True),
        sa.Column("attributes", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("source", words, nullable=False),
        sa.Column("event_id", words, nullable=False),
        sa.Column("correlation", words, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("position"),
    )
    op.create_table(
        "policies",
        sa.Column("version", long_, autoincrement=False, nullable=False),
        sa.Column("document", words, nullable=False),
        sa.Column("changed_by", words, nullable=False),
        sa.Column("reason", words, nullable=False),
        sa.Column("changed_at", long_, nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )
    op.create_table(
        "refusals",
        sa.Column("number", long_, autoincrement=True, nullable=False),
        sa.Column("caller", words, nullable=False),
        sa.Column("source", words, nullable=True),
        sa.Column("event_id", words, nullable=True),
        sa.Column("code", words, nullable=False),
        sa.Column("pointer", words, nullable=False),
        sa.Column("refused_at", long_, nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("refusals_of_caller", "refusals", ["caller", "number"], unique=False)
    op.create_table(
        "revisions",
        sa.Column("name", words, nullable=False),
        sa.Column("revision", long_, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "secrets",
        sa.Column("name", words, nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "shards",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("next_number", long_, nullable=False),
        sa.Column("hubtime", long_, nullable=False),
        sa.PrimaryKeyConstraint("shard"),
    )
    op.create_table(
        "subscriptions",
        sa.Column("number", long_, autoincrement=True, nullable=False),
        sa.Column("agency", words, nullable=False),
        sa.Column("id", words, nullable=False),
        sa.Column("body", words, nullable=False),
        sa.Column("pins", words, nullable=False),
        sa.Column("start", long_, nullable=False),
        sa.Column("committed", long_, nullable=False),
        sa.Column("filled", long_, nullable=False),
        sa.Column("fill_until", long_, nullable=False),
        sa.Column("created_at", long_, nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("agency", "id", name="subscription_of_agency"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "tokens",
        sa.Column("number", long_, autoincrement=True, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("agency", words, nullable=True),
        sa.Column("roles", words, nullable=False),
        sa.Column("created_at", long_, nullable=False),
        sa.Column("expires_at", long_, nullable=False),
        sa.Column("revoked_at", long_, nullable=True),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("digest"),
        sqlite_autoincrement=True,
    )
    op.execute("INSERT INTO shards (shard, next_number, hubtime) VALUES (0, 1, 0)")
    op.execute("INSERT INTO revisions (name, revision) VALUES ('subscriptions', 0), ('probe', 0)")
    op.bulk_insert(
        sa.table("policies", *(sa.column(name) for name in _POLICY_COLUMNS)),
        [
            dict(
                zip(
                    _POLICY_COLUMNS,
                    (0, _EMPTY_POLICY, "hub", "first start", time.time_ns() // 1000),
                    strict=True,
                )
            )
        ],
    )
    op.bulk_insert(
        sa.table("secrets", sa.column("name"), sa.column("value")),
        [{"name": name, "value": secrets.token_bytes(32)} for name in ("parties", "cursors")],
    )


_POLICY_COLUMNS = ("version", "document", "changed_by", "reason", "changed_at")
_EMPTY_POLICY = '{"agencies":[],"grants":[],"recusals":[]}'
