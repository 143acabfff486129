import csv
from pathlib import Path

import pytest

from adapters.kit.port import FaultKind, RowFault
from adapters.kit.report import harmless, write_report

FAULT = RowFault(7, "wtsddm", FaultKind.REGION, "问题属地不是 6 位行政区划代码", "请填代码")


def test_a_report_opens_in_a_spreadsheet_with_a_double_click(tmp_path: Path) -> None:
    path = tmp_path / "十月.csv.errors.csv"
    write_report(path, "十月.csv", [FAULT, RowFault(0, "", FaultKind.FILE, "文件过大", "请分开")])
    assert path.read_bytes().decode("utf-8") == (
        "\ufeff文件,工作表,行,列,问题类型,原因,处理办法\r\n"
        "十月.csv,,7,wtsddm,区划代码无效,问题属地不是 6 位行政区划代码,请填代码\r\n"
        "十月.csv,,,,文件无法读取,文件过大,请分开\r\n"
    )


def test_a_report_replaces_the_one_before_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "in.csv.errors.csv"
    (tmp_path / "in.csv.errors.csv.partial").write_text("left by a crash")
    write_report(path, "in.csv", [FAULT, FAULT])
    write_report(path, "in.csv", [FAULT])
    assert len(path.read_text(encoding="utf-8").splitlines()) == 2
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", " =", "＝", "\u200b="])
def test_no_cell_is_a_formula(tmp_path: Path, start: str) -> None:
    formula = f"{start}HYPERLINK(1)"
    path = tmp_path / "out.csv"
    fault = RowFault(1, formula, FaultKind.HEADER, formula, formula)
    write_report(path, formula, [fault])
    with path.open(encoding="utf-8-sig", newline="") as file:
        _, cells = csv.reader(file)
    assert all(cell.lstrip("'")[:1] in "=＝+-@" or cell in ("", "1", "表头不符") for cell in cells)
    assert [cell[0] for cell in cells if "HYPERLINK" in cell] == ["'"] * 4


def test_a_cell_of_the_report_is_one_line_without_control_characters() -> None:
    assert harmless("一\r\n二\x00三\x1b[31m") == "一 二 三 [31m"
