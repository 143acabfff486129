"""Regions as design 5 and the codes' README tell of them, looked up row by row."""

import csv
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

Rows = Mapping[str, Mapping[str, str]]


def _rows(name: str) -> dict[str, dict[str, str]]:
    text = (files("contracts") / "codes" / name).read_text(encoding="utf-8")
    return {row["code"]: row for row in csv.DictReader(text.splitlines())}


# The overlay yields where an official code appears.
ROWS: Final[Rows] = _rows("region_overlay.csv") | _rows("gbt2260.csv")


def known(code: str) -> bool:
    """Whether a list has the code; a retired one stays known."""
    return code in ROWS


def lineage(code: str) -> list[str]:
    """The code and what lies above it, up to the whole country; empty for an unknown one."""
    found = []
    while code in ROWS:
        found.append(code)
        code = ROWS[code]["parent"]
    return found


def today(code: str) -> str:
    """Where a retired code's line ends; any other code is its own."""
    while code in ROWS and ROWS[code]["successor"]:
        code = ROWS[code]["successor"]
    return code


def covers(scope: str, code: str) -> bool:
    """Whether the scope is the region or lies above it, as written or as it is called today."""
    return scope in lineage(code) or today(scope) in lineage(today(code))


def relation(receiver: str, publisher: str) -> str | None:
    """What the receiver's region is to the publisher's: same, up (above it), down, or nothing."""
    here, there = today(receiver), today(publisher)
    if here == there and known(here):
        return "same"
    if here in lineage(there):
        return "up"
    if there in lineage(here):
        return "down"
    return None
