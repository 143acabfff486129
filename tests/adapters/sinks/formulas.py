"""What a spreadsheet shows for a formula of a ledger: the few functions that ledgers use."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from openpyxl.worksheet.worksheet import Worksheet

_TOKEN = re.compile(
    r"""("[^"]*"|'[^']*'!\$[A-Z]+\$[0-9]+:\$[A-Z]+\$[0-9]+|\$[A-Z]+:\$[A-Z]+|[A-Z]+[0-9]+"""
    r"""|[A-Z]+(?:\.INTL)?(?=\()|[0-9]+|<>|<=|>=|[-+&=<>(),])"""
)


def shown(sheet: Worksheet, cell: str, today: date) -> Any:
    """What a cell shows on a day; a day as a `date`."""
    return _Formula(sheet, today).cell(cell)


class _Formula:
    def __init__(self, sheet: Worksheet, today: date) -> None:
        self._sheet = sheet
        self._today = today
        self._tokens: list[str] = []

    def cell(self, name: str) -> Any:
        value = self._sheet[name].value
        if isinstance(value, str) and value.startswith("="):
            inner = _Formula(self._sheet, self._today)
            inner._tokens = _TOKEN.findall(value[1:])
            assert "".join(inner._tokens) == value[1:]
            value = inner._compared()
            assert inner._tokens == []
        return value.date() if isinstance(value, datetime) else value

    def _compared(self) -> Any:
        left = self._joined()
        while self._next("=", "<>", "<", ">", "<=", ">="):
            sign, right = self._take(), self._joined()
            left = _COMPARE[sign](_rank(left, right), _rank(right, left))
        return left

    def _joined(self) -> Any:
        left = self._added()
        while self._next("&"):
            self._take()
            left = _text(left) + _text(self._added())
        return left

    def _added(self) -> Any:
        left = self._single()
        while self._next("+", "-"):
            sign = 1 if self._take() == "+" else -1
            left = (left or 0) + sign * (self._single() or 0)
        return left

    def _single(self) -> Any:
        token = self._take()
        if token == "(":
            value = self._compared()
            assert self._take() == ")"
            return value
        if token.startswith('"'):
            return token[1:-1]
        if token.isdigit():
            return int(token)
        if self._next("("):
            return self._called(token)
        if token.startswith("'"):
            return self._elsewhere(token)
        return self._column(token) if ":" in token else self.cell(token)

    def _called(self, name: str) -> Any:
        self._take()
        given = []
        while not self._next(")"):
            given.append(self._compared())
            if self._next(","):
                self._take()
        self._take()
        return self._function(name, given)

    def _function(self, name: str, given: list[Any]) -> Any:
        match name, given:
            case "IF", [asked, yes, no]:
                return yes if asked else no
            case "AND", _:
                return all(given)
            case "TODAY", []:
                return self._today
            case "ISNUMBER", [value]:
                return isinstance(value, date | int) and not isinstance(value, bool)
            case "LEN", [value]:
                return len(_text(value))
            case "CHAR", [code]:
                return chr(code)
            case "SUBSTITUTE", [value, old, new]:
                return _text(value).replace(old, new)
            case "MATCH", [value, column, 0]:
                return column.index(value) + 1
            case "INDEX", [column, place]:
                return column[place - 1]
            case "WORKDAY", [day, days]:
                return _after(day, days, lambda it: it.weekday() >= 5)
            case "WORKDAY.INTL", [day, days, "0000000", off]:
                return _after(day, days, lambda it: it in off)
        raise AssertionError(f"{name} of {len(given)}")

    def _column(self, token: str) -> list[Any]:
        letter = token.partition(":")[0].strip("$")
        return [self.cell(f"{letter}{row}") for row in range(1, self._sheet.max_row + 1)]

    def _elsewhere(self, token: str) -> list[Any]:
        """The days of a column of another sheet."""
        title, _, cells = token.partition("!")
        book = self._sheet.parent
        assert book is not None
        rows = book[title.strip("'")][cells.replace("$", "")]
        return [cell.value.date() for (cell,) in rows]

    def _next(self, *tokens: str) -> bool:
        return bool(self._tokens) and self._tokens[0] in tokens

    def _take(self) -> str:
        return self._tokens.pop(0)


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: bool(a == b),
    "<>": lambda a, b: bool(a != b),
    "<": lambda a, b: bool(a < b),
    ">": lambda a, b: bool(a > b),
    "<=": lambda a, b: bool(a <= b),
    ">=": lambda a, b: bool(a >= b),
}


def _rank(value: Any, other: Any) -> tuple[int, Any]:
    """Numbers (and days, which are numbers) stand before texts; a blank is what the other is."""
    if value is None:
        value = "" if isinstance(other, str | None) else 0
    if isinstance(value, str):
        return (1, value)
    return (0, (value - date(1899, 12, 30)).days if isinstance(value, date) else int(value))


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _after(day: Any, days: int, off: Callable[[date], bool]) -> Any:
    """So many working days after a day."""
    if not isinstance(day, date):
        return "#VALUE!"
    while days:
        day += timedelta(days=1)
        days -= not off(day)
    return day
