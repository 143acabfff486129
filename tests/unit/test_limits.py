"""Looking at JSON before a parser does: cheap on hostile bytes, right on good ones."""

import json
import re
import sys
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.intake import limits
from hub.intake.limits import has_more_values, is_deeper, items_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=30,
)


def depth_of(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


@given(JSON)
def test_depth_is_that_of_the_document(value: Any) -> None:
    document = json.dumps(value).encode()
    depth = depth_of(value)
    assert not is_deeper(document, depth)
    assert depth == 0 or is_deeper(document, depth - 1)


@given(st.lists(JSON, min_size=1, max_size=6))
def test_an_array_is_split_as_a_parser_would(values: list[Any]) -> None:
    found = items_of(json.dumps(values).encode())
    assert found is not None
    assert [json.loads(item) for item in found] == values


@given(JSON, st.integers(0, 40))
def test_values_are_counted_but_not_the_signs_in_texts(value: Any, limit: int) -> None:
    document = json.dumps(value).encode()
    bare = re.sub(rb'"(?:[^"\\]|\\.)*"', b"", document)
    assert has_more_values(document, limit) == (bare.count(b":") + bare.count(b",") > limit)


@pytest.mark.parametrize("start", [b'["', b"[]" * 40 + b'"', b'[{"a":"'])
@pytest.mark.parametrize("hostile", [b'\\"', b"\\", b"\\\\"])
def test_a_text_without_an_end_is_looked_at_once(start: bytes, hostile: bytes) -> None:
    """The number of tokens stays what it is, however long the text is."""
    assert [tokens_of(start + hostile * n) for n in (10, 100_000)] == [
        tokens_of(start + hostile)
    ] * 2


def tokens_of(document: bytes) -> int:
    """How often the scanner goes round, told by the lines that run."""
    count = 0

    def trace(frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal count
        count += event == "line" and frame.f_code.co_filename == limits.__file__
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        items_of(document)
        is_deeper(document, 32)
    finally:
        sys.settrace(before)
    return count
