"""Transactions on PostgreSQL."""

from contextlib import closing
from functools import partial

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError
from structlog import get_logger
from structlog.testing import capture_logs

from deploy.local.postgres import SIGNALS, Stop
from hub.database.connection import Connection
from hub.database.partitions import make
from hub.database.postgres import PostgresDatabase, open_postgres
from hub.database.tables import metadata
from hub.database.watch import Outage
from hub.journal import sql
from tests.bench.plans import explain, nodes
from tests.postgres import shared_server


def _differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


def _with_room(connection: Connection) -> set[str]:
    rows = connection.exec_driver_sql(
        "SELECT relname FROM pg_class WHERE reloptions::text LIKE '%%fillfactor%%'"
    )
    return {name for (name,) in rows}


def test_the_migrations_make_the_tables_of_the_code(postgres_database: str) -> None:
    database = open_postgres(postgres_database)
    with closing(database.reading()) as reading:
        assert reading.run(_differences) == []


def test_tables_whose_rows_are_updated_have_room_for_it(postgres_database: str) -> None:
    database = open_postgres(postgres_database)
    with closing(database.reading()) as reading:
        found = reading.run(_with_room)
    assert {"shards", "subscriptions", "revisions", "tallies"} <= found
    assert not {"journal", "dedup", "feed", "reads"} & found


def _process(connection: Connection) -> int:
    return int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())


@pytest.mark.parametrize("how", SIGNALS)
def test_a_connection_that_has_lost_its_server_is_made_anew_before_a_work_has_it(how: Stop) -> None:
    with shared_server() as server:
        server.create_database("hub")
        database = PostgresDatabase(make_url(server.url("hub")))
        for transactions in (database.writing(), database.reading()):
            before = transactions.run(_process)
            assert transactions.run(_process) == before
            server.restart(how)
            after = transactions.run(_process)
            assert transactions.run(_process) == after
            transactions.close()


def test_a_page_goes_by_an_index_from_the_first_event_on(postgres_database: str) -> None:
    """Its plan is made while the journal is all but empty, and kept."""
    database = open_postgres(postgres_database)
    with closing(database.writing()) as transactions:
        transactions.run(partial(make, first=1, end=1_001))
        (explained,) = transactions.run(
            lambda connection: explain(connection, lambda c: list(sql.entries(c, range(1000))))
        )
    scans = [node for node in nodes(explained["Plan"]) if "Relation Name" in node]
    assert {node["Relation Name"] for node in scans} == {"journal_1", "shards"}
    assert {node["Node Type"] for node in scans} <= {"Index Scan", "Bitmap Heap Scan"}


def test_an_outage_is_told_once_with_how_often_it_was_met() -> None:
    away = OperationalError(None, None, ConnectionRefusedError("refused"))
    seconds = iter((10.0, 17.5))
    with capture_logs() as said:
        outage = Outage(log=get_logger(), clock=lambda: next(seconds))
        outage.over()
        assert [outage.explains(error) for error in (away, away, ValueError(), away)] == [
            *(True, True, False, True)
        ]
        outage.over()
        outage.over()
    assert said == [
        {"event": "storage.away", "log_level": "error", "reason": "refused"},
        {"event": "storage.back", "log_level": "warning", "missed": 3, "seconds": 7.5},
    ]
