"""Regions: GB/T 2260 codes with their level, ancestors and successors.

The lists are data (`contracts/codes/README.md`): the standard's codes, retired ones among them, and
a local overlay for places without one.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final, Self

ROOT: Final = "000000"
COLUMNS: Final = ("code", "name", "parent", "valid_from", "valid_until", "successor", "source")
_CODE: Final = re.compile(r"[0-9]{6}")


class Level(StrEnum):
    CENTRAL = "central"
    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"


class UnknownRegion(ValueError):
    """Not a region code of GB/T 2260 or of the local overlay."""

    def __init__(self) -> None:
        super().__init__("not a region code of GB/T 2260 or of the local overlay")


@dataclass(frozen=True, slots=True)
class Region:
    """One row of a list. Dates are bounds: outside them the code was certainly not in force."""

    code: str
    name: str
    parent: str | None
    valid_from: date | None = None
    valid_until: date | None = None
    successor: str | None = None

    def in_force(self, on: date) -> bool:
        after_start = self.valid_from is None or self.valid_from <= on
        return after_start and (self.valid_until is None or on <= self.valid_until)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Regions:
    """Every known region. Lookups cost one dictionary access; nothing is computed on the way."""

    rows: Mapping[str, Region]
    _lineages: Mapping[str, tuple[str, ...]]
    _successors: Mapping[str, str]
    _covering: Mapping[str, tuple[str, ...]]

    @classmethod
    def from_rows(cls, official: Iterable[Region], local: Iterable[Region] = ()) -> Self:
        """Regions of the official rows, and of those local ones whose number is not official.

        Raises ValueError for rows that contradict each other: a malformed or repeated code, a
        parent or successor that is missing, a circle.
        """
        rows = _by_code(official)
        rows = _by_code(local) | rows
        lineages = {code: _lineage(code, rows) for code in rows}
        successors = {c: _last_successor(c, rows) for c, row in rows.items() if row.successor}
        return cls(
            rows=MappingProxyType(rows),
            _lineages=lineages,
            _successors=successors,
            _covering=_covering(lineages, successors),
        )

    def known(self, code: str, on: date | None = None) -> bool:
        """Whether the lists have the code at all; with `on`, whether it may be in force then."""
        row = self.rows.get(code)
        return row is not None and (on is None or row.in_force(on))

    def name(self, code: str) -> str:
        """The region's name. Raises UnknownRegion."""
        return self._row(code).name

    def level(self, code: str) -> Level:
        """The level that the code's zeros tell. Raises UnknownRegion.

        A municipality's district and a city directly under a province (429004) are counties here;
        agencies that rank otherwise say so in the registry.
        """
        self._row(code)
        if code == ROOT:
            return Level.CENTRAL
        if code.endswith("0000"):
            return Level.PROVINCE
        return Level.CITY if code.endswith("00") else Level.COUNTY

    def lineage(self, code: str) -> tuple[str, ...]:
        """The code, then its ancestors, nearest first, up to `000000`. Raises UnknownRegion."""
        try:
            return self._lineages[code]
        except KeyError:
            raise UnknownRegion from None

    def covers(self, scope: str, code: str) -> bool:
        """Whether `scope` is the region or an ancestor of it. Nothing covers an unknown one.

        A retired code stands for its successor too, on either side.
        """
        return scope in self._covering.get(code, ())

    def covering(self, code: str) -> tuple[str, ...]:
        """Every code that covers the region, nearest first, then those retired; () if unknown."""
        return self._covering.get(code, ())

    def current(self, code: str) -> str:
        """The code that stands for a region today: a retired one's last successor, or itself."""
        return self._successors.get(code, code)

    def successor(self, code: str) -> str | None:
        """Where a retired code's line ends, as far as it is certain; None for a code without one.

        The answer may be retired itself, when what followed was a merger or a split.
        Raises UnknownRegion.
        """
        self._row(code)
        return self._successors.get(code)

    def _row(self, code: str) -> Region:
        try:
            return self.rows[code]
        except KeyError:
            raise UnknownRegion from None


@cache
def load_regions() -> Regions:
    """The lists shipped with the contracts, read once per process."""
    return regions_with(())


def regions_with(own: Iterable[Region]) -> Regions:
    """The lists shipped with the contracts, and those rows whose number is in neither of them.

    Raises ValueError as `Regions.from_rows` does.
    """
    local = _read("region_overlay.csv")
    shipped = {region.code for region in local}
    added = (region for region in own if region.code not in shipped)
    return Regions.from_rows(_read("gbt2260.csv"), (*local, *added))


def _read(file_name: str) -> list[Region]:
    text = (files("contracts") / "codes" / file_name).read_text(encoding="utf-8")
    return [region_of(row) for row in csv.DictReader(text.splitlines())]


def region_of(row: Mapping[str, str]) -> Region:
    """The region that a row says. Raises ValueError for a day that is none."""
    return Region(
        code=row["code"],
        name=row["name"],
        parent=row["parent"] or None,
        valid_from=_day(row["valid_from"]),
        valid_until=_day(row["valid_until"]),
        successor=row["successor"] or None,
    )


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _by_code(regions: Iterable[Region]) -> dict[str, Region]:
    rows: dict[str, Region] = {}
    for region in regions:
        if not _CODE.fullmatch(region.code) or region.code in rows:
            raise ValueError(f"malformed or repeated region code: {region.code}")
        rows[region.code] = region
    return rows


def _lineage(code: str, rows: Mapping[str, Region]) -> tuple[str, ...]:
    lineage = [code]
    while lineage[-1] != ROOT:
        parent = rows[lineage[-1]].parent
        if parent is None or parent not in rows or parent in lineage:
            raise ValueError(f"region {code} does not lead to {ROOT} by listed ancestors")
        lineage.append(parent)
    return tuple(lineage)


def _covering(
    lineages: Mapping[str, tuple[str, ...]], successors: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    retired: dict[str, list[str]] = defaultdict(list)
    for code, successor in successors.items():
        retired[successor].append(code)
    covering: dict[str, tuple[str, ...]] = {}
    for code, lineage in lineages.items():
        today = lineages[successors.get(code, code)]
        before = (old for above in today for old in retired.get(above, ()))
        covering[code] = tuple(dict.fromkeys((*lineage, *today, *before)))
    return covering


def _last_successor(code: str, rows: Mapping[str, Region]) -> str:
    passed = {code}
    end = code
    while successor := rows[end].successor:
        if successor not in rows or successor in passed:
            raise ValueError(f"region {code} has a successor that is missing or goes in a circle")
        passed.add(successor)
        end = successor
    return end
