from pathlib import Path

import pytest

from adapters.kit.adapter import load
from adapters.kit.mapping import Mapping, MappingError
from adapters.kit.port import FaultKind, Place, Record, RowFault
from adapters.kit.rows import Deleted, Row, Rows
from adapters.kit.site import load_mapping
from contracts.owncodes import SHIPPED, Codes

MAPPING = r"""
title = "试验"
system = "test"

[contracts]
"petition.case_transferred" = "1.0"

[cells]
nulls = ['\N', "NULL"]
null_dates = ["1899-12-31"]
never = ["letter"]

[deleted]
column = "Is Deleted"
is = ["１", "是"]
native = "people"

[steps."petition.replied"]
after = ["petition.accepted"]

[fields.people]
column = "Ren Shu"
also = ["人员数", "total"]
title = "人数"
as = "integer"
required = true

[fields.day]
column = "day"
title = "日期"
as = "date"
default = "2026/01/02"
pointers = ["/date", "/due/date"]

[fields.idno]
column = "number"
title = "证件"
as = "number"
when = { column = "kind", is = ["111"] }
pointers = ["/persons/-/idno"]

[fields.purpose]
column = "purpose"
title = "目的"
as = "code"
list = "petition_purpose"
aliases = { "（甲）" = "1" }

[groups.family]
each = "family/item"

[groups.family.fields.member]
column = "name"
also = ["XingMing"]
title = "家庭成员"
as = "name"
required = true
pointers = ["/family/-/name"]

[groups.family.fields.income]
column = "收入（万元）"
title = "收入"
as = "money"
when = { column = "has", is = ["是"] }
"""


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "mapping.toml"
    path.write_text(MAPPING, encoding="utf-8")
    return path


def site(path: Path, text: str) -> Path:
    file = path.with_name("site.toml")
    file.write_text(text, encoding="utf-8")
    return file


def read_by(mapping: Mapping, given: Record, codes: Codes) -> Row | Deleted | tuple[RowFault, ...]:
    return Rows(mapping, codes).read(given)


def record(**columns: str) -> Record:
    return Record(number=7, place=Place("in.csv", 7), columns=columns)


def test_fields_are_read_from_their_columns(mapping: Path) -> None:
    row = read_by(
        load_mapping(mapping),
        record(renshu=" ５ ", day="2026.3.4", number="S1", kind="１１１", purpose="(甲)"),
        SHIPPED,
    )
    assert isinstance(row, Row)
    assert row.values == {
        "people": 5,
        "day": "2026-03-04",
        "idno": "S1",
        "purpose": {"code": "1", "label": "申诉"},
    }


@pytest.mark.parametrize("blank", ["", "  ", "\u3000", r"\N", " NULL ", "\u200b"])
def test_blank_cells_and_null_marks_are_no_value(mapping: Path, blank: str) -> None:
    row = read_by(load_mapping(mapping), record(renshu="1", day=blank, purpose=blank), SHIPPED)
    assert isinstance(row, Row)
    assert row.values == {"people": 1, "day": "2026-01-02"}


@pytest.mark.parametrize("day", ["1899-12-31", "1899/12/31", "1899/12/31 00:00:00"])
def test_a_date_that_stands_for_none_is_no_value(mapping: Path, day: str) -> None:
    row = read_by(load_mapping(mapping), record(renshu="1", day=day), SHIPPED)
    assert isinstance(row, Row)
    assert row.values["day"] == "2026-01-02"


def test_parts_are_read_by_their_own_fields(mapping: Path) -> None:
    family = [
        {"xingming": "张 示例", "收入(万元)": "12.5", "has": "是"},
        {"name": "李样板", "收入(万元)": "很多", "has": "否"},
    ]
    given = Record(7, Place("in.csv", 7), {"renshu": "1"}, {"family": family})
    row = read_by(load_mapping(mapping), given, SHIPPED)
    assert isinstance(row, Row)
    assert [part.values for part in row.groups["family"]] == [
        {"member": "张示例", "income": {"amount": "12.5", "unit": "万元"}},
        {"member": "李样板"},
    ]


def test_a_fault_of_a_part_is_told_by_its_column(mapping: Path) -> None:
    given = Record(7, Place("in.csv", 7), {"renshu": "1"}, {"family": [{"name": "NULL"}]})
    assert read_by(load_mapping(mapping), given, SHIPPED) == (
        RowFault(
            7, "name", FaultKind.MISSING, "家庭成员没有填写（空白或空值标记）", "请补填后重新导出"
        ),
    )


@pytest.mark.parametrize("mark", ["1", " １", "是"])
def test_of_a_row_deleted_where_it_comes_from_only_the_number_is_read(
    mapping: Path, mark: str
) -> None:
    found = read_by(load_mapping(mapping), record(renshu="12", day="昨天", isdeleted=mark), SHIPPED)
    assert found == Deleted(Place("in.csv", 7), "12")


@pytest.mark.parametrize(("number", "kind"), [("", FaultKind.MISSING), ("若干", FaultKind.NUMBER)])
def test_a_deleted_row_without_a_number_is_at_fault(
    mapping: Path, number: str, kind: FaultKind
) -> None:
    found = read_by(load_mapping(mapping), record(renshu=number, isdeleted="1"), SHIPPED)
    assert isinstance(found, tuple)
    assert [(fault.column, fault.kind) for fault in found] == [("renshu", kind)]


@pytest.mark.parametrize("mark", ["0", "", "2", "否"])
def test_a_row_that_is_not_deleted_is_read(mapping: Path, mark: str) -> None:
    row = read_by(load_mapping(mapping), record(renshu="12", isdeleted=mark), SHIPPED)
    assert isinstance(row, Row)


def test_several_texts_of_a_cell_are_read_one_by_one(mapping: Path) -> None:
    several = site(mapping, '[fields.idno]\nas = "names"\n')
    row = read_by(
        load_mapping(mapping, several),
        record(renshu="1", kind="111", number="张示例；李样板"),
        SHIPPED,
    )
    assert isinstance(row, Row)
    assert (row.texts("idno"), row.texts("people"), row.texts("purpose")) == (
        ("张示例", "李样板"),
        (),
        (),
    )


def test_the_unit_of_an_amount_is_what_its_column_says_or_else_the_rule(mapping: Path) -> None:
    changed = load_mapping(
        mapping,
        site(mapping, '[groups.family.fields.income]\ncolumn = "收入（单位：元）"\nunit = "万元"'),
    )
    assert changed.groups["family"].fields["income"].unit == "元"
    changed = load_mapping(
        mapping, site(mapping, '[groups.family.fields.income]\ncolumn = "收入"\nunit = "万元"')
    )
    assert changed.groups["family"].fields["income"].unit == "万元"


@pytest.mark.parametrize("kind", ["414", "", r"\N"])
def test_a_field_under_a_condition_is_not_even_checked_without_it(mapping: Path, kind: str) -> None:
    row = read_by(load_mapping(mapping), record(renshu="1", kind=kind, number="1E+20"), SHIPPED)
    assert isinstance(row, Row)
    assert "idno" not in row.values


def test_everything_wrong_with_a_row_is_told_at_once(mapping: Path) -> None:
    found = read_by(load_mapping(mapping), record(renshu="", day="昨天", purpose="7"), SHIPPED)
    assert found == (
        RowFault(
            7, "renshu", FaultKind.MISSING, "人数没有填写（空白或空值标记）", "请补填后重新导出"
        ),
        RowFault(7, "day", FaultKind.DATE, "日期不是有效的日期", "请写成 2026/10/03 这样的日期"),
        RowFault(
            7,
            "purpose",
            FaultKind.CODE,
            "目的不在代码表 petition_purpose 中",
            "可用：1 申诉、2 求决、3 揭发控告、4 意见建议、5 咨询、99 其他",
        ),
    )


@pytest.mark.parametrize(
    ("pointer", "column"),
    [
        ("/data/people", "renshu"),
        ("/data/due/date", "day"),
        ("/data/persons/12/idno", "number"),
        ("/data/purpose/code", "purpose"),
        ("/data/peoples", ""),
        ("/source", ""),
        ("", ""),
    ],
)
def test_a_fault_of_the_event_is_traced_to_its_column(
    mapping: Path, pointer: str, column: str
) -> None:
    assert load_mapping(mapping).column_at(pointer) == column


@pytest.mark.parametrize(
    ("pointer", "column"),
    [("/persons/0/idno", "number"), ("/persons/0/name", "day"), ("/persons", "day")],
)
def test_the_column_nearest_above_a_fault_is_the_one_that_is_told(
    mapping: Path, pointer: str, column: str
) -> None:
    text = mapping.read_text(encoding="utf-8").replace('"/due/date"', '"/persons"')
    mapping.write_text(text, encoding="utf-8")
    assert load_mapping(mapping).column_at(pointer) == column


def test_a_list_belongs_to_records_by_a_column_that_they_must_have(mapping: Path) -> None:
    text = mapping.read_text(encoding="utf-8")
    listed = text.replace('each = "family/item"', 'each = "家庭成员"\nby = "Ren Shu"')
    mapping.write_text(listed, encoding="utf-8")
    (group,) = load_mapping(mapping).wanted.lists.values()
    assert (group.each, group.by, group.titles["renshu"]) == ("家庭成员", "renshu", "所属")
    mapping.write_text(listed.replace('by = "Ren Shu"', 'by = "day"'), encoding="utf-8")
    with pytest.raises(MappingError, match="no required field of a record reads 'day'"):
        load_mapping(mapping)


def test_a_site_renames_columns_wherever_they_are_named(mapping: Path) -> None:
    changed = load_mapping(
        mapping,
        site(mapping, '[columns]\n"Ren Shu" = "人数"\nkind = "证件类型"\nletter = "来信"\n'),
    )
    assert set(changed.wanted.titles) == {
        "人数",
        "day",
        "number",
        "证件类型",
        "purpose",
        "isdeleted",
    }
    assert changed.cells.never == {"letter", "来信"}


def test_a_site_renames_also_what_is_another_name_and_what_stands_in_groups(mapping: Path) -> None:
    changed = load_mapping(
        mapping,
        site(
            mapping,
            '[columns]\n"人 员 数" = "总人数"\nname = "成员"\nxingming = "姓名"\nhas = "有无"\n'
            '"is deleted" = "删除"\n',
        ),
    )
    assert changed.wanted.also == {"总人数": "renshu", "total": "renshu"}
    assert changed.wanted.groups["family"].titles == {
        "成员": "家庭成员",
        "姓名": "家庭成员",
        "收入(万元)": "收入",
        "有无": "收入（条件）",
    }
    assert changed.wanted.titles["删除"] == "删除标记"


def test_a_site_says_where_records_stand_and_how_parts_and_deleted_rows_are_read(
    mapping: Path,
) -> None:
    changed = load_mapping(
        mapping,
        site(
            mapping,
            '[document]\nrecords = "data/list"\n[groups.family]\neach = "people/one"\n'
            '[groups.family.fields.member]\nrequired = false\n[deleted]\nis = ["Y"]\n'
            '[steps."petition.replied"]\nafter = []\n',
        ),
    )
    assert changed.wanted.records == "data/list"
    assert changed.wanted.groups["family"].each == "people/one"
    assert changed.groups["family"].fields["member"].required is False
    assert changed.groups["family"].fields["member"].title == "家庭成员"
    assert changed.deleted is not None
    assert changed.deleted.says == {"Y"}
    assert changed.steps["petition.replied"].after == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[fields.people]\nalso = ["Letter"]', "no field may read the column letter"),
        ('[columns]\ntotal = "letter"', "no field may read the column letter"),
        ('[groups.family.fields.member]\ncolumn = "letter"', "no field may read the column letter"),
        ('[columns]\nxingming = "letter"', "no field may read the column letter"),
        ('[columns]\nhas = "letter"', "no field may read the column letter"),
        ('[deleted]\ncolumn = "letter"', "no field may read the column letter"),
        ('[fields.day]\ncolumn = "Letter#2"', "no field may read the column letter#2"),
        ('[fields.day]\ncolumn = "body/letter/line"', "the column body/letter/line"),
        ('[fields.day]\ncolumn = "body/@letter"', "the column body/@letter"),
        ('[groups.family]\neach = "letter/line"', "the column letter/line"),
    ],
)
def test_what_may_not_be_read_is_kept_out_wherever_a_column_is_named(
    mapping: Path, text: str, told: str
) -> None:
    with pytest.raises(MappingError, match=told):
        load_mapping(mapping, site(mapping, text))


def test_a_site_adds_to_a_field_and_says_whom_events_go_to(mapping: Path) -> None:
    changed = load_mapping(
        mapping,
        site(
            mapping,
            '[fields.purpose.aliases]\n"乙" = "2"\n[fields.people]\ndefault = "1"\n'
            '[address]\nto = "inspection-office@510100"\n',
        ),
    )
    assert changed.fields["purpose"].aliases == {"(甲)": "1", "乙": "2"}
    assert changed.fields["people"].default == "1"
    assert changed.fields["people"].column == "renshu"
    assert (changed.address.to, changed.address.cc) == ("inspection-office@510100", None)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[columns]\ndays = "x"', "site.toml: no column 'days'; did you mean 'day'?"),
        ("[fields.peple]\nrequired = true", "site.toml: no field 'peple'; did you mean 'people'?"),
        ('[cells]\nnever = ["x"]', "cells.never belongs to the adapter, not to a site"),
        ('[fields.day]\ncolumn = "letter"', "no field may read the column letter"),
        ('[columns]\nletter = "x"\nday = "letter"', "no field may read the column letter"),
        ('[columns]\nletter = "x"\nday = "x"', "no field may read the column x"),
        ('[fields.day]\nas = "dte"', "no conversion 'dte'"),
        ('[fields.day]\nvalues = ["x"]', '"values" belongs to as = "choice"'),
        ("[fields.people]\nserial = true", '"serial" belongs to as = date, time, month'),
        ('[fields.day]\nunit = "元"', '"unit" belongs to as = money, yuan'),
        (
            '[groups.family.fields.income]\nalso = ["收入（元）"]',
            "a column of another unit needs a field of its own",
        ),
        ("[groups.famly]", "site.toml: no group 'famly'; did you mean 'family'?"),
        (
            "[groups.family.fields.membre]",
            "site.toml: no field 'membre'; did you mean 'member'?",
        ),
        ("[groups.family]\nfields = 3", "groups.family.fields"),
        ("[groups.family.fields]\nmember = 3", "groups.family.fields.member"),
        ("[fields.people]\naliases = 3", "fields.people.aliases"),
        ("[deleted]\nis = 3", "deleted.is"),
        ("[document]\nsheet = 'x'", "document.sheet"),
        ('[deleted]\nnative = "nobody"', "deleted: no field 'nobody'"),
        ('[steps."petition.replyed"]', "no contract 'petition.replyed'"),
        ('[steps."petition.accepted"]\nafter = ["petition.replied"]', "nothing leads to"),
        ('[fields.day]\nlist = "petition_form"', '"list" belongs to as = "code"'),
        ('[address]\nto = "everybody"', "addresses are 1 to 100"),
        ('[address]\nbcc = "x"', "address.bcc"),
        ('title = "x"', "title"),
        ("columns = 3", "columns"),
        ("[columns", "site.toml"),
    ],
)
def test_a_site_that_says_something_impossible_is_told_where(
    mapping: Path, text: str, told: str
) -> None:
    with pytest.raises(MappingError) as raised:
        load_mapping(mapping, site(mapping, text))
    assert told in str(raised.value)


def test_a_form_that_agencies_share_is_told_once_and_each_says_what_is_its_own(
    tmp_path: Path,
) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text('like = "briefing"\n[fields.section]\ndefault = "finance"\nrequired = false\n')
    mapping = load_mapping(path)
    assert mapping.fields["section"].default == "finance"
    assert mapping.fields.keys() == load("audit.briefings").mapping.fields.keys()
    path.write_text('like = "../briefing"\n')
    with pytest.raises(MappingError, match=r"mapping\.toml: like: .* is there for briefing"):
        load_mapping(path)
