"""Schemas made to exhaust the checker end, and are refused rather than believed."""

from typing import Any

import pytest

from contracts.compatibility.compare import compare


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(levels):
        schema = {"not": schema}
    return schema


def choices(first: str, second: str) -> dict[str, Any]:
    """2^40 ways to be valid."""
    return {
        "type": "object",
        "allOf": [
            {"anyOf": [{"required": [f"{first}{n}"]}, {"required": [f"{second}{n}"]}]}
            for n in range(40)
        ],
    }


def patterned(field_class: str) -> dict[str, Any]:
    """More patterns than sets of them are told apart."""
    marked = {"type": "string", "x-guantong-class": field_class}
    return {"type": "object", "patternProperties": dict.fromkeys(map(str, range(20)), marked)}


def crossing(field_class: str) -> dict[str, Any]:
    """2^40 places: any `a` may be the one that stands forty steps above the marked member."""
    last = 40
    inner: dict[str, Any] = {
        f"s{n}": {"properties": {name: {"$ref": f"#/$defs/s{n + 1}"} for name in "ab"}}
        for n in range(last)
    }
    inner[f"s{last}"] = {"type": "string", "x-guantong-class": field_class}
    again = {"properties": {name: {"$ref": "#/$defs/any"} for name in "ab"}}
    inner["any"] = {"anyOf": [again, {"properties": {"a": {"$ref": "#/$defs/s0"}}}]}
    return {"$ref": "#/$defs/any", "$defs": inner}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(choices("a", "b"), choices("b", "c"), id="many choices"),
        pytest.param(
            {"oneOf": [{"required": [f"a{n}"]} for n in range(60)]},
            {"oneOf": [{"required": [f"b{n}"]} for n in range(60)]},
            id="many alternatives that overlap",
        ),
        pytest.param(
            {"type": "string", "pattern": "^((a|b)*a(a|b){40}|[a-z]{0,400}x){1,9}$"},
            {"type": "string", "pattern": "^((a|b)*b(a|b){40}|[a-z]{0,400}y){1,9}$"},
            id="patterns of many states",
        ),
        pytest.param(patterned("F1"), patterned("F2"), id="marks by many patterns"),
        pytest.param(crossing("F1"), crossing("F2"), id="marks at many places"),
        pytest.param({"type": "string"}, nested(5_000), id="nested beyond all measure"),
    ],
)
def test_a_hostile_pair_is_answered_with_a_refusal(old: Any, new: Any) -> None:
    verdict = compare(old, new)
    assert (verdict.new_reads_old, verdict.old_reads_new) == (False, False)


def test_deep_negations_are_told_right() -> None:
    never, always = compare({"type": "string"}, nested(97)), compare({"type": "string"}, nested(96))
    assert (never.new_reads_old, never.old_reads_new) == (False, True)
    assert (always.new_reads_old, always.old_reads_new) == (True, False)


def test_a_schema_that_only_refers_to_itself_is_compatible_with_nothing_else() -> None:
    circle = {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}
    assert not compare({"type": "string"}, circle).new_reads_old
