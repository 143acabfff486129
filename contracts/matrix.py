"""Who may say and hear what: the matrix of agencies and event families (`matrix.csv`).

A row covers types by patterns; of several that cover a type, the longest pattern counts. Columns
are kinds, at the publisher's own level, but for two: `up` and `down` are the inspection offices
above and below. `party-committee` stands for the leading group too.

P publishes, S receives, B both; `m` receives a summary (F0 and F1, and fields marked for it); `t`
both and `a` receives, but only what is addressed to it; `-` is a denial that nothing lifts. `m*` is
a summary of replies alone. `source` says where a row is from; `guantong` means that it is ours.
The public and the media have no agency of their own: a custodian publishes for them.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final, Literal

Relation = Literal["same", "up", "down", "to"]
Measure = Literal["full", "masked"]
Cells = Mapping[str, Mapping[Relation, Measure]]

_PUBLISHES: Final = frozenset({"P", "B", "t"})
_RECEIVES: Final[Mapping[str, tuple[Relation, Measure]]] = MappingProxyType(
    {
        "S": ("same", "full"),
        "B": ("same", "full"),
        "m": ("same", "masked"),
        "t": ("to", "full"),
        "a": ("to", "full"),
    }
)
_STANDS_FOR: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"party-committee": ("party-committee", "leading-group")}
)
_LEVELS: Final[tuple[Relation, ...]] = ("up", "down")
_NO_KINDS: Final = frozenset({"covers", "up", "down", "public", "source"})


@dataclass(frozen=True, slots=True)
class Row:
    """`receivers`: kind → relation to the publisher → measure; `to` is by address alone.

    `summaries`: the kinds that get summaries of replies.
    """

    publishers: frozenset[str]
    receivers: Cells
    denied: frozenset[str]
    summaries: frozenset[str]


def row_of(type_: str) -> Row:
    """The row that covers a type. Raises LookupError when none does."""
    fitting = [
        (len(pattern), row)
        for pattern, row in _rows()
        if type_ == pattern or (pattern.endswith("*") and type_.startswith(pattern[:-1]))
    ]
    if not fitting:
        raise LookupError(f"the matrix has no row for {type_}")
    return max(fitting, key=lambda found: found[0])[1]


@cache
def _rows() -> tuple[tuple[str, Row], ...]:
    text = (files("contracts") / "matrix.csv").read_text(encoding="utf-8")
    return tuple(
        (pattern, _read(cells))
        for cells in csv.DictReader(text.splitlines())
        for pattern in cells["covers"].split()
    )


def _read(cells: Mapping[str, str]) -> Row:
    publishers: set[str] = set()
    denied: set[str] = set()
    summaries: set[str] = set()
    receivers: dict[str, dict[Relation, Measure]] = {}
    for column, cell in cells.items():
        if column in _NO_KINDS or not cell:
            continue
        for kind in _STANDS_FOR.get(column, (column,)):
            if cell in _PUBLISHES:
                publishers.add(kind)
            if cell in _RECEIVES:
                relation, measure = _RECEIVES[cell]
                receivers[kind] = {relation: measure}
            if cell == "-":
                denied.add(kind)
            if cell == "m*":
                summaries.add(kind)
    for level in _LEVELS:
        if cells[level] in _RECEIVES:
            receivers.setdefault("inspection-office", {})[level] = _RECEIVES[cells[level]][1]
        if cells[level] in _PUBLISHES:
            publishers.add("inspection-office")
    return Row(frozenset(publishers), receivers, frozenset(denied), frozenset(summaries))
