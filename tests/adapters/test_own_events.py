"""What an office sends itself stands in its own ledger, and answers are added to it."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from openpyxl import load_workbook

from adapters.kit.config import ConfigError, load_settings
from tests.adapters.test_running import running
from tests.running import RunningHub
from tests.sample import CITY, DISCIPLINE, clue_received

BATCH = Path("adapters/inspection/clues/samples/one-person/in.csv")
CASE = "XS-510100-14-12-04-003"
SETTINGS = """
state = "state"
[hub]
url = "{url}"

[[adapter]]
name = "own-clues"
kind = "inspection.clues"
agency = "{agency}"
token_file = "office.token"
every = 0.01
own = true
source = {{ type = "folder", path = "in", quiet = 0 }}
subscription = {{ types = ["clue.*"], start = "earliest" }}
sinks = [{sinks}]
"""
LEDGER = (
    '{ type = "ledger", path = "线索.xlsx" }, { type = "slip", path = "slips" },'
    ' { type = "files", path = "arrived" }'
)


def rows(path: Path) -> dict[str, dict[str, object]]:
    """The rows of the ledger by the number of the clue, without their blanks."""
    sheet = load_workbook(path)["线索移交"]
    table = list(sheet.iter_rows(values_only=True))
    (head,) = (n for n, row in enumerate(table) if "线索编号" in row)
    named: Iterator[dict[str, object]] = (
        {str(title): cell for title, cell in zip(table[head], row, strict=True) if cell is not None}
        for row in table[head + 1 :]
    )
    return {str(row["线索编号"]): row for row in named if "线索编号" in row}


def test_what_an_office_hands_over_stands_in_its_ledger_before_and_after_the_answer(
    hub: RunningHub, tmp_path: Path
) -> None:
    (tmp_path / "office.token").write_text(hub.token(CITY), encoding="utf-8")
    (tmp_path / "in").mkdir()
    copyfile(BATCH, tmp_path / "一批.csv")
    book = tmp_path / "线索.xlsx"
    discipline = hub.agency(DISCIPLINE)
    discipline.subscribe("own-events", types=["clue.transferred"])
    with running(tmp_path, SETTINGS.format(url=hub.url, agency=CITY, sinks=LEDGER)) as log:
        (tmp_path / "一批.csv").rename(tmp_path / "in" / "一批.csv")
        assert log.first("document.finished")["accepted"] == 1
        while not book.exists() or CASE not in rows(book):
            log.first("events.taken")
        before = rows(book)[CASE]
        (opening,) = discipline.drain("own-events")
        discipline.accepted(received(opening))
        while (after := rows(book)[CASE])["状态"] == "已移交":
            log.first("events.taken")
    assert before["状态"] == "已移交"
    assert before["线索名称"] == "反映样例园区管委会违规决策工程项目问题"
    (slip,) = (tmp_path / "slips").glob("*.html")
    assert slip.stem == opening["hubreceipt"]
    assert CASE in slip.read_text(encoding="utf-8")
    # What is written as it was delivered, has what was delivered alone.
    (arrived,) = (tmp_path / "arrived").rglob("*.json")
    assert json.loads(arrived.read_text(encoding="utf-8"))["type"] == "clue.received"
    assert after["状态"] == "已签收"
    assert {**after, **before} == {**after, "状态": "已移交"}


def received(opening: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a clue that arrived, which belongs to no correlation."""
    answer = clue_received("own", opening=opening["hubreceipt"])
    data = {**answer["data"], "clueid": opening["data"]["clueid"]}
    del answer["correlationid"]
    return {**answer, "data": data}


@pytest.mark.parametrize("sinks", ["", '{ type = "files", path = "arrived" }'])
def test_own_events_need_where_they_can_be_kept(tmp_path: Path, sinks: str) -> None:
    file = tmp_path / "adapters.toml"
    text = SETTINGS.format(url="http://127.0.0.1:9", agency=CITY, sinks=sinks)
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="own events go from a source to a ledger"):
        load_settings(file)
