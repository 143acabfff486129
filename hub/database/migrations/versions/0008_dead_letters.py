"""Dead letters: events that had no form in the version that a subscription had pinned."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

long_ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
words = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "dead_letters",
        sa.Column("position", long_, autoincrement=False, nullable=False),
        sa.Column("subscription", long_, autoincrement=False, nullable=False),
        sa.Column("wanted", words, nullable=False),
        sa.Column("code", words, nullable=False),
        sa.Column("pointer", words, nullable=False),
        sa.Column("message", words, nullable=False),
        sa.Column("message_en", words, nullable=False),
        sa.Column("attempts", long_, nullable=False),
        sa.Column("first", long_, nullable=False),
        sa.Column("last", long_, nullable=False),
        sa.Column("delivered", long_, nullable=True),
        sa.PrimaryKeyConstraint("position", "subscription"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "dead_letters_of_subscription",
        "dead_letters",
        ["subscription", "delivered", "position"],
        unique=False,
    )
