"""What an event says for a column, and what it makes of a row."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from adapters.kit.sinks.columns import WITHHELD, Column, Kept, changes, key_of, value_of
from tests.adapters.sinks.events import event

SHAPES = ("text", "code", "date", "time", "month", "money", "number", "flag")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["code", "label", "amount", "unit", "name", "x"]), inner)
    ),
    max_leaves=8,
)


def told(value: Any, shape: str = "text", pointer: str = "/a", **column: Any) -> Any:
    wanted = Column.model_validate({"title": "甲", "pointer": pointer, "as": shape, **column})
    return value_of(wanted, event(1, "clue.received", {"a": value}))


@pytest.mark.parametrize(
    ("value", "shape", "says"),
    [
        (["甲", "乙", "甲"], "text", "甲、乙、甲"),
        ({"code": "1", "label": "一"}, "code", "一"),
        ("2026-05-21T20:00:00Z", "date", "2026-05-22"),
        ("五月", "date", "五月"),
        ({"amount": "186.5", "unit": "万元"}, "money", "1865000"),
        (3, "number", 3),
        (False, "flag", False),
        (None, "text", None),
        ("", "text", None),
        ([], "text", None),
    ],
)
def test_a_value_is_read_in_the_shape_of_its_column(value: Any, shape: str, says: Any) -> None:
    assert told(value, shape) == says


def test_a_code_without_a_label_is_told_by_its_list() -> None:
    assert told({"code": "closed_no_action"}, "code", list="disposition") == "予以了结"
    assert told("shelved", "code", list="disposition") == "暂存待查"


def test_words_stand_in_place_of_what_contracts_say() -> None:
    assert told("urgent", words={"urgent": "紧急"}) == "紧急"


def test_items_of_an_array_are_joined_in_their_order() -> None:
    value = [{"n": "甲"}, {"n": "乙"}, {}, {"n": "甲"}, 7]
    assert told(value, pointer="/a/-/n") == "甲、乙、甲"


@pytest.mark.parametrize("hidden", ["/a", "/a/-/n", "/a/-/n/x"])
def test_what_was_kept_back_is_told_where_nothing_is_left(hidden: str) -> None:
    column = Column(title="甲", pointer="/a/-/n")
    kept_back = event(1, "clue.received", {"a": [{}]}, hubwithheld=f"/b {hidden}")
    assert value_of(column, kept_back) == WITHHELD
    assert value_of(column, {**kept_back, "data": {"a": [{"n": "甲"}]}}) == "甲"
    assert value_of(column, {**kept_back, "hubwithheld": "/ab /a/-/nn"}) is None


def test_what_is_withheld_later_does_not_hide_what_was_told() -> None:
    column = Column(title="甲", pointer="/a", types=("clue.received",))
    hidden = event(1, "clue.received", {}, hubwithheld="/a")
    assert changes([column], {"甲"}, hidden, "") == {}
    assert changes([column], (), hidden, "") == {"甲": WITHHELD}
    assert changes([column], {"甲"}, {**hidden, "supersedes": "e0"}, "") == {"甲": WITHHELD}


def test_an_event_whose_key_was_kept_back_is_a_row_of_its_own() -> None:
    hidden = event(1, "clue.received", {}, hubwithheld="/clueid")
    assert key_of(Kept(key=("/clueid",)), hidden) == (f"（未提供）{1:032x}",)


def test_items_may_stand_on_lines_of_their_own() -> None:
    assert told(["甲、乙", "丙"], pointer="/a/-", between="\n") == "甲、乙\n丙"
    assert told(["甲"], pointer="/a/-", between="\n") == "甲"


def test_items_of_a_kind_have_a_column_of_their_own() -> None:
    value = [{"kind": {"code": "a"}, "n": "甲"}, {"kind": {"code": "b"}, "n": "乙"}, {"n": "丙"}, 7]
    assert told(value, pointer="/a/-/n", items={"/kind/code": "b"}) == "乙"
    assert told(value, pointer="/a/-/n", items={"/kind/code": "c"}) is None
    assert told(value, pointer="/a/-", items={"/n": "丙"}) == '{"n":"丙"}'
    of_kind = Column.model_validate({"title": "甲", "pointer": "/a/-/n", "items": {"/k": "b"}})
    assert value_of(of_kind, event(1, "clue.received", {}, hubwithheld="/a")) == WITHHELD


def test_only_the_items_of_an_array_can_be_chosen_among() -> None:
    with pytest.raises(ValidationError, match="items 只用于"):
        Column.model_validate({"title": "甲", "pointer": "/a/n", "items": {"/k": "b"}})


@given(value=JSON, shape=st.sampled_from(SHAPES), pointer=st.sampled_from(["/a", "/a/-", "/a/x"]))
def test_no_value_is_too_strange(value: Any, shape: str, pointer: str) -> None:
    found = told(value, shape, pointer)
    assert found is None or isinstance(found, str | int)
