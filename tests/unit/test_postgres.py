"""Transactions on PostgreSQL."""

from collections.abc import Sequence
from contextlib import closing, suppress
from functools import partial

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from structlog import get_logger
from structlog.testing import capture_logs

from deploy.local.postgres import SIGNALS, Stop
from hub.database.connection import Connection
from hub.database.partitions import make
from hub.database.postgres import PostgresDatabase, open_postgres
from hub.database.tables import metadata
from hub.database.transactions import of_the_server
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


def test_a_work_that_went_on_after_a_failed_statement_is_not_done(postgres_database: str) -> None:
    """The server rolls such a transaction back, and says so only in its answer to the COMMIT."""

    def go_on(connection: Connection) -> None:
        connection.exec_driver_sql("INSERT INTO secrets (name, value) VALUES ('new', '')")
        with suppress(DBAPIError):
            connection.exec_driver_sql("SELECT 1 / 0")

    def found(connection: Connection) -> object:
        return connection.exec_driver_sql("SELECT 1 FROM secrets WHERE name = 'new'").scalar()

    with closing(open_postgres(postgres_database).writing()) as transactions:
        process = transactions.run(_process)
        with pytest.raises(OperationalError) as failed:
            transactions.run(go_on)
        assert of_the_server(failed.value)
        assert (transactions.run(found), transactions.run(_process)) == (None, process)


_LATE_COMMIT = (
    "CREATE TEMPORARY TABLE late (number int)",
    "CREATE FUNCTION pg_temp.wait() RETURNS trigger LANGUAGE plpgsql"
    " AS 'BEGIN PERFORM pg_sleep(600); RETURN NULL; END'",
    "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON late DEFERRABLE INITIALLY DEFERRED"
    " FOR EACH ROW EXECUTE FUNCTION pg_temp.wait()",
    "INSERT INTO late VALUES (1)",
)


@pytest.mark.parametrize(
    "statements", [("SELECT pg_sleep(600)",), _LATE_COMMIT], ids=["statement", "commit"]
)
def test_a_server_that_owes_an_answer_is_given_up_and_asked_anew(
    postgres_database: str, statements: Sequence[str]
) -> None:
    def ask(connection: Connection) -> None:
        for statement in statements:
            connection.exec_driver_sql(statement)

    database = PostgresDatabase(make_url(postgres_database), answer=0.3)
    with closing(database.writing()) as transactions, closing(database.reading()) as others:
        before = [each.run(_process) for each in (transactions, others)]
        with pytest.raises(DBAPIError, match="closed in the middle"):
            transactions.run(ask)
        # What has silenced one may have silenced all.
        after = [each.run(_process) for each in (transactions, others)]
        assert not {*after} & {*before}
        assert [each.run(_process) for each in (transactions, others)] == after
    with closing(database.unhurried()) as transactions:
        transactions.run(lambda connection: connection.exec_driver_sql("SELECT pg_sleep(0.5)"))


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
