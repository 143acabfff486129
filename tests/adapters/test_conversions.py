"""`CONVERSIONS.md` tells every conversion, and what it tells is so."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from adapters.kit import convert
from adapters.kit.convert import READINGS, Cell, Wrong
from adapters.kit.mapping import FieldRule
from contracts.owncodes import SHIPPED

PAGE = Path(convert.__file__).with_name("CONVERSIONS.md").read_text(encoding="utf-8")
ROWS = [line.strip("| ").split(" |") for line in PAGE.splitlines() if line.startswith("| `")]
TOLD = {row[0].strip(" `"): row for row in ROWS if len(row) == 4 and row[0] != "`as`"}
EXAMPLE = re.compile(r"`([^`]+)`(?:（[^）]*）)?\s*→\s*(?:`([^`]+)`|✗)")
EXAMPLES = [
    (name, cell, value) for name, row in TOLD.items() for cell, value in EXAMPLE.findall(row[3])
]


def rule(name: str) -> FieldRule:
    settings = tomllib.loads("\n".join(re.findall("`([^`]+)`", TOLD[name][2])))
    return FieldRule.model_validate({"column": "x", "title": "x", "as": name} | settings)


def test_every_conversion_is_told_in_the_order_in_which_they_stand() -> None:
    assert list(TOLD) == list(READINGS)


@pytest.mark.parametrize(("name", "cell", "value"), EXAMPLES)
def test_an_example_is_so(name: str, cell: str, value: str) -> None:
    read = READINGS[name](Cell(cell), rule(name), SHIPPED)
    assert isinstance(read, Wrong) if not value else read == json.loads(value)


def test_every_conversion_has_an_example() -> None:
    assert {name for name, _, _ in EXAMPLES} == set(READINGS)
