"""Reasons name each break where it stands, in two languages, with what to do instead."""

import json
from typing import Any

import pytest

from contracts.catalogue import load_catalogue
from contracts.compatibility.compare import Verdict, compare, compare_contracts
from contracts.contract import Contract

TEXT = {"type": "string"}


def closed(**members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members, "additionalProperties": False}


def released(type_: str = "clue.transferred") -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(json.dumps(load_catalogue().versions(type_)[-1].schema()))
    return schema


def told(verdict: Verdict) -> list[tuple[str, str, str]]:
    return sorted((each.breaks, each.code, each.pointer) for each in verdict.reasons)


def test_every_break_is_named_with_its_place() -> None:
    old = closed(
        a={**TEXT, "maxLength": 9},
        b={"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]},
        c={"type": "array", "items": {"enum": ["x", "y"]}},
    )
    new = closed(
        a={**TEXT, "maxLength": 8},
        b={"anyOf": [{"type": "integer", "minimum": 2}, {"type": "null"}]},
        c={"type": "array", "items": {"enum": ["x", "y", "z"]}},
        d=TEXT,
    )
    new["required"] = ["a"]
    assert told(compare(old, new)) == [
        ("new_reads_old", "max_length_lowered", "/properties/a/maxLength"),
        ("new_reads_old", "minimum_raised", "/properties/b/anyOf/0/minimum"),
        ("new_reads_old", "required_added", "/required"),
        ("old_reads_new", "enum_member_added", "/properties/c/items/enum"),
        ("old_reads_new", "property_added", "/additionalProperties"),
    ]


def test_a_reason_says_what_changed_and_what_to_do_in_one_sentence() -> None:
    (reason,) = compare({**TEXT, "maxLength": 9}, {**TEXT, "maxLength": 8}).reasons
    assert reason.message == (
        "新版本的最大长度 8 比旧版本严格，按旧版本发布的数据会被拒收；"
        "请保留旧版本的要求，或发布新的主版本并提供转换"
    )
    assert reason.message_en == (
        "the new version's maximum length 8 is stricter, so that data of the old one would be "
        "refused; keep the old rule, or release a new major version with a conversion"
    )


def test_a_break_behind_references_is_named_in_the_definition() -> None:
    old = {"$ref": "#/$defs/a", "$defs": {"a": closed(b={"$ref": "#/$defs/c"}), "c": TEXT}}
    new = {
        "$ref": "#/$defs/a",
        "$defs": {"a": closed(b={"$ref": "#/$defs/c"}), "c": {**TEXT, "minLength": 2}},
    }
    assert told(compare(old, new)) == [("new_reads_old", "min_length_raised", "/$defs/c/minLength")]


def test_each_changed_variant_of_a_union_is_named() -> None:
    def variant(kind: str, **members: Any) -> dict[str, Any]:
        return {**closed(kind={"const": kind}, **members), "required": ["kind"]}

    old = {"oneOf": [variant("a", x=TEXT), variant("b", y={"type": "integer"})]}
    new = {
        "oneOf": [
            variant("a", x={**TEXT, "maxLength": 5}),
            variant("b", y={"type": "integer", "minimum": 0}),
        ]
    }
    assert told(compare(old, new)) == [
        ("new_reads_old", "max_length_lowered", "/oneOf/0/properties/x/maxLength"),
        ("new_reads_old", "minimum_raised", "/oneOf/1/properties/y/minimum"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "pointer"),
    [
        (TEXT, {**TEXT, "not": {"pattern": "^(?=a)"}}, "/not"),
        ({**TEXT, "pattern": "^(?=a)"}, {**TEXT, "pattern": "^a"}, "/pattern"),
        (TEXT, {"$ref": "https://example.org/other.json"}, "/$ref"),
        (TEXT, {"$dynamicRef": "#other"}, ""),
        ({"type": "object"}, {"type": "object", "dependencies": {"a": ["b"]}}, "/dependencies"),
    ],
)
def test_what_cannot_be_proved_says_so(old: Any, new: Any, pointer: str) -> None:
    reasons = [r for r in compare(old, new).reasons if r.breaks == "new_reads_old"]
    assert {reason.code for reason in reasons} == {"unprovable"}
    assert pointer in {reason.pointer for reason in reasons} or not pointer


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        ({"type": "text"}, "/type"),
        ({"type": "number", "minimum": "1"}, "/minimum"),
        ({"type": "number", "minimum": True}, "/minimum"),
        ({"type": "number", "maximum": float("inf")}, "/maximum"),
        ({"type": "number", "multipleOf": 0}, "/multipleOf"),
        ({"type": "string", "minLength": -1}, "/minLength"),
        ({"properties": []}, "/properties"),
        ({"properties": {"a/b": 1}}, "/properties/a~1b"),
        ({"anyOf": []}, "/anyOf"),
        ({"items": [TEXT]}, "/items"),
        ({"type": "object", "required": "a"}, "/required"),
        ({"type": "array", "$ref": 5}, "/$ref"),
        ({"x-guantong-class": "F9"}, "/x-guantong-class"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "/$schema"),
    ],
)
def test_what_is_no_schema_is_compatible_with_nothing(schema: Any, pointer: str) -> None:
    assert told(compare({"title": "other"}, schema)) == [
        ("new_reads_old", "schema_invalid", pointer),
        ("old_reads_new", "schema_invalid", pointer),
    ]


@pytest.mark.parametrize("contract", list(load_catalogue()), ids=lambda contract: contract.name)
def test_a_released_contract_with_one_more_optional_field_is_a_minor_version(
    contract: Contract,
) -> None:
    old, new = released(contract.type), released(contract.type)
    new["properties"]["further"] = {
        "anyOf": [
            {"type": "string", "format": "date", "x-guantong-rules": ["calendar"]},
            {"type": "null"},
        ],
        "x-guantong-class": "F2",
    }
    assert told(compare_contracts(old, new)) == [
        ("old_reads_new", "property_added", "/additionalProperties")
    ]


CHANGES: list[tuple[str, Any, Any, list[tuple[str, str]]]] = [
    ("key", "/a", "/b", [("new_reads_old", "key_changed"), ("old_reads_new", "key_changed")]),
    (
        "about",
        None,
        "/event",
        [("new_reads_old", "about_changed"), ("old_reads_new", "about_changed")],
    ),
    ("publishers", ["audit", "petition"], ["audit"], [("new_reads_old", "publishers_removed")]),
    ("publishers", ["audit"], ["audit", "petition"], []),
    ("publishers", [], ["audit"], [("new_reads_old", "publishers_removed")]),
    ("ways", ["same", "up"], ["same"], [("new_reads_old", "ways_removed")]),
    (
        "receivers",
        {"audit": {"same": "full"}},
        {"audit": {"same": "masked"}},
        [("old_reads_new", "receivers_removed")],
    ),
    (
        "receivers",
        {"audit": {"same": "full"}},
        {"audit": {"same": "full", "up": "masked"}},
        [("new_reads_old", "receivers_added")],
    ),
    ("denied", [], ["audit"], [("old_reads_new", "denied_added")]),
    ("denied", ["audit"], [], [("new_reads_old", "denied_removed")]),
    ("custodians", [], ["audit"], [("new_reads_old", "custodians_added")]),
    (
        "parties",
        [{"pointer": "/a", "role": "concerned"}],
        [{"pointer": "/a", "role": "accused"}],
        [("new_reads_old", "parties_removed"), ("old_reads_new", "parties_added")],
    ),
    ("accused_persons", [], ["/p"], [("old_reads_new", "accused_persons_added")]),
    ("answers", ["a.b"], ["a.c"], [
        ("new_reads_old", "answers_removed"), ("old_reads_new", "answers_added"),
    ]),
    ("unasked", True, False, [("new_reads_old", "unasked_removed")]),
    ("ceiling", "internal", "mimi", [("old_reads_new", "ceiling_added")]),
    ("ceiling", "mimi", "internal", [("new_reads_old", "ceiling_removed")]),
    ("due", "a", "b", [("new_reads_old", "due_changed"), ("old_reads_new", "due_changed")]),
    ("flows", ["V01"], ["V02"], []),
    ("phase", "pre", "post", []),
]  # fmt: skip


@pytest.mark.parametrize(("member", "was", "now", "expected"), CHANGES)
def test_changed_metadata_breaks_who_relied_on_it(
    member: str, was: Any, now: Any, expected: list[tuple[str, str]]
) -> None:
    old = {**TEXT, "x-guantong-contract": {"version": "1.0", member: was}}
    new = {**TEXT, "x-guantong-contract": {"version": "2.0", member: now}}
    verdict = compare_contracts(old, new)
    assert sorted((each.breaks, each.code) for each in verdict.reasons) == expected
    pointers = {each.pointer for each in verdict.reasons}
    assert pointers <= {f"/x-guantong-contract/{member}"}


def test_metadata_that_one_side_lacks_says_nothing_of_either_direction() -> None:
    verdict = compare_contracts(released(), TEXT)
    missing = [each.breaks for each in verdict.reasons if each.code == "metadata_missing"]
    assert missing == ["new_reads_old", "old_reads_new"]


def test_marks_are_named_at_the_field() -> None:
    old = closed(a={**TEXT, "x-guantong-class": "F1"}, b={**TEXT, "x-guantong-class": "F3"})
    new = closed(
        a={**TEXT, "x-guantong-class": "F2"},
        b={**TEXT, "x-guantong-class": "F2", "x-guantong-in-summary": True},
    )
    assert told(compare(old, new)) == [
        ("new_reads_old", "class_lowered", "/properties/b/x-guantong-class"),
        ("new_reads_old", "summary_added", "/properties/b/x-guantong-in-summary"),
        ("old_reads_new", "class_raised", "/properties/a/x-guantong-class"),
    ]
