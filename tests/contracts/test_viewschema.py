"""A view is a payload with whole members left out, and always validates against its schema."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from contracts.catalogue import load_catalogue
from contracts.classes import F0, F2, FieldClass
from contracts.fields import Field
from contracts.viewschema import view_schema
from tests.examples import VALID, contract_of

examples = st.sampled_from(VALID)


@cache
def validator_of(urn: str) -> Draft202012Validator:
    contract = load_catalogue().by_dataschema(urn)
    assert contract is not None
    return Draft202012Validator(view_schema(contract))


def errors_in_view(view: Any, example: Path) -> list[str]:
    return [error.message for error in validator_of(contract_of(example).urn).iter_errors(view)]


def droppable(
    value: Any, fields: tuple[Field, ...], above: FieldClass
) -> Iterator[tuple[dict[str, Any], str]]:
    """The members of `value` that a recipient of `above` may lack, each with its object."""
    for item in value if isinstance(value, list) else [value]:
        for field in fields:
            if not isinstance(item, dict) or field.name not in item:
                continue
            if field.field_class > above:
                yield item, field.name
            yield from droppable(item[field.name], field.parts, field.field_class)


def seen_with(classes: frozenset[FieldClass], value: Any, fields: tuple[Field, ...]) -> Any:
    """What stays of an object: members of these classes, but for objects with nothing left."""
    seen = {}
    for field in fields:
        if field.name not in value or field.field_class not in classes:
            continue
        part = value[field.name]
        if field.parts and field.many:
            part = [seen_with(classes, item, field.parts) for item in part]
            if {} in part:
                continue
        elif field.parts and part is not None:
            part = seen_with(classes, part, field.parts)
            if part == {}:
                continue
        seen[field.name] = part
    return seen


def test_a_full_payload_is_a_view() -> None:
    errors = {path.stem: errors_in_view(json.loads(path.read_bytes()), path) for path in VALID}
    assert {stem: found for stem, found in errors.items() if found} == {}


@settings(max_examples=300)
@given(example=examples, data=st.data())
def test_any_members_that_may_be_withheld_can_be_missing(
    example: Path, data: st.DataObject
) -> None:
    view = json.loads(example.read_bytes())
    members = list(droppable(view, contract_of(example).fields, F0))
    for item, name in data.draw(st.lists(st.sampled_from(members), unique_by=id)):
        item.pop(name, None)
    assert errors_in_view(view, example) == []


@settings(max_examples=300)
@given(example=examples, classes=st.frozensets(st.sampled_from(list(FieldClass))))
def test_what_any_classes_show_validates(example: Path, classes: frozenset[FieldClass]) -> None:
    payload = json.loads(example.read_bytes())
    view = seen_with(classes, payload, contract_of(example).fields)
    assert errors_in_view(view, example) == []


def test_nothing_may_be_added_or_altered() -> None:
    for example in VALID:
        payload = json.loads(example.read_bytes())
        key = contract_of(example).key.removeprefix("/")
        assert errors_in_view({**payload, "surplus": 1}, example) != [], example.stem
        assert errors_in_view({**payload, key: 1}, example) != [], example.stem


def test_an_object_that_is_seen_keeps_its_open_members() -> None:
    contract = load_catalogue().versions("clue.transferred")[0]
    kept = {name: part["required"] for name, part in view_schema(contract)["$defs"].items()}
    assert {name: required for name, required in kept.items() if required} == {"Code": ["code"]}


def test_an_absent_member_of_a_view_has_no_default() -> None:
    contract = load_catalogue().versions("petition.case_transferred")[-1]
    assert contract.schema()["properties"]["joint"]["default"] is False
    assert "default" not in view_schema(contract)["properties"]["joint"]


def test_the_summary_of_a_petition_may_be_withheld() -> None:
    contract = load_catalogue().versions("petition.case_transferred")[-1]
    assert next(f for f in contract.fields if f.name == "summary").field_class is F2
    assert "summary" in contract.schema()["required"]
    assert view_schema(contract)["required"] == []
