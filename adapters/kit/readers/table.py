"""A table as its reader found it: what answers are made from, and what a dry run tells of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from adapters.kit.readers.header import Header

Lines = Iterator[tuple[int, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Table:
    """`sheet` as in `Place`, `title` as the sheet is called; `merged` cells are first row, first
    column, last row, last column, from 0. `lines` gives every row from the top with its number,
    what is merged downwards below the header in each of its rows; it ends where reading would."""

    sheet: str
    title: str
    header: Header
    merged: Sequence[tuple[int, int, int, int]]
    lines: Callable[[], Lines]


@runtime_checkable
class Tabular(Protocol):
    """A reader of tables."""

    @property
    def tables(self) -> tuple[Table, ...]:
        """Those with a header, while the reader is open."""
        ...
