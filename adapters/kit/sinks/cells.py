"""What a cell holds, and where the cells of a sheet are."""

import re
from collections.abc import Collection
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from openpyxl.cell import Cell, MergedCell
from openpyxl.worksheet.worksheet import Worksheet

from adapters.kit.present import Plain, Shape, said

_ESCAPE: Final = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
# What a cell holds at most, in UTF-16.
_LONGEST: Final = 32_767
_CUT: Final = "…（内容过长，未全部列出）"


def values_on(sheet: Worksheet) -> dict[tuple[int, int], tuple[Any, str]]:
    """The cells with something in them, by row and column: those that are there. Whoever walks
    over a sheet makes cells of all that is empty, up to the one that somebody left far below."""
    return {
        place: (cell.value, cell.data_type)
        for place, cell in sheet._cells.items()
        if cell.value is not None
    }


def merged_on(
    sheet: Worksheet, columns: Collection[int]
) -> dict[tuple[int, int], Cell | MergedCell]:
    """Where people have merged what several rows have in common: the cell that says it, for each
    cell of these columns that shows it."""
    return {
        (row, column): sheet.cell(area.min_row, area.min_col)
        for area in sheet.merged_cells.ranges
        for column in columns
        if area.min_col <= column <= area.max_col
        for row in range(area.min_row, min(area.max_row, sheet.max_row) + 1)
    }


def typed(value: Plain | None, shape: Shape) -> str | int | Decimal | datetime | None:
    """A value as a cell holds it; as a text where it has not the shape of its column."""
    if isinstance(value, bool):
        return said(value)
    if isinstance(value, str):
        try:
            if shape == "date":
                return datetime.combine(date.fromisoformat(value), datetime.min.time())
            if shape == "time":
                return datetime.fromisoformat(value)
            if shape == "money":
                return Decimal(value)
        except (ValueError, ArithmeticError):
            return escaped(value)
        return escaped(value) or None
    return value


def put(cell: Cell | MergedCell, value: str | int | Decimal | datetime | None) -> None:
    """Write a cell unless it says so already; a text is never a formula."""
    if isinstance(cell, MergedCell) or (cell.value == held(value) and cell.data_type != "f"):
        return
    cell.value = value
    if isinstance(value, str):
        cell.data_type = "s"


def held(value: str | int | Decimal | datetime | None) -> str | float | datetime | None:
    """A value as a cell gives it back."""
    return float(value) if isinstance(value, Decimal) else value


def escaped(text: str) -> str:
    """A text that a cell shows as it is, cut to what it holds."""
    marked = _ESCAPE.sub("_x005F_", text)
    if len(marked) * 2 > _LONGEST and len(marked.encode("utf-16-le")) // 2 > _LONGEST:
        room = (_LONGEST - len(_CUT)) * 2
        return marked.encode("utf-16-le")[:room].decode("utf-16-le", "ignore") + _CUT
    return marked


def key_text(value: object) -> str:
    """A key as people's program left it: a number where it was all digits."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)
