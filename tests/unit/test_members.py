"""Member names: the cheap count never misses a name that stands twice."""

import json
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from contracts.catalogue import load_catalogue
from contracts.contract import DUPLICATE_MEMBER, Contract
from contracts.members import (
    DuplicateMember,
    has_duplicates,
    members_of,
    refuse_duplicates,
    written_at_most,
)
from tests.examples import VALID, contract_of
from tests.sample import Members, rendered, tree_of

thorough = settings(max_examples=300)

TEXTS = st.one_of(
    st.sampled_from(("", "a", "b", '":', '"', "\\", ':"', ' "x" : ', "\n", "中", "𠮷", "\x7f")),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
)
TREES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 10**20), TEXTS),
    lambda inside: st.one_of(
        st.lists(inside, max_size=4).map(tuple),
        st.lists(st.tuples(TEXTS, inside), max_size=4).map(lambda pairs: Members(tuple(pairs))),
    ),
    max_leaves=20,
)
SEEDS = st.integers(0, 2**32)


def objects_in(tree: Any) -> Iterator[Members]:
    """Every object of a tree."""
    if isinstance(tree, Members):
        yield tree
        for _, held in tree.pairs:
            yield from objects_in(held)
    elif isinstance(tree, tuple):
        for item in tree:
            yield from objects_in(item)


def has_a_name_twice(tree: Any) -> bool:
    """The same, found by looking at every object."""
    return any(len(dict(o.pairs)) < len(o.pairs) for o in objects_in(tree))


@thorough
@given(tree=TREES, seed=SEEDS)
def test_no_document_writes_more_members_than_are_counted(tree: Any, seed: int) -> None:
    document = rendered(tree, Random(seed)).encode()
    assert written_at_most(document) >= sum(len(o.pairs) for o in objects_in(tree))


def test_without_quotes_in_text_the_count_is_exact() -> None:
    document = b'{ "a" : {"b"\n:[{"c": "d:e"}, "f"]} , "g"\t: 1}'
    assert written_at_most(document) == 4


@thorough
@given(tree=TREES, seed=SEEDS)
def test_a_name_that_stands_twice_anywhere_is_found(tree: Any, seed: int) -> None:
    document = rendered(tree, Random(seed)).encode()
    if has_a_name_twice(tree):
        with pytest.raises(DuplicateMember):
            refuse_duplicates(document)
    else:
        refuse_duplicates(document)


EXAMPLES = [(contract_of(example), json.loads(example.read_bytes())) for example in VALID]


def test_every_contract_has_an_example_to_try() -> None:
    assert {contract.urn for contract, _ in EXAMPLES} == {c.urn for c in load_catalogue()}


def with_one_twice(tree: Any, chosen: int, *, before: bool, held: Any = None) -> Any:
    """The tree with its n-th member of all written once more, ahead of it or behind it.

    Parsers keep what stands last; `held` is what the copy that is not kept says, else the same.
    """
    left = [chosen]

    def walk(part: Any) -> Any:
        if isinstance(part, tuple):
            return tuple(map(walk, part))
        if not isinstance(part, Members):
            return part
        pairs: list[tuple[str, Any]] = []
        for name, value in part.pairs:
            mine = left[0] == 0
            left[0] -= 1
            if mine and before:
                pairs.append((name, value if held is None else held))
            pairs.append((name, walk(value)))
            if mine and not before:
                pairs.append((name, value))
        return Members(tuple(pairs))

    return walk(tree)


@thorough
@given(example=st.sampled_from(EXAMPLES), seed=SEEDS)
def test_an_event_as_it_should_be_has_none_twice_however_it_is_written(
    example: tuple[Contract, Any], seed: int
) -> None:
    contract, data = example
    tree = tree_of(data)
    document = rendered(tree, Random(seed)).encode()
    payload = contract.check(document)
    assert not isinstance(payload, tuple)
    assert members_of(payload) == sum(len(o.pairs) for o in objects_in(tree))
    assert has_duplicates(document, payload) is False


@thorough
@given(
    example=st.sampled_from(EXAMPLES),
    place=st.integers(0, 10**6),
    before=st.booleans(),
    held=st.sampled_from((None, "先写的", 0, (), Members(()), Members((("x", 1), ("x", 2))))),
    seed=SEEDS,
    plain=st.booleans(),
)
def test_a_doubled_member_of_a_payload_is_always_found(
    example: tuple[Contract, Any], place: int, before: bool, held: Any, seed: int, plain: bool
) -> None:
    contract, data = example
    tree = tree_of(data)
    members = sum(len(o.pairs) for o in objects_in(tree))
    doubled = with_one_twice(tree, place % members, before=before, held=held)
    document = rendered(doubled, None if plain else Random(seed)).encode()
    # What counts by itself, in case validation would not have come this far.
    payload = TypeAdapter(contract.model).validate_json(json.dumps(data))
    assert has_duplicates(document, payload) is True
    assert contract.check(document) == (DUPLICATE_MEMBER,)
