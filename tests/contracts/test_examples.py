"""Every example beside the contracts is a test: `valid` ones pass, `invalid` ones say why not."""

import json

from jsonschema import Draft202012Validator

from contracts.catalogue import load_catalogue
from contracts.common import Payload
from tests.examples import INVALID, VALID, contract_of, payload_in


def test_valid_examples_are_accepted() -> None:
    refused = {
        example.stem: found
        for example in VALID
        if not isinstance(
            found := contract_of(example).check(example.read_bytes()), contract_of(example).model
        )
    }
    assert refused == {}


def test_valid_examples_validate_against_the_published_schema() -> None:
    schemas = {contract.urn: contract.schema() for contract in load_catalogue()}
    errors = {
        example.stem: error.message
        for example in VALID
        for error in Draft202012Validator(schemas[contract_of(example).urn]).iter_errors(
            payload_in(example)
        )
    }
    assert errors == {}


def test_invalid_examples_get_exactly_the_faults_they_list() -> None:
    for example in INVALID:
        found = contract_of(example).check(json.dumps(payload_in(example)).encode())
        assert not isinstance(found, Payload), example.stem
        expected = json.loads(example.read_bytes())["expect"]
        told = [{"code": fault.code, "pointer": fault.pointer} for fault in found]
        assert told == expected, example.stem
