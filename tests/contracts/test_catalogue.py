"""What holds for every contract of the catalogue, and for the code lists they name."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import jsonschema_rs
import pytest
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
DIALECT = "https://json-schema.org/draft/2020-12/schema"
CONTRACTS = sorted(load_catalogue(), key=lambda contract: contract.urn)
REPLIES = [contract for contract in CONTRACTS if contract.answers]


def breaking(promise: Callable[[Contract], bool]) -> list[str]:
    """The contracts that do not hold what every one of them promises."""
    return [contract.urn for contract in CONTRACTS if not promise(contract)]


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


def members_in(contract: Contract) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every member of every object of a contract's schema, with its name."""
    for part in objects_in(schema_of(contract)):
        yield from part["properties"].items()


def codes_in(contract: Contract) -> Iterator[dict[str, Any]]:
    """Every place of a contract's schema that holds a `Code`."""
    for _, member in members_in(contract):
        choices = (member, member.get("items", {}), *member.get("anyOf", ()))
        yield from (c for c in choices if c.get("$ref") == "#/$defs/Code")


def test_a_contract_is_found_by_its_names() -> None:
    catalogue = load_catalogue()
    assert breaking(lambda c: catalogue.by_dataschema(c.urn) is c) == []
    assert breaking(lambda c: catalogue.find(c.type, c.version) is c) == []
    assert breaking(lambda c: c in catalogue.versions(c.type)) == []
    assert breaking(lambda c: c.type in catalogue.types(f"{c.family}.*")) == []


def test_the_key_is_a_required_identifier_at_the_top() -> None:
    def required(contract: Contract) -> bool:
        schema, name = schema_of(contract), contract.key.removeprefix("/")
        return name in schema["required"] and schema["properties"][name]["type"] == "string"

    assert breaking(required) == []


def test_every_member_has_one_class_and_the_schema_shows_it() -> None:
    found = [(c.urn, name, m.get(CLASS_KEYWORD)) for c in CONTRACTS for name, m in members_in(c)]
    assert [member for member in found if member[2] not in list(FieldClass)] == []


def test_a_members_class_is_never_below_that_of_its_parent() -> None:
    below = []
    for contract in CONTRACTS:
        classes = {pointer: field.field_class for pointer, field in walk(contract.fields)}
        for pointer, field_class in classes.items():
            above = pointer.rpartition("/")[0].removesuffix("/-")
            if above and classes[above] > field_class:
                below.append((contract.urn, pointer))
    assert below == []


def test_every_party_pointer_reaches_an_organisation() -> None:
    members = [field.name for field in fields_of(OrgRef)]
    for contract in CONTRACTS:
        reached = dict(walk(contract.fields))
        for party in contract.parties:
            parts = reached[party.pointer.removesuffix("/-")].parts
            assert [field.name for field in parts] == members, (contract.urn, party.pointer)


def test_every_code_names_a_list_that_is_shipped() -> None:
    named = {name for contract in CONTRACTS for name in lists_named_in(schema_of(contract))}
    # And every list that is shipped is used.
    assert named == set(list_names())
    assert [name for name in named if not code_list(name).labels] == []
    bare = [(c.urn, code) for c in CONTRACTS for code in codes_in(c) if LIST_KEYWORD not in code]
    assert bare == []


def test_every_member_has_its_name_in_both_languages() -> None:
    members = [(c.urn, name, member) for c in CONTRACTS for name, member in members_in(c)]
    nameless = [(urn, n) for urn, n, m in members if not m.get("title") or m["title"].isascii()]
    assert nameless == []
    assert [(urn, name) for urn, name, m in members if not m.get(TITLE_EN_KEYWORD)] == []


def test_a_contract_is_described_in_both_languages() -> None:
    assert (
        breaking(lambda c: c.description_en.endswith(".") and c.description_en.isprintable()) == []
    )
    assert breaking(lambda c: c.description.endswith("。") and not c.description.isascii()) == []


def test_the_deadline_of_an_opening_is_listed() -> None:
    assert breaking(lambda c: c.due is None or deadline(c.due).rule == c.due) == []


def test_the_schemas_are_valid_json_schema() -> None:
    valid = jsonschema_rs.meta.is_valid
    assert breaking(lambda c: valid(schema_of(c)) and valid(view_schema(c))) == []
    assert breaking(lambda c: schema_of(c)["$schema"] == DIALECT) == []
    assert breaking(lambda c: view_schema(c)["$schema"] == DIALECT) == []


def test_a_contract_comes_with_examples() -> None:
    valid = Counter(contract_of(example).urn for example in VALID)
    invalid = Counter(contract_of(example).urn for example in INVALID)
    assert breaking(lambda c: valid[c.urn] >= 1 and invalid[c.urn] >= 2) == []
    # And every example belongs to a contract.
    assert valid.keys() | invalid.keys() == {contract.urn for contract in CONTRACTS}


def test_who_publishes_and_receives_is_never_who_is_denied() -> None:
    assert breaking(lambda c: not c.denied & (c.publishers | c.receivers.keys())) == []


def test_what_protects_a_source_names_custodians_who_may_have_it() -> None:
    assert breaking(lambda c: bool(c.custodians) == bool(c.source_protected)) == []
    assert breaking(lambda c: not c.custodians & c.denied) == []


def test_what_accuses_is_denied_to_the_inspected_party() -> None:
    accusing = {c.urn for c in CONTRACTS if c.accuses or c.family == "clue"}
    assert accusing & {*breaking(lambda c: "inspected-party" in c.denied)} == set()


def test_a_reply_has_the_case_of_its_openings() -> None:
    for contract in REPLIES:
        for type_ in contract.answers:
            for opening in load_catalogue().versions(type_):
                pair = (contract.urn, opening.urn)
                assert opening.answers == () or opening.unasked or opening.due is not None, pair
                # Families name their cases each in their own way; the hub compares the cases.
                assert opening.key == contract.key or opening.family != contract.family, pair
            assert contract.type in load_catalogue().replies_to(type_), contract.urn


def test_what_answers_an_event_about_another_names_that_one_in_the_same_place() -> None:
    about = {contract.name: at for contract, at in load_catalogue().about.items()}
    exchanges = {c.name: "/about" for c in load_catalogue() if c.family == "exchange"}
    assert about == exchanges
    for contract, at in load_catalogue().about.items():
        named = {pointer for pointer, _ in walk(contract.fields)}
        assert named >= {f"{at}/source", f"{at}/id"}, contract.name


def test_the_opening_of_a_reply_exists() -> None:
    assert breaking(lambda c: set(c.answers) <= set(load_catalogue().types())) == []


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
