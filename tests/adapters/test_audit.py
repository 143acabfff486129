"""Audit: lists and registers go out; what is said again is sent once, what is new is told."""

import csv
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from adapters.kit.adapter import load
from adapters.kit.client import HubClient
from adapters.kit.making import FromRecord, make
from adapters.kit.port import FaultKind
from adapters.kit.readers.opening import opened
from adapters.kit.runner import Summary, run
from adapters.kit.sources.sql import SqlSettings
from adapters.kit.state import open_state
from tests.adapters.audit_books import BOOKS, FOLDER
from tests.adapters.door import Door

Drop = Callable[..., Summary]

PROBLEM: Final[Mapping[str, Any]] = {
    "项目编号": "SJ-510100-2026-012",
    "项目名称": "示范市本级2025年度预算执行审计",
    "项目类型": "预算执行审计",
    "被审计单位": "示范市样例财政中心",
    "问题序号": "1",
    "问题分类": "违规使用财政资金",
    "问题标题": "挤占专项资金",
    "问题事实": "挤占专项资金用于日常开支。",
    "违规金额（万元）": "12.5",
    "审计文书日期": "2026-07-20",
}


@pytest.fixture
def drop(door: Door, tmp_path: Path) -> Drop:
    """Drop a table of these rows; what went before is remembered from one drop to the next."""

    def drop(name: str, *rows: Mapping[str, Any]) -> Summary:
        file = table(tmp_path / "表.csv", *rows)
        with HubClient(door.url, "t") as client, open_state(tmp_path / name) as state:
            adapter = load(name)
            return run(adapter, file, agency="510100.audit", hub=client, state=state, now=now)

    return drop


def now() -> float:
    return 0.0


def table(file: Path, *rows: Mapping[str, Any]) -> Path:
    columns = list(dict.fromkeys(title for row in rows for title in row))
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, columns)
        writer.writeheader()
        writer.writerows(rows)
    return file


def sent(door: Door) -> list[dict[str, Any]]:
    return [event for asked in door.asked for event in json.loads(asked.body)]


def given(name: str, file: Path, site: Path | None = None) -> Iterator[FromRecord]:
    """What the rows of a file give, one after the other."""
    adapter = load(name, site)
    with opened(file, file.name, adapter.mapping.wanted) as reader:
        for record in reader.read():
            yield make(adapter, record)


@pytest.mark.parametrize("name", BOOKS)
def test_a_workbook_among_the_samples_is_what_is_written_here(name: str) -> None:
    assert (FOLDER / name).read_bytes() == BOOKS[name]()


def test_a_list_that_is_dropped_again_sends_what_was_changed(door: Door, drop: Drop) -> None:
    second = {**PROBLEM, "问题序号": "2", "问题标题": "违规收费"}
    drop("audit.problems", PROBLEM, second)
    summary = drop("audit.problems", PROBLEM, {**second, "违规金额（万元）": "15"})
    assert (summary.accepted, summary.duplicate) == (1, 1)
    first, other, corrected = sent(door)
    assert [each.get("supersedes") for each in (first, other, corrected)] == [
        None,
        None,
        other["id"],
    ]
    assert corrected["data"]["findingid"] == "SJ-510100-2026-012-02"
    assert corrected["data"]["amounts"][0]["money"] == {"amount": "15", "unit": "万元"}


def test_a_view_with_chinese_columns_is_read_by_increments(tmp_path: Path) -> None:
    sample = FOLDER / "problems" / "samples" / "view-of-a-database"
    rows = [json.loads(line) for line in (sample / "in.ndjson").read_bytes().splitlines()]
    titles = list(rows[0])
    with closing(sqlite3.connect(tmp_path / "audit.db", isolation_level=None)) as database:
        named = ", ".join(f'"{title}"' for title in titles)
        database.execute(f'CREATE TABLE "V_审计问题" ({named})')

        def put(row: Mapping[str, Any]) -> None:
            marks = ", ".join("?" * len(titles))
            database.execute(f'INSERT INTO "V_审计问题" VALUES ({marks})', [*row.values()])

        put(rows[0])
        settings = SqlSettings.model_validate(
            {
                "url": f"sqlite:///{tmp_path / 'audit.db'}",
                "table": "V_审计问题",
                "columns": titles,
                "changed": "更新时间",
                "key": "问题主键",
            }
        )
        with settings.opened(tmp_path) as source:
            first = source.bring("", tmp_path / "first")
            assert first is not None
            assert source.bring(first.position, tmp_path / "nothing") is None
            put({**rows[1], "更新时间": "2026-08-03 09:00:00"})
            second = source.bring(first.position, tmp_path / "second")
        assert second is not None
    (made,) = given("audit.problems", tmp_path / "first", sample / "site.toml")
    assert [each.event.native for each in made.events] == ["WT0000101"]
    assert list(given("audit.problems", tmp_path / "second", sample / "site.toml")) == [
        FromRecord(deleted="WT0000102")
    ]


def test_a_long_list_gives_a_finding_or_a_reason_for_every_row(tmp_path: Path) -> None:
    rows = [
        {**PROBLEM, "问题序号": n, "违规金额（万元）": "约30万" if n % 100 == 0 else f"{n}.5"}
        for n in range(1, 3_001)
    ]
    told = Counter[str]()
    for made in given("audit.problems", table(tmp_path / "长.csv", *rows)):
        told.update(each.event.type for each in made.events)
        told.update(str(fault.kind) for fault in made.faults)
    assert told == {"audit.finding_reported": 2_970, FaultKind.MONEY: 30}
