"""The labelled pairs: each direction is told right, but for a known list that is only refused."""

import json
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from contracts.compatibility.compare import Verdict, compare
from tests.contracts.compatibility.test_soundness import counterexamples

DIRECTIONS = ("new_reads_old", "old_reads_new")
# Compatible in truth, and refused because it cannot be proved: this list only ever gets shorter.
REFUSED = {
    ("arrays", "unique booleans", "new_reads_old"),
    ("objects", "unevaluatedProperties by a condition", "new_reads_old"),
    ("objects", "unevaluatedProperties by a condition", "old_reads_new"),
    ("strings", "look-ahead", "new_reads_old"),
    ("strings", "look-ahead", "old_reads_new"),
}


@dataclass(frozen=True)
class Labelled:
    """A pair, and what is true of it."""

    group: str
    pair: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.group}: {self.pair['name']}"

    @property
    def verdict(self) -> Verdict:
        lists = {side: self.pair.get(side, {}) for side in ("old_lists", "new_lists")}
        return compare(self.pair["old"], self.pair["new"], **lists)

    @property
    def truth(self) -> dict[str, bool]:
        return {direction: self.pair[direction] for direction in DIRECTIONS}


PAIRS = [
    Labelled(path.stem, pair)
    for path in sorted((Path(__file__).parent / "pairs").glob("*.json"))
    for pair in json.loads(path.read_text(encoding="utf-8"))
]
# What engines know: our own keywords and references that lead nowhere are not theirs.
SEARCHED = [each for each in PAIRS if each.group not in ("guantong", "references")]


@pytest.mark.parametrize("labelled", PAIRS, ids=str)
def test_each_direction_is_told_right_or_is_a_known_refusal(labelled: Labelled) -> None:
    name = (labelled.group, labelled.pair["name"])
    expected = {
        direction: true and (*name, direction) not in REFUSED
        for direction, true in labelled.truth.items()
    }
    verdict = labelled.verdict
    assert {direction: getattr(verdict, direction) for direction in DIRECTIONS} == expected


@pytest.mark.parametrize("labelled", PAIRS, ids=str)
def test_a_direction_has_reasons_exactly_where_it_does_not_hold(labelled: Labelled) -> None:
    verdict = labelled.verdict
    broken = {reason.breaks for reason in verdict.reasons}
    assert broken == {each for each in DIRECTIONS if not getattr(verdict, each)}
    assert all(reason.code and reason.message and reason.message_en for reason in verdict.reasons)


def test_the_verdict_on_a_reversed_pair_is_the_verdict_reversed() -> None:
    def told(verdict: Verdict) -> tuple[bool, bool]:
        return verdict.new_reads_old, verdict.old_reads_new

    # Marks and rules have a direction of their own, so only schemas are turned round.
    odd = [
        str(each)
        for each in SEARCHED
        if told(compare(each.pair["new"], each.pair["old"])) != told(each.verdict)[::-1]
    ]
    assert odd == []


@pytest.mark.parametrize("labelled", SEARCHED, ids=str)
def test_no_engine_contradicts_a_label_of_compatibility(labelled: Labelled) -> None:
    old, new = labelled.pair["old"], labelled.pair["new"]
    found = [
        example
        for direction, writer, reader in zip(DIRECTIONS, (old, new), (new, old), strict=True)
        if labelled.truth[direction]
        for example in counterexamples(Random(7), writer, reader)
    ]
    assert found == []


def test_the_set_is_large_and_most_of_it_are_traps() -> None:
    traps = [each for each in PAIRS if each.pair["trap"]]
    refused = {(each.group, each.pair["name"]) for each in PAIRS} & {r[:2] for r in REFUSED}
    assert len(PAIRS) >= 280
    assert len(traps) * 2 >= len(PAIRS)
    assert refused == {r[:2] for r in REFUSED}, "a refusal that is no longer in the set"
