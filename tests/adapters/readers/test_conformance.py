"""What every reader promises (`kit/port.py`), whatever the form of the document."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.kit.port import FaultKind, RowFault
from adapters.kit.readers.limits import Limits
from adapters.kit.readers.opening import opened
from tests.adapters.readers.documents import (
    COLUMNS,
    FORMS,
    TABLES,
    WANTED,
    Rows,
    read,
    written_csv,
    written_ndjson,
    written_xml,
)

Write = Callable[[Rows], Path]

THREE = [
    ["1", "2026-10-03", "来信原文", "甲"],
    ["2", "2026-10-04", "来信原文", "乙\n第二行"],
    ["3", "2026-10-05", "来信原文", ""],
]
EXPECTED = [
    {"no": "1", "day": "2026-10-03", "note": "甲"},
    {"no": "2", "day": "2026-10-04", "note": "乙\n第二行"},
    {"no": "3", "day": "2026-10-05", "note": ""},
]


@pytest.fixture(params=FORMS)
def write(request: pytest.FixtureRequest, tmp_path: Path) -> Write:
    """Write rows as a document of one form, under a name that says nothing."""
    return lambda rows: written(tmp_path / "document", FORMS[request.param](rows))


@pytest.fixture(params=TABLES)
def write_table(request: pytest.FixtureRequest, tmp_path: Path) -> Write:
    """The same for what has a header."""
    return lambda rows: written(tmp_path / "document", TABLES[request.param](rows))


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_only_wanted_columns_leave_the_document(write: Write) -> None:
    got = read(write([COLUMNS, *THREE]))
    assert (got.columns, got.notices, got.faults) == (EXPECTED, (), ())


def test_the_same_document_gives_the_same_records_again(write: Write) -> None:
    with opened(write([COLUMNS, *THREE]), "名称", WANTED) as reader:
        first = list(reader.read())
        assert list(reader.read()) == first
    assert [each.place.file for each in first] == ["名称"] * 3


def test_reading_goes_on_exactly_behind_a_number(write: Write) -> None:
    with opened(write([COLUMNS, *THREE]), "名称", WANTED) as reader:
        every = list(reader.read())
        for after in (0, *(each.number - 1 for each in every), *(each.number for each in every)):
            expected = [each for each in every if each.number > after]
            assert list(reader.read(after)) == expected


def test_numbers_rise_and_do_not_go_beyond_what_is_told(write: Write) -> None:
    got = read(write([COLUMNS, *THREE]))
    assert got.numbers == sorted(set(got.numbers))
    assert got.rows is None or got.rows >= got.numbers[-1]


def test_two_readings_of_one_document_do_not_disturb_each_other(write: Write) -> None:
    with opened(write([COLUMNS, *THREE]), "名称", WANTED) as reader:
        pairs = list(zip(reader.read(), reader.read(), strict=True))
    assert [one for one, _ in pairs] == [other for _, other in pairs]


def test_a_row_stands_where_a_spreadsheet_counts_it(write_table: Write) -> None:
    got = read(write_table([["示范市导出"], [""], COLUMNS, THREE[0], ["", " "], THREE[1]]))
    assert [(each.place.row, each.number) for each in got.records] == [(4, 4), (6, 6)]
    assert got.columns == EXPECTED[:2]


def test_header_names_may_be_padded_starred_full_width_and_in_capitals(write_table: Write) -> None:
    got = read(write_table([["ＮＯ*", " Day", "letter", "no te"], *THREE]))
    assert got.columns == EXPECTED


def test_a_column_may_stand_under_another_name(write: Write) -> None:
    got = read(write([["no", "登记日", "letter", "note"], *THREE]))
    assert (got.columns, got.notices) == (EXPECTED, ())


@pytest.mark.parametrize(
    ("header", "column", "title", "read_as"),
    [
        (["no", "day", "no", "note"], "no", "编号", "no"),
        (["no", "day", "登记日", "note"], "day", "日期", "day"),
        (["no", "登记日", "登记日", "note"], "day", "日期", "登记日"),
    ],
)
def test_a_column_that_stands_there_twice_is_read_once_and_told_once(
    write_table: Write, header: list[str], column: str, title: str, read_as: str
) -> None:
    got = read(write_table([header, *THREE]))
    assert got.columns == EXPECTED
    assert got.notices == (
        RowFault(
            1,
            column,
            FaultKind.NOTICE,
            f"表头中“{title}”不止一列，只读取“{read_as}”一列",
            "请删去多余的列，或在站点映射中写明用哪一列",
        ),
    )


def test_a_column_that_seems_to_have_another_name_is_told_once(write_table: Write) -> None:
    got = read(write_table([["no", "day", "letter", "notes"], *THREE]))
    assert [fault.reason for fault in got.notices] == ["没有列“note”（备注），该项按空白处理"]
    assert [set(columns) for columns in got.columns] == [{"no", "day"}] * 3


def test_a_required_column_that_is_missing_is_told_once(write_table: Write) -> None:
    got = read(write_table([["no", "day1", "letter", "note"], *THREE]))
    assert got.records == []
    assert got.faults == (
        RowFault(
            1,
            "day",
            FaultKind.HEADER,
            "表头缺少必需的列（日期）",
            "是否即列“day1”？可改表头，或在站点映射中写明",
        ),
    )


def test_a_document_without_the_header_is_refused(write_table: Write) -> None:
    got = read(write_table([["甲", "乙"], *THREE]))
    assert [fault.reason for fault in got.faults] == ["前 10 行内没有找到表头（须有列：day、no）"]


def test_more_columns_than_the_limit_are_refused(write_table: Write) -> None:
    path = write_table([[*COLUMNS, "e", "f"], *THREE])
    got = read(path, limits=Limits(columns=5))
    assert (got.records, [fault.reason for fault in got.faults]) == ([], ["表头有 6 列，超过 5 列"])


def test_a_cell_above_the_limit_is_a_fault_of_its_row_alone(write: Write) -> None:
    path = write([COLUMNS, THREE[0], ["2", "d", "信", "乙" * 20], THREE[2]])
    got = read(path, limits=Limits(cell_characters=19))
    assert got.columns == [EXPECTED[0], EXPECTED[2]]
    (fault,) = got.unreadable
    assert (fault.column, fault.kind) == ("note", FaultKind.TOO_LONG)


def test_a_document_above_the_limit_is_refused(write: Write) -> None:
    path = write([COLUMNS, *THREE])
    got = read(path, limits=Limits(file_bytes=10, whole_bytes=10))
    assert (got.records, [fault.reason for fault in got.faults]) == ([], ["文件超过 0 MiB"])


LONG = {"csv": written_csv, "xlsx": FORMS["xlsx"], "xml": written_xml, "ndjson": written_ndjson}


@pytest.mark.parametrize("form", LONG)
def test_memory_does_not_grow_with_the_length_of_the_document(tmp_path: Path, form: str) -> None:
    def peak(length: int) -> int:
        rows = [[f"{n}", "2026-10-03", "来信原文", "一段说明文字" * 400] for n in range(length)]
        path = written(tmp_path / "document", LONG[form]([COLUMNS, *rows]))
        del rows
        tracemalloc.start()
        try:
            with opened(path, "名称", WANTED) as reader:
                assert sum(1 for _ in reader.read()) == length
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    short, long = peak(250), peak(1_250)
    assert long < 2 * short
