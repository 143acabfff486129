"""Tables and views: which rows come, in which order, how often, and how their values read."""

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr, ValidationError

from adapters.kit.port import Away, CannotRun
from adapters.kit.sources.sql import SqlSettings

NOW = datetime(2026, 10, 3, 9, 30, tzinfo=UTC)


class Database:
    """A table of petitions, and how it is read."""

    def __init__(self, base: Path, url: str) -> None:
        self.base = base
        self.url = url
        self.now = NOW
        self.position = ""
        self.settings: dict[str, Any] = {
            "url": SecretStr(url),
            "table": "v_xfj",
            "columns": ("id",),
            "changed": "gxsj",
            "key": "id",
        }

    def run(self, *statements: str) -> None:
        """Statements, each in a transaction of its own."""
        if self.url.startswith("sqlite"):
            with closing(sqlite3.connect(self.base / "agency.db")) as database, database:
                for statement in statements:
                    database.execute(statement)
        else:
            plain = self.url.replace("+psycopg", "")
            with psycopg.connect(plain, autocommit=True) as connection:
                for statement in statements:
                    connection.execute(statement)

    def insert(self, *rows: tuple[int, datetime]) -> None:
        """Rows by number and time of change."""
        if rows:
            values = ", ".join(f"({number}, '{at:%Y-%m-%d %H:%M:%S}')" for number, at in rows)
            self.run(f"INSERT INTO v_xfj VALUES {values}")

    def bring(self, **settings: Any) -> list[dict[str, Any]] | None:
        """The rows of the next document."""
        opened = SqlSettings(**self.settings | settings).opened
        raw = self.base / "raw"
        with opened(self.base, clock=lambda: self.now.timestamp()) as source:
            brought = source.bring(self.position, raw)
        if brought is None:
            assert not raw.exists()
            return None
        self.position = brought.position
        lines = raw.read_text(encoding="utf-8").splitlines()
        raw.unlink()
        return [json.loads(line) for line in lines]

    def ids(self, **settings: Any) -> list[list[int]]:
        """The numbers of the rows of all documents there are."""
        found = []
        while (rows := self.bring(**settings)) is not None:
            found.append([row["id"] for row in rows])
        return found


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    if request.param == "sqlite":
        return Database(tmp_path, "sqlite:///agency.db")
    url = str(request.getfixturevalue("postgres_database"))
    return Database(tmp_path, url.replace("+asyncpg", "+psycopg"))


@pytest.fixture
def database(empty: Database) -> Iterator[Database]:
    empty.run("CREATE TABLE v_xfj (id INTEGER, gxsj TIMESTAMP)")
    yield empty


@pytest.fixture
def on_postgres(postgres_database: str, tmp_path: Path) -> Database:
    return Database(tmp_path, postgres_database.replace("+asyncpg", "+psycopg"))


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def test_rows_come_in_pages_by_their_change_and_then_their_key(database: Database) -> None:
    old = ago(86_400 * 30)
    database.insert((5, old), (2, old), (9, old - timedelta(days=1)), (3, old), (1, old))
    assert database.ids(batch=2) == [[9, 1], [2, 3], [5]]
    database.insert((4, old), (6, old), (7, old + timedelta(seconds=1)))
    assert database.ids(batch=2) == [[6, 7]]


def test_a_changed_row_comes_again_and_an_unchanged_one_does_not(database: Database) -> None:
    database.insert((1, ago(60)), (2, ago(60)))
    assert database.ids() == [[1, 2]]
    database.run(f"UPDATE v_xfj SET gxsj = '{ago(5):%Y-%m-%d %H:%M:%S}' WHERE id = 1")
    assert database.ids() == [[1]]


def test_what_is_committed_late_comes_as_long_as_it_may(database: Database) -> None:
    database.insert((1, ago(400)), (2, ago(100)))
    assert database.ids(overlap=300) == [[1, 2]]
    database.insert((3, ago(399)), (4, ago(101)), (5, ago(50)))
    assert database.ids(overlap=300) == [[3, 4, 5]]
    database.insert((6, ago(400)), (7, ago(340)))
    assert database.ids(overlap=300) == [[7]]
    assert database.ids(overlap=300) == []


def test_however_transactions_are_committed_each_row_comes_once(database: Database) -> None:
    dice = Random(8)
    at = [ago(3_000 - 2 * number) for number in range(500)]
    # Committed up to 80 rows late, which is less than 200 seconds.
    committed = sorted(range(500), key=lambda number: number + dice.randrange(80))
    found: list[int] = []
    while committed:
        size = dice.randrange(1, 60)
        database.insert(*((number, at[number]) for number in committed[:size]))
        committed = committed[size:]
        for _ in range(dice.randrange(3)):
            found += [row["id"] for row in database.bring(overlap=200, batch=25) or ()]
    found += [number for page in database.ids(overlap=200, batch=25) for number in page]
    assert sorted(found) == list(range(500))


def test_of_what_is_long_past_nothing_is_read_again(database: Database) -> None:
    database.insert(*((number, ago(86_400 * 3 + number)) for number in range(50)))
    assert len(database.ids(batch=10)) == 5
    assert len(json.loads(database.position)["seen"]) < 20


def test_many_rows_of_one_moment_come_once_and_the_position_stays_short(
    database: Database,
) -> None:
    for start in range(1, 9_001, 1_000):
        database.insert(*((number, ago(10)) for number in range(start, start + 1_000)))
    pages = database.ids(batch=3_500)
    assert [number for page in pages for number in page] == list(range(1, 9_001))
    assert len(database.position.encode()) <= 65_536
    database.insert((0, ago(10)), (9_001, ago(10)))
    # Before the newest 4,000 nothing is read again.
    assert database.ids(batch=3_500) == [[9_001]]


@pytest.mark.parametrize(
    ("kind", "times", "late"),
    [
        ("VARCHAR(20)", ["20261003092900123", "20261003092930000"], "20261003092800999"),
        ("VARCHAR(20)", ["2026-10-03 09:29:00", "2026-10-03 09:29:30"], "2026-10-03 09:28:00"),
        ("VARCHAR(20)", ["2026-10-02", "2026-10-03"], "2026-10-03"),
        ("DATE", ["2026-10-02", "2026-10-03"], "2026-10-03"),
        ("INTEGER", ["1000", "1010"], "1005"),
    ],
)
def test_times_and_numbers_in_all_forms_are_read_again(
    empty: Database, kind: str, times: list[str], late: str
) -> None:
    empty.run(f"CREATE TABLE v_xfj (id INTEGER, gxsj {kind})")
    empty.run(*(f"INSERT INTO v_xfj VALUES ({n}, '{at}')" for n, at in enumerate(times, 2)))
    assert empty.ids(overlap=300) == [[2, 3]]
    empty.run(f"INSERT INTO v_xfj VALUES (1, '{late}')")
    assert empty.ids(overlap=300) == [[1]]


def test_numbers_of_any_length_are_read_again(on_postgres: Database) -> None:
    on_postgres.run(
        "CREATE TABLE v_xfj (id INTEGER, gxsj NUMERIC)",
        "INSERT INTO v_xfj VALUES (2, 100000000000000000001), (3, 100000000000000000011)",
    )
    assert on_postgres.ids() == [[2, 3]]
    on_postgres.run("INSERT INTO v_xfj VALUES (1, 100000000000000000005)")
    assert on_postgres.ids() == [[1]]


def test_values_are_written_exactly(on_postgres: Database) -> None:
    on_postgres.run(
        "CREATE TABLE v_xfj (id BIGINT, gxsj TIMESTAMPTZ, amount NUMERIC(40, 4), whole NUMERIC,"
        " name TEXT, flag BOOLEAN, day DATE, at TIMESTAMP, missing TEXT, list TEXT[],"
        " part_of JSONB, key UUID, part DOUBLE PRECISION,"
        " never TIMESTAMPTZ)",
        "INSERT INTO v_xfj VALUES (510104198001011234, '2026-10-03 01:00:00+00',"
        " 123456789012345678901234567890.1000, 'NaN', E'张\t三\"\n', true, '2026-10-03',"
        " '2026-10-03 12:05:00.25', NULL, '{a,b}', '{\"a\": [1, null]}',"
        " '12345678-1234-5678-1234-567812345678', 0.1,"
        " '9999-12-31 23:59:59+00')",
    )
    exactly = [
        {
            "id": 510104198001011234,
            "gxsj": "2026-10-03 09:00:00",
            "amount": "123456789012345678901234567890.1000",
            "whole": "NaN",
            "name": '张\t三"\n',
            "flag": True,
            "day": "2026-10-03",
            "at": "2026-10-03 12:05:00.250000",
            "missing": None,
            "list": ["a", "b"],
            "part_of": {"a": [1, None]},
            "key": "12345678-1234-5678-1234-567812345678",
            "part": "0.1",
            "never": "9999-12-31 23:59:59",
        }
    ]
    assert on_postgres.bring(columns=tuple(exactly[0])) == exactly
    on_postgres.run("INSERT INTO v_xfj (id, gxsj) VALUES (2, '2026-10-03 01:00:01+00')")
    later = on_postgres.bring(columns=tuple(exactly[0])) or []
    assert [(row["id"], row["gxsj"]) for row in later] == [(2, "2026-10-03 09:00:01")]


def test_what_calls_itself_kingbase_is_read_as_postgresql_is(on_postgres: Database) -> None:
    on_postgres.run("CREATE TABLE v_xfj (id INTEGER, gxsj TIMESTAMP)")
    on_postgres.insert((1, ago(60)))
    url = SecretStr(on_postgres.url.replace("postgresql+", "kingbase+"))
    assert on_postgres.bring(url=url) == [{"id": 1}]
    assert on_postgres.bring(url=url) is None


def test_names_are_names_whatever_they_say(empty: Database) -> None:
    table, column = 'v_信访"; DROP TABLE x; --', "内容 100%:s"
    quoted = table.replace('"', '""')
    empty.run(
        f'CREATE TABLE "{quoted}" ("主键" INTEGER, "更新时间" TIMESTAMP, "{column}" TEXT)',
        f"INSERT INTO \"{quoted}\" VALUES (1, '2026-10-03 09:00:00', '示例')",
    )
    named = {"table": table, "columns": (column,), "changed": "更新时间", "key": "主键"}
    assert empty.bring(**named) == [{column: "示例"}]
    assert empty.bring(**named) is None


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("(NULL, '2026-10-03 09:00:00')", "列 gxsj、id 中有空值"),
        ("(1, NULL)", "列 gxsj、id 中有空值"),
        ("(1, '2026-10-03 09:00:00'), (1, '2026-10-03 09:00:00')", "列 gxsj、id 合起来不唯一"),
        ("(1, '2099-12-31 00:00:00')", "列 gxsj 中有将来的时间"),
    ],
)
def test_rows_that_have_no_place_in_the_order_are_told(
    database: Database, rows: str, told: str
) -> None:
    database.run(f"INSERT INTO v_xfj VALUES {rows}")
    with pytest.raises(CannotRun, match=told):
        database.bring()
    assert not (database.base / "raw").exists()


def test_what_stands_before_a_time_in_the_future_comes(database: Database) -> None:
    database.insert((1, ago(60)), (2, NOW + timedelta(days=9)))
    assert database.bring() == [{"id": 1}]
    with pytest.raises(CannotRun, match="将来"):
        database.bring()
    database.run("DELETE FROM v_xfj WHERE id = 2")
    database.insert((3, ago(30)))
    assert database.ids() == [[3]]


def test_a_column_that_is_no_text_is_named(empty: Database) -> None:
    kind = "BLOB" if empty.url.startswith("sqlite") else "BYTEA"
    value = "x'00ff'" if kind == "BLOB" else "'\\x00ff'"
    empty.run(
        f"CREATE TABLE v_xfj (id INTEGER, gxsj TIMESTAMP, zp {kind})",
        f"INSERT INTO v_xfj VALUES (1, '2026-10-03 09:00:00', {value})",
    )
    with pytest.raises(CannotRun, match="列 zp 不是文本"):
        empty.bring(columns=("id", "zp"))


def test_a_table_or_column_that_is_not_there_is_told(database: Database) -> None:
    for wrong in ({"table": "v_xfj2"}, {"columns": ("nothing",)}, {"owner": "nobody"}):
        with pytest.raises(CannotRun, match="请核对表名、列名和权限"):
            database.bring(**wrong)


def test_nothing_that_a_view_does_changes_the_database(on_postgres: Database) -> None:
    on_postgres.run(
        "CREATE TABLE seen (id INTEGER)",
        "CREATE FUNCTION see() RETURNS INTEGER LANGUAGE SQL AS"
        " 'INSERT INTO seen VALUES (1) RETURNING 1'",
        "CREATE VIEW v_xfj AS SELECT see() AS id, TIMESTAMP '2026-10-03 09:00:00' AS gxsj",
    )
    with pytest.raises(CannotRun, match="ReadOnlySqlTransaction 25006"):
        on_postgres.bring()


def test_a_query_that_takes_too_long_is_ended(on_postgres: Database) -> None:
    on_postgres.run(
        "CREATE VIEW v_xfj AS SELECT 1 AS id, TIMESTAMP '2026-10-03 09:00:00' AS gxsj"
        " FROM pg_sleep(600)"
    )
    with pytest.raises(Away, match="QueryCanceled"):
        on_postgres.bring(timeout=0.05)


def test_the_address_may_stand_in_a_file_for_its_owner_alone(database: Database) -> None:
    path = database.base / "agency.url"
    path.write_text(f"{database.url}\n")
    os.chmod(path, 0o640)
    asked = {"url": None, "url_file": Path("agency.url")}
    with pytest.raises(CannotRun, match="chmod 600"):
        database.bring(**asked)
    os.chmod(path, 0o600)
    database.insert((1, ago(60)))
    assert database.bring(**asked) == [{"id": 1}]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("no address: s3cret", "不是 SQLAlchemy 的 URL"),
        ("dameng://user:s3cret@host/db", "dameng 没有对应的 SQLAlchemy 方言"),
        ("oracle+oracledb://user:s3cret@host/db", "缺少数据库驱动 oracledb"),
    ],
)
def test_an_address_that_leads_nowhere_is_told_without_its_password(
    tmp_path: Path, url: str, told: str
) -> None:
    with pytest.raises(CannotRun, match=told) as raised:
        Database(tmp_path, url).bring()
    assert "s3cret" not in str(raised.value)


def test_a_server_that_is_not_there_is_away(on_postgres: Database) -> None:
    with pytest.raises(Away, match=r"^数据库暂不可用（OperationalError）$"):
        on_postgres.bring(url=SecretStr("postgresql+psycopg://postgres:s3cret@127.0.0.1:1/x"))


def test_one_address_is_given_and_not_two() -> None:
    settings: dict[str, Any] = {"table": "t", "columns": ("id",), "changed": "c", "key": "k"}
    for urls in ({}, {"url": "sqlite:///a.db", "url_file": "a.url"}):
        with pytest.raises(ValidationError, match="url or url_file"):
            SqlSettings(**settings, **urls)


def test_a_position_of_another_kind_of_source_is_told(database: Database) -> None:
    database.position = "17"
    with pytest.raises(CannotRun, match="位置"):
        database.bring()
