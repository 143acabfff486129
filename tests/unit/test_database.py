"""The tables that the migrations make are those of `hub/database/tables.py`."""

from contextlib import closing
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.command import upgrade
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from hub.database.connection import STREAMED, Connection, numbers, plain
from hub.database.keys import keys_of
from hub.database.migrating import revision_of, revisions
from hub.database.postgres import open_postgres
from hub.database.sqlite import open_sqlite
from hub.database.tables import metadata


def test_the_migrations_make_the_tables_of_the_code(tmp_path: Path) -> None:
    opened = closing(open_sqlite(tmp_path, readers=1))
    with opened as database, database.writer.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        columns = {
            table.name: [
                row[1] for row in connection.exec_driver_sql(f"PRAGMA table_info({table.name})")
            ]
            for table in metadata.sorted_tables
        }
    assert columns == {t.name: [c.name for c in t.columns] for t in metadata.sorted_tables}


def test_the_known_revisions_are_those_of_the_migrations(tmp_path: Path) -> None:
    config = Config()
    config.set_main_option("script_location", "hub.database:migrations")
    walked = ScriptDirectory.from_config(config).walk_revisions()
    assert revisions() == tuple(script.revision for script in walked)
    with create_engine("sqlite://").connect() as connection:
        assert revision_of(connection) is None
    opened = closing(open_sqlite(tmp_path, readers=1))
    with opened as database, database.readers.connect() as connection:
        assert revision_of(connection) == revisions()[0]


def test_a_data_directory_keeps_its_keys_when_it_is_opened_again(tmp_path: Path) -> None:
    found = []
    for _ in range(2):
        opened = closing(open_sqlite(tmp_path, readers=1))
        with opened as database, database.readers.connect() as connection:
            found.append(keys_of(connection))
    assert found[0] == found[1]
    assert sorted(found[0]) == ["cursors", "parties"]
    assert {len(key) for key in found[0].values()} == {32}


def test_writes_reach_the_disk_before_they_are_answered(tmp_path: Path) -> None:
    with closing(open_sqlite(tmp_path, readers=1)) as database:
        with database.writer.connect() as connection:
            asked = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in ("journal_mode", "synchronous", "page_size")
            }
        with database.readers.connect() as connection:
            reading = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in ("query_only", "wal_autocheckpoint")
            }
    assert asked == {"journal_mode": "wal", "synchronous": 2, "page_size": 8192}
    assert reading == {"query_only": 1, "wal_autocheckpoint": 0}


def test_of_the_refusals_of_before_one_counts_for_each_event(tmp_path: Path) -> None:
    """The first fault of an event is marked; those of one event stood together, at one time."""
    config = Config()
    config.set_main_option("script_location", "hub.database:migrations")
    before = ScriptDirectory.from_config(config).get_revision("0005").down_revision
    refused = [
        ("a", None, None, 1),
        ("a", None, None, 2),
        ("a", "/a", "1", 3),
        ("a", "/a", "1", 3),
        ("a", "/a", "1", 3),
        ("a", "/a", "2", 3),
        ("b", "/a", "2", 3),
    ]
    engine = create_engine(f"sqlite:///{tmp_path / 'hub.db'}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        upgrade(config, str(before))
        connection.exec_driver_sql(
            "INSERT INTO refusals (caller, source, event_id, code, pointer, refused_at)"
            " VALUES (?, ?, ?, 'code', '', ?)",
            refused,
        )
    engine.dispose()
    opened = closing(open_sqlite(tmp_path, readers=1))
    with opened as database, database.readers.connect() as connection:
        rows = connection.exec_driver_sql("SELECT nth FROM refusals ORDER BY number")
        assert [nth for (nth,) in rows] == [0, 0, 0, 1, 1, 0, 0]


def test_a_stream_begins_with_its_first_row_on_both(tmp_path: Path, postgres_database: str) -> None:
    def streamed(connection: Connection) -> list[int]:
        listed = numbers(connection, range(1, 2_500))
        rows = connection.exec_driver_sql(
            f"SELECT value FROM {listed.table} ORDER BY 1",
            (listed.values,),
            execution_options=STREAMED,
        )
        return [value for (value,) in plain(rows)]

    with closing(open_sqlite(tmp_path, readers=1)) as database:
        assert database.reading().run(streamed) == [*range(1, 2_500)]
    with closing(open_postgres(postgres_database).reading()) as transactions:
        assert transactions.run(streamed) == [*range(1, 2_500)]
