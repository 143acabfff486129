"""Every example beside the contracts is a test: `valid` ones pass, `invalid` ones say why not.

An invalid example is `{"expect": [{"code", "pointer"}…], "data": payload}`, the whole list.
"""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

import contracts
from contracts.catalogue import load_catalogue
from contracts.common import Payload
from contracts.contract import Contract

FAMILIES = Path(contracts.__file__).parent
VALID = sorted(FAMILIES.glob("*/examples/valid/*.json"))
INVALID = sorted(FAMILIES.glob("*/examples/invalid/*.json"))


def contract_of(example: Path) -> Contract:
    type_, _, _ = example.stem.rpartition("-")
    return load_catalogue().versions(type_)[-1]


@pytest.mark.parametrize("example", VALID, ids=lambda path: path.stem)
def test_a_valid_example_is_accepted(example: Path) -> None:
    contract = contract_of(example)
    assert isinstance(contract.check(example.read_bytes()), contract.model)


@pytest.mark.parametrize("example", VALID, ids=lambda path: path.stem)
def test_a_valid_example_validates_against_the_published_schema(example: Path) -> None:
    validator = Draft202012Validator(contract_of(example).schema())
    assert list(validator.iter_errors(json.loads(example.read_bytes()))) == []


@pytest.mark.parametrize("example", INVALID, ids=lambda path: path.stem)
def test_an_invalid_example_gets_exactly_the_faults_it_lists(example: Path) -> None:
    stated = json.loads(example.read_bytes())
    found = contract_of(example).check(json.dumps(stated["data"]).encode())
    assert not isinstance(found, Payload)
    assert [{"code": fault.code, "pointer": fault.pointer} for fault in found] == stated["expect"]
