"""Rows in the agency's own table: on SQLite what holds of any database, the rest on PostgreSQL."""

import sqlite3
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from adapters.kit.port import Away, CannotRun
from adapters.kit.sinks.table import TableSettings
from tests.adapters.sinks.events import corrected, received, transferred
from tests.adapters.sinks.making import HERE, rows, table_on_postgresql

SETTINGS = TableSettings(type="table", url=SecretStr("sqlite:///clues.db"), create=True)


def on(base: Path) -> str:
    return f"sqlite:///{base}/clues.db"


def test_a_case_is_a_row_of_typed_columns(postgres_database: str, tmp_path: Path) -> None:
    with table_on_postgresql(postgres_database) as made:
        made.run(tmp_path, [transferred(1, "示-001"), received(2, "示-001")])
        assert made.state(tmp_path) == [
            (
                "示-001",
                "示例线索",
                Decimal("1865000.0000"),
                date.fromisoformat("2023-03-01"),
                None,
                datetime.fromisoformat("2026-05-22T16:00"),
                "已签收",
                f"{1:032x}",
            )
        ]


def test_a_correction_changes_its_row(tmp_path: Path) -> None:
    with SETTINGS.opened(tmp_path, HERE) as sink:
        sink.take([transferred(1, "示-001"), received(2, "示-001"), corrected(3, "示-001", "更正")])
    ((clue, title, amount, *_, state, receipt),) = rows(on(tmp_path))
    told = (clue, title, amount, state, receipt)
    assert told == ("示-001", "更正", None, "已签收", f"{3:032x}")


def test_without_a_key_every_event_is_a_row(tmp_path: Path) -> None:
    (tmp_path / "table.toml").write_text(
        """
        table = "received"
        events."clue.transferred".key = "/clueid"
        columns = [
            { title = "position", attribute = "hubposition", longest = 40 },
            { title = "clueid", pointer = "/clueid", longest = 64 },
        ]
        """
    )
    with SETTINGS.opened(tmp_path, tmp_path) as sink:
        sink.take([transferred(1, "示-001"), corrected(2, "示-001", "更正")])
        sink.take([transferred(1, "示-001")])
    assert rows(on(tmp_path), "received") == [("0-1", "示-001"), ("0-2", "示-001")]


def existing(base: Path, ddl: str) -> None:
    """The agency's own table, and that of positions."""
    with sqlite3.connect(base / "clues.db") as database:
        database.executescript(
            f"{ddl}; CREATE TABLE gt_positions (sink VARCHAR(60), position VARCHAR(40),"
            " PRIMARY KEY (sink, position))"
        )
    database.close()


COLUMNS = (
    '"线索编号" VARCHAR(64) PRIMARY KEY, title VARCHAR(20), amount VARCHAR(30), period_from'
    " VARCHAR(10), reporter VARCHAR(10), received_at TIMESTAMP, state VARCHAR(20),"
    " receipt VARCHAR(32), mine INTEGER DEFAULT 7"
)


def test_an_existing_table_is_filled_in_its_own_types(tmp_path: Path) -> None:
    existing(tmp_path, f"CREATE TABLE 线索接收表 ({COLUMNS})")
    settings = SETTINGS.model_copy(update={"create": False})
    with settings.opened(tmp_path, HERE) as sink:
        sink.take([transferred(1, "示-001")])
    assert rows(on(tmp_path)) == [
        ("示-001", "示例线索", "1865000", "2023-03-01", None, None, "待签收", f"{1:032x}", 7)
    ]


@pytest.mark.parametrize(
    ("ddl", "told"),
    [
        ("SELECT 1", "没有表 线索接收表.*CREATE TABLE"),
        ('CREATE TABLE 线索接收表 ("线索编号" TEXT)', "缺少列 title、amount"),
        (f"CREATE TABLE 线索接收表 ({COLUMNS.replace('20', '3')})", "title 只容 3 字，内容有 4 字"),
        (f"CREATE TABLE 线索接收表 ({COLUMNS}, more TEXT NOT NULL)", "IntegrityError"),
        (
            f"CREATE TABLE 线索接收表 ({COLUMNS.replace('title VARCHAR(20)', 'title DATE')})",
            "列 title 的类型与内容不符",
        ),
    ],
)
def test_a_table_that_does_not_fit_says_how_and_takes_nothing(
    tmp_path: Path, ddl: str, told: str
) -> None:
    existing(tmp_path, ddl)
    settings = SETTINGS.model_copy(update={"create": False})
    with settings.opened(tmp_path, HERE) as sink, pytest.raises(CannotRun, match=told) as raised:
        sink.take([transferred(1, "示-001")])
    assert "示例线索" not in str(raised.value)
    assert rows(on(tmp_path), "gt_positions") == []


def test_while_another_writes_it_waits(tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"url": SecretStr("sqlite:///clues.db?timeout=0")})
    with settings.opened(tmp_path, HERE) as sink:
        sink.take([transferred(1, "示-001")])
        with sqlite3.connect(tmp_path / "clues.db", isolation_level=None) as other:
            other.execute("BEGIN EXCLUSIVE")
            with pytest.raises(Away, match="OperationalError"):
                sink.take([transferred(2, "示-002")])
            other.execute("ROLLBACK")
        other.close()
        sink.take([transferred(2, "示-002")])
    assert [row[0] for row in rows(on(tmp_path))] == ["示-001", "示-002"]


def test_a_server_that_is_not_there_is_away(tmp_path: Path) -> None:
    url = "postgresql+psycopg://nobody@127.0.0.1:1/none"
    settings = SETTINGS.model_copy(update={"url": SecretStr(url)})
    with settings.opened(tmp_path, HERE) as sink, pytest.raises(Away, match="暂不可用"):
        sink.take([transferred(1, "示-001")])


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("secret nonsense", "不是 SQLAlchemy 的 URL"),
        ("oracle9://u:secret@h/d", "没有对应的 SQLAlchemy 方言"),
        ("oracle://u:secret@h/d", "缺少数据库驱动"),
    ],
)
def test_an_address_that_cannot_be_used_says_so(tmp_path: Path, url: str, told: str) -> None:
    settings = SETTINGS.model_copy(update={"url": SecretStr(url)})
    with pytest.raises(CannotRun, match=told) as raised, settings.opened(tmp_path, HERE):
        pass
    assert "secret" not in str(raised.value)


def test_texts_of_any_kind_are_kept_as_texts(tmp_path: Path) -> None:
    text = "'); DROP TABLE 线索接收表; --"
    with SETTINGS.opened(tmp_path, HERE) as sink:
        sink.take([transferred(1, text, text)])
    engine = sa.create_engine(on(tmp_path))
    with engine.connect() as connection:
        found = connection.execute(sa.text("SELECT 线索编号, title FROM 线索接收表")).all()
    engine.dispose()
    assert [tuple(row) for row in found] == [(text, text)]
