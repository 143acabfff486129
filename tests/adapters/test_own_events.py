"""What an office sends itself stands in its own ledger, and answers are added to it."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from adapters.kit.config import ConfigError, load_settings
from tests.adapters.test_running import Log, running
from tests.running import RunningHub
from tests.sample import CITY, DISCIPLINE, agency, clue_received, grant, policy, report

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


PARTY = "510100.inspected-party.donghu-construction"
SHEET = """
state = "state"
[hub]
url = "{url}"

[[adapter]]
name = "evaluation"
kind = "inspection.evaluation"
agency = "{agency}"
token_file = "office.token"
every = 0.01
own = true
source = {{ type = "folder", path = "in", quiet = 0 }}
subscription = {{ types = ["rectification.*"], start = "earliest" }}
sinks = [{{ type = "ledger", path = "审核评估表.xlsx" }}]
"""


def submitted(what: str) -> dict[str, Any]:
    """The plan of a party that was inspected, or its report on what became of it."""
    type_ = f"rectification.{what}_submitted"
    example = Path(f"contracts/rectification/examples/valid/{type_}-1.json")
    data = json.loads(example.read_text(encoding="utf-8"))
    told = {
        **report(what, id=f"{what}-1", source=f"/{PARTY}", type=type_, to=CITY),
        "dataschema": f"urn:guantong:contract:{type_}:1.0",
        "data": {**data, "roundid": "510100-14-11", "targetid": PARTY},
    }
    del told["correlationid"]
    return told


def filled_in(opened: Workbook, file: Path, **cells: str) -> None:
    """The clerk writes in the only row of a workbook that was opened, saves, and drops a copy."""
    sheet = opened.worksheets[0]
    titles = [str(cell.value).strip("*") for cell in sheet[2]]
    for title, said in cells.items():
        sheet.cell(3, titles.index(title) + 1, said)
    opened.save(file)
    opened.save(file.with_name("抄件.xlsx"))
    file.with_name("抄件.xlsx").rename(file.parent / "in" / file.name)


def the_row(file: Path) -> dict[str, object]:
    """The ledger's only row by its titles, without its blanks."""
    _, titles, *rows = load_workbook(file).worksheets[0].iter_rows(values_only=True)
    (row,) = rows or [()]
    return {str(t).strip("*"): c for t, c in zip(titles, row, strict=False) if c is not None}


def shows(log: Log, file: Path, title: str, said: str) -> dict[str, object]:
    """The ledger's row, once it says that."""
    while not file.exists() or the_row(file).get(title) != said:
        log.first("events.taken")
    return the_row(file)


def test_a_clerk_writes_in_the_ledger_in_which_the_verdict_comes_to_stand(
    fresh_hub: RunningHub, tmp_path: Path
) -> None:
    document = policy()
    document["agencies"].append(agency(PARTY, "东湖区样例建设服务中心"))
    document["grants"] += [
        *(grant(id_, "publish", "rectification.*") for id_ in (CITY, PARTY)),
        grant(PARTY, "receive", "rectification.*"),
    ]
    fresh_hub.apply(document)
    (tmp_path / "office.token").write_text(fresh_hub.token(CITY), encoding="utf-8")
    (tmp_path / "in").mkdir()
    file = tmp_path / "审核评估表.xlsx"
    party = fresh_hub.agency(PARTY)
    party.subscribe("verdicts", types=["rectification.plan_reviewed", "rectification.evaluated"])
    with running(tmp_path, SHEET.format(url=fresh_hub.url, agency=CITY)) as log:
        party.accepted(submitted("plan"))
        shows(log, file, "状态", "待审核")
        review = {"审核日期": "2026-07-20", "审核结果": "通过", "审核人": "卫示例"}
        filled_in(load_workbook(file), file, **review)
        assert log.first("document.finished")["accepted"] == 1
        reviewed = shows(log, file, "状态", "方案已审核")
        # Opened before the report came, and saved over it.
        opened = load_workbook(file)
        party.accepted(submitted("report"))
        shows(log, file, "状态", "待评估")
        marks = {"评估日期": "2026-09-30", "评估单位": "示范市委巡察办", "评估等次": "好"}
        filled_in(opened, file, **marks, 评估人="卫示例；沈样例")
        finished = log.first("document.finished")
        assert (finished["accepted"], finished["duplicate"]) == (1, 1)
        evaluated = shows(log, file, "状态", "已评估")
        filled_in(load_workbook(file), file)
        again = log.first("document.finished")
        assert (again["accepted"], again["duplicate"], again["rejected"]) == (0, 2, 0)
    assert {**reviewed, **review} == {**reviewed, "状态": "方案已审核"}
    assert {**evaluated, **reviewed, **marks} == {**evaluated, "状态": "方案已审核"}
    assert evaluated["整改阶段"] == "集中整改"
    assert [each["type"] for each in party.drain("verdicts")] == [
        "rectification.plan_reviewed",
        "rectification.evaluated",
    ]


@pytest.mark.parametrize("sinks", ["", '{ type = "files", path = "arrived" }'])
def test_own_events_need_where_they_can_be_kept(tmp_path: Path, sinks: str) -> None:
    file = tmp_path / "adapters.toml"
    text = SETTINGS.format(url="http://127.0.0.1:9", agency=CITY, sinks=sinks)
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="own events go from a source to a ledger"):
        load_settings(file)
