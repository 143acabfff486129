"""Regions by name: a name alone, or with those of the regions above it before it."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import combinations

from contracts.region import ROOT, Regions


def regions_named(name: str, regions: Regions) -> tuple[str, ...]:
    """The codes of the regions of today that the name may mean, sorted; none if nobody has it."""
    return _by_name(regions).get(re.sub(r"[\s/>-]+", "", name), ())


def above(code: str, regions: Regions) -> str:
    """The names of what lies above a region, from the province down."""
    return "".join(map(regions.name, _ancestors(code, regions)))


@lru_cache(maxsize=4)
def _by_name(regions: Regions) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for code, region in regions.rows.items():
        if region.valid_until is None and region.successor is None:
            for name in _names(code, regions):
                found.setdefault(name, set()).add(code)
    return {name: tuple(sorted(codes)) for name, codes in found.items()}


def _names(code: str, regions: Regions) -> Iterator[str]:
    ancestors = [regions.name(each) for each in _ancestors(code, regions)]
    for many in range(len(ancestors) + 1):
        for some in combinations(ancestors, many):
            yield "".join((*some, regions.name(code)))


def _ancestors(code: str, regions: Regions) -> list[str]:
    return [each for each in reversed(regions.lineage(code)[1:]) if each != ROOT]
