"""Packages of tables: people joined from several, however large, and none by halves."""

import hashlib
import io
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from py7zr import SevenZipFile

from adapters.kit.port import CannotRun, FaultKind, Record
from adapters.kit.readers.limits import SPREADSHEET, Limits
from adapters.kit.readers.opening import opened
from tests.adapters.readers.documents import Reading, read
from tests.adapters.readers.locks import traditionally, with_aes
from tests.adapters.readers.packages import (
    PASSWORD,
    WANTED,
    Row,
    about,
    members,
    renamed,
    rowset,
    seven,
    table,
    zipped,
)

PEOPLE: list[Row] = [
    {"A0000": "P1", "A0101": "周试验", "A1701": "第一行\n第二行", "A9999": "没有人要"},
    {"A0000": "P2", "A0101": "李示例"},
]
FAMILY: list[Row] = [
    {"A0000": "P2", "A3601": "甲"},
    {"A0000": "P1", "A3601": "乙"},
    {"A0000": "P2", "A3601": "丙"},
]
JPEG = b"\xff\xd8\xff\xe0" + bytes(100)
PHOTO = f"image/jpeg {len(JPEG)} {hashlib.new('sm3', JPEG).hexdigest()}"
INSIDE = members({"A01": table(PEOPLE), "A36": table(FAMILY)}, **{"导出/Photos/p1.JPG": JPEG})


def spoilt(content: bytes) -> bytes:
    """With a few bytes changed in what it holds, not in its list."""
    return content[:40] + bytes(each ^ 0x55 for each in content[40:60]) + content[60:]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "package"


def read_bytes(
    path: Path, content: bytes, password: str = "", limits: Limits = SPREADSHEET
) -> Reading:
    path.write_bytes(content)
    return read(path, replace(WANTED, password=password), limits=limits)


def faults(got: Reading) -> list[tuple[str, str]]:
    return [(fault.sheet, fault.reason) for fault in (*got.faults, *got.unreadable)]


@pytest.mark.parametrize(
    "content",
    [zipped(INSIDE), seven(INSIDE), seven(INSIDE, PASSWORD)],
    ids=["zip", "7z", "locked 7z"],
)
def test_people_come_with_what_other_tables_say_of_them(path: Path, content: bytes) -> None:
    got = read_bytes(path, content, PASSWORD)
    assert got.columns == [
        {
            "a0000": "P1",
            "a0101": "周试验",
            "a1701": "第一行\n第二行",
            "@form": "hzb",
            "gwyinfo/time": "2026-02-10",
            "photo": PHOTO,
        },
        {"a0000": "P2", "a0101": "李示例", "@form": "hzb", "gwyinfo/time": "2026-02-10"},
    ]
    groups = [dict(each.groups) for each in got.records if isinstance(each, Record)]
    assert groups == [
        {"family": [{"a3601": "乙"}], "assessed": []},
        {"family": [{"a3601": "甲"}, {"a3601": "丙"}], "assessed": []},
    ]
    assert (got.numbers, got.rows, got.notices, got.faults) == ([1, 2], 2, (), ())
    assert [each.place.sheet for each in got.records] == ["A01", "A01"]


def test_a_reference_in_a_string_is_the_character_it_stands_for(path: Path) -> None:
    got = read_bytes(path, zipped(members({"A01": table([{"A0000": "P1", "A0101": "R&D <\"'"}])})))
    assert [columns["a0101"] for columns in got.columns] == ["R&D <\"'"]


def test_reading_goes_on_behind_a_number(path: Path) -> None:
    path.write_bytes(zipped(INSIDE))
    with opened(path, "样例.hzb", WANTED) as reader:
        every = list(reader.read())
        assert list(reader.read(1)) == every[1:]
        assert list(reader.read(2)) == []
        assert list(reader.read()) == every


def test_a_rowset_is_a_table_of_the_other_form(path: Path) -> None:
    got = read_bytes(path, zipped(members({"A01": rowset(PEOPLE), "A36": rowset(FAMILY)})))
    assert [(each["a0000"], each["@form"]) for each in got.columns] == [
        ("P1", "zb3"),
        ("P2", "zb3"),
    ]
    assert got.columns[0]["a1701"] == "第一行\n第二行"


def test_the_schema_of_a_rowset_says_what_its_attributes_are_columns_of(path: Path) -> None:
    schema = {"c0": "A0000", "A1701": "a 0101", "c2": "A1701", "c3": "A0000", "c4": "A9999"}
    rows: list[Row] = [
        {"c0": "P1", "A1701": "周试验", "c2": "一\n二", "c3": "P9", "c4": "没有人要"},
        {"c0": "P2", "A1701": "李示例"},
    ]
    family = renamed([{"a": "P2", "c": "丙"}], {"a": "A0000", "c": "A3601"})
    got = read_bytes(path, zipped(members({"A01": renamed(rows, schema), "A36": family})))
    told = {"@form": "zb3", "gwyinfo/time": "2026-02-10"}
    assert got.columns == [
        told | {"a0000": "P1", "a0101": "周试验", "a1701": "一\n二"},
        told | {"a0000": "P2", "a0101": "李示例"},
    ]
    assert [each.groups["family"] for each in got.records if isinstance(each, Record)] == [
        [],
        [{"a3601": "丙"}],
    ]


@pytest.mark.parametrize(
    "change",
    [
        "<rs:delete><z:row c0='P2'/></rs:delete>",
        "<rs:update><rs:original><z:row c0='P1'/></rs:original><z:row c1='周'/></rs:update>",
    ],
)
def test_a_rowset_with_changes_that_were_not_saved_refuses_the_package(
    path: Path, change: str
) -> None:
    content = renamed([{"c0": "P1"}], {"c0": "A0000"}, change)
    assert faults(read_bytes(path, zipped(members({"A01": content})))) == [
        ("A01", "表中有尚未保存的修改（rs:update、rs:delete）")
    ]


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({f"c{n}": "A0000" for n in range(1_001)}, "表的结构说明超过 1000 栏"),
        ({"c0": "a" * 401}, "表有元素或属性的名称超过 400 字"),
    ],
)
def test_a_schema_that_no_table_has_refuses_the_package(
    path: Path, schema: Row, reason: str
) -> None:
    content = renamed([{"c0": "P1"}], schema)
    assert faults(read_bytes(path, zipped(members({"A01": content})))) == [("A01", reason)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("quote", ['"', "'"])
def test_line_breaks_in_a_string_stay_though_no_parser_keeps_them(
    path: Path, end: str, quote: str
) -> None:
    row = (
        f"<xml>{end}<row{end}A0000={quote}P1{quote}{end}A1701={quote}一{end}二 > 三{quote}/></xml>"
    )
    got = read_bytes(path, zipped(members({"A01": row.encode()})))
    assert [each["a1701"] for each in got.columns] == ["一\n二 > 三"]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("lost", [1, 2])
def test_half_a_character_at_the_end_of_a_string_is_dropped_and_told(
    path: Path, encoding: str, declared: bool, lost: int
) -> None:
    head = f'<?xml version="1.0" encoding="{encoding}"?>'.encode() if declared else b""
    rows = []
    for number in range(3):
        cut = "周试验者".encode(encoding)[: -lost if number else None]
        rows.append(b'<row A0000="P%d" A0101="%s" A1701="' % (number, cut) + "后".encode(encoding))
    content = head + b"<xml>" + b"".join(row + b'"/>' for row in rows) + b"</xml>"
    got = read_bytes(path, zipped(members({"A01": content})))
    whole = lost == 2 and encoding == "gb18030"
    assert [each["a0101"] for each in got.columns] == ["周试验者", "周试验", "周试验"]
    assert [each["a1701"] for each in got.columns] == ["后"] * 3
    told = [notice.reason for notice in got.notices]
    halves = "表中有 2 处文字末尾被截断了半个字，已去掉半个字，其余照读"
    assert told == ([] if whole else [halves])


def test_half_a_character_is_found_wherever_a_piece_of_the_table_ends(path: Path) -> None:
    name = "周试验者".encode("gbk")[:-1]
    rows = b"".join(
        b'<row A0000="P%d" A0101="%s"%s/>' % (number, name, b" " * (number % 97))
        for number in range(6_000)
    )
    content = b'<?xml version="1.0" encoding="GBK"?><xml>' + rows + b"</xml>"
    got = read_bytes(path, zipped(members({"A01": content})))
    assert {each["a0101"] for each in got.columns} == {"周试验"}
    assert "6000 处" in got.notices[0].reason


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (" ".join(f'a{n}=""' for n in range(1_001)), "表中有一行超过 1000 栏"),
        (f'{"a" * 401}=""', "表有元素或属性的名称超过 400 字"),
    ],
)
def test_a_row_that_no_table_has_refuses_the_package(path: Path, row: str, reason: str) -> None:
    content = f"<xml><row {row}/></xml>".encode()
    assert faults(read_bytes(path, zipped(members({"A01": content})))) == [("A01", reason)]


def test_bytes_that_are_no_text_refuse_the_package(path: Path) -> None:
    content = b'<xml><row A0000="P1" A0101="\xff\xff\xff\xff"/></xml>'
    got = read_bytes(path, zipped(members({"A01": content})))
    assert faults(got) == [("A01", "表不是完好的 UTF-8，也不是 GBK（GB18030）编码")]


def test_a_package_is_read_whole_or_not_at_all(path: Path) -> None:
    broken = {"A01": table(PEOPLE), "A36": table(FAMILY)[:-40]}
    assert faults(read_bytes(path, zipped(members(broken)))) == [("A36", "表从第 4 行起不合语法")]
    missing = members({"A01": table(PEOPLE)}) | {"导出/gwyinfo.xml": about("A01", "A36", "A99Z1")}
    assert faults(read_bytes(path, zipped(missing))) == [("", "数据包里没有表 “A36”")]
    (told,) = faults(read_bytes(path, zipped({"gwyinfo.xml": about()})))
    assert told == ("", "数据包里没有表 “A01”")
    (told,) = faults(read_bytes(path, zipped({"Table/A01.xml": table(PEOPLE)})))
    assert told == ("", "压缩包里没有 gwyinfo.xml，不是 HZB 或 ZB3 数据包")


def test_rows_of_nobody_and_people_who_stand_twice_are_told(path: Path) -> None:
    people: list[Row] = [*PEOPLE, {"A0000": "P1", "A0101": "又一次"}, {"A0101": "无编号"}]
    family: list[Row] = [*FAMILY, {"A3601": "丁"}, {"A0000": " ", "A3601": "戊"}]
    got = read_bytes(path, zipped(members({"A01": table(people), "A36": table(family)})))
    assert faults(got) == [
        ("A01", "A0000 与前面一行相同，只读取前一行"),
        ("A01", "A0000 没有填写，不能与其他表对应"),
    ]
    assert got.numbers == [1, 2, 3, 4]
    assert [(n.sheet, n.reason) for n in got.notices] == [
        ("A36", "表中有 2 行没有写明是谁的（A0000 空白），未读取")
    ]


def test_someone_of_whom_too_much_is_said_is_refused_alone(path: Path) -> None:
    family: list[Row] = [{"A0000": "P1", "A3601": "甲"}] * 1_001
    people: list[Row] = [*PEOPLE, {"A0000": "P3", "A1701": "长" * 40_000}]
    got = read_bytes(path, zipped(members({"A01": table(people), "A36": table(family)})))
    assert faults(got) == [
        ("A01", "A0000 的同类项超过 1000 个"),
        ("A01", "A0000 的内容过长（一项超过 32767 字）"),
    ]
    assert [each["a0000"] for each in got.columns] == ["P2"]


@pytest.mark.parametrize(
    ("content", "password", "told"),
    [
        (seven(INSIDE, PASSWORD), "", "7z 数据包设有密码，密码没有设置或不符"),
        (seven(INSIDE, PASSWORD), "另一个", "7z 数据包设有密码，密码没有设置或不符"),
        (seven(INSIDE)[:-30], "", "7z 数据包已损坏，或不是 7z"),
        (spoilt(seven(INSIDE)), "另一个", "7z 数据包已损坏，或不是 7z"),
        (seven(INSIDE)[:20], "", "7z 数据包已损坏，或不是 7z"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(4_000), "", "7z 数据包已损坏，或不是 7z"),
    ],
    ids=[
        "no password",
        "another password",
        "cut short",
        "damaged inside",
        "a head alone",
        "nothing behind",
    ],
)
def test_a_seven_that_cannot_be_opened_is_told(
    path: Path, content: bytes, password: str, told: str
) -> None:
    assert faults(read_bytes(path, content, password)) == [("", told)]


def test_a_seven_that_leads_out_of_itself_is_refused(path: Path) -> None:
    out = io.BytesIO()
    with SevenZipFile(out, "w") as archive:
        archive.set_encoded_header_mode(False)
        archive.writestr(b"x", "aa/x")
    inside, _, header = out.getvalue().partition("aa/x".encode("utf-16-le"))
    turned = inside + "../x".encode("utf-16-le") + header
    start = 32 + int.from_bytes(turned[12:20], "little")
    length = int.from_bytes(turned[20:28], "little")
    sums = turned[12:28] + zlib.crc32(turned[start : start + length]).to_bytes(4, "little")
    path.write_bytes(turned[:8] + zlib.crc32(sums).to_bytes(4, "little") + sums + turned[32:])
    with SevenZipFile(path) as archive:
        assert archive.getnames() == ["../x"]
    assert faults(read(path, WANTED)) == [("", "7z 数据包中的文件名带有越界的路径")]


def test_what_a_seven_comes_to_is_bounded(path: Path) -> None:
    bomb = seven({**INSIDE, "导出/Table/A15.xml": b" " * (9 << 20)})
    assert len(bomb) < 100_000
    expected = [("", "7z 数据包解压后过大，或结构异常")]
    assert faults(read_bytes(path, bomb, limits=Limits(unpacked_bytes=8 << 20))) == expected
    many = seven(INSIDE | {f"{number}": b"" for number in range(61)})
    assert faults(read_bytes(path, many, limits=Limits(members=1))) == expected


@pytest.mark.parametrize(
    "content",
    [
        with_aes(INSIDE, PASSWORD.encode()),
        with_aes(INSIDE, PASSWORD.encode("gb18030"), bits=128),
        traditionally(INSIDE, PASSWORD.encode()),
        traditionally(INSIDE, PASSWORD.encode("gb18030")),
    ],
    ids=["AES", "AES-128 and GBK", "traditional", "traditional and GBK"],
)
def test_a_locked_zip_is_opened_with_its_password(path: Path, content: bytes) -> None:
    assert read_bytes(path, content, PASSWORD).columns == read_bytes(path, zipped(INSIDE)).columns
    assert faults(read_bytes(path, content, "另一个")) == [("", "压缩包的密码不符，或压缩包已损坏")]
    assert faults(read_bytes(path, content)) == [("", "压缩包设有密码，密码没有设置")]


def test_no_entity_is_read(path: Path) -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><xml><row A0000="&a;"/></xml>'
    got = read_bytes(path, zipped(members({"A01": bomb})))
    assert faults(got) == [("A01", "表中有 DOCTYPE 声明，为安全起见不读取")]
    for before in (
        b"\xef\xbb\xbf" * 2,
        b"<!--" + b"x" * ((1 << 18) - 7) + b"-->",
        b'<?xml version="1.0"?>' + b" " * ((1 << 18) - 24),
    ):
        assert faults(read_bytes(path, zipped(members({"A01": before + bomb})))) == faults(got)


def test_a_member_that_is_no_package_is_nobodys(path: Path) -> None:
    got = read_bytes(path, zipped({"甲.txt": b"x"}))
    assert [fault.kind for fault in got.faults] == [FaultKind.FILE]


_MEASURE = """
import sys
from pathlib import Path
from adapters.kit.readers.opening import opened
from tests.adapters.readers.packages import WANTED
from tests.resident import most_resident
with opened(Path(sys.argv[1]), "x", WANTED) as reader:
    found = sum(1 for _ in reader.read())
print(found, most_resident())
"""


def peak(path: Path, count: int) -> int:
    """KiB that a process holds at most that reads a package of so many people."""
    text = "样例" * 100
    people: list[Row] = [{"A0000": f"P{n}", "A0101": "某", "A1701": text} for n in range(count)]
    family: list[Row] = [{"A0000": f"P{n}", "A3601": "甲"} for n in range(count) for _ in range(2)]
    path.write_bytes(zipped(members({"A01": table(people), "A36": table(family)})))
    ran = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(path)], check=True, capture_output=True, text=True
    )
    found, kib = map(int, ran.stdout.split())
    assert found == count
    return kib


def test_memory_does_not_grow_with_the_number_of_people(path: Path) -> None:
    assert peak(path, 8_000) < peak(path, 1_000) + (8 << 10)


def test_where_no_seven_can_be_read_the_operator_is_told(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "py7zr", None)
    with pytest.raises(CannotRun, match=r"pip install 'guantong\[seven\]'"):
        read_bytes(path, seven(INSIDE))
    assert len(read_bytes(path, zipped(INSIDE)).records) == 2
