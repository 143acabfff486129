"""What comes back to people: a list of all faults, and the refused rows in the form they repair."""

import csv
import os
from dataclasses import replace
from pathlib import Path
from random import Random
from stat import S_IMODE
from typing import Any
from zipfile import ZipFile

import pytest
import xlwt
from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet

from adapters.kit.answers import purge_answers, write_answers
from adapters.kit.faulty import MOST_ROWS, Faulty
from adapters.kit.marking import mark_workbook
from adapters.kit.port import FaultKind, Record, RowFault
from adapters.kit.readers.opening import opened
from adapters.kit.wanted import PROBLEMS, Wanted
from tests.adapters.readers.documents import written_ods

WANTED = Wanted(
    titles={"编号": "编号", "人数": "信访人数", "概况": "概况"},
    required=frozenset({"编号", "人数"}),
    ignored=frozenset(),
)
TITLE = ["示范市样例登记表"]
HEADER = ["编号", "*人 数", "概况", "经办"]
ROWS = [
    ["A-1", "2", "样例一", "甲示例"],
    ["A-2", "两人", "=HYPERLINK(1)", "乙示例"],
    ["A-3", "3", "样例三", "丙示例"],
]
FAULT = RowFault(4, "人数", FaultKind.NUMBER, "信访人数不是整数", "请填阿拉伯数字")
IN_SHEET = replace(FAULT, sheet="Sheet")
TOLD = "信访人数不是整数；请填阿拉伯数字"


def as_csv(path: Path, rows: list[list[str]] = ROWS) -> Path:
    with path.open("w", encoding="gb18030", newline="") as out:
        csv.writer(out).writerows([TITLE, HEADER, *rows])
    return path


def as_xlsx(path: Path) -> Path:
    book = Workbook()
    sheet = filled(book.active)
    sheet["A1"].font = Font(bold=True)
    sheet["C5"] = '="样例"&A5'
    sheet["C4"].data_type = "s"
    about = book.create_sheet("说明")
    about["B2"] = "填表说明"
    book.save(path)
    return path


def filled(sheet: Any) -> Any:
    for row in [TITLE, HEADER, *ROWS]:
        sheet.append(row)
    return sheet


def answer(original: Path, *faults: RowFault, name: str = "", into: Path) -> tuple[Path, ...]:
    """The answers to a document, of which a raw copy is kept under a number."""
    into.mkdir(exist_ok=True)
    raw = into.parent / "7"
    raw.write_bytes(original.read_bytes())
    return write_answers(raw, name or original.name, faults, into, wanted=WANTED)


def book_of(original: Path, *faults: RowFault, into: Path) -> Any:
    _, book = answer(original, *faults, into=into)
    return load_workbook(book)


def values(sheet: Worksheet) -> list[list[object]]:
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def marks(sheet: Worksheet) -> dict[str, str]:
    return {c.coordinate: c.comment.text for row in sheet.iter_rows() for c in row if c.comment}


def test_of_a_csv_the_refused_rows_come_back_as_a_workbook_of_texts(tmp_path: Path) -> None:
    listed, book = answer(as_csv(tmp_path / "十月.csv"), FAULT, into=tmp_path / "退回")
    assert [listed.name, book.name] == ["十月.csv.errors.csv", "十月.csv.errors.xlsx"]
    (sheet,) = load_workbook(book).worksheets
    assert values(sheet) == [
        [*TITLE, None, None, None, None],
        [*HEADER, PROBLEMS],
        [*ROWS[1], f"原第 4 行：{TOLD}"],
    ]
    assert marks(sheet) == {"B3": TOLD}
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value} == {"s"}
    assert {cell.number_format for row in sheet.iter_rows() for cell in row} == {"@"}


def test_a_workbook_comes_back_as_it_was_with_the_faulty_cells_marked(tmp_path: Path) -> None:
    book = book_of(as_xlsx(tmp_path / "十月.xlsx"), IN_SHEET, into=tmp_path / "退回")
    sheet, about = book.worksheets
    assert values(sheet) == [
        [*TITLE, None, None, None, None],
        [*HEADER, PROBLEMS],
        [*ROWS[0], None],
        [*ROWS[1], TOLD],
        ["A-3", "3", '="样例"&A5', "丙示例", None],
    ]
    assert sheet["C4"].data_type == "s"
    assert sheet["A1"].font.bold
    assert marks(sheet) == {"B4": TOLD}
    assert about["B2"].value == "填表说明"


def test_what_came_back_and_is_handed_in_again_bears_only_the_new_marks(tmp_path: Path) -> None:
    _, first = answer(as_xlsx(tmp_path / "十月.xlsx"), IN_SHEET, into=tmp_path / "一")
    other = RowFault(5, "", FaultKind.CONTRACT, "缺少必填项", "请补填", "Sheet")
    again = answer(first, other, into=tmp_path / "二")
    assert [path.name for path in again] == [
        "十月.xlsx.errors-2.csv",
        "十月.xlsx.errors-2.xlsx",
    ]
    third = answer(again[1], other, into=tmp_path / "三")
    assert third[1].name == "十月.xlsx.errors-3.xlsx"
    sheet = load_workbook(again[1]).worksheets[0]
    assert [row[4] for row in values(sheet)] == [None, PROBLEMS, None, None, "缺少必填项；请补填"]
    assert marks(sheet) == {}
    assert sheet["B4"].fill.patternType is None


def test_what_people_noted_and_coloured_themselves_stays(tmp_path: Path) -> None:
    path = as_xlsx(tmp_path / "十月.xlsx")
    book = load_workbook(path)
    book.worksheets[0]["B4"].comment = Comment("待核", "丁示例")
    book.save(path)
    sheet = book_of(path, IN_SHEET, into=tmp_path / "退回").worksheets[0]
    assert marks(sheet) == {"B4": "待核"}
    assert sheet["B4"].fill.patternType == "solid"


def test_what_is_wrong_with_a_header_is_noted_at_the_top_of_the_first_sheet(tmp_path: Path) -> None:
    fault = RowFault(2, "概况", FaultKind.HEADER, "表头缺少必需的列（概况）", "请在导出时勾选该列")
    sheet = book_of(as_xlsx(tmp_path / "十月.xlsx"), fault, into=tmp_path / "退回").worksheets[0]
    assert marks(sheet) == {"A1": "表头缺少必需的列（概况）；请在导出时勾选该列"}


def test_a_hint_alone_gives_the_list_alone(tmp_path: Path) -> None:
    hint = RowFault(2, "概况", FaultKind.NOTICE, "没有列“概况”", "是否即列“概况1”？")
    (listed,) = answer(as_xlsx(tmp_path / "十月.xlsx"), hint, into=tmp_path / "退回")
    assert listed.name == "十月.xlsx.errors.csv"


def test_a_mark_in_merged_cells_stands_where_they_begin(tmp_path: Path) -> None:
    path = as_xlsx(tmp_path / "十月.xlsx")
    book = load_workbook(path)
    book.worksheets[0].merge_cells("B3:B4")
    book.save(path)
    sheet = book_of(path, IN_SHEET, into=tmp_path / "退回").worksheets[0]
    assert marks(sheet) == {"B3": TOLD}


def test_faults_are_marked_in_the_sheet_they_name(tmp_path: Path) -> None:
    path = as_xlsx(tmp_path / "十月.xlsx")
    book = load_workbook(path)
    filled(book.create_sheet("二月"))
    book.save(path)
    fault = RowFault(3, "人数", FaultKind.NUMBER, "信访人数不是整数", "请填阿拉伯数字", "二月")
    sheets = book_of(path, fault, into=tmp_path / "退回")
    assert marks(sheets["Sheet"]) == {}
    assert marks(sheets["二月"]) == {"B3": TOLD}


def test_macros_and_links_to_other_workbooks_do_not_come_back(tmp_path: Path) -> None:
    path = as_xlsx(tmp_path / "十月.xlsm")
    with ZipFile(path, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"macro")
        archive.writestr("xl/externalLinks/externalLink1.xml", b"<externalLink/>")
    _, book = answer(path, FAULT, into=tmp_path / "退回")
    with ZipFile(book) as archive:
        assert not [name for name in archive.namelist() if "vba" in name or "external" in name]
    assert not [
        cell
        for row in values(load_workbook(book).worksheets[0])
        for cell in row
        if cell == '="样例"&A5'
    ]


def test_answers_are_for_the_owners_eyes_and_the_same_every_time(tmp_path: Path) -> None:
    for path in (as_csv(tmp_path / "十月.csv"), as_xlsx(tmp_path / "十月.xlsx")):
        first = [p.read_bytes() for p in answer(path, FAULT, into=tmp_path / "一")]
        paths = answer(path, FAULT, into=tmp_path / "二")
        assert [p.read_bytes() for p in paths] == first
        assert {S_IMODE(p.stat().st_mode) for p in paths} == {0o600}


def test_answers_go_when_nothing_is_wrong_any_more(tmp_path: Path) -> None:
    path = as_csv(tmp_path / "十月.csv")
    assert len(answer(path, FAULT, into=tmp_path / "退回")) == 2
    assert answer(path, into=tmp_path / "退回") == ()
    assert list((tmp_path / "退回").iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [
        '{"data": {"list": []}}',
        "<xml><row/></xml>",
        "PK\x03\x04 broken",
        '编号,人数,概况\nA-1,"没有结束',
        "",
    ],
)
def test_of_what_is_no_table_the_list_comes_back_alone(tmp_path: Path, content: str) -> None:
    path = tmp_path / "来件"
    path.write_text(content, encoding="utf-8")
    (listed,) = answer(path, FAULT, into=tmp_path / "退回")
    assert listed.name == "来件.errors.csv"


def test_a_workbook_with_entities_is_not_opened(tmp_path: Path) -> None:
    path = as_xlsx(tmp_path / "十月.xlsx")
    with ZipFile(path, "a") as archive:
        archive.writestr("xl/more.xml", '<!DOCTYPE a [<!ENTITY b "c">]><a/>')
    assert len(answer(path, FAULT, into=tmp_path / "退回")) == 1


def repaired(answers: tuple[Path, ...], **cells: str) -> list[tuple[int, dict[str, str]]]:
    """What a reader gets from a workbook that came back, once people have put it right."""
    book = load_workbook(answers[1])
    for at, text in cells.items():
        book.worksheets[0][at] = text
    book.save(answers[1])
    with opened(answers[1], answers[1].name, WANTED) as reader:
        records = [each for each in reader.read() if isinstance(each, Record)]
        assert [fault for fault in reader.notices if "说明" not in fault.reason] == []
    return [(record.place.row, dict(record.columns)) for record in records]


def test_a_refused_row_put_right_and_handed_in_again_reads_cleanly(tmp_path: Path) -> None:
    answers = answer(as_csv(tmp_path / "十月.csv"), FAULT, into=tmp_path / "退回")
    right = {"编号": "A-2", "人数": "2", "概况": "=HYPERLINK(1)"}
    assert repaired(answers, B3="2") == [(3, right)]


def test_a_marked_workbook_put_right_and_handed_in_again_reads_cleanly(tmp_path: Path) -> None:
    answers = answer(as_xlsx(tmp_path / "十月.xlsx"), IN_SHEET, into=tmp_path / "退回")
    records = repaired(answers, B4="2", C5="样例三")
    assert [(row, columns["人数"]) for row, columns in records] == [(3, "2"), (4, "2"), (5, "3")]


def test_of_an_old_workbook_the_refused_rows_keep_their_headers_groups(tmp_path: Path) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("一月")
    sheet.write(0, 0, "编号")
    sheet.write_merge(0, 0, 1, 2, "信访人")
    for at, name in enumerate(("", "人数", "概况")):
        sheet.write(1, at, name)
    for row, cells in enumerate((("A-1", "1", "样例"), ("A-2", "两人", "样例")), 2):
        for at, text in enumerate(cells):
            sheet.write(row, at, text)
    book.save(tmp_path / "一月.xls")
    answers = answer(tmp_path / "一月.xls", FAULT, into=tmp_path / "退回")
    assert repaired(answers, B3="2") == [(3, {"编号": "A-2", "人数": "2", "概况": "样例"})]


def test_a_workbook_too_large_to_mark_comes_back_as_its_refused_rows(tmp_path: Path) -> None:
    book = Workbook()
    sheet = filled(book.active)
    sheet["ZZ900"] = "远处"
    book.save(tmp_path / "十月.xlsx")
    answers = answer(tmp_path / "十月.xlsx", FAULT, into=tmp_path / "退回")
    assert values(load_workbook(answers[1]).worksheets[0])[2][:2] == ["A-2", "两人"]


def test_a_row_that_is_too_wide_comes_back_whole(tmp_path: Path) -> None:
    path = as_csv(tmp_path / "十月.csv", [[*ROWS[1], "多出的", "还有"]])
    fault = RowFault(3, "", FaultKind.CELLS, "本行有 6 格，表头有 4 格", "请检查")
    sheet = book_of(path, fault, into=tmp_path / "退回").worksheets[0]
    assert values(sheet)[1:] == [
        [*HEADER, None, None, PROBLEMS],
        [*ROWS[1], "多出的", "还有", "原第 3 行：本行有 6 格，表头有 4 格；请检查"],
    ]


def test_what_people_added_behind_the_problems_comes_back_too(tmp_path: Path) -> None:
    path = tmp_path / "十月.csv"
    with path.open("w", encoding="utf-8", newline="") as out:
        added = [PROBLEMS, "备注"]
        csv.writer(out).writerows([[*HEADER, *added], [*ROWS[1], "从前的问题", "已核"]])
    fault = replace(FAULT, row=2)
    sheet = book_of(path, fault, into=tmp_path / "退回").worksheets[0]
    assert values(sheet) == [[*HEADER, *added], [*ROWS[1], f"原第 2 行：{TOLD}", "已核"]]


def test_what_no_workbook_can_hold_is_shown_as_such(tmp_path: Path) -> None:
    path = as_csv(tmp_path / "十月.csv", [["A-1", "\x01二\x1b", "样例" * 20_000, ""]])
    fault = RowFault(3, "人数", FaultKind.NUMBER, "信访人数不是整数", "请填阿拉伯数字")
    sheet = book_of(path, fault, into=tmp_path / "退回").worksheets[0]
    assert sheet["B3"].value == "\ufffd二\ufffd"
    assert len(str(sheet["C3"].value)) == 32_767


def test_beyond_five_thousand_rows_the_list_goes_on_alone(tmp_path: Path) -> None:
    path = as_csv(tmp_path / "十月.csv", [["A", "二", "", ""]] * (MOST_ROWS + 2))
    faults = [
        RowFault(row, "人数", FaultKind.NUMBER, "信访人数不是整数", "请填阿拉伯数字")
        for row in range(3, MOST_ROWS + 5)
    ]
    listed, book = answer(path, *faults, into=tmp_path / "退回")
    assert len(listed.read_text(encoding="utf-8").splitlines()) == MOST_ROWS + 3
    sheet = load_workbook(book).worksheets[0]
    assert sheet.max_row == MOST_ROWS + 2
    assert sheet["E2"].comment.text == "另有 2 行也有问题，见清单"


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a/b\\c", ".ssh", "x" * 300, "样" * 300, "\x00", "\udc80"]
)
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    into = tmp_path / "退回"
    paths = answer(as_csv(tmp_path / "十月.csv"), FAULT, name=name, into=into)
    assert {path.parent for path in paths} == {into}
    assert sorted(into.iterdir()) == sorted(paths)


def test_no_damage_to_a_workbook_gets_in_the_way(tmp_path: Path) -> None:
    with ZipFile(as_xlsx(tmp_path / "十月.xlsx")) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    random = Random(20261126)
    for _ in range(60):
        name = random.choice(sorted(parts))
        at = random.randrange(len(parts[name]))
        damaged = parts[name][:at] + random.randbytes(3) + parts[name][at + random.randrange(40) :]
        with ZipFile(tmp_path / "7", "w") as archive:
            for each, content in parts.items():
                archive.writestr(each, damaged if each == name else content)
        marked = mark_workbook(tmp_path / "7", (), Faulty(), tmp_path / "退回.xlsx")
        assert marked == (tmp_path / "退回.xlsx").is_file()
        (tmp_path / "退回.xlsx").unlink(missing_ok=True)


def test_of_an_open_document_the_refused_rows_come_back_as_a_workbook(tmp_path: Path) -> None:
    (tmp_path / "十月.ods").write_bytes(written_ods([TITLE, HEADER, *ROWS]))
    answers = answer(tmp_path / "十月.ods", FAULT, into=tmp_path / "退回")
    assert answers[1].name == "十月.ods.errors.xlsx"
    right = {"编号": "A-2", "人数": "2", "概况": "=HYPERLINK(1)"}
    assert repaired(answers, B3="2") == [(3, right)]


def test_the_list_names_columns_as_each_table_does_and_the_marks_stand_in_them(
    tmp_path: Path,
) -> None:
    book = Workbook()
    for sheet, header in (
        (book.worksheets[0], HEADER),
        (book.create_sheet("十一月"), ["编号", "来访人次", "概况"]),
    ):
        sheet.append(header)
        sheet.append(["A-1", "两人", "样例一"])
    book.save(tmp_path / "in.xlsx")
    faults = [replace(FAULT, row=2, sheet=sheet.title) for sheet in book.worksheets]
    named = replace(WANTED, also={"来访人次": "人数"})
    listed, marked = write_answers(tmp_path / "in.xlsx", "in.xlsx", faults, tmp_path, wanted=named)
    with listed.open(encoding="utf-8-sig", newline="") as lines:
        assert [line[1:4] for line in csv.reader(lines)] == [
            ["工作表", "行", "列"],
            ["Sheet", "2", "人数"],
            ["十一月", "2", "来访人次"],
        ]
    assert [marks(sheet) for sheet in load_workbook(marked).worksheets] == [{"B2": TOLD}] * 2


def test_answers_that_are_old_go_and_nothing_else_does(tmp_path: Path) -> None:
    folder = tmp_path / "answers"
    purge_answers(folder, 10.0)
    folder.mkdir()
    (tmp_path / "elsewhere.errors.csv").touch()
    (folder / "link.errors.csv").symlink_to(tmp_path / "elsewhere.errors.csv")
    (folder / "folder.errors.xlsx").mkdir()
    old = ["a.csv.errors.csv", "a.csv.errors.xlsx", "a.xlsx.errors-2.xlsx"]
    theirs = ["a.csv", "errors.csv", "a.errors.txt", "a.errors-x.csv", "~$a.csv.errors.xlsx.bak"]
    for name in (*old, *theirs, "new.errors.csv"):
        (folder / name).touch()
        os.utime(folder / name, (0, 10 if name == "new.errors.csv" else 9))
    purge_answers(folder, 10.0)
    left = {path.name for path in folder.iterdir()}
    assert left == {*theirs, "new.errors.csv", "link.errors.csv", "folder.errors.xlsx"}
    assert (tmp_path / "elsewhere.errors.csv").exists()
