"""Which reader a document gets; and that no document makes one fail."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.kit.readers.opening import opened
from tests.adapters.readers.documents import FORMS, WANTED, read, zip_of

ROWS = [["no", "day"], ["1", "d"], ["2", "d"]]


@pytest.mark.parametrize("form", FORMS)
def test_what_a_document_holds_decides_and_not_its_name(path: Path, form: str) -> None:
    path.write_bytes(FORMS[form](ROWS))
    for name in ("导出.pdf", "导出.xml", "导出.et", "导出.wps"):
        assert read(path, name=name).columns == [{"no": "1", "day": "d"}, {"no": "2", "day": "d"}]


@pytest.mark.parametrize(
    ("name", "columns"),
    [("x.csv", [{"no": "1", "day": "d"}]), ("x.txt", [{"no": "1", "day": "d"}]), ("x.json", [])],
)
def test_a_name_decides_where_the_beginning_does_not(
    path: Path, name: str, columns: list[dict[str, str]]
) -> None:
    path.write_text("[示范市导出]\nno,day\n1,d\n", encoding="utf-8")
    assert read(path, name=name).columns == columns


def test_a_document_may_begin_with_many_blank_lines(path: Path) -> None:
    path.write_bytes(b"\n" * 9 + b" " * 9_000 + b"\nno,day\n1,d\n")
    assert [fault.reason for fault in read(path).faults] == [
        "前 10 行内没有找到表头（须有列：day、no）"
    ]


@pytest.mark.parametrize("name", ["张三.jpg", "张三.PIC", "张三.bmp"])
def test_a_picture_alone_is_sent_back_with_what_to_do(path: Path, name: str) -> None:
    wanted = replace(WANTED, images=frozenset({"photo"}))
    for content in (b"\xff\xd8\xff\xe0", b"BM", b"no,day\n1,d\n"):
        path.write_bytes(content)
        (fault,) = read(path, wanted, name=name).faults
        assert (fault.reason, fault.advice) == (
            "照片不能单独读取",
            "请把照片和它的表（同名，如 张三.lrm 和 张三.jpg）放进一个 zip，一起重新提供",
        )


def test_a_zip_with_a_member_called_content_is_no_workbook(path: Path) -> None:
    path.write_bytes(zip_of({"content.xml": FORMS["xml"](ROWS)}))
    assert [columns["no"] for columns in read(path).columns] == ["1", "2"]


NAMES = [
    "../../etc/passwd",
    "/etc/passwd",
    "a\nb\x00c.csv",
    "x" * 5_000,
    "；rm -rf ~；.csv",
    "\u202egpj.csv",
    "CON",
    "*?[.csv",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", ["csv", "zip"])
def test_a_name_from_hell_is_only_a_name(path: Path, form: str, name: str) -> None:
    path.write_bytes(FORMS[form](ROWS))
    with opened(path, name, WANTED) as reader:
        assert {record.place.file for record in reader.read()} == {name}


COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "文件里没有内容"),
        (b"\xef\xbb\xbf \r\n", "文件里没有内容"),
        (b"\0" * 100, "文件里没有内容"),
        (b"%PDF-1.7\n", "这是 PDF 文件，不能读取"),
        (b"{\\rtf1}", "这是 RTF 文档，不能读取"),
        (b"\xff\xd8\xff\xe0", "这是图片，不能读取"),
        (b"Rar!\x1a\x07", "这是 RAR 压缩包，不能读取"),
        (b"7z\xbc\xaf\x27\x1c", "这是 7z 压缩包，不能读取"),
        (b"\x1f\x8b\x08", "这是 gzip 压缩包，不能读取"),
        (COMPOUND + "WordDocument".encode("utf-16-le") + b"\0\0", "这是 Word 文档，不能读取"),
        (zip_of({"OFD.xml": "x"}), "这是 OFD 文件，不能读取"),
        (b"<html><table><tr><td>no", "这是网页（HTML），不是表格文件"),
        (b"<!-- x -->\n<!DOCTYPE HTML><html>", "这是网页（HTML），不是表格文件"),
        (
            b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">',
            "这是旧式的“XML 表格”，不能读取",
        ),
    ],
)
def test_what_cannot_be_read_is_named(path: Path, content: bytes, reason: str) -> None:
    path.write_bytes(content)
    got = read(path, name="文件.wps")
    assert (got.records, [fault.reason for fault in got.faults]) == ([], [reason])
    assert all(fault.advice for fault in got.faults)


BEGINNINGS = [b"", b"<", b"<list><record><no>1</no></record>", b"[", b'{"record":[', b"no,day\n"]
WHOLE = [FORMS[form](ROWS) for form in ("xml", "json", "ndjson", "utf16", "csv")]


def must_not_fail(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "document"
        path.write_bytes(content)
        got = read(path)
    assert got.numbers == sorted(set(got.numbers))
    assert got.records or got.faults or got.notices or got.rows is not None


@settings(max_examples=150, deadline=None)
@given(start=st.sampled_from(BEGINNINGS), content=st.binary(max_size=300))
def test_no_bytes_make_a_reader_of_text_fail(start: bytes, content: bytes) -> None:
    must_not_fail(start + content)


@settings(max_examples=150, deadline=None)
@given(whole=st.sampled_from(WHOLE), at=st.integers(0, 500), instead=st.binary(max_size=8))
def test_no_damage_makes_a_reader_of_text_fail(whole: bytes, at: int, instead: bytes) -> None:
    must_not_fail(whole[:at] + instead + whole[at + len(instead) :])


PACKED = [FORMS[form](ROWS) for form in ("xlsx", "xls", "ods", "zip")]


@settings(max_examples=15, deadline=None)
@given(whole=st.sampled_from(PACKED), at=st.floats(0, 1), instead=st.binary(min_size=1, max_size=9))
def test_no_damage_makes_a_reader_of_workbooks_fail(
    whole: bytes, at: float, instead: bytes
) -> None:
    cut = int(at * len(whole))
    must_not_fail(whole[:cut] + instead + whole[cut + len(instead) :])


CELL = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Co", "Cn"), exclude_characters="_"), max_size=20
)


@settings(max_examples=8, deadline=None)
@given(
    form=st.sampled_from(["xlsx", "xls", "ods"]),
    rows=st.lists(st.tuples(CELL, CELL), min_size=1, max_size=30),
)
def test_tables_that_were_written_are_read_as_they_were(
    form: str, rows: list[tuple[str, str]]
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "document"
        path.write_bytes(FORMS[form]([["no", "day"], *rows]))
        got = read(path)
    assert got.columns == [{"no": no, "day": day} for no, day in rows if no.strip() or day.strip()]
