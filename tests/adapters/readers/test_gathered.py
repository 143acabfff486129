"""Rows one below the other that are one record."""

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from adapters.kit.answers import write_answers
from adapters.kit.port import FaultKind, Record, RowFault, Unreadable, UnreadableFile
from adapters.kit.readers import gathered
from adapters.kit.readers.opening import opened
from adapters.kit.wanted import Wanted, WantedGroup

WANTED = Wanted(
    titles={"批次": "批次", "联系人": "联系人"},
    required=frozenset({"批次"}),
    ignored=frozenset(),
    groups={
        "persons": WantedGroup(
            each="",
            titles={"序号": "序号", "姓名": "姓名"},
            by="批次",
            required=frozenset({"序号"}),
            also={"人选": "姓名"},
        )
    },
)
HEADER = ("批次", "联系人", "序号", "姓名")
Read = Record | Unreadable


def written(path: Path, *rows: Sequence[str], header: Sequence[str] = HEADER) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def read(path: Path, after: int = 0) -> list[Read]:
    with opened(path, path.name, WANTED) as reader:
        return list(reader.read(after))


def told(got: list[Read]) -> list[object]:
    """Of a record its number, contact and names; of another the rows and reasons of its faults."""
    return [
        (r.number, r.columns["联系人"], [part["姓名"] for part in r.groups["persons"]])
        if isinstance(r, Record)
        else [(fault.row, fault.reason) for fault in r.faults]
        for r in got
    ]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "in.csv"


def test_rows_of_one_key_are_one_record_and_the_whole_is_said_once_or_alike(file: Path) -> None:
    rows = [
        ("A", "丁", "1", "甲"),
        ("Ａ ", "", "2", "乙"),
        ("B", "戊", "1", "丙"),
        ("B", "戊", "2", ""),
    ]
    first, second = read(written(file, *rows))
    assert told([first, second]) == [(3, "丁", ["甲", "乙"]), (5, "戊", ["丙", ""])]
    assert isinstance(first, Record)
    assert [place.row for place in first.places["persons"]] == [2, 3]
    assert first.columns["批次"] == "A"


def test_reading_goes_on_behind_a_record(file: Path) -> None:
    path = written(file, ("A", "", "1", "甲"), ("A", "", "2", "乙"), ("B", "", "1", "丙"))
    every = read(path)
    assert [record.number for record in every] == [3, 4]
    assert read(path, after=3) == every[1:]
    assert read(path, after=4) == []


def test_a_row_that_names_no_record_holds_up_those_beside_it(file: Path) -> None:
    rows = [("A", "", "1", "甲"), ("", "", "2", "乙"), ("B", "", "1", "丙"), ("C", "", "1", "丁")]
    beside = "上面或下面的行不知属于哪一件，也许是这一件的，因此没有发出"
    assert told(read(written(file, *rows))) == [
        [(2, beside)],
        [(3, "批次没有填写，不知属于哪一件")],
        [(4, beside)],
        (5, "", ["丁"]),
    ]


def test_a_record_whose_rows_stand_apart_is_held_up(file: Path) -> None:
    rows = [("A", "", "1", "甲"), ("B", "", "1", "乙"), ("A", "", "2", "丙")]
    got = read(written(file, *rows))
    apart = "批次相同的行没有排在一起"
    assert told(got) == [[(2, apart)], (3, "", ["乙"]), [(4, apart)]]
    assert [record.number for record in got] == [2, 3, 4]


def test_rows_that_contradict_each_other_are_told(file: Path) -> None:
    rows = [("A", "丁", "1", "甲"), ("A", "戊", "2", "乙")]
    assert told(read(written(file, *rows))) == [[(3, "联系人与同一件前面的行不同")]]
    days = [("A", "2026年11月18日", "1", "甲"), ("A", "2026.11.18", "2", "乙")]
    assert told(read(written(file, *days))) == [(3, "2026年11月18日", ["甲", "乙"])]
    others = [("A", "2026年11月18日", "1", "甲"), ("A", "2026.11.8", "2", "乙")]
    assert told(read(written(file, *others))) == [[(3, "联系人与同一件前面的行不同")]]


def test_a_record_has_so_many_rows_at_most(file: Path) -> None:
    rows = [("A", "", str(n), "甲") for n in range(gathered.MOST_PARTS + 2)]
    assert told(read(written(file, *rows, ("B", "", "1", "乙")))) == [
        [(2, f"批次相同的超过 {gathered.MOST_PARTS} 行")],
        (gathered.MOST_PARTS + 4, "", ["乙"]),
    ]


def test_the_rows_of_a_record_hold_so_much_together(file: Path) -> None:
    rows = [("A", "", str(n), "甲" * 30_000) for n in range(200)]
    assert told(read(written(file, *rows, ("B", "", "1", "乙")))) == [
        [(2, "批次相同的各行合计超过 4194304 字")],
        (202, "", ["乙"]),
    ]


def test_the_columns_of_the_parts_must_be_there_and_may_be_called_otherwise(file: Path) -> None:
    path = written(file, ("A", "", "1", "甲"), header=("批次", "联系人", "序号", "人选"))
    assert told(read(path)) == [(2, "", ["甲"])]
    with pytest.raises(UnreadableFile) as raised:
        read(written(file, ("A", "", "甲"), header=("批次", "联系人", "姓名")))
    assert {fault.column for fault in raised.value.faults} == {"序号"}


def test_a_workbook_whose_key_is_merged_over_its_rows_is_read_alike(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    for row in (HEADER, ("A", "丁", 1, "甲"), (None, None, 2, "乙"), ("B", "戊", 1, "丙")):
        sheet.append(row)
    sheet.merge_cells("A2:A3")
    book.save(tmp_path / "in.xlsx")
    assert told(read(tmp_path / "in.xlsx")) == [(3, "丁", ["甲", "乙"]), (4, "戊", ["丙"])]


def test_refused_rows_come_back_with_all_the_rows_of_their_record(
    file: Path, tmp_path: Path
) -> None:
    rows = [("A", "", "1", "甲"), ("A", "", "2", "乙"), ("B", "", "1", "丙")]
    path = written(file, *rows)
    fault = RowFault(3, "姓名", FaultKind.MISSING, "姓名有误", "请改正")
    _, book = write_answers(path, path.name, [fault], tmp_path, wanted=WANTED)
    sheet = load_workbook(book).worksheets[0]
    assert [[cell.value or "" for cell in row] for row in sheet.iter_rows()] == [
        [*HEADER, "需修改的问题"],
        [*rows[0], "原第 2 行：同一件的另一行须修改，整件没有发出；改好后与该行一并放入"],
        [*rows[1], "原第 3 行：姓名有误；请改正"],
    ]
