"""A table as its reader found it: what answers are made from, and what a dry run tells of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from adapters.kit.port import Reader, RowFault
from adapters.kit.readers.header import Header
from adapters.kit.templatemark import Mark

Lines = Iterator[tuple[int, Sequence[str]]]
# By sheet and column.
Names = Mapping[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class Table:
    """`sheet` as in `Place`, `title` as the sheet is called; `merged` cells are first row, first
    column, last row, last column, from 0. `lines` gives every row from the top with its number,
    what is merged downwards below the header in each of its rows; it ends where reading would.
    `mark` is that of the template which its workbook came from."""

    sheet: str
    title: str
    header: Header
    merged: Sequence[tuple[int, int, int, int]]
    lines: Callable[[], Lines]
    mark: Mark | None = None


@runtime_checkable
class Tabular(Protocol):
    """A reader of tables."""

    @property
    def tables(self) -> tuple[Table, ...]:
        """Those with a header, while the reader is open."""
        ...


@runtime_checkable
class Naming(Protocol):
    """A reader of what may hold tables of others: the members of an archive."""

    @property
    def names(self) -> Names:
        """As `own_names`."""
        ...


def own_names(reader: Reader | None) -> Names:
    """What the tables of a document themselves call columns that are known by another name."""
    if isinstance(reader, Naming):
        return reader.names
    tables: tuple[Table, ...] = reader.tables if isinstance(reader, Tabular) else ()
    return {(t.sheet, column): own for t in tables for column, own in t.header.own.items()}


def as_called(fault: RowFault, names: Names) -> RowFault:
    """The fault, its column under the name that the document has for it."""
    own = names.get((fault.sheet, fault.column))
    return replace(fault, column=own) if own else fault
