"""What is kept of a reading: every position with its decision, in few bytes."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.classes import FieldClass
from hub.evidence.reads import EXPIRED, REASONS, Outcome, outcome_of, packed, told, unpacked
from hub.policy.entitle import Allowed, Decision, Denied

OUTCOMES = st.integers(0, 0x3F) | st.integers(0x80, 0x80 + len(REASONS) - 1)


@given(st.lists(st.tuples(st.integers(1, 2**40), OUTCOMES), min_size=1, max_size=300))
def test_what_is_packed_comes_back(entries: list[tuple[int, int]]) -> None:
    positions = list(dict.fromkeys(sorted(position for position, _ in entries)))
    outcomes = bytes(outcome for _, outcome in entries[: len(positions)])
    found = unpacked(positions[0], packed(positions, outcomes))
    assert found == dict(zip(positions, outcomes, strict=True))


@pytest.mark.parametrize("step", [1, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**50])
def test_any_distance_between_positions_is_kept(step: int) -> None:
    assert unpacked(7, packed([7, 7 + step], b"\x01\x02")) == {7: 1, 7 + step: 2}


def test_a_page_of_a_thousand_neighbours_takes_few_bytes() -> None:
    assert len(packed(range(1, 1001), b"\x0f" * 1000)) < 100


def test_every_decision_is_told_apart() -> None:
    every = [
        frozenset(c for c, is_in in zip(FieldClass, chosen, strict=True) if is_in)
        for chosen in product((False, True), repeat=len(FieldClass))
    ]
    decisions: list[Decision] = [
        *(Allowed(classes, masked) for classes in every for masked in (False, True)),
        *(Denied(1, reason) for reason in REASONS),
    ]
    bytes_ = [outcome_of(decision) for decision in decisions]
    assert len(set(bytes_)) == len(decisions)
    expected = [
        Outcome(d.classes, d.masked, False, None)
        if isinstance(d, Allowed)
        else Outcome(frozenset(), False, False, d.reason)
        for d in decisions
    ]
    assert [told(byte) for byte in bytes_] == expected
    assert told(EXPIRED).reason == "expired"
