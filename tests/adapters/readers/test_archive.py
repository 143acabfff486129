"""Zips, also hostile ones."""

import hashlib
import io
import struct
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import IO

import pytest
from openpyxl.workbook import Workbook

from adapters.kit.port import FaultKind, Record
from adapters.kit.readers.limits import Limits
from adapters.kit.wanted import Wanted, WantedGroup
from tests.adapters.readers.documents import WANTED, read, written_csv, written_xlsx, zip_of
from tests.adapters.readers.locks import traditionally, with_aes

HEADER = ["no", "day"]


def table(*numbers: str) -> bytes:
    return written_csv([HEADER, *([number, "d"] for number in numbers)])


def test_members_are_read_in_the_order_of_their_names_in_whatever_form(path: Path) -> None:
    members = {
        "乙.csv": table("3"),
        "甲/二.xlsx": written_xlsx([["标题"], HEADER, ["2", "d"]]),
        "丙.json": b'{"record": [{"no": "1", "day": "d"}]}',
        "__MACOSX/._x": b"x",
        "甲/": b"",
    }
    path.write_bytes(zip_of(members))
    got = read(path)
    assert [(each.place.sheet, each.place.row) for each in got.records] == [
        ("丙.json", 1),
        ("乙.csv", 2),
        ("甲/二.xlsx", 3),
    ]
    assert [columns["no"] for columns in got.columns] == ["1", "3", "2"]
    assert (got.notices, got.faults) == ((), ())


def test_what_one_member_says_and_lacks_is_told_of_it_alone(path: Path) -> None:
    members = {
        "1.csv": b"no,day,notes\n1,d,n\n",
        "2.csv": b"no,day1\n2,d\n",
        "3.csv": b'no,day\n3,d\n4,"d\n',
        "4.pdf": b"%PDF-1.7",
        "5.csv": table("5"),
    }
    path.write_bytes(zip_of(members))
    got = read(path)
    assert [columns["no"] for columns in got.columns] == ["1", "3", "5"]
    assert [(fault.sheet, fault.kind) for fault in got.notices] == [("1.csv", FaultKind.NOTICE)]
    assert [(fault.sheet, fault.row, fault.kind) for fault in got.unreadable] == [
        ("2.csv", 1, FaultKind.HEADER),
        ("3.csv", 3, FaultKind.QUOTES),
        ("4.pdf", 0, FaultKind.FILE),
    ]
    for each in got.records:
        assert read(path, after=each.number).records == [
            other for other in got.records if other.number > each.number
        ]


def test_rows_of_lists_are_told_with_the_member_that_they_stand_in(path: Path) -> None:
    wanted = Wanted(
        titles={"no": "编号"},
        required=frozenset({"no"}),
        ignored=frozenset(),
        groups={"parts": WantedGroup(each="清单", titles={"no": "所属", "what": "内容"}, by="no")},
    )
    book = Workbook()
    for sheet, lines in (
        (book.worksheets[0], [["no"], ["A"]]),
        (book.create_sheet("清单"), [["no", "what"], ["A", "一"], ["A", "二"]]),
    ):
        for line in lines:
            sheet.append(line)
    content = io.BytesIO()
    book.save(content)
    path.write_bytes(zip_of({"甲.xlsx": content.getvalue()}))
    (record,) = read(path, wanted).records
    assert isinstance(record, Record)
    assert [(at.file, at.sheet, at.row) for at in record.places["parts"]] == [
        ("document", "甲.xlsx/清单", 2),
        ("document", "甲.xlsx/清单", 3),
    ]


def test_only_members_that_are_asked_for_are_read(path: Path) -> None:
    wanted = Wanted(WANTED.titles, WANTED.required, WANTED.ignored, sheets=("*[1].CSV",))
    path.write_bytes(zip_of({"a[1].csv": table("1"), "a1.csv": table("2"), "b.pdf": b"%PDF-1"}))
    assert [columns["no"] for columns in read(path, wanted).columns] == ["1"]
    path.write_bytes(zip_of({"b.pdf": b"%PDF-1"}))
    assert [fault.reason for fault in read(path, wanted).faults] == [
        "压缩包里没有可读取的文件（文件名须为 “*[1].CSV”）"
    ]


@pytest.mark.parametrize("encoding", ["gbk", "utf-8"])
def test_names_that_are_not_marked_are_read_as_they_were_written(path: Path, encoding: str) -> None:
    name = "示例台账.csv"
    raw = name.encode(encoding)
    content = zip_of({"x" * len(raw): table("1")}).replace(b"x" * len(raw), raw)
    path.write_bytes(content)
    assert [each.place.sheet for each in read(path).records] == [name]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("../x.csv", table("9"), "压缩包中的文件名带有越界的路径"),
        ("a/../../x.csv", table("9"), "压缩包中的文件名带有越界的路径"),
        ("/etc/x.csv", table("9"), "压缩包中的文件名带有越界的路径"),
        ("C:\\x.csv", table("9"), "压缩包中的文件名带有越界的路径"),
        ("..\\x.csv", table("9"), "压缩包中的文件名带有越界的路径"),
        ("x.zip", zip_of({"x.csv": table("9")}), "这是压缩包中的压缩包，不能读取"),
        ("x.docx", zip_of({"word/document.xml": "x"}), "这是 Word 文档，不能读取"),
        ("x.csv", b"", "文件里没有内容"),
    ],
)
def test_a_member_that_must_not_be_read_does_not_hold_up_the_others(
    path: Path, name: str, content: bytes, reason: str
) -> None:
    path.write_bytes(zip_of({name: content, "好.csv": table("1")}))
    got = read(path)
    assert [columns["no"] for columns in got.columns] == ["1"]
    assert [(fault.kind, fault.reason) for fault in got.unreadable] == [(FaultKind.FILE, reason)]
    path.write_bytes(zip_of({name: content}))
    assert [fault.reason for fault in read(path).faults] == [reason]


def test_a_member_without_a_name_is_refused(path: Path) -> None:
    content = bytearray(zip_of({"?": table("1"), "x.csv": table("2")}))
    # The one byte of its name becomes one of what follows the name.
    for at in (26, content.index(b"PK\x01\x02") + 28):
        content[at : at + 4] = struct.pack("<HH", 0, 1)
    path.write_bytes(content)
    got = read(path)
    assert [columns["no"] for columns in got.columns] == ["2"]
    assert [fault.reason for fault in got.unreadable] == ["压缩包中的文件名带有越界的路径"]


def test_a_symbolic_link_is_refused(path: Path) -> None:
    info = zipfile.ZipInfo("x.csv")
    info.external_attr = 0o120777 << 16
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(info, "/etc/passwd")
    path.write_bytes(packed.getvalue())
    assert [fault.reason for fault in read(path).faults] == ["压缩包中的是符号链接，不是文件"]


LOCKED = replace(WANTED, password="样例Mima-2026")


def test_members_of_a_locked_zip_are_read_as_those_of_another(path: Path) -> None:
    name = "示例台账.csv".encode("gbk")
    members = {"x" * len(name): table("1"), "甲/乙.csv": table("2"), "../丙.csv": table("3")}
    content = with_aes(members, LOCKED.password.encode())
    path.write_bytes(content.replace(b"x" * len(name), name))
    got = read(path, LOCKED)
    assert {
        each.place.sheet: columns["no"]
        for each, columns in zip(
            (each for each in got.records if isinstance(each, Record)), got.columns, strict=True
        )
    } == {"示例台账.csv": "1", "甲/乙.csv": "2"}
    assert [fault.reason for fault in got.unreadable] == ["压缩包中的文件名带有越界的路径"]


def test_a_locked_zip_is_refused_whole_without_its_password(path: Path) -> None:
    path.write_bytes(traditionally({"x.csv": table("1")}, b"Mima"))
    (fault,) = read(path).faults
    assert (fault.reason, fault.advice) == (
        "压缩包设有密码，密码没有设置",
        "请取消密码后重新压缩，或请管理员在站点映射的 [document] 写明 password_file",
    )
    (fault,) = read(path, LOCKED).faults
    assert fault.reason == "压缩包的密码不符，或压缩包已损坏"


def test_a_locked_zip_that_was_changed_is_refused(path: Path) -> None:
    content = bytearray(with_aes({"x.csv": table("1") * 50}, LOCKED.password.encode()))
    content[80] ^= 1
    path.write_bytes(content)
    assert [f.reason for f in read(path, LOCKED).faults] == ["压缩包的密码不符，或压缩包已损坏"]


def test_a_locked_zip_that_is_packed_in_a_rare_way_is_refused(path: Path) -> None:
    content = traditionally({"x.csv": table("1")}, LOCKED.password.encode())
    directory = content.index(b"PK\x01\x02")
    rare = bytearray(content)
    rare[8:10] = rare[directory + 10 : directory + 12] = struct.pack("<H", 9)
    path.write_bytes(rare)
    assert [f.reason for f in read(path, LOCKED).faults] == ["压缩包的压缩或加密方式不受支持"]


def test_a_locked_bomb_is_refused_before_it_is_unlocked(path: Path) -> None:
    path.write_bytes(with_aes({"x.csv": b"0" * (80 << 20)}, LOCKED.password.encode()))
    (fault,) = read(path, LOCKED).faults
    assert fault.reason == "解压后过大（超过 1024 MiB，或压缩率异常）"


def test_a_member_that_is_packed_in_a_rare_way_is_refused(path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("x.csv", table("1"))
    path.write_bytes(packed.getvalue())
    assert [fault.reason for fault in read(path).faults] == ["压缩包的压缩方式不受支持"]


def test_a_member_that_was_damaged_is_refused(path: Path) -> None:
    content = bytearray(zip_of({"x.csv": table("1") * 50, "y.csv": table("2")}))
    content[45] ^= 0xFF
    path.write_bytes(content)
    got = read(path)
    assert [columns["no"] for columns in got.columns] == ["2"]
    assert [fault.reason for fault in got.unreadable] == ["压缩包中的文件已损坏"]


@pytest.mark.parametrize("name", ["x.csv", "xl/workbook.xml"])
def test_a_bomb_is_refused_before_it_is_unpacked(path: Path, name: str) -> None:
    path.write_bytes(zip_of({name: b"0" * (80 << 20)}))
    assert [fault.reason for fault in read(path).faults] == [
        "解压后过大（超过 1024 MiB，或压缩率异常）"
    ]


def test_a_bomb_that_lies_about_its_size_gives_no_more_than_it_said(path: Path) -> None:
    content = bytearray(zip_of({"x.csv": b"no,day\n" + b"1,d\n" * (8 << 20)}))
    directory = content.index(b"PK\x01\x02")
    for at in (22, directory + 24):
        content[at : at + 4] = struct.pack("<I", 100)
    path.write_bytes(content)
    got = read(path)
    assert got.records == []
    assert [fault.reason for fault in got.faults] == ["压缩包中的文件已损坏"]


def test_too_many_members_are_refused(path: Path) -> None:
    path.write_bytes(zip_of({f"{n}.csv": "" for n in range(4)}))
    got = read(path, limits=Limits(members=3))
    assert [fault.reason for fault in got.faults] == ["压缩包内的文件超过 3 个"]


def test_a_zip_without_its_end_is_refused(path: Path) -> None:
    content = zip_of({"x.csv": table("1")})
    for cut in (30, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:cut])
        assert [fault.reason for fault in read(path).faults] == ["压缩格式已损坏，无法打开"]


def test_a_picture_that_is_called_like_a_member_is_its_own(tmp_path: Path) -> None:
    wanted = Wanted(
        titles={"no": "编号", "photo": "照片"},
        required=frozenset({"no"}),
        ignored=frozenset(),
        sheets=("*.csv",),
        images=frozenset({"photo"}),
    )
    path = tmp_path / "document"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("甲", "乙", "丙"):
            archive.writestr(f"{name}.csv", f"no\n{name}\n")
        archive.writestr("甲.JPG", b"\xff\xd8\xff\xe0")
        archive.writestr("乙.jpg", b"MZ")
        archive.writestr("别处/丙.jpg", b"\xff\xd8\xff\xe0")
        # Called alike but for capitals.
        for name, content in (("X.csv", b"no\nX\n"), ("x.csv", b"no\nx\n"), ("x.jpg", b"GIF8")):
            archive.writestr(name, content)
    told = {
        each["no"]: each.get("photo", "").rpartition(" ")[0] for each in read(path, wanted).columns
    }
    assert told == {"甲": "image/jpeg 4", "乙": "", "丙": "", "X": "", "x": "image/gif 4"}
    assert [each.get("photo") for each in read(path, wanted).columns if each["no"] == "乙"] == ["?"]


def test_a_picture_is_read_once_for_all_records_of_its_member(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = replace(
        WANTED,
        titles={**WANTED.titles, "photo": "照片"},
        sheets=("*.csv",),
        images=frozenset({"photo"}),
    )
    picture = b"\xff\xd8\xff\xe0"
    path.write_bytes(zip_of({"甲.csv": table("1", "2", "3"), "甲.jpg": picture}))
    opened: list[str] = []
    of_zips = zipfile.ZipFile.open

    def noted(archive: zipfile.ZipFile, member: zipfile.ZipInfo, mode: str = "r") -> IO[bytes]:
        opened.append(member.filename)
        return of_zips(archive, member)

    monkeypatch.setattr(zipfile.ZipFile, "open", noted)
    told = f"image/jpeg 4 {hashlib.new('sm3', picture).hexdigest()}"
    assert [each["photo"] for each in read(path, wanted).columns] == [told] * 3
    assert opened.count("甲.jpg") == 1
