"""The list of what to put right, as a CSV that a spreadsheet opens with a double click."""

import csv
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from adapters.kit.port import RowFault

_HEADER: Final = ("文件", "工作表", "行", "列", "问题类型", "原因", "处理办法")
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL
# A cell that begins so is a formula to a spreadsheet (also full-width, which some read alike).
_FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def write_report(path: Path, file: str, faults: Iterable[RowFault]) -> None:
    """Put the report in place of an earlier one, as a whole or not at all; for the owner's eyes.

    Raises OSError.
    """
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    with open(os.open(partial, _NEW, 0o600), "w", encoding="utf-8-sig", newline="") as out:
        lines = csv.writer(out, lineterminator="\r\n")
        lines.writerow(_HEADER)
        lines.writerows(_line(file, fault) for fault in faults)
        out.flush()
        os.fsync(out.fileno())
    partial.replace(path)


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula, on one line."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return f"'{line}" if line.startswith(_FORMULA) else line


def _line(file: str, fault: RowFault) -> tuple[str, ...]:
    row = str(fault.row) if fault.row else ""
    texts = (fault.column, fault.kind, fault.reason, fault.advice)
    return (harmless(file), harmless(fault.sheet), row, *map(harmless, texts))
