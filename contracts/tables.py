"""Tables of codes as people send them: CSV in UTF-8 or GB18030, read strictly."""

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

MOST_BYTES: Final = 1024 * 1024
MOST_ROWS: Final = 50_000
MOST_CHARACTERS: Final = 200
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]")


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong with a table: the row as a spreadsheet counts it (the header is 1; 0: the file
    as a whole), the column (`""`: the whole row), and what to do.
    """

    row: int
    column: str
    message: str
    message_en: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number, and its cells by column, trimmed."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Refused:
    """A table of which nothing is taken, and everything that is wrong with it."""

    faults: tuple[RowFault, ...]


def read_table(content: bytes, columns: tuple[str, ...]) -> tuple[Row, ...] | Refused:
    """The rows of a table with exactly these columns, blank ones left out; never none.

    At most 1 MiB and 50,000 rows.
    """
    if len(content) > MOST_BYTES:
        return _refused("文件超过 1 MiB，请拆分", "larger than 1 MiB: split the file")
    text = _decoded(content)
    if text is None:
        return _refused("编码无法识别：请另存为 UTF-8 或 GB18030", "neither UTF-8 nor GB18030")
    records = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[Row] = []
    faults: list[RowFault] = []
    number = 0
    try:
        if [cell.strip() for cell in next(records, [])] != list(columns):
            header = ",".join(columns)
            return _refused(f"表头应为：{header}", f"the header must be: {header}", row=1)
        number = 1
        for number, record in enumerate(records, start=2):
            if number > MOST_ROWS + 1:
                message_en = f"more than {MOST_ROWS:,} rows: split the file"
                return _refused(f"超过 {MOST_ROWS:,} 行，请拆分", message_en)
            if any(cell.strip() for cell in record):
                rows.append(Row(number, dict(zip(columns, map(str.strip, record), strict=False))))
                faults.extend(_cell_faults(rows[-1], len(record), columns))
    except csv.Error:
        message_en = "quotes do not match, or this is no CSV file"
        faults.append(RowFault(number + 1, "", "引号不成对，或不是逗号分隔的表格", message_en))
    if faults:
        return Refused(tuple(faults))
    return tuple(rows) or _refused("没有数据行", "there is no row")


def _refused(message: str, message_en: str, *, row: int = 0) -> Refused:
    return Refused((RowFault(row, "", message, message_en),))


def _decoded(content: bytes) -> str | None:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _cell_faults(row: Row, cells: int, columns: tuple[str, ...]) -> list[RowFault]:
    if cells != len(columns):
        message = f"应有 {len(columns)} 列，实有 {cells} 列"
        return [RowFault(row.number, "", message, f"{cells} cells, not {len(columns)}")]
    faults = []
    for column, cell in row.cells.items():
        if len(cell) > MOST_CHARACTERS:
            message = f"内容过长（最多 {MOST_CHARACTERS} 字）"
            message_en = f"longer than {MOST_CHARACTERS} characters"
            faults.append(RowFault(row.number, column, message, message_en))
        elif _CONTROL.search(cell):
            message = "含有控制字符或换行，请删除"
            faults.append(RowFault(row.number, column, message, "holds control characters"))
    return faults
