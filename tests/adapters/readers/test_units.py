"""What a table says about the unit of its amounts, above them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from adapters.kit.amounts import Unit, unit_told
from adapters.kit.mapping import Mapping as FieldMap
from adapters.kit.port import FaultKind, Record
from adapters.kit.readers.opening import opened
from adapters.kit.rows import Row, Rows
from contracts.owncodes import SHIPPED

_AMOUNT: Final[Mapping[str, object]] = {"column": "违规金额", "title": "违规金额", "as": "money"}
_NUMBER: Final[Mapping[str, object]] = {
    "column": "编号",
    "title": "编号",
    "as": "identifier",
    "required": True,
}
_IN_WAN: Final = {"amount": "12.5", "unit": "万元"}
_IN_YUAN: Final = {"amount": "12.5", "unit": "元"}


def mapped(**amount: object) -> FieldMap:
    return FieldMap.model_validate(
        {
            "title": "试验",
            "system": "test",
            "contracts": {"audit.finding_reported": "1.0"},
            "fields": {"no": _NUMBER, "money": {**_AMOUNT, **amount}},
        }
    )


def amounts(path: Path, mapping: FieldMap) -> list[object]:
    """What the amounts of a document are, or of which kind their faults."""
    rows = Rows(mapping, SHIPPED)
    found: list[object] = []
    with opened(path, path.name, mapping.wanted) as reader:
        for record in reader.read():
            assert isinstance(record, Record)
            row = rows.read(record)
            assert isinstance(row, Row | tuple)
            found += [row.values.get("money")] if isinstance(row, Row) else [f.kind for f in row]
    return found


def csv_of(path: Path, lines: Sequence[str]) -> Path:
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("lines", "amount"),
    [
        (["编号,违规金额（万元）", "1,12.5"], _IN_WAN),
        (["编号,违规金额(单位：元)", "1,12.5"], _IN_YUAN),
        (["问题清单,单位：万元", "编号,违规金额", "1,12.5"], _IN_WAN),
        (["问题清单（单位：人民币元）,", "编号,违规金额", "1,12.5"], _IN_YUAN),
        (["问题清单（万元）,", "编号,违规金额", "1,12.5"], _IN_WAN),
        (["金额单位:万元  币种:人民币,", "编号,违规金额", "1,12.5"], _IN_WAN),
        (["问题清单,单位：万元", "编号,违规金额（元）", "1,12.5"], _IN_YUAN),
        (["问题清单,单位：万元", "编号,违规金额", "1,12.5元"], _IN_YUAN),
        (["单位：万元,单位：元", "编号,违规金额", "1,12.5"], FaultKind.MONEY),
        (["单价单位：元/人,", "编号,违规金额", "1,12.5"], FaultKind.MONEY),
        (["填报单位：万元镇样例所,", "编号,违规金额", "1,12.5"], FaultKind.MONEY),
        (["编号,违规金额", "1,12.5"], FaultKind.MONEY),
        (["编号,违规金额", "单位：万元,", "1,12.5"], FaultKind.MONEY),
    ],
)
def test_a_bare_amount_is_in_what_stands_above_it(
    tmp_path: Path, lines: list[str], amount: object
) -> None:
    assert amounts(csv_of(tmp_path / "a.csv", lines), mapped())[-1] == amount


def test_what_the_document_says_goes_before_what_the_map_assumes(tmp_path: Path) -> None:
    lines = ["编号,违规金额", "1,12.5", "2,12.5元"]
    assumed = mapped(unit="元")
    assert amounts(csv_of(tmp_path / "a.csv", lines), assumed) == [_IN_YUAN, _IN_YUAN]
    told = csv_of(tmp_path / "b.csv", ["单位：万元,", *lines])
    assert amounts(told, assumed) == [_IN_WAN, _IN_YUAN]


def test_one_map_reads_documents_of_two_units(tmp_path: Path) -> None:
    mapping = mapped(also=["违规问题金额"])
    rows = Rows(mapping, SHIPPED)
    said = []
    for unit in ("元", "万元"):
        path = csv_of(tmp_path / "a.csv", [f"编号,违规问题金额（{unit}）", "1,12.5"])
        with opened(path, path.name, mapping.wanted) as reader:
            (record,) = reader.read()
        assert isinstance(record, Record)
        row = rows.read(record)
        assert isinstance(row, Row)
        said.append(row.values["money"])
    assert said == [_IN_YUAN, _IN_WAN]


def test_a_column_that_the_map_names_with_its_unit_goes_first(tmp_path: Path) -> None:
    lines = ["编号,违规金额（元）,违规金额（万元）", "1,125000,12.5"]
    mapping = mapped(column="违规金额（万元）")
    assert amounts(csv_of(tmp_path / "a.csv", lines), mapping) == [_IN_WAN]


def test_of_two_columns_of_one_amount_the_first_is_read_and_people_are_told(
    tmp_path: Path,
) -> None:
    path = csv_of(tmp_path / "a.csv", ["编号,违规金额（元）,违规金额（万元）", "1,12.5,1"])
    assert amounts(path, mapped()) == [_IN_YUAN]
    with opened(path, path.name, mapped().wanted) as reader:
        (notice,) = reader.notices
    assert (notice.kind, notice.column) == (FaultKind.NOTICE, "违规金额")


def laid_out(sheet: Worksheet, group: str, below: str) -> None:
    sheet.append(["编号", group, None, "问题数"])
    sheet.append([None, below, "整改金额", None])
    sheet.append([1, 12.5, 3, 1])
    sheet.merge_cells("A1:A2")
    sheet.merge_cells("B1:C1")
    sheet.merge_cells("D1:D2")


@pytest.mark.parametrize(
    ("group", "below", "amount"),
    [
        ("金额（万元）", "违规金额", _IN_WAN),
        ("金额（万元）", "违规金额（元）", _IN_YUAN),
        ("金额", "违规金额（万元）", _IN_WAN),
        ("金额", "违规金额", FaultKind.MONEY),
    ],
)
def test_a_group_of_columns_has_one_unit(
    tmp_path: Path, group: str, below: str, amount: object
) -> None:
    book = openpyxl.Workbook()
    laid_out(book.worksheets[0], group, below)
    book.save(tmp_path / "a.xlsx")
    assert amounts(tmp_path / "a.xlsx", mapped()) == [amount]


def test_a_group_over_some_columns_says_nothing_of_the_others(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    laid_out(book.worksheets[0], "收入（万元）", "工资")
    book.worksheets[0]["D1"] = "违规金额"
    book.save(tmp_path / "a.xlsx")
    assert amounts(tmp_path / "a.xlsx", mapped()) == [FaultKind.MONEY]


@pytest.mark.parametrize(
    ("titles", "unit"),
    [
        (["问题清单", "单位:万元"], "万元"),
        (["单位:万元", "金额(单位:万元)"], "万元"),
        (["单位:万元、个"], "万元"),
        (["单位:元/吨"], None),
        (["单位:元月公司"], None),
        ([], None),
    ],
)
def test_titles_state_one_unit_or_none(titles: list[str], unit: Unit | None) -> None:
    assert unit_told(titles) == unit


def test_the_rows_of_a_record_have_the_unit_of_their_table(tmp_path: Path) -> None:
    mapping = FieldMap.model_validate(
        {
            "title": "试验",
            "system": "test",
            "contracts": {"audit.finding_reported": "1.0"},
            "fields": {"no": _NUMBER},
            "groups": {"parts": {"by": "编号", "fields": {"money": _AMOUNT}}},
        }
    )
    path = csv_of(tmp_path / "a.csv", ["单位：万元,", "编号,违规金额", "1,12.5", "1,12.5元"])
    with opened(path, path.name, mapping.wanted) as reader:
        (record,) = reader.read()
    assert isinstance(record, Record)
    row = Rows(mapping, SHIPPED).read(record)
    assert isinstance(row, Row)
    assert [part.values["money"] for part in row.groups["parts"]] == [_IN_WAN, _IN_YUAN]


def test_each_row_of_a_record_has_the_unit_of_its_own_sheet(tmp_path: Path) -> None:
    mapping = FieldMap.model_validate(
        {
            "title": "试验",
            "system": "test",
            "contracts": {"audit.finding_reported": "1.0"},
            "fields": {"no": _NUMBER, "total": {**_AMOUNT, "column": "合计", "title": "合计"}},
            "groups": {"parts": {"by": "编号", "fields": {"money": _AMOUNT}}},
        }
    )
    book = openpyxl.Workbook()
    for unit, total in (("万元", None), ("元", 25)):
        sheet = book.create_sheet(unit)
        for line in ([f"单位：{unit}"], ["编号", "违规金额", "合计"], [1, 12.5, total]):
            sheet.append(line)
    book.save(tmp_path / "a.xlsx")
    with opened(tmp_path / "a.xlsx", "a.xlsx", mapping.wanted) as reader:
        (record,) = reader.read()
    assert isinstance(record, Record)
    row = Rows(mapping, SHIPPED).read(record)
    assert isinstance(row, Row)
    assert [part.values["money"] for part in row.groups["parts"]] == [_IN_WAN, _IN_YUAN]
    assert row.values["total"] == {"amount": "25", "unit": "元"}


def test_a_list_on_another_sheet_has_a_unit_of_its_own(tmp_path: Path) -> None:
    mapping = FieldMap.model_validate(
        {
            "title": "试验",
            "system": "test",
            "contracts": {"audit.finding_reported": "1.0"},
            "document": {"sheets": ["主表"]},
            "fields": {"no": _NUMBER, "total": _AMOUNT},
            "groups": {"parts": {"by": "编号", "each": "清单", "fields": {"money": _AMOUNT}}},
        }
    )
    book = openpyxl.Workbook()
    for name, unit in (("主表", "元"), ("清单", "万元")):
        sheet = book.create_sheet(name)
        for line in ([f"单位：{unit}"], ["编号", "违规金额"], [1, 12.5]):
            sheet.append(line)
    book.save(tmp_path / "a.xlsx")
    with opened(tmp_path / "a.xlsx", "a.xlsx", mapping.wanted) as reader:
        (record,) = reader.read()
    assert isinstance(record, Record)
    row = Rows(mapping, SHIPPED).read(record)
    assert isinstance(row, Row)
    assert row.values["total"] == _IN_YUAN
    assert [part.values["money"] for part in row.groups["parts"]] == [_IN_WAN]
