"""How long two versions of a contract's schema take to compare, both ways, with the reasons."""

import json
from time import perf_counter
from typing import Any

from contracts.catalogue import load_catalogue
from contracts.compatibility.compare import compare
from tests.bench.measure import report

TYPE = "clue.transferred"
ROUNDS = 31
ALLOWED = 20_000.0


def schema() -> dict[str, Any]:
    """The released schema, read anew: nothing of an earlier comparison helps."""
    read: dict[str, Any] = json.loads(json.dumps(load_catalogue().versions(TYPE)[-1].schema()))
    return read


def with_more() -> dict[str, Any]:
    """The same with one more optional member."""
    grown = schema()
    grown["properties"]["further"] = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    return grown


def with_another_title() -> dict[str, Any]:
    """The same to every reader, but not the same document."""
    return {**schema(), "title": "另一个名称"}


def took(old: dict[str, Any], new: dict[str, Any]) -> float:
    """Microseconds of one comparison."""
    started = perf_counter()
    compare(old, new)
    return (perf_counter() - started) * 1e6


def run() -> bool:
    pairs = (
        ("a copy with an optional member", with_more),
        ("itself, retitled", with_another_title),
    )
    return all(
        [
            report(
                f"20 ms / the time {TYPE} and {what} take to compare",
                ours=[ALLOWED] * ROUNDS,
                reference=[took(schema(), other()) for _ in range(ROUNDS + 1)][1:],
                goal=1.0,
                unit="µs",
            )
            for what, other in pairs
        ]
    )
