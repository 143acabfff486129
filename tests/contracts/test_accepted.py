"""The published schema and the model say the same, but for rules that the schema names.

Two engines read the schemas. A rule may stand at the object or the member it concerns.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from random import Random
from typing import Any, Final

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from contracts.catalogue import load_catalogue
from contracts.common import LIST_KEYWORD, Payload
from contracts.contract import Contract
from contracts.faults import MORE_ERRORS, Fault
from contracts.rules import RULES_KEYWORD
from tests.contracts.drawing import Drawing, Schema, arms, drawing_of

# As long as a hundred thousand draws may take on a busy machine.
pytestmark = pytest.mark.timeout(7200)
CONTRACTS: Final = sorted(load_catalogue(), key=lambda contract: contract.urn)
NUMBER: Final = ("identifier_invalid",)
# What a schema names, and the faults that it stands for; other rules bear the code of their fault.
STANDS_FOR: Final = {
    "calendar": ("type", "timezone_missing"),
    "region": ("region_unknown", "code_not_in_force"),
    "gb11643": NUMBER,
    "gb32100": NUMBER,
    "gb11714": NUMBER,
}
WHOLE_NUMBER: Final = "whole_number"
OF_LISTS: Final = ("code_unknown", "code_list_wrong", "code_not_in_force")


@cache
def drawing(contract: Contract) -> Drawing:
    return drawing_of(contract)


@cache
def engines(contract: Contract) -> tuple[Callable[[Any], bool], ...]:
    schema = dict(drawing(contract).schema)
    return (
        Draft202012Validator(schema).is_valid,
        jsonschema_rs.Draft202012Validator(schema).is_valid,
    )


@cache
def with_formats(contract: Contract) -> Callable[[Any], bool]:
    """A reading of the schema to which formats are not just notes."""
    schema = dict(drawing(contract).schema)
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True).is_valid


def named_along(contract: Contract, pointer: str) -> Iterator[str]:
    """The codes of faults that the schema names at a place or at what holds it."""
    root = drawing(contract).schema
    places: list[Schema] = [root]
    for step in (*pointer.split("/")[2:], None):
        open_ = [arm for place in places for arm in arms(root, place)]
        for arm in open_:
            for rule in arm.get(RULES_KEYWORD, ()):
                yield from STANDS_FOR.get(rule, (rule,))
            if LIST_KEYWORD in arm:
                yield from OF_LISTS
            if arm.get("type") == "integer" and WHOLE_NUMBER in root[RULES_KEYWORD]:
                yield "type"
        parts = [arm["items"] if "items" in arm else arm.get("properties", {}) for arm in open_]
        places = [
            part if step.isdigit() else part[step]
            for part in parts
            if step is not None and (step.isdigit() or step in part)
        ]


def unnamed(contract: Contract, faults: tuple[Fault, ...]) -> list[Fault]:
    return [
        fault
        for fault in faults
        if fault.code != MORE_ERRORS and fault.code not in named_along(contract, fault.pointer)
    ]


def drawn(draws: int, look: Callable[[Contract, Any], None]) -> None:
    """Have `look` see that many payloads; a failure tells the contract and the seed."""

    @settings(max_examples=draws, suppress_health_check=list(HealthCheck))
    @given(contract=st.sampled_from(CONTRACTS), seed=st.integers(0, 2**63))
    def seen(contract: Contract, seed: int) -> None:
        look(contract, drawing(contract).payload(Random(seed)))

    seen()


def test_whatever_the_model_accepts_the_published_schema_accepts(draws: int) -> None:
    accepted = Counter[bool]()

    def look(contract: Contract, payload: Any) -> None:
        found = contract.check(json.dumps(payload).encode())
        accepted[isinstance(found, Payload)] += 1
        if isinstance(found, Payload):
            readings = (*engines(contract), with_formats(contract))
            assert all(accepts(payload) for accepts in readings), payload

    drawn(draws, look)
    assert accepted[True] > draws / 20


def test_what_only_the_model_refuses_breaks_a_rule_that_the_schema_names(draws: int) -> None:
    refused = Counter[str]()

    def look(contract: Contract, payload: Any) -> None:
        found = contract.check(json.dumps(payload).encode())
        if not isinstance(found, Payload) and all(a(payload) for a in engines(contract)):
            refused.update(fault.code for fault in found)
            assert unnamed(contract, found) == [], payload

    drawn(draws, look)
    assert refused.total() > draws / 20
