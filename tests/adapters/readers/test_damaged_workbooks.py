"""Workbooks that are damaged, hostile, or too much: refused, and nothing else is lost."""

import io
import zipfile
from pathlib import Path
from tempfile import TemporaryFile

import pytest
import xlwt
from openpyxl.worksheet.worksheet import Worksheet

from adapters.kit.port import FaultKind
from adapters.kit.readers.limits import SPREADSHEET
from adapters.kit.readers.sheet import take_apart
from tests.adapters.readers.documents import (
    COLUMNS,
    busy_workbook,
    laid_out,
    read,
    saved,
    written_xlsx,
    zip_of,
)

HEADER = ["no", "day", "note"]


def test_a_workbook_cut_off_or_changed_is_refused(path: Path) -> None:
    whole = written_xlsx([COLUMNS, ["1", "a", "", ""]])
    path.write_bytes(whole[: len(whole) // 2])
    assert [fault.kind for fault in read(path).faults] == [FaultKind.FILE]
    book = zipfile.ZipFile(path, "w")
    book.writestr("xl/workbook.xml", "<workbook")
    book.close()
    assert [fault.reason for fault in read(path).faults] == ["工作簿已损坏，或不是表格文件"]


def test_two_cells_far_apart_do_not_exhaust_the_machine(path: Path) -> None:
    def lay(sheet: Worksheet) -> None:
        sheet.append(HEADER)
        sheet["XFD1048576"] = 1

    got = laid_out(path, lay)
    assert ([fault.reason for fault in got.faults], got.records) == (
        ["工作簿展开后过大，或结构异常"],
        [],
    )


def test_a_sheet_taller_than_any_can_be_is_refused(path: Path) -> None:
    content = written_xlsx([HEADER, ["1", "a"]])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    part = "xl/worksheets/sheet1.xml"
    members[part] = members[part].replace(b'"A2"', b'"A9999999"')
    path.write_bytes(zip_of(members))
    assert [fault.reason for fault in read(path).faults] == ["工作簿展开后过大，或结构异常"]


def test_a_workbook_that_keeps_the_library_busy_is_given_up(path: Path) -> None:
    path.write_bytes(busy_workbook())
    with TemporaryFile() as frames:
        assert take_apart(path, frames, seconds=1, go_on=SPREADSHEET.go_on) == "large"


def test_a_full_disk_is_no_fault_of_the_workbook(path: Path) -> None:
    path.write_bytes(written_xlsx([HEADER, ["1", "a"]]))
    with open("/dev/full", "r+b", buffering=0) as full, pytest.raises(OSError, match="No space"):
        take_apart(path, full, seconds=9, go_on=SPREADSHEET.go_on)


def test_a_header_below_long_rows_is_found_and_a_row_too_long_refused(path: Path) -> None:
    def lay(sheet: Worksheet, columns: int) -> None:
        for row in (["x" * 32_000] * columns, ["y" * 32_000] * columns, HEADER, ["1", "a"]):
            sheet.append(row)

    got = laid_out(path, lambda sheet: lay(sheet, 100))
    assert got.columns == [{"no": "1", "day": "a", "note": ""}]
    got = laid_out(path, lambda sheet: lay(sheet, 140))
    assert [fault.reason for fault in got.faults] == ["工作簿展开后过大，或结构异常"]


def test_a_sheet_as_wide_as_it_can_be_is_refused(path: Path) -> None:
    def lay(sheet: Worksheet) -> None:
        sheet.append([*HEADER, *(f"c{n}" for n in range(4, 16_385))])

    reasons = [fault.reason for fault in laid_out(path, lay).faults]
    assert reasons == ["表头有 16384 列，超过 500 列"]


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        ("EncryptedPackage", "工作簿设有打开密码"),
        ("WordDocument", "这是 Word 文档，不能读取"),
        ("Other", "工作簿已损坏，或不是表格文件"),
    ],
)
def test_what_a_compound_file_holds_instead_of_a_workbook_is_named(
    path: Path, stream: str, reason: str
) -> None:
    book = xlwt.Workbook()
    book.add_sheet("x")
    content = saved(book)
    there, instead = (text.encode("utf-16-le").ljust(34, b"\0") for text in ("Workbook", stream))
    assert there in content
    path.write_bytes(content.replace(there, instead))
    assert [fault.reason for fault in read(path).faults] == [reason]
