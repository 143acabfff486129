"""The working days of an installation: public holidays, and the weekends worked for them (调休).

The file is CSV, `day,kind,source`: a day, `rest` or `work`, and which document says so.
"""

import csv
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from openpyxl import Workbook as Book

from adapters.kit.convert import plain
from adapters.kit.days import day_of
from adapters.kit.port import CannotRun

CALENDAR: Final = "贯通日历"
_HEADER: Final = ["day", "kind", "source"]
_KINDS: Final = ("rest", "work")
_MOST_BYTES: Final = 256 * 1024
# Around the years of the file a week is worked from Monday to Friday.
_YEARS_AROUND: Final = 5
_MOST_YEARS: Final = 30
_SATURDAY: Final = 5
_DAY: Final = timedelta(days=1)


def days_off(file: Path) -> tuple[date, ...]:
    """Every day on which nobody works, in order: those of rest that the file lists, and Saturdays
    and Sundays that it does not list as worked, in its years and the five before and after.

    Raises CannotRun that tells where the file is wrong.
    """
    kinds = _kinds(file)
    first, last = min(kinds).year, max(kinds).year
    if last - first >= _MOST_YEARS:
        raise _wrong(
            file,
            f"从 {first} 年到 {last} 年，超过 {_MOST_YEARS} 年：请核对年份",
            "more than 30 years, check them",
        )
    day, end = date(first - _YEARS_AROUND, 1, 1), date(last + _YEARS_AROUND, 12, 31)
    every = (day + _DAY * number for number in range((end - day).days + 1))
    return tuple(day for day in every if kinds.get(day, _usual(day)) == "rest")


def list_days_off(book: Book, days: tuple[date, ...]) -> str:
    """Keep the days on a hidden sheet, anew each time, and answer where they stand."""
    forget_days_off(book)
    hidden = book.create_sheet(CALENDAR)
    hidden.sheet_state = "hidden"
    hidden.append(["休息日"])
    for day in days:
        hidden.append([day])
    return f"'{CALENDAR}'!$A$2:$A${len(days) + 1}"


def forget_days_off(book: Book) -> None:
    """Take the sheet of the days away, where there is one."""
    if CALENDAR in book.sheetnames:
        book.remove(book[CALENDAR])


def _usual(day: date) -> str:
    return "rest" if day.weekday() >= _SATURDAY else "work"


def _kinds(file: Path) -> Mapping[date, str]:
    """What each listed day is."""
    kinds: dict[date, str] = {}
    for number, (written, kind, source) in _rows(file):
        day = day_of(plain(written))
        told = f"第 {number} 行"
        if day is None or not 2000 <= day.year < 2100:
            raise _wrong(
                file, f"{told} day 不是日期，请写成 2026-10-01", f"line {number}: not a day"
            )
        if kind not in _KINDS:
            raise _wrong(
                file,
                f"{told} kind 请填 rest（休息）或 work（上班）",
                f"line {number}: kind is rest or work",
            )
        if kind == "work" and _usual(day) == "work":
            raise _wrong(
                file,
                f"{told} {day} 是周一至周五，本来就上班：work 只写调休上班的周六、周日",
                f"line {number}: only Saturdays and Sundays are listed as worked",
            )
        if not source:
            raise _wrong(
                file, f"{told} source 没有填写，请写明依据的文件", f"line {number}: no source"
            )
        if day in kinds:
            raise _wrong(
                file, f"{told} {day} 前面已有，一天只写一行", f"line {number}: a day stands twice"
            )
        kinds[day] = kind
    if not kinds:
        raise _wrong(file, "没有一天：不用工作日历的，请去掉 calendar", "it lists no day")
    return kinds


def _rows(file: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows below the header that are not blank, each with the number of its line."""
    try:
        with file.open("rb") as opened:
            content = opened.read(_MOST_BYTES + 1)
    except OSError as error:
        raise _wrong(
            file, f"无法读取（{type(error).__name__}）：请检查文件", "cannot be read"
        ) from error
    if len(content) > _MOST_BYTES:
        raise _wrong(file, "超过 256 KiB：请检查文件", "more than 256 KiB")
    try:
        lines = content.decode("utf-8-sig").splitlines()
        rows = [[cell.strip() for cell in row] for row in csv.reader(lines, strict=True)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise _wrong(file, "不是 UTF-8 的 CSV：请另存为“CSV UTF-8”", "no CSV in UTF-8") from error
    if not rows or rows[0] != _HEADER:
        header = ",".join(_HEADER)
        raise _wrong(file, f"第 1 行应为 {header}", f"line 1 must be {header}")
    for number, row in enumerate(rows[1:], 2):
        if not any(row):
            continue
        if len(row) != len(_HEADER):
            raise _wrong(
                file,
                f"第 {number} 行应有 3 格，现有 {len(row)} 格",
                f"line {number}: three cells are needed",
            )
        yield number, row


def _wrong(file: Path, told: str, told_en: str) -> CannotRun:
    return CannotRun(f"工作日历 {file.name} {told} / calendar of working days: {told_en}")
