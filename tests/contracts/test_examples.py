"""Every example beside the contracts is a test: `valid` ones pass, `invalid` ones say why not."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from contracts.catalogue import load_catalogue
from contracts.common import Payload
from contracts.contract import Contract
from tests.examples import INVALID, VALID, contract_of, payload_in

CONTRACTS: list[Contract] = sorted(load_catalogue(), key=lambda contract: contract.urn)
each_contract = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)


def examples_of(contract: Contract, among: list[Path]) -> list[Path]:
    return [example for example in among if contract_of(example) is contract]


@each_contract
def test_valid_examples_are_accepted(contract: Contract) -> None:
    refused = {
        example.stem: found
        for example in examples_of(contract, VALID)
        if not isinstance(found := contract.check(example.read_bytes()), contract.model)
    }
    assert refused == {}


@each_contract
def test_valid_examples_validate_against_the_published_schema(contract: Contract) -> None:
    validator = Draft202012Validator(contract.schema())
    errors = {
        example.stem: error.message
        for example in examples_of(contract, VALID)
        for error in validator.iter_errors(payload_in(example))
    }
    assert errors == {}


@each_contract
def test_invalid_examples_get_exactly_the_faults_they_list(contract: Contract) -> None:
    for example in examples_of(contract, INVALID):
        found = contract.check(json.dumps(payload_in(example)).encode())
        assert not isinstance(found, Payload), example.stem
        expected = json.loads(example.read_bytes())["expect"]
        told = [{"code": fault.code, "pointer": fault.pointer} for fault in found]
        assert told == expected, example.stem
