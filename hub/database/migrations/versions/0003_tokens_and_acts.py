"""When tokens were used and replaced, and the record of administrative acts."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

long_ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
words = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("tokens", sa.Column("last_used_at", long_, nullable=True))
    op.add_column("tokens", sa.Column("replaced_by", long_, nullable=True))
    op.create_index("tokens_of_agency", "tokens", ["agency", "number"], unique=False)
    op.create_index("tokens_by_expiry", "tokens", ["expires_at"], unique=False)
    op.create_table(
        "acts",
        sa.Column("number", long_, autoincrement=True, nullable=False),
        sa.Column("at", long_, nullable=False),
        sa.Column("caller", words, nullable=False),
        sa.Column("token", long_, nullable=True),
        sa.Column("act", words, nullable=False),
        sa.Column("subject", words, nullable=False),
        sa.Column("detail", words, nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sqlite_autoincrement=True,
    )
    op.create_index("acts_on_subject", "acts", ["subject", "number"], unique=False)
    op.create_index("acts_of_a_kind", "acts", ["act", "number"], unique=False)
