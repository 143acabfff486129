"""The organization department: what it is asked stands in ledgers, and is answered there."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from adapters.kit.adapter import available, load
from adapters.kit.making import FromRecord
from adapters.kit.sinks.columns import described
from adapters.kit.sinks.ledger import LedgerSettings
from adapters.kit.sinks.ledgerform import Ledger
from adapters.kit.wanted import canonical
from tests.adapters.test_discipline import arrived, data, fill_in, given

SETTINGS = LedgerSettings(type="ledger", path=Path("台账.xlsx"))


@pytest.mark.parametrize(
    ("name", "written"), [("briefings", {"党组织编号", "商请轮次", "所答复的回执号"})]
)
def test_people_fill_in_what_is_read_and_no_more(name: str, written: set[str]) -> None:
    adapter = load(f"organization.{name}")
    columns = described(adapter.folder / "ledger.toml", Ledger).columns
    filled_in = {canonical(column.title) for column in columns if column.editable}
    told = {canonical(column.title) for column in columns if not column.editable}
    read = {rule.column for rule in adapter.mapping.fields.values()}
    assert filled_in == read - told
    assert written <= read & told
    assert told - read <= adapter.mapping.cells.ignored


@pytest.mark.parametrize(
    ("name", "example", "cells", "answer"),
    [
        (
            "briefings",
            "briefing.requested-1",
            {
                "轮次编号": "510100-14-11",
                "通报日期": date(2026, 2, 20),
                "通报期间起": date(2021, 1, 1),
                "通报期间止": date(2025, 12, 31),
                "零报告": "是",
            },
            (
                "briefing.provided",
                {
                    "roundid": "510100-14-11",
                    "targetid": "510100.inspected-party.donghu-construction",
                    "target": {"name": "东湖区样例建设服务中心", "uscc": "11510104000000115N"},
                    "section": {"code": "organization", "label": "组织"},
                    "period": {"from": "2021-01-01", "to": "2025-12-31"},
                    "nothing_to_report": True,
                },
            ),
        ),
    ],
)
def test_a_letter_is_answered_in_the_row_that_it_made(
    tmp_path: Path,
    name: str,
    example: str,
    cells: Mapping[str, Any],
    answer: tuple[str, dict[str, Any]],
) -> None:
    file = tmp_path / SETTINGS.path
    with SETTINGS.opened(tmp_path, available()[f"organization.{name}"]) as sink:
        sink.take([arrived(7, example)])
    assert [row for row in given(f"organization.{name}", file)] == [FromRecord()]
    book = load_workbook(file)
    fill_in(book.worksheets[0], 3, cells)
    book.save(file)
    (row,) = given(f"organization.{name}", file)
    assert row.faults == ()
    assert data(row) == [answer]
    assert [made.event.attributes["causationid"] for made in row.events] == [f"{7:032x}"]
