"""What is concluded of patterns holds in every engine, and is silent where engines differ."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.compatibility.patterns import Wanted, found_in, surely_none, understood

PATTERNS = (
    "^a", "b$", "^[ab]+$", "a|b", "^(a|ab)*$", "^a{2,3}$", "[^a]", "^$", "a?b", "^(ab){0,2}c",
    "^a.b$", "x", "^[a-c]{1,}$", "(a|)b", "^a*?b", "\\.", "^[\\t ]*$", "^(?:a|b){2}",
)  # fmt: skip
texts = st.text(alphabet="abcx. \n\t1", max_size=6)


@given(st.sampled_from(PATTERNS), texts)
def test_a_pattern_is_found_where_the_engine_finds_it(pattern: str, text: str) -> None:
    assert found_in(pattern, text) in (None, re.search(pattern, text) is not None)


@given(st.sampled_from(PATTERNS), st.sampled_from(PATTERNS), texts)
def test_what_is_excluded_does_not_occur(one: str, other: str, text: str) -> None:
    both = Wanted((one, other), (), 0, None)
    only = Wanted((one,), (other,), 0, None)
    found, also = re.search(one, text) is not None, re.search(other, text) is not None
    assert not (found and also and surely_none(both))
    assert not (found and not also and surely_none(only))


@pytest.mark.parametrize(
    ("pattern", "text"),
    [("^a$", "a\n"), ("^\\d$", "١"), ("^.$", "\r"), ("^\\s$", "\ufeff"), ("^\\w$", "é")],
)
def test_where_engines_differ_nothing_is_said(pattern: str, text: str) -> None:
    assert found_in(pattern, text) is None


@pytest.mark.parametrize(
    "pattern",
    [
        "(?=a)",
        "(?i)a",
        "a++",
        "\\bа",
        "(a)\\1",
        "[[a]]",
        "\\p{L}",
        "a{1000}",
        "(",
        "a{,2}",
        "[z-a]",
    ],
)
def test_what_is_not_regular_or_not_common_is_not_understood(pattern: str) -> None:
    assert not understood(pattern)
    assert found_in(pattern, "a") is None
    assert not surely_none(Wanted((pattern,), (), 0, None))
