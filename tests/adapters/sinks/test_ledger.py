"""The ledger as people have it: what it says, and what of theirs it leaves alone."""

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from shutil import copyfile
from typing import Any
from zipfile import ZipFile

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from adapters.kit.port import Away, CannotRun, Sink
from adapters.kit.sinks.ledger import LedgerSettings
from tests.adapters.sinks.dying import acts
from tests.adapters.sinks.events import HOSTILE, corrected, course, received, transferred
from tests.adapters.sinks.making import HERE, cells

SETTINGS = LedgerSettings(type="ledger", path=Path("线索台账.xlsx"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / SETTINGS.path


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Sink]:
    with SETTINGS.opened(tmp_path, HERE) as sink:
        yield sink


def row(sheet: Worksheet, number: int) -> dict[str, Any]:
    """A row by the titles of the header in row 2."""
    return {str(head.value): cell.value for head, cell in zip(sheet[2], sheet[number], strict=True)}


def offers_of(sheet: Worksheet) -> list[DataValidation]:
    return list(sheet.data_validations.dataValidation)


def test_a_case_is_a_row_and_later_events_fill_it_in(sink: Sink, file: Path) -> None:
    sink.take([transferred(1, "示-001"), received(2, "示-001")])
    book = load_workbook(file)
    assert book.sheetnames == ["线索台账", "贯通选项"]
    sheet = book["线索台账"]
    assert sheet["A1"].value == "问题线索台账"
    assert sheet.max_row == 3
    assert row(sheet, 3) == {
        "序号": 1,
        "线索编号": "示-001",
        "线索名称": "示例线索",
        "来源": "巡视巡察中发现",
        "被反映人": "周试验",
        "涉及金额（元）": 1_865_000,
        "发生日期": datetime.fromisoformat("2023-03-01"),
        "紧急程度": "一般",
        "反映人": "（未提供）",
        "签收时间": datetime.fromisoformat("2026-05-22T16:00"),
        "状态": "已签收",
        "回执号": f"{1:032x}",
        "处置方式*": None,
        "已告知": None,
        "备注": None,
    }


def test_what_people_fill_in_move_and_add_stays(sink: Sink, file: Path) -> None:
    sink.take([transferred(1, "示-001"), transferred(2, "示-002")])
    book = load_workbook(file)
    sheet = book["线索台账"]
    sheet["M3"], sheet["O4"] = "初步核实", "=1+1"
    sheet["D3"] = "改坏的来源"
    sheet.insert_cols(1)
    sheet["A2"], sheet["A3"] = "我的列", "一号"
    sheet.insert_rows(3)
    sheet["A3"] = "我的行"
    sheet["B5"].number_format = "000"
    book.create_sheet("我的表")["B2"] = "留着"
    book.save(file)
    sink.take([received(3, "示-002"), transferred(4, "示-003")])
    book = load_workbook(file)
    sheet = book["线索台账"]
    assert [cell.value for cell in sheet["A"]] == [None, "我的列", "我的行", "一号", None, None]
    assert [cell.value for cell in sheet["C"]][2:] == [None, "示-001", "示-002", "示-003"]
    assert (row(sheet, 4)["处置方式*"], row(sheet, 5)["备注"]) == ("初步核实", "=1+1")
    assert row(sheet, 4)["来源"] == "巡视巡察中发现"
    assert [row(sheet, n)["状态"] for n in (4, 5, 6)] == ["待签收", "已签收", "待签收"]
    assert sheet["B5"].number_format == "000"
    assert book["我的表"]["B2"].value == "留着"


def test_rows_that_people_sort_are_found_again(sink: Sink, file: Path) -> None:
    sink.take([transferred(1, "1001"), transferred(2, "1002")])
    book = load_workbook(file)
    sheet = book["线索台账"]
    for cell, other in zip(sheet[3], sheet[4], strict=True):
        cell.value, other.value = other.value, cell.value
    # A spreadsheet makes a number of a text that looks like one.
    sheet["B3"], sheet["B4"] = 1002, 1001.0
    sheet["O3"] = "二号的备注"
    book.save(file)
    sink.take([received(3, "1002")])
    sheet = load_workbook(file)["线索台账"]
    assert sheet.max_row == 4
    told = [(row(sheet, n)["线索编号"], row(sheet, n)["状态"]) for n in (3, 4)]
    assert told == [("1002", "已签收"), ("1001", "待签收")]
    assert row(sheet, 3)["备注"] == "二号的备注"


def saved_over(sink: Sink, file: Path) -> None:
    """Somebody opened the workbook, it went on, and what they opened is saved over it, with a note
    of theirs and without a row that they deleted."""
    sink.take([transferred(1, "示-001"), transferred(2, "示-002")])
    theirs = load_workbook(file)
    sink.take([received(3, "示-001"), corrected(4, "示-001", "更正名称"), transferred(5, "示-003")])
    theirs["线索台账"]["O3"] = "一号的备注"
    theirs["线索台账"].delete_rows(4)
    theirs.save(file)


def test_a_save_over_what_came_meanwhile_is_put_right_before_anything_comes(
    sink: Sink, file: Path
) -> None:
    saved_over(sink, file)
    sink.take([])
    book = load_workbook(file)
    sheet = book["线索台账"]
    names = ("序号", "线索编号", "线索名称", "状态", "备注")
    assert [tuple(row(sheet, number)[name] for name in names) for number in (3, 4, 5)] == [
        (1, "示-001", "更正名称", "已签收", "一号的备注"),
        (2, "示-002", "示例线索", "待签收", None),
        (3, "示-003", "示例线索", "待签收", None),
    ]
    assert sheet.max_row == 5
    assert [line[5] for line in book["贯通变更记录"].values] == ["新值", "更正名称", None]


def test_a_save_while_nothing_ran_is_put_right_at_the_start(tmp_path: Path, file: Path) -> None:
    with SETTINGS.opened(tmp_path, HERE) as sink:
        saved_over(sink, file)
    with SETTINGS.opened(tmp_path, HERE) as sink:
        sink.take([])
    assert [row(load_workbook(file)["线索台账"], n)["状态"] for n in (3, 4, 5)] == [
        "已签收", "待签收", "待签收",
    ]  # fmt: skip


def test_killed_anywhere_while_it_puts_right_it_ends_as_if_it_were_not(tmp_path: Path) -> None:
    with SETTINGS.opened(tmp_path, HERE) as sink:
        saved_over(sink, tmp_path / SETTINGS.path)

    def copied(name: str) -> Path:
        # As it is, but for when and where.
        base = tmp_path / name
        base.mkdir()
        for file in (SETTINGS.path.name, f".{SETTINGS.path.name}.db"):
            copyfile(tmp_path / file, base / file)
        return base

    def put_right(base: Path) -> None:
        with SETTINGS.opened(base, HERE) as sink:
            sink.take([])

    counted = copied("counted")
    most = acts(lambda: put_right(counted))
    wanted = cells(counted / SETTINGS.path)
    assert row(load_workbook(counted / SETTINGS.path)["线索台账"], 3)["备注"] == "一号的备注"
    # Before it remembers that it has, and before the workbook is there under its name.
    for n in (most, most - 3):
        base = copied(f"killed-{n}")
        acts(lambda base=base: put_right(base), killed_before=n)  # type: ignore[misc]
        put_right(base)
        assert cells(base / SETTINGS.path) == wanted


def test_a_save_of_what_is_theirs_alone_stays_as_it_is(sink: Sink, file: Path) -> None:
    sink.take(course())
    theirs = load_workbook(file)
    theirs["线索台账"]["O3"] = "=1+1"
    theirs.save(file)
    saved = file.stat()
    sink.take([])
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (saved.st_ino, saved.st_mtime_ns)


def test_a_formula_in_place_of_a_text_is_put_right(sink: Sink, file: Path) -> None:
    sink.take([transferred(1, "示-001", "=1+1")])
    theirs = load_workbook(file)
    theirs["线索台账"]["C3"].data_type = "f"
    theirs.save(file)
    sink.take([])
    assert load_workbook(file)["线索台账"]["C3"].data_type == "s"


def test_a_cell_that_somebody_left_far_below_makes_no_others(sink: Sink, file: Path) -> None:
    sink.take([transferred(1, "示-001")])
    book = load_workbook(file)
    book.create_sheet("我的表")["T9000"] = "掉在这里"
    book.save(file)
    sink.take([received(2, "示-001")])
    assert load_workbook(file)["我的表"]["T9000"].value == "掉在这里"
    with ZipFile(file) as parts:
        written = [parts.read(n) for n in parts.namelist() if n.startswith("xl/worksheets/")]
    assert sorted(sheet.count(b"<row ") for sheet in written)[0] == 1


def test_what_nobody_saved_is_not_even_read(tmp_path: Path, file: Path) -> None:
    with SETTINGS.opened(tmp_path, HERE) as sink:
        sink.take([transferred(1, "示-001")])
        before = file.stat()
        file.write_bytes(b"-" * before.st_size)
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
        sink.take([])
    with SETTINGS.opened(tmp_path, HERE) as sink:
        sink.take([])
        os.utime(file)
        with pytest.raises(CannotRun, match="不是可读的 xlsx 工作簿"):
            sink.take([])


def test_another_description_is_seen_in_the_workbook_at_the_start(
    tmp_path: Path, file: Path
) -> None:
    with SETTINGS.opened(tmp_path, HERE) as sink:
        sink.take([transferred(1, "示-001")])
    text = (HERE / "ledger.toml").read_text(encoding="utf-8")
    changed = text.replace('title = "线索名称"', 'title = "名称"').replace(
        'as = "flag"', 'choices = ["已当面告知"]'
    )
    (tmp_path / "ledger.toml").write_text(changed, encoding="utf-8")
    with SETTINGS.opened(tmp_path, tmp_path) as sink:
        sink.take([])
    book = load_workbook(file)
    assert book["线索台账"]["P2"].value == "名称"
    assert [cell.value for cell in book["贯通选项"]["B"]][:3] == ["已告知", "已当面告知", None]


def test_a_column_that_people_deleted_comes_back_at_the_right(sink: Sink, file: Path) -> None:
    sink.take([transferred(1, "示-001")])
    book = load_workbook(file)
    book["线索台账"].delete_cols(4)
    book.save(file)
    sink.take([transferred(2, "示-002")])
    sheet = load_workbook(file)["线索台账"]
    assert [cell.value for cell in sheet["O"]][1:] == ["来源", "巡视巡察中发现", "巡视巡察中发现"]


def test_a_correction_changes_its_row_and_keeps_what_was_there(sink: Sink, file: Path) -> None:
    sink.take([transferred(1, "示-001"), received(2, "示-001"), corrected(3, "示-001", "更正名称")])
    book = load_workbook(file)
    told = row(book["线索台账"], 3)
    assert (told["线索名称"], told["涉及金额（元）"], told["状态"]) == ("更正名称", None, "已签收")
    assert list(book["贯通变更记录"].values) == [
        ("序号", "变更时间", "线索编号", "列", "原值", "新值", "依据回执号"),
        (1, "2026-05-21 09:40:01", "示-001", "线索名称", "示例线索", "更正名称", f"{3:032x}"),
        (2, "2026-05-21 09:40:01", "示-001", "涉及金额（元）", "1865000", None, f"{3:032x}"),
    ]
    sink.take([corrected(4, "示-001", "再更正")])
    assert [line[5] for line in load_workbook(file)["贯通变更记录"].values] == [
        "新值", "更正名称", None, "再更正",
    ]  # fmt: skip


def test_no_text_is_a_formula_and_every_text_is_whole_to_the_limit(sink: Sink, file: Path) -> None:
    sink.take(course())
    sheet = load_workbook(file)["线索台账"]
    texts = [row(sheet, number)["线索名称"] for number in range(5, 5 + len(HOSTILE))]
    assert texts == [
        "=HYPERLINK(1)",
        "+1",
        "-1+1",
        "@SUM(A1)",
        "<script>alert(1)</script>&amp;\"'",
        "示例\ufffd\ufffd[31m\ufffd\ufffd",
        "_x005F_x0041_",
        "长" * (32_767 - 13) + "…（内容过长，未全部列出）",
        "一行\n又一行\t末",
        "../../etc/passwd",
    ]
    assert {cell.data_type for cells in sheet.iter_rows() for cell in cells} == {"s", "n", "d"}
    assert max(len(text) for text in texts) <= 32_767


def test_people_see_what_to_fill_in_and_choose_from_the_list(sink: Sink, file: Path) -> None:
    sink.take([transferred(1, "示-001")])
    sink.take([transferred(2, "示-002")])
    book = load_workbook(file)
    sheet = book["线索台账"]
    offered = [(str(v.sqref), v.formula1, v.errorStyle) for v in offers_of(sheet)]
    assert offered == [
        ("M3:M1048576", "'贯通选项'!$A$2:$A$5", "stop"),
        ("N3:N1048576", "'贯通选项'!$B$2:$B$3", "stop"),
    ]
    hidden = book["贯通选项"]
    assert hidden.sheet_state == "hidden"
    assert [[cell.value for cell in column if cell.value] for column in hidden.columns] == [
        ["处置方式", "谈话函询", "初步核实", "暂存待查", "予以了结"],
        ["已告知", "是", "否"],
    ]
    assert sheet.freeze_panes == "A3"
    assert sheet.protection.sheet
    assert (sheet["B2"].protection.locked, sheet["B3"].protection.locked) == (True, False)
    assert [str(r.sqref) for r in sheet.conditional_formatting] == ["M3:M1048576"]


@pytest.mark.parametrize("mark", ["~$线索台账.xlsx", ".~lock.线索台账.xlsx#"])
def test_while_people_have_it_open_it_waits(sink: Sink, file: Path, mark: str) -> None:
    sink.take([transferred(1, "示-001")])
    before = file.read_bytes()
    file.with_name(mark).touch()
    with pytest.raises(Away, match="正被打开"):
        sink.take([transferred(2, "示-002")])
    assert file.read_bytes() == before
    file.with_name(mark).unlink()
    sink.take([])
    assert load_workbook(file)["线索台账"].max_row == 4
    file.write_bytes(before)
    file.with_name(mark).touch()
    sink.take([])
    assert file.read_bytes() == before
    file.with_name(mark).unlink()
    sink.take([])
    assert load_workbook(file)["线索台账"].max_row == 4


@pytest.mark.parametrize(("where", "step"), [(Workbook, "save"), (os, "fsync")])
def test_a_save_while_it_writes_is_not_lost(
    sink: Sink, file: Path, monkeypatch: pytest.MonkeyPatch, where: Any, step: str
) -> None:
    sink.take([transferred(1, "示-001")])
    done = getattr(where, step)

    def meanwhile(*given: Any) -> None:
        done(*given)
        monkeypatch.setattr(where, step, done)
        theirs = load_workbook(file)
        theirs["线索台账"]["O3"] = "刚写的备注"
        theirs.save(file)

    monkeypatch.setattr(where, step, meanwhile)
    with pytest.raises(Away, match="刚刚被保存"):
        sink.take([transferred(2, "示-002")])
    sink.take([transferred(2, "示-002")])
    assert row(load_workbook(file)["线索台账"], 3)["备注"] == "刚写的备注"


def test_a_lost_workbook_is_written_anew(sink: Sink, file: Path) -> None:
    sink.take([transferred(1, "示-001")])
    file.unlink()
    sink.take([transferred(2, "示-002")])
    assert [cell.value for cell in load_workbook(file)["线索台账"]["B"]][2:] == ["示-001", "示-002"]


def test_a_workbook_that_rewriting_would_spoil_is_left_alone(sink: Sink, file: Path) -> None:
    sink.take([transferred(1, "示-001")])
    whole = file.read_bytes()
    file.write_bytes(whole[:-100])
    with pytest.raises(CannotRun, match="不是可读的 xlsx 工作簿"):
        sink.take([transferred(2, "示-002")])
    assert file.read_bytes() == whole[:-100]
    book = Workbook()
    book.create_sheet("线索台账")["A1"] = "别的"
    book.save(file)
    with pytest.raises(CannotRun, match="没有“线索编号”列"):
        sink.take([transferred(2, "示-002")])


@pytest.mark.parametrize(
    ("part", "size", "told"),
    [("xl/media/image1.png", 9, "图片"), ("xl/worksheets/sheet9.xml", 600_000_000, "512 MiB")],
)
def test_what_a_workbook_should_not_hold_is_told_before_it_is_read(
    sink: Sink, file: Path, part: str, size: int, told: str
) -> None:
    sink.take([transferred(1, "示-001")])
    with ZipFile(file, "a") as parts:
        parts.writestr(part, b"x")
        # What the directory of the archive says.
        parts.getinfo(part).file_size = size
    before = file.read_bytes()
    with pytest.raises(CannotRun, match=told):
        sink.take([transferred(2, "示-002")])
    assert file.read_bytes() == before


def test_entities_of_a_workbook_are_not_expanded(sink: Sink, file: Path, tmp_path: Path) -> None:
    sink.take([transferred(1, "示-001")])
    (tmp_path / "secret").write_text("secret")
    doctype = f'<!DOCTYPE x [<!ENTITY e SYSTEM "{tmp_path / "secret"}">]>'
    rewritten = tmp_path / "rewritten.xlsx"
    with ZipFile(file) as old, ZipFile(rewritten, "w") as new:
        for name in old.namelist():
            text = old.read(name).decode()
            if name == "xl/worksheets/sheet1.xml":
                assert "<t>" in text
                text = doctype + text.replace("<t>", "<t>&e;", 1)
            new.writestr(name, text)
    rewritten.replace(file)
    with pytest.raises(CannotRun, match="不是可读的 xlsx 工作簿"):
        sink.take([transferred(2, "示-002")])


def test_who_may_read_it_is_left_to_its_owner(sink: Sink, file: Path) -> None:
    sink.take([transferred(1, "示-001")])
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o660)
    sink.take([transferred(2, "示-002")])
    assert file.stat().st_mode & 0o777 == 0o660


def test_two_runs_do_not_write_one_ledger(sink: Sink, tmp_path: Path) -> None:
    with pytest.raises(Away, match="另一个程序"), SETTINGS.opened(tmp_path, HERE):
        pass


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('pointer = "/title"', 'pointer = "/titel"', "没有 /titel"),
        ('[events."clue.received"]', '[events."clue.recieved"]', "没有契约 clue.recieved"),
        ('title = "状态"', 'title = "来源"', "“来源”重复"),
        ('key = "线索编号"', 'key = "编号"', "没有名为“编号”"),
        ('list = "disposition"', 'list = "dispositions"', "没有代码表 dispositions"),
        ('title = "备注"\neditable = true', 'title = "备注"', "有且只有一个"),
        ('sheet = "线索台账"', "sheet = ", "不是有效的 TOML"),
    ],
)
def test_a_description_that_cannot_be_used_says_where(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    text = (HERE / "ledger.toml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "ledger.toml").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(CannotRun, match=told), SETTINGS.opened(tmp_path, tmp_path):
        pass
