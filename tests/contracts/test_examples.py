"""Every example beside the contracts is a test: `valid` ones pass, `invalid` ones say why not."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from contracts.common import Payload
from tests.examples import INVALID, VALID, contract_of, payload_in


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
    found = contract_of(example).check(json.dumps(payload_in(example)).encode())
    assert not isinstance(found, Payload)
    expected = json.loads(example.read_bytes())["expect"]
    assert [{"code": fault.code, "pointer": fault.pointer} for fault in found] == expected
