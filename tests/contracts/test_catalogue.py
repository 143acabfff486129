"""What holds for every contract of the catalogue, and for the code lists they name."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

import contracts
from contracts.catalogue import load_catalogue, type_matches
from contracts.classes import CLASS_KEYWORD, F1, F2, TITLE_EN_KEYWORD, FieldClass
from contracts.codelists import code_list, list_names
from contracts.common import LIST_KEYWORD, Code, OrgRef, Part, Period
from contracts.contract import Contract
from contracts.deadlines import deadline
from contracts.fields import UnclassifiedField, fields_of, walk
from contracts.viewschema import view_schema
from tests.examples import INVALID, VALID, contract_of

FOLDER = Path(contracts.__file__).parent
CONTRACTS = sorted(load_catalogue(), key=lambda contract: contract.urn)
REPLIES = [contract for contract in CONTRACTS if contract.answers]

each_contract = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.urn)
each_reply = pytest.mark.parametrize("contract", REPLIES, ids=lambda contract: contract.urn)


@cache
def schema_of(contract: Contract) -> dict[str, Any]:
    """Made once, and only looked at."""
    return contract.schema()


def objects_in(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [schema, *schema.get("$defs", {}).values()]


def lists_named_in(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if LIST_KEYWORD in schema:
            yield schema[LIST_KEYWORD]
        for part in schema.values():
            yield from lists_named_in(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from lists_named_in(part)


def codes_in(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every place of a schema that holds a `Code`."""
    for part in objects_in(schema):
        for member in part["properties"].values():
            choices = (member, member.get("items", {}), *member.get("anyOf", ()))
            yield from (c for c in choices if c.get("$ref") == "#/$defs/Code")


@each_contract
def test_a_contract_is_found_by_its_names(contract: Contract) -> None:
    catalogue = load_catalogue()
    assert catalogue.by_dataschema(contract.urn) is contract
    assert catalogue.find(contract.type, contract.version) is contract
    assert contract in catalogue.versions(contract.type)
    assert contract.type in catalogue.types(f"{contract.family}.*")


@each_contract
def test_the_key_is_a_required_identifier_at_the_top(contract: Contract) -> None:
    schema = schema_of(contract)
    name = contract.key.removeprefix("/")
    assert name in schema["required"]
    assert schema["properties"][name]["type"] == "string"


@each_contract
def test_every_member_has_one_class_and_the_schema_shows_it(contract: Contract) -> None:
    for part in objects_in(schema_of(contract)):
        for member in part["properties"].values():
            assert member[CLASS_KEYWORD] in list(FieldClass)


@each_contract
def test_a_members_class_is_never_below_that_of_its_parent(contract: Contract) -> None:
    classes = {pointer: field.field_class for pointer, field in walk(contract.fields)}
    for pointer, field_class in classes.items():
        above = pointer.rpartition("/")[0].removesuffix("/-")
        assert above == "" or classes[above] <= field_class


@each_contract
def test_every_party_pointer_reaches_an_organisation(contract: Contract) -> None:
    members = [field.name for field in fields_of(OrgRef)]
    reached = dict(walk(contract.fields))
    for party in contract.parties:
        assert [field.name for field in reached[party.pointer.removesuffix("/-")].parts] == members


@each_contract
def test_every_code_names_a_list_that_is_shipped(contract: Contract) -> None:
    schema = schema_of(contract)
    named = set(lists_named_in(schema))
    assert named <= set(list_names())
    assert all(code_list(name).labels for name in named)
    assert [code for code in codes_in(schema) if LIST_KEYWORD not in code] == []


@each_contract
def test_every_member_has_its_name_in_both_languages(contract: Contract) -> None:
    for part in objects_in(schema_of(contract)):
        for name, member in part["properties"].items():
            assert member["title"] and member[TITLE_EN_KEYWORD], (contract.urn, name)
            assert not member["title"].isascii(), (contract.urn, name)


@each_contract
def test_a_contract_is_described_in_both_languages(contract: Contract) -> None:
    assert contract.description_en.endswith(".") and contract.description_en.isprintable()
    assert contract.description.endswith("。") and not contract.description.isascii()


@each_contract
def test_the_deadline_of_an_opening_is_listed(contract: Contract) -> None:
    assert contract.due is None or deadline(contract.due).rule == contract.due


def test_every_shipped_list_is_used() -> None:
    used = {name for contract in CONTRACTS for name in lists_named_in(schema_of(contract))}
    assert used == set(list_names())


@each_contract
def test_the_schemas_are_valid_json_schema(contract: Contract) -> None:
    Draft202012Validator.check_schema(schema_of(contract))
    Draft202012Validator.check_schema(view_schema(contract))


@each_contract
def test_a_contract_comes_with_examples(contract: Contract) -> None:
    assert sum(contract_of(example) is contract for example in VALID) >= 1
    assert sum(contract_of(example) is contract for example in INVALID) >= 2


@each_contract
def test_who_publishes_and_receives_is_never_who_is_denied(contract: Contract) -> None:
    assert not contract.denied & (contract.publishers | contract.receivers.keys())


@each_contract
def test_what_protects_a_source_names_custodians_who_may_have_it(contract: Contract) -> None:
    assert bool(contract.custodians) == bool(contract.source_protected)
    assert not contract.custodians & contract.denied


@each_contract
def test_what_accuses_is_denied_to_the_inspected_party(contract: Contract) -> None:
    if contract.accuses or contract.family == "clue":
        assert "inspected-party" in contract.denied


@each_reply
def test_a_reply_has_the_case_of_its_openings(contract: Contract) -> None:
    for type_ in contract.answers:
        for opening in load_catalogue().versions(type_):
            assert opening.answers == () or opening.unasked or opening.due is not None
            # Families name their cases each in their own way; the hub compares the cases.
            assert opening.key == contract.key or opening.family != contract.family
        assert contract.type in load_catalogue().replies_to(type_)


def test_what_answers_an_event_about_another_names_that_one_in_the_same_place() -> None:
    about = {contract.name: at for contract, at in load_catalogue().about.items()}
    exchanges = {c.name: "/about" for c in load_catalogue() if c.family == "exchange"}
    assert about == exchanges
    for contract, at in load_catalogue().about.items():
        named = {pointer for pointer, _ in walk(contract.fields)}
        assert named >= {f"{at}/source", f"{at}/id"}, contract.name


@each_reply
def test_the_opening_of_a_reply_exists(contract: Contract) -> None:
    assert set(contract.answers) <= set(load_catalogue().types())


def test_every_example_belongs_to_a_contract() -> None:
    urns = {contract.urn for contract in load_catalogue()}
    assert {contract_of(example).urn for example in VALID} == urns
    assert {contract_of(example).urn for example in INVALID} == urns


def test_who_accuses_is_told_by_the_purpose_so_that_list_is_closed() -> None:
    purposes = code_list("petition_purpose")
    assert purposes.closed
    assert purposes.labels["3"] == "揭发控告"


def test_a_pattern_names_a_type_a_family_or_everything() -> None:
    assert type_matches("clue.transferred", "clue.transferred")
    assert type_matches("clue.*", "clue.transferred")
    assert type_matches("*", "clue.transferred")
    assert not type_matches("clue.*", "petition.case_transferred")
    assert load_catalogue().types("ledger.*") == ("ledger.reconciled", "ledger.stated")


def test_the_rules_of_a_part_hold_wherever_the_part_is_used() -> None:
    class Twice(Part):
        first: Annotated[Period, F1("前", "first")]
        then: Annotated[tuple[Period, ...], F1("后", "then")]

    good, bad = (
        {"from": "2026-01-01", "to": "2026-01-02"},
        {"from": "2026-01-02", "to": "2026-01-01"},
    )
    assert Twice.model_validate_json(json.dumps({"first": good, "then": [good]}))
    with pytest.raises(ValidationError) as refused:
        Twice.model_validate_json(json.dumps({"first": bad, "then": [good, bad]}))
    assert [error["loc"] for error in refused.value.errors()] == [("first",), ("then", 1)]


def test_a_member_without_a_class_or_with_two_is_refused() -> None:
    class Bare(Part):
        name: str

    class Nameless(Part):
        name: Annotated[str, F1]

    class Twice(Part):
        name: Annotated[str, F1("名称", "name"), F2("名称", "name")]

    class Deep(Part):
        inner: Annotated[Bare | None, F1("内层", "inner")] = None

    for model in (Bare, Nameless, Twice, Deep):
        with pytest.raises(UnclassifiedField):
            fields_of(model)


def test_the_fields_of_a_code_keep_the_class_of_what_holds_it() -> None:
    class Holder(Part):
        code: Annotated[Code, F2("代码", "code")]

    found = {pointer: field.field_class for pointer, field in walk(fields_of(Holder))}
    assert found == {
        "/code": F2,
        "/code/code": F2,
        "/code/label": F2,
        "/code/list": F2,
        "/code/version": F2,
    }
