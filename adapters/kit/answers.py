"""What tells people what to put right: a list of all faults, and the refused rows as a workbook."""

import csv
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final
from zipfile import is_zipfile

from adapters.kit.faulty import Faulty
from adapters.kit.marking import mark_workbook
from adapters.kit.port import RowFault, UnreadableFile
from adapters.kit.readers.csv import examine_csv
from adapters.kit.readers.limits import SPREADSHEET
from adapters.kit.report import write_report
from adapters.kit.returning import Line, return_rows
from adapters.kit.wanted import Wanted

_LIST: Final = ".errors.csv"
_BOOK: Final = ".errors.xlsx"
_LONGEST_NAME: Final = 200
_NOT_IN_NAMES: Final = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')


def write_answers(
    original: Path, name: str, faults: Iterable[RowFault], into: Path, *, wanted: Wanted
) -> tuple[Path, ...]:
    """Put the answers to a document in place of earlier ones; none when nothing is wrong.

    `original` holds its bytes, `name` is what people call it. The list (`<name>.errors.csv`) says
    where and why, and nothing that a cell says. Of a table, `<name>.errors.xlsx` is what people put
    right and hand in again: an xlsx workbook as it came with marks in it, of others the refused
    rows. A reader passes over what it adds. Raises OSError.
    """
    called = _file_name(name)
    listed, book = into / f"{called}{_LIST}", into / f"{called}{_BOOK}"
    faulty = Faulty()
    write_report(listed, name, faulty.passing(faults))
    if not faulty.rows and not faulty.document:
        listed.unlink()
        book.unlink(missing_ok=True)
        return ()
    if _write_book(original, wanted, faulty, book):
        return listed, book
    book.unlink(missing_ok=True)
    return (listed,)


def _file_name(name: str) -> str:
    """What people call a document, as the name of a file; what comes back again keeps it."""
    harmless = _NOT_IN_NAMES.sub("_", name).lstrip(".").removesuffix(_BOOK)
    return harmless.encode(errors="ignore")[:_LONGEST_NAME].decode(errors="ignore") or "_"


def _write_book(original: Path, wanted: Wanted, faulty: Faulty, book: Path) -> bool:
    if not faulty.readable or not (faulty.rows or faulty.of_header):
        return False
    if is_zipfile(original):
        return mark_workbook(original, wanted, faulty, book)
    return return_rows(lambda: _lines(original), wanted, faulty, book)


def _lines(path: Path) -> Iterator[Line]:
    """The rows of a CSV file as far as they can be told apart."""
    try:
        encoding = examine_csv(path, SPREADSHEET).encoding
    except UnreadableFile:
        return
    with path.open(encoding=encoding, newline="") as text:
        try:
            for row, cells in enumerate(csv.reader(text), 1):
                yield Line("", row, cells)
        except csv.Error:
            return
