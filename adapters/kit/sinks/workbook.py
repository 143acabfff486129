"""The workbook of a ledger, brought up to its rows without touching what is people's.

Theirs are the cells of editable columns, columns and sheets of their own, the order of rows and
columns, formats. Rows are found again by their key, columns by their title.
"""

import hashlib
import json
import os
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unicodedata import normalize

from openpyxl import Workbook as Book
from openpyxl import load_workbook
from openpyxl.cell import MergedCell
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from adapters.kit.port import Away, CannotRun
from adapters.kit.present import Plain, in_beijing
from adapters.kit.sinks.cells import escaped, held, key_text, merged_on, put, typed, values_on
from adapters.kit.sinks.ledgerform import Ledger
from adapters.kit.sinks.ledgerrows import Key, LedgerRows, Row
from adapters.kit.sinks.sheetlook import (
    CHOICES,
    Offer,
    add_styles,
    begin_sheet,
    dress_header,
    offer_choices,
    style_of,
)
from adapters.kit.sinks.workdays import CALENDAR, days_off, forget_days_off, list_days_off
from adapters.kit.sources.files import new_file
from adapters.kit.wanted import canonical

CORRECTIONS: Final = "贯通变更记录"
_CORRECTED: Final = ("序号", "变更时间", "列", "原值", "新值", "依据回执号")
_HEADER_WITHIN: Final = 20
_MOST_ROWS: Final = 200_000
_MOST_BYTES: Final = 512 * 1024 * 1024
# What reading a damaged workbook comes to: no library says so itself.
_UNREADABLE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    SyntaxError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    EOFError,
    RuntimeError,
)
# Parts of a workbook that rewriting would lose.
_LOST: Final = ("xl/media/", "xl/drawings/drawing", "xl/charts/", "xl/ctrlProps/", "xl/vbaProject")


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the ledger stands on its sheet: the row of the header, and the columns by title."""

    header: int
    columns: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Stamp:
    """What changes when somebody saves a file."""

    inode: int
    size: int
    changed: int
    mode: int


class Workbook:
    """The workbook at `file`; `choices` by title of the column. `calendar`: the file by which
    formulas count working days, None for Monday to Friday."""

    def __init__(
        self,
        file: Path,
        ledger: Ledger,
        choices: Mapping[str, tuple[str, ...]],
        calendar: Path | None,
    ) -> None:
        self._file = file
        self._ledger = ledger
        self._choices = choices
        described = f"{ledger.model_dump_json()}{json.dumps(choices)}"
        self._form = hashlib.sha256(described.encode()).hexdigest()
        counted = any(column.counts_days for column in ledger.formulas)
        self._calendar = calendar if counted else None

    def differs(self, written: str) -> bool:
        """Whether the workbook, its description or the calendar is not the one that was `written`,
        and people have closed it."""
        now = f"{self._described()}{_stamp(self._file)}"
        return now != written and not any(self._marks())

    def write(self, rows: LedgerRows, written: str | None) -> str:
        """Bring the workbook up to the rows, and answer what tells it from others. It is replaced
        as a whole; one that says the same already stays, unless none of this description was
        `written`.

        Raises Away while people have it open, CannotRun for a workbook that cannot be rewritten
        without losing something, and OSError.
        """
        self._expect_closed()
        try:
            seen, described = _stamp(self._file), self._described()
            book = self._loaded() if seen else _without_sheets()
            before = _said_in(book)
            self._bring_up(book, rows)
            known = written is not None and written.startswith(described)
            # Rewritten, formulas of people's own would say nothing until somebody computes them.
            if not (seen and known and _said_in(book) == before):
                seen = self._replace(book, seen)
            return f"{described}{seen}"
        except PermissionError as error:
            raise Away(f"台账 {self._file.name} 正被占用，关闭后自动更新") from error

    def _described(self) -> str:
        """What the workbook is made by besides its rows."""
        calendar = _stamp(self._calendar) if self._calendar else None
        return f"{self._form} {calendar} "

    def _replace(self, book: Book, seen: _Stamp | None) -> _Stamp:
        """Put the workbook in place of the one that was seen. Raises Away for any other."""
        with new_file(self._file) as file:
            book.save(file)
            if seen is not None:
                os.fchmod(file.fileno(), seen.mode)
            file.flush()
            # Nothing that takes long stands between the look and the new name.
            os.fsync(file.fileno())
            self._expect(seen)
            return _stamp_of(os.fstat(file.fileno()))

    def _bring_up(self, book: Book, rows: LedgerRows) -> None:
        add_styles(book)
        sheet = self._sheet(book)
        layout = self._layout(sheet)
        places, last = self._places(sheet, layout)
        begun = _begun(places, rows)
        for row in rows:
            key = self._shown_key(row)
            if key not in places and key in begun:
                places[key] = places.pop(begun[key])
            place = places.get(key)
            if place is None:
                last += 1
                self._dress(sheet, layout, last)
                places[key] = place = last
            self._enter(sheet, layout, place, row)
        self._reckon(sheet, layout, places, self._days_off(book))
        self._correct(book, rows)
        offer_choices(book, [(sheet, layout.header, self._offers(layout))])

    def _marks(self) -> Iterator[str]:
        """The marks of programs that have it open."""
        for mark in (f"~${self._file.name}", f".~lock.{self._file.name}#", f".~{self._file.name}"):
            if self._file.with_name(mark).exists():
                yield mark

    def _expect_closed(self) -> None:
        if mark := next(self._marks(), ""):
            raise Away(f"台账 {self._file.name} 正被打开，关闭后自动更新（标记文件 {mark}）")

    def _expect(self, seen: _Stamp | None) -> None:
        self._expect_closed()
        if _stamp(self._file) != seen:
            raise Away(f"台账 {self._file.name} 刚刚被保存，稍后重新合并")

    def _loaded(self) -> Book:
        name = self._file.name
        try:
            with zipfile.ZipFile(self._file) as parts:
                members = parts.infolist()
            if any(member.filename.startswith(_LOST) for member in members):
                raise CannotRun(
                    f"台账 {name} 中有图片、图表或控件，改写会丢失：请移到另一工作簿后保存"
                )
            if sum(member.file_size for member in members) > _MOST_BYTES:
                raise CannotRun(f"台账 {name} 展开后超过 512 MiB：请改名移开，系统会重新生成")
            return load_workbook(self._file)
        except _UNREADABLE as error:
            raise CannotRun(
                f"台账 {name} 不是可读的 xlsx 工作簿（已损坏或加了密码）："
                "请恢复，或改名移开后由系统重新生成"
            ) from error

    def _sheet(self, book: Book) -> Worksheet:
        """The sheet with the ledger's header; a new one in a workbook that has none."""
        wanted = self._ledger.sheet
        for sheet in sorted(book.worksheets, key=lambda it: it.title != wanted):
            if self._header_of(sheet):
                return sheet
        if wanted in book.sheetnames:
            raise CannotRun(
                f"台账 {self._file.name} 的工作表“{wanted}”前 {_HEADER_WITHIN} 行中没有"
                f"“{joined(self._ledger.key)}”列：请恢复表头，或将工作表改名"
            )
        return begin_sheet(book, self._ledger)

    def _header_of(self, sheet: Worksheet) -> int:
        """The row of the header, 0 if there is none."""
        keys = set(map(canonical, self._ledger.key))
        last = min(sheet.max_row, _HEADER_WITHIN)
        for number, cells in enumerate(sheet.iter_rows(max_row=last, values_only=True), 1):
            if keys <= {canonical(cell) for cell in cells if isinstance(cell, str)}:
                return number
        return 0

    def _layout(self, sheet: Worksheet) -> _Layout:
        """Where the columns stand; those that are missing are added at the right."""
        header = self._header_of(sheet)
        found: dict[str, int] = {}
        for cell in sheet[header]:
            if isinstance(cell.value, str):
                found.setdefault(canonical(cell.value), cell.column)
        columns = {}
        end = max(found.values())
        for column in self._ledger.columns:
            place = found.get(canonical(column.title))
            if place is None:
                place = end = end + 1
                dress_header(sheet, header, place, column.title, required=column.required)
            columns[column.title] = place
        return _Layout(header, columns)

    def _places(self, sheet: Worksheet, layout: _Layout) -> tuple[dict[Key, int], int]:
        """The rows by key, the first where a key stands twice, and the last row in use. Blanks
        around a key tell rows apart, and count for nothing where none is told so."""
        if sheet.max_row > _MOST_ROWS:
            raise CannotRun(
                f"台账 {self._file.name} 超过 {_MOST_ROWS} 行：请删除末尾的空行及其格式"
            )
        just_so: dict[Key, int] = {}
        alike: dict[Key, int] = {}
        keys = [layout.columns[title] for title in self._ledger.key]
        merged = merged_on(sheet, keys)
        used = sorted({row for row, _ in values_on(sheet) if row > layout.header})
        for row in used:
            cells = [merged.get((row, column), sheet.cell(row, column)) for column in keys]
            key = tuple(key_text(cell.value) for cell in cells)
            just_so.setdefault(key, row)
            alike.setdefault(tuple(part.strip() for part in key), row)
        return {**alike, **just_so}, used[-1] if used else layout.header

    def _shown_key(self, row: Row) -> Key:
        """A row's key as its cells show it, which may be in words of its own or a day."""
        columns = {column.title: column for column in self._ledger.columns}
        shown = tuple(
            key_text(held(typed(row.cells.get(title), columns[title].reads)))
            for title in self._ledger.key
        )
        return shown if any(shown) else tuple(map(escaped, row.key))

    def _dress(self, sheet: Worksheet, layout: _Layout, row: int) -> None:
        for column in self._ledger.columns:
            sheet.cell(row, layout.columns[column.title]).style = style_of(column)

    def _enter(self, sheet: Worksheet, layout: _Layout, place: int, row: Row) -> None:
        for column in self._ledger.columns:
            if column.editable or column.formula is not None:
                continue
            cell = sheet.cell(place, layout.columns[column.title])
            value = row.number if column.shows == "number" else row.cells.get(column.title)
            put(cell, typed(value, column.reads))

    def _days_off(self, book: Book) -> str:
        """Where the workbook lists the days of the calendar, blank without one."""
        if self._calendar is None:
            forget_days_off(book)
            return ""
        return list_days_off(book, days_off(self._calendar))

    def _reckon(
        self, sheet: Worksheet, layout: _Layout, places: Mapping[Key, int], days: str
    ) -> None:
        """Put the formulas into every row that has a key, whoever began it."""
        letters = {title: get_column_letter(place) for title, place in layout.columns.items()}
        for key, row in places.items() if self._ledger.formulas else ():
            for column in self._ledger.formulas if all(key) else ():
                cell = sheet.cell(row, layout.columns[column.title])
                if not isinstance(cell, MergedCell):
                    cell.value = column.formula_in(row, letters, days)
                    cell.style = style_of(column)

    def _correct(self, book: Book, rows: LedgerRows) -> None:
        """Add the corrections that the workbook does not list yet."""
        listed = book[CORRECTIONS] if CORRECTIONS in book.sheetnames else None
        numbers = (
            [value for (value,) in listed.iter_rows(max_col=1, values_only=True)] if listed else []
        )
        last = max((int(n) for n in numbers if isinstance(n, int | float)), default=0)
        place = listed.max_row if listed else 1
        for correction in rows.corrections(after=last):
            if listed is None:
                listed = book.create_sheet(CORRECTIONS)
                named = joined(self._ledger.key)
                for n, title in enumerate((*_CORRECTED[:2], named, *_CORRECTED[2:]), 1):
                    put(listed.cell(1, n), title)
            place += 1
            shown: tuple[Plain, ...] = (
                correction.number,
                _clock(correction.time),
                correction.key,
                correction.column,
                correction.before,
                correction.after,
                correction.receipt,
            )
            for n, value in enumerate(shown, 1):
                put(listed.cell(place, n), typed(value, "text"))

    def _offers(self, layout: _Layout) -> list[Offer]:
        return [
            Offer(
                title=column.title,
                place=layout.columns[column.title],
                choices=self._choices[column.title],
                others="stop" if column.only_these else "warning",
            )
            for column in self._ledger.columns
            if column.editable and self._choices[column.title]
        ]


def _clock(time: str) -> str:
    moment = in_beijing(time)
    return moment.isoformat(" ") if moment else time


def _without_sheets() -> Book:
    book = Book()
    book.remove(book.worksheets[0])
    return book


def _said_in(book: Book) -> Mapping[str, Mapping[tuple[int, int], tuple[Any, str]]]:
    """Every cell but those that are written anew each time, and whether it is a formula."""
    return {
        sheet.title: values_on(sheet)
        for sheet in book.worksheets
        if sheet.title not in (CHOICES, CALENDAR)
    }


def _stamp(file: Path) -> _Stamp | None:
    try:
        return _stamp_of(os.stat(file))
    except FileNotFoundError:
        return None


def _stamp_of(found: os.stat_result) -> _Stamp:
    return _Stamp(found.st_ino, found.st_size, found.st_mtime_ns, stat.S_IMODE(found.st_mode))


def joined(key: Iterable[str]) -> str:
    """A key of several parts in one text, for people."""
    return "/".join(key)


def _begun(places: dict[Key, int], rows: LedgerRows) -> dict[Key, Key]:
    """The keys that people wrote otherwise (full width) in rows they began, by what they mean; a
    row that events fill is never another's."""
    meant = {
        tuple(normalize("NFKC", part).strip() for part in key): key for key in reversed(places)
    }
    return {
        known: key for known, key in meant.items() if known not in places and not rows.cells(key)
    }
