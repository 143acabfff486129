import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.kit.port import FaultKind, Record, RowFault, Unreadable, UnreadableFile
from adapters.kit.readers.csv import CsvFile
from adapters.kit.readers.encoding import examine
from adapters.kit.readers.limits import SPREADSHEET, Limits
from adapters.kit.wanted import Wanted

WANTED = Wanted(
    titles={"no": "编号", "day": "日期", "名称#2": "第二个名称", "note": "备注"},
    required=frozenset({"no", "day"}),
    ignored=frozenset({"名称", "letter"}),
)
HEADER = "no,名称,day,名称,letter,note"


@dataclass
class Reading:
    """What a file gives: rows as (row, columns), faults, and the numbers of all records."""

    rows: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    faults: list[RowFault] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    notices: tuple[RowFault, ...] = ()


Read = Callable[..., Reading]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    return lambda content, **options: read_in(tmp_path, content, **options)


def read_in(
    folder: Path, content: str | bytes, *, after: int = 0, limits: Limits = SPREADSHEET
) -> Reading:
    path = folder / "in.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode("gb18030"))
    got = Reading()
    try:
        file = CsvFile(
            examine(path, largest=limits.file_bytes),
            name="in.csv",
            wanted=WANTED,
            limits=limits,
        )
        got.notices = file.notices
        for record in file.read(after):
            match record:
                case Record():
                    got.rows.append((record.place.row, dict(record.columns)))
                case Unreadable():
                    got.faults.extend(record.faults)
            got.numbers.append(record.number)
    except UnreadableFile as error:
        got.faults.extend(error.faults)
    return got


def columns(no: str, day: str = "d", second: str = "乙", note: str = "n") -> dict[str, str]:
    return {"no": no, "day": day, "名称#2": second, "note": note}


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_of_all_systems_read_alike(
    read: Read, encoding: str, end: str
) -> None:
    lines = ["示范市导出", HEADER, "一,甲,d,乙,信,n", "二,甲,d,乙,信,n", ""]
    assert read(end.join(lines).encode(encoding)).rows == [(3, columns("一")), (4, columns("二"))]


def test_rows_count_as_in_a_spreadsheet(read: Read) -> None:
    got = read(f'标题\n\n{HEADER}\n1,,d,"乙\n第二行",,n\n\n,,,,,\n2,,d,乙,,n')
    assert got.rows == [(4, columns("1", second="乙\n第二行")), (7, columns("2"))]


def test_rows_that_add_up_those_above_are_passed_over(read: Read) -> None:
    got = read(f"{HEADER}\n1,,d,乙,,n\n小计,,,,,1\n2,,d,乙,,n\n,合　计：\n")
    assert (got.rows, got.faults) == ([(2, columns("1")), (4, columns("2"))], [])


@pytest.mark.parametrize("delimiter", ["\t", ";"])
def test_cells_may_be_divided_by_tabs_or_semicolons(read: Read, delimiter: str) -> None:
    lines = ["示范市,导出", HEADER.replace(",", delimiter)]
    lines.append(delimiter.join(["1", "甲", "d", "乙,丙", "信", "n"]))
    assert read("\n".join(lines)).rows == [(3, columns("1", second="乙,丙"))]


def test_only_wanted_columns_leave_the_file(read: Read) -> None:
    assert read(f"{HEADER}\n1,甲,d,乙,来信原文,n\n").rows == [(2, columns("1"))]


def test_header_names_may_be_padded_starred_full_width_and_in_capitals(read: Read) -> None:
    assert read("ＮＯ*, 名称,Day ,名 称,letter,note\n1,甲,d,乙,信,n\n").rows == [(2, columns("1"))]


def test_a_row_of_another_width_is_a_fault_of_that_row_only(read: Read) -> None:
    got = read(f"{HEADER}\n1,甲,d,乙,信\n2,甲,d,乙,信,n,m\n3,甲,d,乙,信,n\n4,甲,d,乙,信,n,\n")
    assert got.rows == [(4, columns("3"))]
    assert [(fault.row, fault.kind) for fault in got.faults] == [
        (2, FaultKind.CELLS),
        (3, FaultKind.CELLS),
        (5, FaultKind.CELLS),
    ]
    assert got.faults[0].reason == "本行有 5 格，表头有 6 格，各列可能已错位"


def test_quotes_and_line_breaks_inside_cells_are_kept(read: Read) -> None:
    got = read(f'{HEADER}\n1,甲,d,"说""好""，\r\n又说",信,n\n2,甲,d,5"管,信,n\n')
    assert [row["名称#2"] for _, row in got.rows] == ['说"好"，\r\n又说', '5"管']


def test_a_quote_that_is_never_closed_ends_the_file_there(read: Read) -> None:
    got = read(f'{HEADER}\n1,甲,d,乙,信,n\n2,甲,d,"乙,信,n\n3,甲,d,乙,信,n\n')
    assert got.rows == [(2, columns("1"))]
    assert [(fault.row, fault.kind) for fault in got.faults] == [(3, FaultKind.QUOTES)]


def test_a_cell_longer_than_a_spreadsheet_holds_is_a_fault(read: Read) -> None:
    got = read(f"{HEADER}\n1,甲,d,{'乙' * 32_768},信,n\n2,甲,d,{'乙' * 32_767},信,n\n")
    assert [row for row, _ in got.rows] == [3]
    assert got.faults == [
        RowFault(2, "名称#2", FaultKind.TOO_LONG, "单元格超过 32767 字", "请缩短后重新导出")
    ]


def test_a_row_without_an_end_is_not_read_into_memory(read: Read) -> None:
    got = read(f"{HEADER}\n1,甲,d,乙,信,n\n" + "x," * 3_000_000)
    assert [row for row, _ in got.rows] == [2]
    assert [fault.kind for fault in got.faults] == [FaultKind.QUOTES]


def test_a_file_above_the_limit_is_refused_unread(read: Read) -> None:
    got = read(f"{HEADER}\n" + "x" * (1 << 20), limits=Limits(file_bytes=1 << 20))
    assert [(fault.row, fault.reason) for fault in got.faults] == [(0, "文件超过 1 MiB")]


def test_more_columns_than_the_limit_are_refused(read: Read) -> None:
    got = read(f"{HEADER},g\n", limits=Limits(columns=6))
    assert [fault.reason for fault in got.faults] == ["表头有 7 列，超过 6 列"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"no,day\n1,\x002\n", "文件含有空字节，不是文本文件"),
        (
            "no,day\n1,2\n".encode("utf-16") + b"\x00\xd8",
            "文件不是完好的 UTF-16编码，第 3 行附近有无法识别的字节",
        ),
        (
            b"no,day\n1,\xff\xff\n",
            "文件不是UTF-8，也不是 GBK（GB18030）编码，第 2 行附近有无法识别的字节",
        ),
        (
            "no,day\n1,这里是十六个以上的汉字所以肯定是统一码\n2,".encode() + b"\xe4\xbd\n",
            "文件不是完好的 UTF-8编码，第 3 行附近有无法识别的字节",
        ),
        (
            b"\xef\xbb\xbfno,day\n1,\xe4\xbd",
            "文件不是完好的 UTF-8编码，第 2 行附近有无法识别的字节",
        ),
        (b"", "前 10 行内没有找到表头（须有列：day、no）"),
        (b"\n" * 20, "前 10 行内没有找到表头（须有列：day、no）"),
    ],
)
def test_what_is_no_table_of_text_is_refused_with_the_reason(
    read: Read, content: bytes, reason: str
) -> None:
    got = read(content)
    assert got.rows == []
    assert [fault.reason for fault in got.faults] == [reason]


def test_characters_that_gb18030_moved_in_2022_are_read_as_of_2022(read: Read) -> None:
    head = f"{HEADER}\n".encode("gbk")
    got = read(head + b"\xa6\xd9,x,\xfe\x59,\xa6\xda,x,\x95\x32\x82\x36\n")
    assert got.rows == [(2, columns("\ufe10", "\u9fb4", "\ufe12", "𠀀"))]


def test_a_header_that_lacks_columns_names_each_once_with_the_likely_one(read: Read) -> None:
    got = read("编号,名称,day1,名称,letter,note\n" + "1,甲,d,乙,信,n\n" * 5)
    assert got.rows == []
    assert got.faults == [
        RowFault(
            0,
            "",
            FaultKind.HEADER,
            "前 10 行内没有找到表头（须有列：day、no）",
            got.faults[0].advice,
        )
    ]
    got = read("no,名称,day1,名称,letter,note\n" + "1,甲,d,乙,信,n\n" * 5)
    assert got.faults == [
        RowFault(
            1,
            "day",
            FaultKind.HEADER,
            "表头缺少必需的列（日期）",
            "是否即列“day1”？可改表头，或在站点映射中写明",
        )
    ]


def test_a_column_that_may_be_absent_is_missed_only_when_another_looks_like_it(read: Read) -> None:
    got = read("no,day,notes\n1,d,n\n")
    assert got.rows == [(2, {"no": "1", "day": "d"})]
    assert got.notices == (
        RowFault(
            1,
            "note",
            FaultKind.NOTICE,
            "没有列“note”（备注），该项按空白处理",
            "是否即列“notes”？若是，请改表头或在站点映射中写明",
        ),
    )
    assert read("no,day\n1,d\n").notices == ()


def test_reading_goes_on_behind_the_last_settled_row(read: Read) -> None:
    content = f"标题\n{HEADER}\n" + "".join(f"{n},甲,d,乙,信,n\n" for n in range(1, 5))
    first = read(content)
    assert first.numbers == [3, 4, 5, 6]
    again = read(content, after=4)
    assert again.rows == first.rows[2:]
    assert again.numbers == [5, 6]


def test_the_number_of_rows_is_known_before_reading(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text(f'标题\n{HEADER}\n1,"a\nb",c\n2', encoding="gbk")
    assert examine(path, largest=1 << 20).rows == 4


cells = st.text(
    st.characters(blacklist_categories=("Cs", "Co"), blacklist_characters="\0"), max_size=30
)


@settings(max_examples=200)
@given(
    rows=st.lists(st.tuples(cells, cells, cells, cells), max_size=12),
    titles=st.integers(0, 8),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030"]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_what_was_written_is_read_at_the_row_where_it_stands(
    rows: list[tuple[str, str, str, str]], titles: int, encoding: str, end: str
) -> None:
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL)
    table.writerows([["标题"]] * titles)
    table.writerow(["no", "day", "名称", "名称"])
    table.writerows(rows)
    with TemporaryDirectory() as folder:
        got = read_in(Path(folder), text.getvalue().encode(encoding))
    expected = [
        (number, {"no": no, "day": day, "名称#2": second})
        for number, (no, day, first, second) in enumerate(rows, start=titles + 2)
        if any(map(str.strip, (no, day, first, second)))
    ]
    if encoding == "gb18030" and not got.faults:
        read_as = text.getvalue().encode(encoding)
        if _is_utf8(read_as):
            return
    assert got.faults == []
    assert got.rows == expected


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


@settings(max_examples=300)
@given(content=st.binary(max_size=400), headed=st.booleans())
def test_no_bytes_make_the_reader_fail(content: bytes, headed: bool) -> None:
    with TemporaryDirectory() as folder:
        got = read_in(Path(folder), (b"no,day\n" if headed else b"") + content)
    assert [row for row, _ in got.rows] == sorted({row for row, _ in got.rows})
