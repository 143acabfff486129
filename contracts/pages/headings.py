"""What families, flows and shared objects are called, and under which heading they stand."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Heading:
    """A name in Chinese and English; `part`: the heading above it."""

    title: str
    title_en: str
    part: str = ""


def family(name: str) -> Heading:
    """What a family is called. Raises KeyError for one that has no row."""
    return families()[name]


@cache
def parts() -> Mapping[str, Heading]:
    """The headings above families and flows, in their order."""
    return _read("parts.csv", "part")


@cache
def families() -> Mapping[str, Heading]:
    """All families, in the order of the start page."""
    return _read("families.csv", "family")


@cache
def flows() -> Mapping[str, Heading]:
    """The flows of the field, in their order."""
    return _read("flows.csv", "flow")


@cache
def objects() -> Mapping[str, Heading]:
    """The objects that families share."""
    return _read("objects.csv", "object")


def _read(name: str, column: str) -> Mapping[str, Heading]:
    text = (files("contracts.pages") / name).read_text(encoding="utf-8")
    return MappingProxyType(
        {
            row[column]: Heading(row["title"], row["title_en"], row.get("part", ""))
            for row in csv.DictReader(text.splitlines())
        }
    )
