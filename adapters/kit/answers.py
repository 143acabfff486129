"""What tells people what to put right: a list of all faults, and the refused rows as a workbook."""

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from itertools import chain
from pathlib import Path
from typing import Final
from zipfile import is_zipfile

from adapters.kit.faulty import Faulty
from adapters.kit.marking import mark_workbook
from adapters.kit.port import FaultKind, Reader, RowFault, UnreadableFile
from adapters.kit.readers.limits import SPREADSHEET, Limits
from adapters.kit.readers.opening import opened
from adapters.kit.readers.table import Tabular, as_called, own_names
from adapters.kit.report import write_report
from adapters.kit.returning import return_rows
from adapters.kit.sources.files import shown
from adapters.kit.wanted import Wanted

# How long answers are kept after they were last changed, unless somebody says otherwise: people
# have to get round to them.
ANSWERS_DAYS: Final = 90.0

_ANSWER: Final = re.compile(r".+\.errors(-[0-9]{1,5})?\.(csv|xlsx)", re.DOTALL)
_CAME_BACK: Final = re.compile(r"(.+)\.errors(?:-([0-9]{1,4}))?\.xlsx", re.DOTALL)


def write_answers(
    original: Path,
    name: str,
    faults: Iterable[RowFault],
    into: Path,
    *,
    wanted: Wanted,
    limits: Limits = SPREADSHEET,
    told: Callable[[RowFault], None] = lambda fault: None,
) -> tuple[Path, ...]:
    """Put the answers to a document in place of earlier ones; none when nothing is wrong.

    `original` holds its bytes, `name` is what people call it. The list (`<name>.errors.csv`) says
    where and why, and nothing that a cell says. Of a table, `<name>.errors.xlsx` is what people put
    right and hand in again: an xlsx workbook as it came with marks in it, of others the refused
    rows. A reader passes over what it adds. Handed in again, they come back as `.errors-2`, so that
    nothing that people wrote is replaced. `told` hears of each fault, its column as the document
    calls it. Raises OSError.
    """
    called = _called(name)
    listed, book = into / f"{called}.csv", into / f"{called}.xlsx"
    rest = iter(faults)
    first = next(rest, None)
    if first is None:
        listed.unlink(missing_ok=True)
        book.unlink(missing_ok=True)
        return ()
    faulty = Faulty()
    with ExitStack() as stack:
        reader = None
        if first.kind is not FaultKind.FILE:
            with suppress(UnreadableFile):
                reader = stack.enter_context(opened(original, name, wanted, limits))
        names, passing = own_names(reader), faulty.passing(chain([first], rest))
        write_report(listed, name, _heard((as_called(f, names) for f in passing), told))
        if _write_book(original, reader, wanted, faulty, book):
            return listed, book
    book.unlink(missing_ok=True)
    return (listed,)


def purge_answers(folder: Path, before: float) -> None:
    """Remove the answers that were last changed before a time (seconds since the epoch), whatever
    document they were to; what else lies in the folder stays. Raises OSError."""
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        answers = (entry for entry in entries if _ANSWER.fullmatch(entry.name))
        for entry in answers:
            found = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(found.st_mode) and found.st_mtime < before:
                Path(entry.path).unlink(missing_ok=True)


def _heard(faults: Iterable[RowFault], told: Callable[[RowFault], None]) -> Iterator[RowFault]:
    for fault in faults:
        told(fault)
        yield fault


def _called(name: str) -> str:
    before = _CAME_BACK.fullmatch(name)
    if before is None:
        return f"{shown(name)}.errors"
    return f"{shown(before[1])}.errors-{int(before[2] or 1) + 1}"


def _write_book(
    original: Path, reader: Reader | None, wanted: Wanted, faulty: Faulty, book: Path
) -> bool:
    if not faulty.readable or not (faulty.rows or faulty.of_header):
        return False
    packed = is_zipfile(original)
    if reader is None:
        # Its header is what has to be put right.
        return packed and mark_workbook(original, (), faulty, book)
    if not isinstance(reader, Tabular):
        return False
    if packed and mark_workbook(original, reader.tables, faulty, book):
        return True
    if group := wanted.gathered:
        faulty.with_rows_of(reader.tables, wanted.groups[group].by)
    return return_rows(reader.tables, faulty, book)
