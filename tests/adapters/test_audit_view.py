"""The view of an audit system as a source reads it: Chinese names, amounts, days, deleted rows."""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from adapters.kit.adapter import available, load
from adapters.kit.making import FromRecord, make
from adapters.kit.port import FaultKind
from adapters.kit.readers.opening import opened
from adapters.kit.sources.sql import SqlSettings

SAMPLE = available()["audit.problems"] / "samples" / "view-of-a-database"
ROWS = [json.loads(line) for line in (SAMPLE / "in.ndjson").read_bytes().splitlines()]
TITLES = tuple(ROWS[0])
# As systems declare them: padded numbers, amounts to the cent, days, flags.
TYPES = {
    "XMBH": "CHAR(24)",
    "项目类型": "VARCHAR(2)",
    "问题主键": "VARCHAR(20)",
    "问题金额_元": "NUMERIC(18, 2)",
    "管理不规范金额_元": "NUMERIC",
    "报告日期": "DATE",
    "是否删除": "NUMERIC(1)",
    "更新时间": "TIMESTAMP(6)",
}


@dataclass(frozen=True, slots=True)
class View:
    """The view `V_审计问题` over a table of findings: `put` adds rows, `url` is how it is read."""

    url: str
    run: Callable[..., object]

    def put(self, *rows: Mapping[str, Any]) -> None:
        mark = "?" if self.url.startswith("sqlite") else "%s"
        marks = ", ".join([mark] * len(TITLES))
        for row in rows:
            self.run(f'INSERT INTO "审计问题" VALUES ({marks})', [row[title] for title in TITLES])


@pytest.fixture(params=["sqlite", "postgresql"])
def view(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[View]:
    if request.param == "sqlite":
        path = tmp_path / "audit.db"
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            yield begun(View(f"sqlite:///{path}", database.execute), TYPES)
    else:
        url = str(request.getfixturevalue("postgres_database")).replace("+asyncpg", "+psycopg")
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            yield begun(View(url, connection.execute), TYPES)


def begun(view: View, types: Mapping[str, str]) -> View:
    named = ", ".join(f'"{title}" {types.get(title, "TEXT")}' for title in TITLES)
    view.run(f'CREATE TABLE "审计问题" ({named})')
    view.run('CREATE VIEW "V_审计问题" AS SELECT * FROM "审计问题"')
    return view


def bring(view: View, folder: Path) -> Iterator[list[FromRecord]]:
    """What each next document of the view makes, until there is none."""
    settings = SqlSettings(
        url=SecretStr(view.url),
        table="V_审计问题",
        columns=TITLES,
        changed="更新时间",
        key="问题主键",
    )
    adapter = load("audit.problems", SAMPLE / "site.toml")
    position, number = "", 0
    with settings.opened(folder) as source:
        while True:
            number += 1
            brought = source.bring(position, folder / f"{number}.ndjson")
            if brought is None:
                yield []
                continue
            position = brought.position
            file = folder / f"{number}.ndjson"
            with opened(file, file.name, adapter.mapping.wanted) as reader:
                yield [make(adapter, record) for record in reader.read()]


def told(made: FromRecord) -> tuple[str, str, Any] | str | list[tuple[str, FaultKind]]:
    """Of a finding its number, day and amounts; of a deleted one its number; else the faults."""
    if made.deleted is not None:
        return made.deleted
    if made.faults:
        return [(fault.column, fault.kind) for fault in made.faults]
    ((event, payload),) = [(each.event, json.loads(each.event.data)) for each in made.events]
    amounts = {each["kind"]["code"]: each["money"] for each in payload.get("amounts", ())}
    assert payload["auditprojectid"] == "SJ-510100-2026-012"
    return str(event.native), payload["stated_in"]["date"], amounts


def yuan(amount: str) -> Mapping[str, str]:
    return {"amount": amount, "unit": "元"}


def test_a_view_is_read_by_increments(view: View, tmp_path: Path) -> None:
    documents = bring(view, tmp_path)
    view.put(*ROWS[:3])
    assert [told(made) for made in next(documents)] == [
        ("WT0000101", "2026-07-20", {"violation": yuan("1234500")}),
        "WT0000102",
        [("项目类型", FaultKind.CODE)],
    ]
    assert next(documents) == []
    view.put({**ROWS[3], "问题金额_元": None, "管理不规范金额_元": "0.05"})
    assert [told(made) for made in next(documents)] == [
        ("WT0000101", "2026-07-20", {"irregular": yuan("0.05")})
    ]


def test_a_flag_of_postgresql_deletes_as_a_number_does(
    postgres_database: str, tmp_path: Path
) -> None:
    url = postgres_database.replace("+asyncpg", "+psycopg")
    types = {**TYPES, "是否删除": "BOOLEAN", "更新时间": "TIMESTAMPTZ"}
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        view = begun(View(url, connection.execute), types)
        view.put({**ROWS[0], "是否删除": False}, {**ROWS[1], "是否删除": True})
        view.put({**ROWS[0], "问题主键": "WT0000104", "是否删除": None, "报告日期": None})
        found = [told(made) for made in next(bring(view, tmp_path))]
    assert found == [
        ("WT0000101", "2026-07-20", {"violation": yuan("1234500")}),
        "WT0000102",
        [("审计文书日期", FaultKind.MISSING)],
    ]
