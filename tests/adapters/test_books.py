"""Account books: one event of a whole file, in memory that does not grow with it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from adapters.kit.adapter import load
from adapters.kit.dry import Tried, rehearsed
from adapters.kit.making import make
from adapters.kit.port import FaultKind, Record
from adapters.kit.readers.opening import opened
from tests.adapters.account_books import books, write_books
from tests.adapters.door import Door
from tests.adapters.test_running import running

SETTINGS = """
state = "state"
[hub]
url = "{url}"

[[adapter]]
name = "books"
kind = "audit.books"
agency = "510100.audit"
token_file = "audit.token"
every = 0.01
source = {{ type = "folder", path = "drop", quiet = 0 }}
"""


def tried(path: Path) -> list[Tried]:
    return list(rehearsed(load("audit.books"), path, "510100.audit"))


def faults(path: Path) -> list[tuple[FaultKind, str]]:
    every = tried(path)
    assert not [event for each in every for event in each.events]
    return [(fault.kind, fault.reason) for each in every for fault in each.faults]


def told(path: Path) -> dict[str, Any]:
    (event,) = (event for each in tried(path) for event in each.events)
    data: dict[str, Any] = json.loads(event.event)["data"]
    return data


@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "gb18030", "utf-16"])
def test_many_vouchers_are_one_event(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "账.xml"
    write_books(path, 3_000, encoding=encoding)
    data = told(path)
    total = sum((n % 9_000 + 1) * 100 + n % 100 for n in range(3_000))
    money = f"{total // 100}.{total % 100:02}"
    assert data["covers"] == (
        "示范市示例局 2025 年度会计账簿，本位币人民币。"
        f"记账凭证 6000 行，借方合计 {money}，贷方合计 {money}，每张凭证借贷相等。"
    )
    assert data["period"] == {"from": "2025-01-15", "to": "2025-12-15"}
    assert (data["table"]["rows"], data["table"]["file"]["size"]) == (6_000, path.stat().st_size)


def test_more_bytes_than_the_contract_counts_are_told_in_words(tmp_path: Path) -> None:
    path = tmp_path / "账.xml"
    write_books(path, 10)
    adapter = load("audit.books")
    with opened(path, path.name, adapter.mapping.wanted) as reader:
        (record,) = reader.read()
    assert isinstance(record, Record)
    large = replace(record, columns={**record.columns, "#size": "1084788899"})
    (made,) = make(adapter, large).events
    data = json.loads(made.event.data)
    assert "size" not in data["table"]["file"]
    assert data["covers"].endswith("文件共 1084788899 字节。")


def test_no_line_of_the_books_is_told(tmp_path: Path) -> None:
    path = tmp_path / "账.xml"
    write_books(path, 10)
    (event,) = (event for each in tried(path) for event in each.events)
    assert not [said for said in ("李样板", "示例支出", "5001") if said in event.event.decode()]


HEAD = "".join(books(0, encoding="utf-8")).removesuffix("</总账></会计核算数据>\n")


@pytest.mark.parametrize(
    ("content", "kind", "reason"),
    [
        (
            HEAD.replace("<会计", '<!DOCTYPE x [<!ENTITY a "a">]><会计', 1).encode(),
            FaultKind.FILE,
            "XML 中有 DOCTYPE 声明，为安全起见不读取",
        ),
        (
            f"{HEAD}&lol;".encode(),
            FaultKind.FILE,
            "XML 从第 3 行起不合语法，此后的内容无法读取",
        ),
        (
            f"{HEAD}{'<层>' * 100_000}".encode(),
            FaultKind.FILE,
            "XML 嵌套超过 64 层，此后的内容没有读取",
        ),
        (
            HEAD.encode(),
            FaultKind.FILE,
            "XML 从第 3 行起不合语法，此后的内容无法读取",
        ),
        (
            HEAD.encode() + "贷方".encode("gbk") + b"\xff\xff",
            FaultKind.FILE,
            "文件不是完好的 UTF-8编码，第 3 行附近有无法识别的字节",
        ),
        (
            "".join(books(1)).replace("示范市示例局", "示范" * 5_000_000).encode("gb18030"),
            FaultKind.TOO_LONG,
            "内容超过 32767 字",
        ),
    ],
    ids=["doctype", "entity", "depth", "cut off", "encodings mixed", "a text of 20 MB"],
)
def test_a_hostile_or_broken_file_publishes_nothing(
    tmp_path: Path, content: bytes, kind: FaultKind, reason: str
) -> None:
    path = tmp_path / "账.xml"
    path.write_bytes(content)
    assert faults(path) == [(kind, reason)]


def test_a_text_of_ten_megabytes_that_nobody_reads_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "账.xml"
    text = "".join(books(2)).replace("示例支出第0号", "支" * 3_400_000)
    path.write_text(text, encoding="gb18030")
    assert told(path)["table"]["rows"] == 4


def test_all_vouchers_that_do_not_balance_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "账.xml"
    text = "".join(books(300, encoding="utf-8")).replace("<贷方本币金额>0.00", "<贷方本币金额>7")
    path.write_text(text, encoding="utf-8")
    every = faults(path)
    assert len(every) == 201
    assert every[-1] == (FaultKind.BALANCE, "另有 100 张凭证借贷不平，没有一一列出")


def test_books_dropped_twice_are_sent_once_and_corrected_ones_replace_them(
    door: Door, tmp_path: Path
) -> None:
    (tmp_path / "audit.token").write_text("t\n", encoding="utf-8")
    drop = tmp_path / "drop"
    drop.mkdir()
    with running(tmp_path, SETTINGS.format(url=door.url)) as log:
        for number, vouchers in enumerate((50, 50, 51)):
            write_books(tmp_path / "whole", vouchers)
            (tmp_path / "whole").rename(drop / f"{number}.xml")
            log.first("document.finished", document=number + 1)
    first, corrected = (json.loads(event) for event in door.events.values())
    assert [each["data"]["table"]["rows"] for each in (first, corrected)] == [100, 102]
    assert (first.get("supersedes"), corrected["supersedes"]) == (None, first["id"])
    assert sorted(path.name for path in (drop / "done").iterdir()) == ["0.xml", "1.xml", "2.xml"]


def most_memory(vouchers: int, folder: Path) -> int:
    """KiB of a process that reads so many vouchers."""
    path = str(folder / "账.xml")
    command = [sys.executable, "-m", "tests.adapters.account_books", path, str(vouchers)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return int(done.stdout)


def test_memory_does_not_grow_with_the_books(tmp_path: Path) -> None:
    few, many = (most_memory(vouchers, tmp_path) for vouchers in (100, 4_000))
    # Forty times the books; the interpreter alone is most of it.
    assert many < few * 1.15
