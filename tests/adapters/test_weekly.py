"""Weekly reports: teams fill in templates, of this year or of an earlier one, and drop them."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
import xlwt
from openpyxl import load_workbook

from adapters.kit.adapter import available, load
from adapters.kit.answers import write_answers
from adapters.kit.client import HubClient
from adapters.kit.dry import dry_run, rehearsed
from adapters.kit.port import FaultKind
from adapters.kit.runner import Summary, run
from adapters.kit.state import open_state
from adapters.kit.template import Offered, Template, template_of
from tests.adapters.door import Door
from tests.adapters.readers.documents import saved
from tests.adapters.test_template import filled, of

SAMPLES = available()["inspection.weekly"] / "samples"
FIRST = date(2026, 3, 2)


@pytest.fixture
def drop(door: Door, tmp_path: Path) -> Callable[[Path], Summary]:
    """Drop a workbook; what went before is remembered from one drop to the next."""

    def drop(file: Path) -> Summary:
        with HubClient(door.url, "t") as client, open_state(tmp_path / "state") as state:
            return run(
                load("inspection.weekly"),
                file,
                agency="510100.inspection-team.14-11-04",
                hub=client,
                state=state,
                now=lambda: 0.0,
            )

    return drop


def week(number: int) -> Mapping[str, Any]:
    begins = FIRST + timedelta(weeks=number - 1)
    return {
        "轮次编号": f"510100-14-{number // 200}",
        "组别编号": "510100-14-11-04",
        "报告周期": "周报",
        "期数": number % 200 + 1,
        "报告日期": begins + timedelta(days=4),
        "期间起": begins,
        "期间止": begins + timedelta(days=4),
        "谈话人数": number,
        "查阅文档数": 10,
        "信访数量": 0,
        "走访数量": 2,
        "发现问题总数": 1,
        "下期计划": "继续谈话。",
    }


def test_a_workbook_that_grows_week_by_week_sends_what_is_new(
    drop: Callable[[Path], Summary], tmp_path: Path
) -> None:
    template = of("inspection.weekly")
    path = tmp_path / "周报.xlsx"
    first = drop(filled(template, path, week(1)))
    second = drop(filled(template, path, week(1), week(2)))
    third = drop(filled(template, path, {**week(1), "谈话人数": 7}, week(2)))
    assert [(s.accepted, s.duplicate, s.rejected) for s in (first, second, third)] == [
        (1, 0, 0),
        (1, 1, 0),
        (1, 1, 0),
    ]


def test_a_workbook_of_an_older_template_is_sent_and_people_are_told_of_the_new_one(
    drop: Callable[[Path], Summary], tmp_path: Path, door: Door
) -> None:
    path = tmp_path / "旧模板.xlsx"
    copyfile(SAMPLES / "older-template" / "in.xlsx", path)
    done = drop(path)
    assert (done.accepted, done.rejected, done.complete) == (1, 0, True)
    (event,) = door.events.values()
    assert b'"cadence": "weekly"' in event
    (notice,) = done.faults
    assert notice.kind is FaultKind.NOTICE
    assert notice.reason == "这是旧模板，没有列“报告周期”，按“周报”处理"


def test_an_older_template_that_says_what_it_once_did_not_ask_is_taken_at_its_word(
    tmp_path: Path,
) -> None:
    book = load_workbook(SAMPLES / "older-template" / "in.xlsx")
    sheet = book.worksheets[0]
    sheet.cell(3, sheet.max_column + 1).value = "报告周期"
    sheet.cell(4, sheet.max_column).value = "月报"
    path = tmp_path / "添了一列.xlsx"
    book.save(path)
    done = dry_run(load("inspection.weekly"), path, "510100.inspection-office")
    assert done.document(show=True)["first"][0]["event"]["data"]["cadence"] == "monthly"


def test_what_an_older_template_lacks_and_nothing_stands_for_is_told(tmp_path: Path) -> None:
    book = load_workbook(SAMPLES / "older-template" / "in.xlsx")
    sheet = book.worksheets[0]
    (place,) = (cell.column for cell in sheet[3] if cell.value == "谈话人数*")
    sheet.delete_cols(place)
    path = tmp_path / "少一列.xlsx"
    book.save(path)
    (fault,) = dry_run(load("inspection.weekly"), path, "510100.inspection-office").faults
    assert (fault.kind, fault.column) == (FaultKind.HEADER, "谈话人数")


def test_rows_that_come_back_from_an_old_programs_form_are_still_of_their_template(
    tmp_path: Path,
) -> None:
    adapter = load("inspection.weekly")
    path = tmp_path / "旧模板.xls"
    as_xls(SAMPLES / "older-template" / "in.xlsx", path, {"谈话人数*": "十四人"})
    (notice, fault) = dry_run(adapter, path, "510100.inspection-office").faults
    assert (notice.kind, fault.column) == (FaultKind.NOTICE, "谈话人数")
    faults = [f for each in rehearsed(adapter, path, "510100.audit") for f in each.faults]
    (_, answer) = write_answers(path, path.name, faults, tmp_path, wanted=adapter.mapping.wanted)

    book = load_workbook(answer)
    assert [sheet.sheet_state for sheet in book.worksheets] == ["visible", "veryHidden"]
    sheet = book.worksheets[0]
    (place,) = (cell.column for cell in sheet[3] if cell.value == "谈话人数*")
    sheet.cell(4, place).value = 14
    book.save(answer)
    done = dry_run(adapter, answer, "510100.inspection-office")
    assert (done.types, done.refused) == ({"progress.reported": 1}, 0)
    misplaced = dry_run(load("discipline.briefings"), answer, "510100.discipline")
    assert "放错了文件夹" in misplaced.faults[0].reason


def as_xls(original: Path, path: Path, otherwise: Mapping[str, str]) -> None:
    """A workbook saved in the form of old programs; `otherwise`: cells below some headings."""
    book = xlwt.Workbook(encoding="utf-8")
    for sheet in load_workbook(original).worksheets:
        written = book.add_sheet(sheet.title)
        written.visibility = 0 if sheet.sheet_state == "visible" else 2
        above: tuple[object, ...] = ()
        for row, values in enumerate(sheet.iter_rows(values_only=True)):
            for column, value in enumerate(values):
                if value is not None:
                    said = otherwise.get(str(above[column]), value) if above else value
                    text = said.date().isoformat() if isinstance(said, datetime) else said
                    written.write(row, column, text)
            above = values
    path.write_bytes(saved(book))


def test_a_long_workbook_is_read_to_its_last_row(tmp_path: Path) -> None:
    path = filled(of("inspection.weekly"), tmp_path / "多.xlsx", *map(week, range(1, 1_501)))
    done = dry_run(load("inspection.weekly"), path, "510100.inspection-office")
    assert (done.read, done.types, done.refused) == (1_500, {"progress.reported": 1_500}, 0)


def test_a_province_asks_by_its_own_focuses() -> None:
    site = available()["inspection.weekly"] / "province.toml"

    def asked(template: Template) -> list[str]:
        return [c.name for c in template.columns if c.name.startswith(("聚焦", "落实"))]

    offered = Offered(region="510000", day=FIRST)
    province = template_of(load("inspection.weekly", site), offered)
    assert asked(of("inspection.weekly"))[0] == "聚焦党中央决策部署在基层落实"
    assert asked(province) == [
        "落实党的理论和路线方针政策",
        "落实全面从严治党战略部署",
        "落实新时代党的组织路线",
        "落实巡视等监督发现问题整改",
    ]


def test_the_example_stands_above_the_header_and_is_locked(tmp_path: Path) -> None:
    sheet = load_workbook(filled(of("inspection.weekly"), tmp_path / "空.xlsx")).worksheets[0]
    assert [sheet.cell(row, 1).value for row in (1, 2, 3)] == [
        "巡视巡察工作周报（月报）",
        "示例：510100-14-11",
        "轮次编号*",
    ]
    assert sheet.cell(2, 5).value == "3"
    assert all(cell.protection.locked for cell in sheet[2])
