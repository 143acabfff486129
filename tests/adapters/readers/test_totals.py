"""Tables whose rows are counted and added up while they are read, and never kept."""

import json
from datetime import date
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest

from adapters.kit.port import FaultKind, Record, RowFault, Unbalanced
from adapters.kit.readers.limits import Limits
from adapters.kit.wanted import Wanted, WantedGroup, WantedTotals
from tests.adapters.readers.documents import Reading, read, zip_of

LINES = WantedTotals(
    title="分录",
    each=("line", "ledger/line"),
    sums={"debit": ("dr", "debit"), "credit": ("cr",)},
    day=("day",),
    numbered_by=("period", "no"),
    sides=("debit", "credit"),
)
BOOK = Wanted(
    titles={"head/name": "名称", "#sha256": "摘要", "#size": "字节数"},
    required=frozenset({"head/name"}),
    ignored=frozenset(),
    tables={"lines": LINES},
    whole=True,
)


def line(no: str, debit: str = "", credit: str = "", more: str = "") -> str:
    return f"<line><no>{no}</no><dr>{debit}</dr><cr>{credit}</cr>{more}</line>"


def book(*lines: str, name: str = "甲") -> str:
    return f"<x><head><name>{name}</name></head><ledger>{''.join(lines)}</ledger></x>"


def read_text(
    path: Path, text: str, wanted: Wanted = BOOK, limits: Limits | None = None
) -> Reading:
    path.write_text(text, encoding="utf-8")
    return read(path, wanted, limits=limits or Limits())


def only(got: Reading) -> Record:
    (record,) = got.records
    assert isinstance(record, Record), record
    return record


def test_rows_are_counted_and_added_up_exactly(path: Path) -> None:
    text = book(
        line("1", "0.10", "", "<day>20250131</day>"),
        line("1", "0.20", "", "<day>2025-01-02</day>"),
        line("1", "", "0.3000"),
        "<line><no>2</no><debit>-5</debit><cr>-5.00</cr><other>x</other></line>",
    )
    totals = only(read_text(path, text)).totals["lines"]
    assert (totals.rows, totals.sums) == (
        4,
        {"debit": Decimal("-4.7"), "credit": Decimal("-4.7")},
    )
    assert totals.columns == ("no", "dr", "cr", "day", "debit", "other")
    assert (totals.first, totals.last) == (date(2025, 1, 2), date(2025, 1, 31))
    assert (totals.unbalanced, totals.faults) == ({}, ())


def test_rows_of_one_number_need_not_stand_together(path: Path) -> None:
    text = book(line("1", "2"), line("2", "3"), line("1", "", "2"), line("2", "", "3"))
    assert only(read_text(path, text)).totals["lines"].unbalanced == {}


def test_a_number_whose_sides_differ_is_told_where_it_begins(path: Path) -> None:
    text = book(line("1", "2", "2"), line("2", "3"), line("3", "1", "1"), line("2", "", "2.5"))
    (lacking,) = only(read_text(path, text)).totals["lines"].unbalanced.values()
    assert lacking == Unbalanced(2, "分录", Decimal("0.5"))


@pytest.mark.parametrize(
    ("cell", "column", "kind"),
    [
        ("<no>1</no><dr>1E3</dr>", "dr", FaultKind.NUMBER),
        ("<no>1</no><dr>12.34567</dr>", "dr", FaultKind.NUMBER),
        (f"<no>1</no><dr>{'9' * 16}</dr>", "dr", FaultKind.NUMBER),
        ("<no>1</no><dr>nan</dr>", "dr", FaultKind.NUMBER),
        ("<no>1</no><day>20250230</day>", "day", FaultKind.DATE),
        ("<dr>1</dr><cr>1</cr>", "no", FaultKind.IDENTIFIER),
        (f"<no>{'1' * 300}</no>", "no", FaultKind.IDENTIFIER),
    ],
)
def test_a_cell_that_cannot_be_counted_is_told_and_not_repeated(
    path: Path, cell: str, column: str, kind: FaultKind
) -> None:
    (fault,) = only(read_text(path, book(f"<line>{cell}</line>"))).totals["lines"].faults
    assert (fault.row, fault.column, fault.kind, fault.sheet) == (1, column, kind, "分录")
    assert not any(said in fault.reason for said in ("1E3", "12.3", "999", "nan", "0230"))


def test_amounts_as_people_write_them_are_counted(path: Path) -> None:
    text = book(line("1", "１，２００.50", "1,200.50"), line("2", "'7", " 7 "))
    totals = only(read_text(path, text)).totals["lines"]
    assert totals.sums == {"debit": Decimal("1207.5"), "credit": Decimal("1207.5")}


def test_many_cells_that_cannot_be_counted_are_told_in_part(path: Path) -> None:
    text = book(*[line(str(n), "x") for n in range(150)])
    faults = only(read_text(path, text)).totals["lines"].faults
    assert (len(faults), faults[-1].reason) == (101, "同表另有 50 处不能计数，没有一一列出")


def test_too_many_numbers_open_at_a_time_are_told_once(path: Path) -> None:
    text = book(*[line(str(n), "1") for n in range(100_010)])
    totals = only(read_text(path, text)).totals["lines"]
    assert [(fault.kind, fault.row) for fault in totals.faults] == [(FaultKind.BALANCE, 100_001)]
    assert totals.rows == 100_010


def test_json_has_tables_too(path: Path) -> None:
    lines = [{"no": 1, "dr": 0.1, "cr": None}, {"no": 1, "cr": "0.10"}]
    text = json.dumps({"head": {"name": "甲"}, "line": lines, "rest": [{"a": 1}]})
    record = only(read_text(path, text))
    assert record.totals["lines"].sums == {"debit": Decimal("0.1"), "credit": Decimal("0.1")}
    assert (record.totals["lines"].columns, record.unread) == (("no", "dr", "cr"), ("rest",))


def test_what_nobody_reads_is_named(path: Path) -> None:
    text = book(line("1"), "<pay><who><name>甲</name></who></pay>").replace(
        "</head>", "<kind>1</kind></head><staff><name>乙</name></staff>"
    )
    assert only(read_text(path, text)).unread == ("staff", "ledger/pay")


def test_a_whole_document_says_what_its_bytes_are(path: Path) -> None:
    record = only(read_text(path, book()))
    content = path.read_bytes()
    digest = sha256(content).hexdigest()
    expected = {"head/name": "甲", "#sha256": digest, "#size": str(len(content))}
    assert record.columns == expected


def test_the_members_of_an_archive_are_one_document(path: Path) -> None:
    head = "<a><head><name>甲</name></head></a>"
    first = f"<b>{line('1', '2')}{line('2', '1')}</b>"
    second = f"<c>{line('2', '', '1')}{line('1', '', '3')}</c>"
    path.write_bytes(zip_of({"0.xml": head, "1.xml": first, "2.xml": second}))
    record = only(read(path, BOOK))
    totals = record.totals["lines"]
    assert (record.number, record.columns["head/name"], totals.rows) == (1, "甲", 4)
    assert totals.sums == {"debit": Decimal(3), "credit": Decimal(4)}
    assert list(totals.unbalanced.values()) == [Unbalanced(1, "1.xml/分录", Decimal(-1))]


def test_the_numbers_open_in_all_members_are_not_too_many(path: Path) -> None:
    members = {"0.xml": book()}
    for name in ("1.xml", "2.xml"):
        lines = "".join(line(f"{name}-{n}", "1") for n in range(50_001))
        members[name] = f"<b>{lines}</b>"
    path.write_bytes(zip_of(members))
    totals = only(read(path, BOOK)).totals["lines"]
    assert [fault.reason for fault in totals.faults] == ["超过 100000 个编号两方不等，不能逐一核对"]
    assert (totals.rows, totals.unbalanced) == (100_002, {})


def test_what_the_members_of_an_archive_hold_together_is_not_too_much(path: Path) -> None:
    wanted = Wanted(
        titles={"name": "名称"},
        required=frozenset(),
        ignored=frozenset(),
        groups={"items": WantedGroup("item", {"text": "内容"})},
        whole=True,
    )
    items = f"<item><text>{'甲' * 30_000}</text></item>" * 20
    path.write_bytes(zip_of({f"{n}.xml": f"<a>{items}</a>" for n in range(10)}))
    (fault,) = read(path, wanted).unreadable
    assert fault.reason == "各处的同类项合计超过 4194304 字"


def test_members_that_contradict_each_other_are_no_document(path: Path) -> None:
    members = {"1.xml": book(name="甲"), "2.xml": book(name="乙")}
    path.write_bytes(zip_of(members))
    assert read(path, BOOK).unreadable == [
        RowFault(
            0,
            "head/name",
            FaultKind.MISMATCH,
            "几个文件（或几处）的“名称”不一致",
            "一个文件（或压缩包）里只放一套数据，请分开提供",
            "2.xml",
        )
    ]


def test_a_member_that_cannot_be_read_makes_the_whole_unreadable(path: Path) -> None:
    path.write_bytes(zip_of({"1.xml": book(line("1")), "2.xml": "<x><line>"}))
    (fault,) = read(path, BOOK).unreadable
    assert (fault.kind, fault.sheet) == (FaultKind.FILE, "2.xml")


def test_a_document_that_ends_too_early_gives_nothing(path: Path) -> None:
    got = read_text(path, book(line("1", "1", "1"))[:-12])
    assert (got.records, len(got.faults)) == ([], 1)


def test_the_one_record_is_not_given_again_behind_it(path: Path) -> None:
    path.write_text(book(line("1")), encoding="utf-8")
    assert read(path, BOOK, after=1).records == []


def test_a_document_may_be_larger_or_smaller_than_any_other_where_its_map_says(path: Path) -> None:
    small = Wanted(BOOK.titles, BOOK.required, BOOK.ignored, whole=True, largest=1 << 10)
    text = book(f"<rest>{'x' * 1_100}</rest>")
    assert [fault.kind for fault in read_text(path, text, small).faults] == [FaultKind.FILE]
    assert len(read_text(path, text, limits=Limits(file_bytes=10)).faults) == 1
    large = Wanted(BOOK.titles, BOOK.required, BOOK.ignored, whole=True, largest=1 << 20)
    assert only(read_text(path, text, large, Limits(file_bytes=10))).columns["head/name"] == "甲"


def test_a_table_of_too_many_columns_is_a_fault_of_the_record(path: Path) -> None:
    many = "".join(f"<c{n}/>" for n in range(30))
    got = read_text(path, book(f"<line>{many}</line>"), limits=Limits(columns=20))
    assert [(fault.column, fault.reason) for fault in got.unreadable] == [
        ("ledger/line", "栏目超过 20 个")
    ]
