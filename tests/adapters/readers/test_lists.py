"""Records with lists on other sheets of their workbook."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest

from adapters.kit.port import FaultKind, Place, Record, RowFault, Unreadable
from adapters.kit.readers.limits import Limits
from adapters.kit.readers.opening import opened
from adapters.kit.wanted import Wanted, WantedGroup
from tests.adapters.readers.documents import Reading, read

WANTED = Wanted(
    titles={"no": "编号", "day": "日期"},
    required=frozenset({"no"}),
    ignored=frozenset(),
    groups={
        "items": WantedGroup(
            each="事项",
            titles={"no": "所属", "text": "内容"},
            by="no",
            required=frozenset({"text"}),
            also={"words": "text"},
        )
    },
)
Sheets = Mapping[str, Sequence[Sequence[object]]]
TWO = [["no", "day"], ["1", "2026-10-03"], ["2", "2026-10-04"]]


def written(path: Path, sheets: Sheets) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def of(path: Path, sheets: Sheets) -> Reading:
    return read(written(path, sheets), WANTED)


def parts(got: Reading) -> list[tuple[str, list[str], list[int]]]:
    """Each record with what its rows say, and where they stand."""
    return [
        (
            each.columns["no"],
            [row["text"] for row in each.groups["items"]],
            [place.row for place in each.places["items"]],
        )
        for each in got.records
        if isinstance(each, Record)
    ]


def test_rows_of_a_list_come_with_the_record_that_they_name(path: Path) -> None:
    rows = [["no", "text"], ["2", "乙"], ["1", "甲"], ["", ""], [" ２", "丙"]]
    got = of(path, {"1.事项清单": rows, "主表": TWO})
    assert parts(got) == [("1", ["甲"], [3]), ("2", ["乙", "丙"], [2, 5])]
    assert (got.notices, got.faults, got.unreadable) == ((), (), [])
    (first, _) = got.records
    assert isinstance(first, Record)
    assert first.places["items"] == [Place("document", 3, "1.事项清单")]


def test_a_list_may_stand_on_several_sheets_and_under_another_name(path: Path) -> None:
    more = {"事项一": [["no", "text"], ["1", "甲"]], "事项二": [["words", "no"], ["乙", "1"]]}
    assert parts(of(path, {"主表": TWO, **more}))[0] == ("1", ["甲", "乙"], [2, 2])


def test_the_only_record_has_every_row_that_names_nobody(path: Path) -> None:
    got = of(path, {"主表": TWO[:2], "事项": [["text"], ["甲"], ["乙"]]})
    assert parts(got) == [("1", ["甲", "乙"], [2, 3])]


def test_a_record_without_rows_has_none(path: Path) -> None:
    assert parts(of(path, {"主表": TWO, "事项": [["no", "text"]]})) == [
        ("1", [], []),
        ("2", [], []),
    ]


def test_a_workbook_without_the_list_is_read_as_ever(path: Path) -> None:
    (first, _) = of(path, {"主表": TWO}).records
    assert isinstance(first, Record)
    assert first.groups == {}


@pytest.mark.parametrize(
    ("no", "reason"), [("3", "没有“no”与此相同的记录"), ("", "没有填写“no”，不知属于哪一件")]
)
def test_while_a_row_belongs_to_nobody_no_record_is_complete(
    path: Path, no: str, reason: str
) -> None:
    got = of(path, {"主表": TWO, "事项": [["no", "text"], ["1", "甲"], [no, "乙"]]})
    assert [(fault.sheet, fault.row, fault.column, fault.reason) for fault in got.unreadable] == [
        ("主表", 2, "", "清单中有的行不知属于哪一件，因此没有发出"),
        ("主表", 3, "", "清单中有的行不知属于哪一件，因此没有发出"),
        ("事项", 3, "no", reason),
    ]
    assert got.numbers == [2, 3, 6]


def test_two_records_of_one_number_are_told_where_there_is_a_list(path: Path) -> None:
    got = of(path, {"主表": [*TWO, ["1", ""]], "事项": [["no", "text"], ["1", "甲"]]})
    assert [(fault.row, fault.column) for fault in got.unreadable] == [(2, "no"), (4, "no")]
    assert parts(got) == [("2", [], [])]


def test_a_row_with_an_error_of_a_formula_holds_its_record_up(path: Path) -> None:
    rows = [["no", "text"], ["1", "甲"], ["1", "#N/A"]]
    got = of(path, {"主表": TWO[:2], "事项": rows})
    assert [(f.sheet, f.row, f.column, f.kind) for f in got.unreadable] == [
        ("事项", 3, "text", FaultKind.FORMULA)
    ]
    assert parts(got) == []


def test_a_list_without_its_columns_is_told_and_nothing_is_read(path: Path) -> None:
    got = of(path, {"主表": TWO, "事项": [["no", "content"], ["1", "甲"]]})
    assert [(fault.sheet, fault.kind) for fault in got.faults] == [("事项", FaultKind.HEADER)]
    assert got.records == []


def test_a_hidden_list_is_told_and_nothing_is_read(path: Path) -> None:
    book = openpyxl.load_workbook(
        BytesIO(written(path, {"主表": TWO, "事项": [["no", "text"], ["1", "甲"]]}).read_bytes())
    )
    book["事项"].sheet_state = "hidden"
    book.save(path)
    got = read(path, WANTED)
    assert got.faults == (
        RowFault(
            0, "", FaultKind.HEADER, "清单 “事项” 是隐藏的工作表", "请取消隐藏后重新提供", "事项"
        ),
    )
    assert got.records == []


def test_reading_goes_on_behind_a_number_with_the_same_rows(path: Path) -> None:
    rows = [["no", "text"], ["2", "乙"], ["1", "甲"]]
    written(path, {"主表": TWO, "事项": rows})
    with opened(path, "名称", WANTED) as reader:
        every = list(reader.read())
        assert list(reader.read(every[0].number)) == every[1:]
        assert list(reader.read(every[-1].number)) == []


def test_numbers_of_rows_that_belong_to_nobody_come_behind_all_records(path: Path) -> None:
    got = of(path, {"事项": [["no", "text"], ["9", "甲"], ["8", "乙"]], "主表": TWO})
    assert all(isinstance(each, Unreadable) for each in got.records)
    assert got.numbers == sorted(got.numbers) == [2, 3, 5, 6]
    assert got.rows == 6


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(list_rows=2), "清单超过 2 行"),
        (Limits(list_characters=3), "清单超过 3 字"),
        (Limits(list_rows=1), "带清单的记录超过 1 条"),
    ],
)
def test_lists_have_their_limits(path: Path, limits: Limits, reason: str) -> None:
    rows = [["no", "text"], ["1", "甲"], ["1", "乙"], ["2", "丙"]]
    got = read(written(path, {"主表": TWO, "事项": rows}), WANTED, limits=limits)
    assert got.faults == (RowFault(0, "", FaultKind.TOO_LONG, reason, "请分成几个文件"),)
    assert got.records == []
