"""Transactions on PostgreSQL."""

import pytest
from sqlalchemy import make_url

from deploy.local.postgres import SIGNALS, Stop
from hub.database.connection import Connection
from hub.database.postgres import PostgresDatabase
from tests.postgres import shared_server


def _process(connection: Connection) -> int:
    return int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())


@pytest.mark.parametrize("how", SIGNALS)
def test_a_connection_that_has_long_been_idle_may_have_lost_its_server(how: Stop) -> None:
    with shared_server() as server:
        server.create_database("hub")
        # However short it was idle.
        database = PostgresDatabase(make_url(server.url("hub")), idle_seconds=-1)
        for transactions in (database.writing(), database.reading()):
            before = transactions.run(_process)
            assert transactions.run(_process) == before
            server.restart(how)
            after = transactions.run(_process)
            assert transactions.run(_process) == after
            transactions.close()
