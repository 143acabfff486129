"""The list of what to put right, as a CSV that a spreadsheet opens with a double click."""

import csv
from codecs import getwriter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from adapters.kit.port import RowFault
from adapters.kit.sources.files import new_file

_HEADER: Final = ("文件", "工作表", "行", "列", "问题类型", "原因", "处理办法")
# A cell that begins so is a formula to a spreadsheet (also full-width, which some read alike).
_FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def write_report(path: Path, file: str, faults: Iterable[RowFault]) -> None:
    """Put the report in place of an earlier one, as a whole or not at all; for the owner's eyes.

    Raises OSError.
    """
    with new_file(path) as out:
        lines = csv.writer(getwriter("utf-8-sig")(out), lineterminator="\r\n")
        lines.writerow(_HEADER)
        lines.writerows(_line(file, fault) for fault in faults)


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula, on one line."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return f"'{line}" if line.startswith(_FORMULA) else line


def _line(file: str, fault: RowFault) -> tuple[str, ...]:
    row = str(fault.row) if fault.row else ""
    texts = (fault.column, fault.kind, fault.reason, fault.advice)
    return (harmless(file), harmless(fault.sheet), row, *map(harmless, texts))
