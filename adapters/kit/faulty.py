"""The faults of a document, by where they have to be put right."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from adapters.kit.convert import bare, plain
from adapters.kit.port import FaultKind, RowFault
from adapters.kit.readers.table import Table

MOST_ROWS: Final = 5_000
_MOST_OF_FILE: Final = 100
# What is wrong with a document as a whole, or stands in its head.
_OF_FILE: Final = frozenset({FaultKind.FILE, FaultKind.HEADER, FaultKind.NOTICE})

_TOGETHER: Final = RowFault(
    0, "", FaultKind.MISMATCH, "同一件的另一行须修改，整件没有发出", "改好后与该行一并放入"
)


@dataclass(slots=True)
class Faulty:
    """Faults gathered as they pass by: those of the first five thousand rows, by sheet and row, and
    those of the document. `more` rows have faults too."""

    rows: dict[tuple[str, int], list[RowFault]] = field(default_factory=dict)
    document: list[RowFault] = field(default_factory=list)
    more: int = 0
    _last: tuple[str, int] = ("", 0)

    def passing(self, faults: Iterable[RowFault]) -> Iterator[RowFault]:
        """The same faults, gathered."""
        for fault in faults:
            self._gather(fault)
            yield fault

    def _gather(self, fault: RowFault) -> None:
        place = (fault.sheet, fault.row)
        if fault.kind in _OF_FILE or not fault.row:
            self.document.extend([fault] if len(self.document) < _MOST_OF_FILE else ())
        elif place in self.rows or len(self.rows) < MOST_ROWS:
            self.rows.setdefault(place, []).append(fault)
        else:
            self.more += place != self._last
        self._last = place

    def with_rows_of(self, tables: Sequence[Table], by: str) -> None:
        """Gather also the rows that are one record with a faulty one, by what they say in a column:
        handed in again, a record must be whole."""
        for table in tables:
            at = table.header.names.index(by)
            keys = {_cell(c, at) for row, c in table.lines() if (table.sheet, row) in self.rows}
            for row, cells in table.lines():
                held = row > table.header.row and _cell(cells, at) in keys
                if held and (table.sheet, row) not in self.rows:
                    self.rows[table.sheet, row] = [replace(_TOGETHER, row=row, sheet=table.sheet)]

    @property
    def readable(self) -> bool:
        """Whether a reader got into the document."""
        return all(fault.kind is not FaultKind.FILE for fault in self.document)

    @property
    def beyond(self) -> str:
        """What is to be said of the rows that are in the list alone, if there are any."""
        return f"另有 {self.more} 行也有问题，见清单" if self.more else ""

    @property
    def of_header(self) -> bool:
        return any(fault.kind is FaultKind.HEADER for fault in self.document)


def sentences(faults: Sequence[RowFault]) -> str:
    """What is wrong and what to do, a line each."""
    return "\n".join(f"{fault.reason}；{fault.advice}" for fault in faults)


def by_column(faults: Iterable[RowFault]) -> dict[str, list[RowFault]]:
    """The faults of one row; under "" those of the row as a whole."""
    found: dict[str, list[RowFault]] = {}
    for fault in faults:
        found.setdefault(fault.column, []).append(fault)
    return found


def _cell(cells: Sequence[str], at: int) -> str:
    return plain(bare(cells[at])) if at < len(cells) else ""
