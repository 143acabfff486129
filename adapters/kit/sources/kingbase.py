"""人大金仓 (KingbaseES) as SQLAlchemy sees it: a PostgreSQL that tells its version otherwise."""

from typing import Any

from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg


class Kingbase(PGDialect_psycopg):
    """What the version is asked for, for KingbaseES V8 is as PostgreSQL 12 has it."""

    supports_statement_cache = True

    def _get_server_version_info(self, connection: Any) -> tuple[int, int]:
        return 12, 0
