"""Totals of a table whose rows are not kept: counted, added up and balanced row by row."""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Final

from adapters.kit.amounts import decimal_of
from adapters.kit.convert import bare, plain
from adapters.kit.days import day_of
from adapters.kit.port import FaultKind, RowFault, Totals, Unbalanced
from adapters.kit.wanted import WantedTotals

# What is entered together stands together; where it does not, so many numbers are open at a time.
MOST_OPEN: Final = 100_000
_LONGEST_NUMBER: Final = 200
_MOST_FAULTS: Final = 100
_PLACES: Final = 4
_AS_WRITTEN: Final = re.compile(r"(-?)([0-9]{1,15})(?:\.([0-9]{1,4}))?")


class Tally:
    """The totals so far. Memory does not grow with the rows of a table in which the rows of one
    number stand together."""

    def __init__(self, wanted: WantedTotals) -> None:
        self.columns: dict[str, None] = {}
        self._wanted = wanted
        self._rows = 0
        self._sums = dict.fromkeys(wanted.sums, 0)
        self._first: date | None = None
        self._last: date | None = None
        self._open: dict[str, tuple[int, int]] = {}
        self._balances = wanted.sides is not None
        self._faults: list[RowFault] = []
        self._untold = 0

    def add(self, cells: Mapping[str, str]) -> None:
        """One row more, as its cells say."""
        self._rows += 1
        amounts = {
            name: self._amount(columns, cells) for name, columns in self._wanted.sums.items()
        }
        for name, amount in amounts.items():
            self._sums[name] += amount
        self._date(cells)
        if self._balances and self._wanted.sides:
            one, other = self._wanted.sides
            self._balance(amounts[one] - amounts[other], cells)

    def totals(self) -> Totals:
        """All of it."""
        title, scale = self._wanted.title, -_PLACES
        return Totals(
            rows=self._rows,
            columns=tuple(self.columns),
            sums={name: Decimal(total).scaleb(scale) for name, total in self._sums.items()},
            first=self._first,
            last=self._last,
            unbalanced={
                number: Unbalanced(row, title, Decimal(excess).scaleb(scale))
                for number, (row, excess) in self._open.items()
            },
            faults=(*self._faults, *self._more()),
        )

    def _amount(self, columns: tuple[str, ...], cells: Mapping[str, str]) -> int:
        """In ten-thousandths; a blank cell is nothing."""
        column = next((each for each in columns if cells.get(each)), None)
        if column is None:
            return 0
        written = _AS_WRITTEN.fullmatch(cells[column])
        if written is not None:
            sign, whole, fraction = written.groups("")
            amount = int(whole) * 10**_PLACES + int(f"{fraction:0<{_PLACES}}")
            return -amount if sign else amount
        return self._amount_by_hand(column, cells[column])

    def _amount_by_hand(self, column: str, cell: str) -> int:
        text = plain(bare(cell))
        number = decimal_of(text) if text else Decimal(0)
        scaled = number.scaleb(_PLACES) if number is not None else None
        if scaled is None or scaled != int(scaled):
            reason = "不是数" if scaled is None else f"小数超过 {_PLACES} 位"
            self._wrong(column, FaultKind.NUMBER, f"{column}{reason}", "请核对导出程序，重新导出")
            return 0
        return int(scaled)

    def _date(self, cells: Mapping[str, str]) -> None:
        column = next((each for each in self._wanted.day if cells.get(each)), None)
        if column is None:
            return
        day = _day(cells[column])
        if day is None:
            self._wrong(column, FaultKind.DATE, f"{column}不是日期", "请核对导出程序，重新导出")
            return
        self._first = min(self._first or day, day)
        self._last = max(self._last or day, day)

    def _balance(self, excess: int, cells: Mapping[str, str]) -> None:
        parts = [bare(cells.get(column, "")) for column in self._wanted.numbered_by]
        number = "\x1f".join(parts)
        if not any(parts) or len(number) > _LONGEST_NUMBER:
            column = self._wanted.numbered_by[-1]
            reason = "没有编号，或编号过长，不能核对两方是否相等"
            self._wrong(column, FaultKind.IDENTIFIER, reason, "请核对导出程序，重新导出")
            return
        row, before = self._open.pop(number, (self._rows, 0))
        if before + excess:
            self._open[number] = row, before + excess
        if len(self._open) > MOST_OPEN:
            reason = f"同一编号的各行没有排在一起，超过 {MOST_OPEN} 个编号同时未平，不能逐一核对"
            self._wrong("", FaultKind.BALANCE, reason, "请按编号排序后重新导出")
            self._balances = False
            self._open.clear()

    def _wrong(self, column: str, kind: FaultKind, reason: str, advice: str) -> None:
        if len(self._faults) < _MOST_FAULTS:
            title = self._wanted.title
            self._faults.append(RowFault(self._rows, column, kind, reason, advice, title))
        else:
            self._untold += 1

    def _more(self) -> tuple[RowFault, ...]:
        if not self._untold:
            return ()
        reason = f"同表另有 {self._untold} 处不能计数，没有一一列出"
        advice = "请先改正已列出的各处"
        return (RowFault(0, "", FaultKind.SYNTAX, reason, advice, self._wanted.title),)


@lru_cache(maxsize=1_024)
def _day(cell: str) -> date | None:
    return day_of(plain(bare(cell)))
