"""A ledger with a row for every item of an event, begun by people, and reckoned with today."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from adapters.kit.port import Away, CannotRun, Sink
from adapters.kit.sinks.ledger import LedgerSettings
from tests.adapters.sinks.events import Event, event
from tests.adapters.sinks.formulas import shown
from tests.adapters.sinks.making import HERE

SETTINGS = LedgerSettings(type="ledger", path=Path("联审.xlsx"), ledger=Path("batches.toml"))
HEADER = ["批次编号", "人员序号", "姓名", "状态", "期限", "纪委监委", "信访局", "到达"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / SETTINGS.path


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Sink]:
    with SETTINGS.opened(tmp_path, HERE) as sink:
        yield sink


def given(number: int, agency: str, *results: str, **attributes: str) -> Event:
    opinions = [
        {"person_no": person, "result": {"code": "x", "label": label}}
        | ({"detail_ref": f"件-{person}"} if label == "有不同意见" else {})
        for person, label in enumerate(results, 1)
    ]
    data = {"batchid": "示-1", "agency": {"code": agency}, "opinions": opinions}
    return event(number, "cadre.opinion_given", data, **attributes)


def told(sheet: Worksheet, row: int) -> list[Any]:
    """A row without its formula."""
    cells: list[Any] = [cell.value for cell in sheet[row]]
    return cells[:3] + cells[4:]


def test_an_event_is_a_row_for_each_item_and_fills_the_columns_that_are_its(
    sink: Sink, file: Path
) -> None:
    sink.take([given(1, "discipline", "无不同意见", "有不同意见"), given(2, "union", "无记录")])
    sink.take([given(3, "petition", "无记录", "无记录")])
    sheet = load_workbook(file)["联审"]
    came = datetime.fromisoformat("2026-05-21")
    assert [cell.value for cell in sheet[2]] == HEADER
    assert told(sheet, 3) == ["示-1", 1, None, None, "无不同意见", "无记录", came]
    assert told(sheet, 4) == ["示-1", 2, None, None, "有不同意见（件-2）", "无记录", came]
    assert sheet.max_row == 4


def test_the_workbook_is_there_before_anything_came(sink: Sink, file: Path) -> None:
    sink.take([])
    assert [cell.value for cell in load_workbook(file)["联审"][2]] == HEADER


def test_a_row_that_people_began_is_filled_in_and_reckoned_with(sink: Sink, file: Path) -> None:
    sink.take([])
    book = load_workbook(file)
    due = date(2026, 5, 20)
    book["联审"].append(["示-1", 1, "张示例", None, due])
    book["联审"].append(["示-1", "2", "李样板", None, due])
    book["联审"].append(["备注：本页不对外"])
    book.save(file)
    sink.take([])
    sheet = load_workbook(file)["联审"]
    assert [shown(sheet, f"D{row}", date(2026, 5, 20)) for row in (3, 4, 5)] == ["待", "待", None]
    assert [shown(sheet, f"D{row}", date(2026, 5, 21)) for row in (3, 4)] == ["逾期", "逾期"]
    sink.take([given(1, "discipline", "无不同意见", "无记录")])
    sheet = load_workbook(file)["联审"]
    assert [told(sheet, row)[2:5] for row in (3, 4)] == [
        ["张示例", datetime.fromisoformat("2026-05-20"), "无不同意见"],
        ["李样板", datetime.fromisoformat("2026-05-20"), "无记录"],
    ]
    assert [shown(sheet, f"D{row}", date(2026, 5, 21)) for row in (3, 4)] == ["齐", "齐"]


def test_rows_that_people_began_with_merged_cells_and_full_width_digits_are_filled_in(
    sink: Sink, file: Path
) -> None:
    sink.take([])
    book = load_workbook(file)
    sheet = book["联审"]
    sheet.append(["示－1", "１", "张示例"])
    sheet.append([None, 2, "李样板"])
    sheet.merge_cells("A3:A4")
    book.save(file)
    sink.take([given(1, "discipline", "无不同意见", "无记录")])
    sheet = load_workbook(file)["联审"]
    assert [told(sheet, row)[:5] for row in (3, 4)] == [
        ["示-1", 1, "张示例", None, "无不同意见"],
        [None, 2, "李样板", None, "无记录"],
    ]
    assert (sheet.max_row, [merged.coord for merged in sheet.merged_cells.ranges]) == (
        4,
        ["A3:A4", "A1:H1"],
    )


def test_a_row_of_the_hub_whose_key_differs_in_width_only_is_another_row(
    sink: Sink, file: Path
) -> None:
    for number, batch in enumerate(("示（1）", "示(1)"), 1):
        opinion = given(number, "discipline", "无记录")
        opinion["data"]["batchid"] = batch
        sink.take([opinion])
    sheet = load_workbook(file)["联审"]
    assert [sheet.cell(row, 1).value for row in (3, 4)] == ["示（1）", "示(1)"]


def test_what_nobody_touched_is_not_written_again(sink: Sink, file: Path) -> None:
    sink.take([given(1, "discipline", "无记录")])
    before = file.stat()
    sink.take([])
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_workbook_that_people_have_open_is_left_alone_until_they_close_it(
    sink: Sink, file: Path
) -> None:
    sink.take([])
    book = load_workbook(file)
    book["联审"].append(["示-1", 1, "张示例"])
    book.save(file)
    mark = file.with_name(f"~${file.name}")
    mark.touch()
    sink.take([])
    assert load_workbook(file)["联审"]["D3"].value is None
    with pytest.raises(Away):
        sink.take([given(1, "petition", "无记录")])
    mark.unlink()
    sink.take([])
    assert shown(load_workbook(file)["联审"], "D3", date(2026, 5, 21)) == "逾期"


def test_a_corrected_event_corrects_the_rows_of_its_items(sink: Sink, file: Path) -> None:
    sink.take([given(1, "discipline", "无记录", "无记录")])
    sink.take([given(2, "discipline", "无记录", "有不同意见", supersedes="e1")])
    book = load_workbook(file)
    assert [told(book["联审"], row)[4] for row in (3, 4)] == ["无记录", "有不同意见（件-2）"]
    assert [cell.value for cell in book["贯通变更记录"][2]][2:6] == [
        "示-1/2",
        "纪委监委",
        "无记录",
        "有不同意见（件-2）",
    ]


def noted(file: Path) -> list[list[Any]]:
    sheet = load_workbook(file)["贯通变更记录"]
    return [[cell.value for cell in row][2:6] for row in sheet.iter_rows(min_row=2)]


def test_an_item_that_a_correction_does_not_name_is_noted_and_the_row_left_to_people(
    sink: Sink, file: Path
) -> None:
    sink.take([given(1, "discipline", "无记录", "无记录")])
    sink.take([given(2, "discipline", "有不同意见", supersedes="e1")])
    gone = ["示-1/2", "人员序号", "示-1/2", "更正后不再列入，请删去该行"]
    assert noted(file)[-1] == gone
    book = load_workbook(file)
    book["联审"].delete_rows(4)
    book.save(file)
    sink.take([])
    assert load_workbook(file)["联审"].max_row == 3


def test_a_correction_leaves_to_others_what_they_said_of_its_items(sink: Sink, file: Path) -> None:
    sink.take([given(1, "discipline", "无记录", "无记录")])
    sink.take([given(2, "petition", "无记录", "有不同意见", "无记录")])
    sink.take([given(3, "discipline", "有不同意见", supersedes="e1")])
    sheet = load_workbook(file)["联审"]
    assert [told(sheet, row)[4:6] for row in (3, 4, 5)] == [
        ["有不同意见（件-1）", "无记录"],
        [None, "有不同意见（件-2）"],
        [None, "无记录"],
    ]
    assert noted(file)[1:] == [["示-1/2", "纪委监委", "无记录", None]]


def test_a_correction_of_which_the_items_were_kept_back_drops_none(sink: Sink, file: Path) -> None:
    sink.take([given(1, "discipline", "无记录", "无记录")])
    kept_back = {"batchid": "示-1", "agency": {"code": "discipline"}}
    hidden = {"supersedes": "e1", "hubwithheld": "/opinions"}
    sink.take([event(2, "cadre.opinion_given", kept_back, **hidden)])
    sink.take([given(3, "discipline", "有不同意见", supersedes="e2")])
    sheet = load_workbook(file)["联审"]
    assert [told(sheet, row)[:5:4] for row in (3, 4)] == [
        ["示-1", "有不同意见（件-1）"],
        ["示-1", "无记录"],
    ]


def test_an_event_whose_items_were_kept_back_has_one_row(sink: Sink, file: Path) -> None:
    hidden = event(1, "cadre.opinion_given", {"batchid": "示-1"}, hubwithheld="/opinions")
    sink.take([hidden])
    assert told(load_workbook(file)["联审"], 3)[:2] == ["示-1", f"（未提供）{1:032x}"]


REFERRED = """
title = "附件"
sheet = "附件"
key = ["批次编号", "附件编号"]
columns = [
    { title = "批次编号", pointer = "/batchid" },
    { title = "附件编号", pointer = "/opinions/-/detail_ref" },
    { title = "结果", pointer = "/opinions/-/result" },
    { title = "备注", editable = true },
]
[events]
"cadre.opinion_given" = { key = ["/batchid", "/opinions/-/detail_ref"], each = "/opinions" }
"""


def referred(number: int, batch: str, ref: str, label: str, **attributes: str) -> Event:
    opinion = {"detail_ref": ref, "result": {"code": "x", "label": label}}
    data = {"batchid": batch, "opinions": [opinion]}
    return event(number, "cadre.opinion_given", data, **attributes)


def result(sheet: Worksheet) -> list[list[Any]]:
    return [[cell.value for cell in cells] for cells in sheet.iter_rows(min_row=3)]


def test_parts_of_a_key_are_never_taken_for_one_another(tmp_path: Path) -> None:
    (tmp_path / "batches.toml").write_text(REFERRED, encoding="utf-8")
    with SETTINGS.opened(tmp_path, tmp_path) as sink:
        sink.take([referred(1, "甲/乙", "丙", "一"), referred(2, "甲", "乙/丙", "二")])
        sink.take([referred(3, "甲/乙", "丙", "一更正", supersedes="e1")])
    assert result(load_workbook(tmp_path / SETTINGS.path)["附件"]) == [
        ["甲/乙", "丙", "一更正", None],
        ["甲", "乙/丙", "二", None],
    ]
    assert noted(tmp_path / SETTINGS.path) == [["甲/乙/丙", "结果", "一", "一更正"]]


def test_rows_of_which_people_merged_the_key_and_those_with_blanks_in_it_are_found_again(
    tmp_path: Path,
) -> None:
    (tmp_path / "batches.toml").write_text(REFERRED, encoding="utf-8")
    with SETTINGS.opened(tmp_path, tmp_path) as sink:
        sink.take([referred(1, "甲", "丙", "一"), referred(2, "甲", "丁", "二")])
        sink.take([referred(3, "甲", " 丁", "三")])
        saved = load_workbook(tmp_path / SETTINGS.path)
        saved["附件"].merge_cells("A3:A5")
        saved["附件"]["B3"] = "丙 "
        saved.save(tmp_path / SETTINGS.path)
        sink.take([referred(4, "甲", "丙", "一更正", supersedes="e1")])
        sink.take([referred(5, "甲", " 丁", "三更正", supersedes="e3")])
    assert result(load_workbook(tmp_path / SETTINGS.path)["附件"]) == [
        ["甲", "丙", "一更正", None],
        [None, "丁", "二", None],
        [None, " 丁", "三更正", None],
    ]


@pytest.mark.parametrize(
    ("told", "stands"),
    [('words = { "丙" = "三" }', "三"), ('as = "date"', datetime.fromisoformat("2026-05-01"))],
)
def test_a_key_that_is_shown_in_other_words_is_found_again(
    tmp_path: Path, told: str, stands: object
) -> None:
    ref = "/opinions/-/detail_ref"
    text = REFERRED.replace(f'pointer = "{ref}" }}', f'pointer = "{ref}", {told} }}')
    (tmp_path / "batches.toml").write_text(text, encoding="utf-8")
    key = "丙" if stands == "三" else "2026-05-01"
    with SETTINGS.opened(tmp_path, tmp_path) as sink:
        for number, label in enumerate(("一", "二", "三"), start=1):
            sink.take([referred(number, "甲", key, label)])
    assert result(load_workbook(tmp_path / SETTINGS.path)["附件"]) == [["甲", stands, "三", None]]


def test_a_ledger_of_former_times_goes_on_with_its_rows(tmp_path: Path) -> None:
    (tmp_path / "batches.toml").write_text(REFERRED, encoding="utf-8")
    with SETTINGS.opened(tmp_path, tmp_path) as sink:
        sink.take([referred(1, "甲/乙", "丙", "一"), referred(2, "丁", "戊", "二")])
    # As it was kept before: the parts of a key in one text, and nothing of the workbook.
    with closing(sqlite3.connect(tmp_path / f".{SETTINGS.path}.db")) as kept, kept:
        for table in ("rows", "named"):
            kept.execute(f"UPDATE {table} SET key = replace(key, char(31), '/')")
        kept.execute("DROP TABLE workbook")
        kept.execute("CREATE TABLE behind (workbook INTEGER PRIMARY KEY)")
        kept.execute("PRAGMA user_version = 0")
    saved = load_workbook(tmp_path / SETTINGS.path)
    saved["附件"]["C3"] = "改坏"
    saved.save(tmp_path / SETTINGS.path)
    with SETTINGS.opened(tmp_path, tmp_path) as sink:
        sink.take([])
        assert load_workbook(tmp_path / SETTINGS.path)["附件"]["C3"].value == "一"
        sink.take([referred(3, "甲/乙", "丙", "一更正", supersedes="e1")])
        # It is about another row now: the one before is no longer kept.
        sink.take([referred(4, "丁", "己", "二", supersedes="e2")])
    book = load_workbook(tmp_path / SETTINGS.path)
    assert result(book["附件"]) == [
        ["甲/乙", "丙", "一更正", None],
        ["丁", "戊", "二", None],
        ["丁", "己", "二", None],
    ]
    assert noted(tmp_path / SETTINGS.path) == [
        ["甲/乙/丙", "结果", "一", "一更正"],
        ["丁/戊", "附件编号", "丁/戊", "更正后不再列入，请删去该行"],
    ]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (("{期限}", "{截止}"), "公式提到没有的列"),
        (('key = ["批次编号", "人员序号"]', 'key = "批次编号"'), "须一样多"),
        (('each = "/opinions"', 'each = "/persons"'), "中没有 /persons"),
        (('each = "/opinions"', 'each = "/opinions/-/result"'), "只指向一个数组.* / each"),
        (('each = "/opinions"', 'each = "/opinions/-"'), "只指向一个数组.* / each"),
        (('"/agency/code" = "petition"', '"/agencies" = "petition"'), "中没有 /agencies"),
        (("editable = true, as", 'editable = true, formula = "1", as'), "须有且只有一个"),
    ],
)
def test_a_description_that_says_something_impossible_is_told_where(
    tmp_path: Path, changed: tuple[str, str], why: str
) -> None:
    text = (HERE / "batches.toml").read_text(encoding="utf-8")
    (tmp_path / "batches.toml").write_text(text.replace(*changed), encoding="utf-8")
    with pytest.raises(CannotRun, match=why), SETTINGS.opened(tmp_path, tmp_path):
        pass
