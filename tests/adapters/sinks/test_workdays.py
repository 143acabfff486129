"""Working days by an installation's calendar: holidays, weekends worked for them, its faults."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from adapters.kit.adapter import available
from adapters.kit.port import CannotRun, Sink
from adapters.kit.sinks.ledger import LedgerSettings
from adapters.kit.sinks.ledgerform import LedgerColumn
from adapters.kit.sinks.workdays import CALENDAR, days_off
from tests.adapters.sinks.formulas import shown
from tests.adapters.sinks.making import HERE
from tests.adapters.sinks.test_ledger_items import given as an_opinion
from tests.adapters.test_discipline import data, given
from tests.adapters.test_opinions import FIRST, columns_of, fill_in, opinion

OPINIONS = available()["organization.opinions"]
COUNTED = LedgerSettings(type="ledger", path=Path("联审台账.xlsx"), calendar=Path("工作日历.csv"))
# An invented holiday of Thursday and Friday, for which the Saturday after it is worked.
HOLIDAY = """day,kind,source
2026-05-07,rest,示例放假通知
2026/5/8,rest,示例放假通知

2026-05-16,work,示例放假通知
"""


@pytest.fixture
def calendar(tmp_path: Path) -> Path:
    file = tmp_path / "工作日历.csv"
    file.write_text(HOLIDAY, encoding="utf-8-sig")
    return file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / COUNTED.path


def written(file: Path) -> tuple[int, int]:
    """Which file it is, and when it was written: to look at it is no change."""
    status = file.stat()
    return status.st_ino, status.st_mtime_ns


def until(file: Path) -> Any:
    """The day by which the first batch is awaited."""
    sheet = load_workbook(file).worksheets[0]
    place = sheet.cell(3, columns_of(sheet)["截止日期"]).coordinate
    return shown(sheet, place, date(2026, 5, 6))


@contextmanager
def begun(file: Path) -> Iterator[Sink]:
    """The ledger, in which people have begun the first batch."""
    with COUNTED.opened(file.parent, OPINIONS) as sink:
        sink.take([])
        fill_in(file, FIRST)
        sink.take([])
        yield sink


def sheets(file: Path) -> dict[str, str]:
    return {sheet.title: sheet.sheet_state for sheet in load_workbook(file).worksheets}


def test_days_off_are_those_listed_and_the_weekends_that_are_not_worked(calendar: Path) -> None:
    off = days_off(calendar)
    assert [day for day in off if date(2026, 5, 4) <= day <= date(2026, 5, 18)] == [
        date(2026, 5, 7),
        date(2026, 5, 8),
        date(2026, 5, 9),
        date(2026, 5, 10),
        date(2026, 5, 17),
    ]
    others = [day for day in off if (day.year, day.month) != (2026, 5)]
    span = [date(2021, 1, 1) + timedelta(days=n) for n in range(11 * 365 + 2)]
    assert span[-1] == date(2031, 12, 31)
    usual = [day for day in span if day.weekday() >= 5 and (day.year, day.month) != (2026, 5)]
    assert others == usual


def test_a_deadline_passes_over_holidays_and_counts_weekends_that_are_worked(
    calendar: Path, file: Path
) -> None:
    with begun(file):
        pass
    # From Wednesday 6 May: 11 to 15 are five, Saturday 16 and Monday 18 the others.
    assert until(file) == date(2026, 5, 18)
    assert sheets(file)[CALENDAR] == "hidden"


def test_a_calendar_that_changes_is_counted_by_though_nothing_comes(
    calendar: Path, file: Path
) -> None:
    with begun(file) as sink:
        calendar.write_text(HOLIDAY + "2026-05-18,rest,示例补充通知\n", encoding="utf-8")
        sink.take([])
        assert until(file) == date(2026, 5, 19)
        before = written(file)
        sink.take([])
        assert written(file) == before


def test_a_workbook_that_people_saved_as_it_was_is_not_written_again(
    calendar: Path, file: Path
) -> None:
    with begun(file) as sink:
        load_workbook(file).save(file)
        saved = written(file)
        sink.take([])
    assert written(file) == saved


def test_without_a_calendar_a_week_is_worked_from_monday_to_friday(
    calendar: Path, file: Path
) -> None:
    with begun(file):
        pass
    usual = COUNTED.model_copy(update={"calendar": None})
    with usual.opened(file.parent, OPINIONS) as sink:
        sink.take([])
    assert until(file) == date(2026, 5, 15)
    assert CALENDAR not in sheets(file)


def test_a_ledger_that_counts_no_working_days_lists_none(calendar: Path, tmp_path: Path) -> None:
    settings = COUNTED.model_copy(update={"ledger": Path("batches.toml")})
    with settings.opened(tmp_path, HERE) as sink:
        sink.take([an_opinion(1, "union", "无记录")])
    assert CALENDAR not in sheets(tmp_path / settings.path)


def test_a_workbook_with_a_calendar_is_read_as_one_without(calendar: Path, file: Path) -> None:
    with COUNTED.opened(file.parent, OPINIONS) as sink:
        sink.take([])
        fill_in(file, {**FIRST, "收件机构": "petition@510100"})
        sink.take([])
    (made,) = given("organization.opinions", file)
    assert made.faults == ()
    assert [type_ for type_, _ in data(made)] == ["cadre.opinion_requested"]


def test_a_calendar_that_is_spoilt_while_running_is_told_and_what_came_is_kept(
    calendar: Path, file: Path
) -> None:
    came = opinion(1, "petition", "no_record", at="2026-05-12T01:00:00Z")
    with COUNTED.opened(file.parent, OPINIONS) as sink:
        sink.take([])
        fill_in(file, FIRST)
        calendar.write_text("day,kind,source\n", encoding="utf-8")
        with pytest.raises(CannotRun, match="没有一天"):
            sink.take([came])
        calendar.write_text(HOLIDAY, encoding="utf-8")
        sink.take([])
    sheet = load_workbook(file).worksheets[0]
    assert sheet.cell(3, columns_of(sheet)["信访局"]).value == "无记录"
    assert until(file) == date(2026, 5, 18)


def faulty() -> Iterator[tuple[bytes, str]]:
    header = "day,kind,source\n"
    yield b"", "第 1 行应为 day,kind,source / calendar of working days: line 1 must be"
    yield "日期,类型,依据\n".encode(), "第 1 行应为 day,kind,source"
    yield header.encode(), "没有一天"
    yield (header + "2026-05-07,rest,国务院\n").encode("gb18030"), "不是 UTF-8 的 CSV"
    yield f'{header}2026-05-07,rest,"示\n'.encode(), "不是 UTF-8 的 CSV"
    yield f"{header}2026-05-07,rest\n".encode(), "第 2 行应有 3 格，现有 2 格"
    yield f"{header}2026-05-07,rest,甲\n\n五月八日,rest,甲\n".encode(), "第 4 行 day 不是日期"
    yield f"{header}1926-05-07,rest,甲\n".encode(), "第 2 行 day 不是日期"
    yield f"{header}2026-05-07,休,甲\n".encode(), "第 2 行 kind 请填 rest（休息）或 work"
    yield f"{header}2026-05-07,work,甲\n".encode(), "第 2 行 2026-05-07 是周一至周五"
    yield f"{header}2026-05-07,rest,\n".encode(), "第 2 行 source 没有填写"
    yield f"{header}2026-05-07,rest,甲\n2026/5/7,rest,乙\n".encode(), "第 3 行 2026-05-07 前面已有"
    yield (
        f"{header}2026-05-07,rest,甲\n2062-05-05,rest,甲\n".encode(),
        "从 2026 年到 2062 年，超过 30 年",
    )
    yield b"day,kind,source\n" + b"2026-05-07,rest,x\n" * 20_000, "超过 256 KiB"


@pytest.mark.parametrize(("content", "told"), [*faulty()])
def test_a_calendar_that_is_wrong_is_told_where_before_anything_is_written(
    file: Path, content: bytes, told: str
) -> None:
    (file.parent / "工作日历.csv").write_bytes(content)
    with pytest.raises(CannotRun) as raised, COUNTED.opened(file.parent, OPINIONS):
        pass
    assert str(raised.value).startswith(f"工作日历 工作日历.csv {told}")
    assert not file.exists()


def test_a_calendar_that_is_not_there_is_told(file: Path) -> None:
    with (
        pytest.raises(CannotRun, match="无法读取（FileNotFoundError）"),
        COUNTED.opened(file.parent, OPINIONS),
    ):
        pass


@pytest.mark.parametrize("formula", ["WORKDAY({甲},7{:off})", "WORKDAY{:intl}({甲},7)", "{:of}"])
def test_a_formula_that_says_half_of_a_calendar_is_refused(formula: str) -> None:
    with pytest.raises(ValueError, match="WORKDAY"):
        LedgerColumn(title="截止", formula=formula)
