"""What patterns say of each other: automata of the regular expressions that engines agree on.

Engines read some signs differently (`$` before a last newline, `.`, digits, words, blanks): a
question is answered for each `Dialect`, and only what all answer alike is an answer. What is
not regular, or that only some engines know, is not understood: then nothing is concluded.
"""

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from contracts.compatibility.regular import (
    NEWLINE,
    Automaton,
    Ranges,
    State,
    Tables,
    Unclear,
    automaton_of,
    complement,
)

MOST_STEPS: Final = 50_000
MOST_LENGTH: Final = 200

Dialect = Literal["ecma", "python", "rust"]
_DIALECTS: Final[tuple[Dialect, ...]] = ("ecma", "python", "rust")
_ECMA_SPACE: Final[Ranges] = (
    (9, 13), (32, 32), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029),
    (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF),
)  # fmt: skip
_RUST_SPACE: Final[Ranges] = (
    (9, 13), (32, 32), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A),
    (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000),
)  # fmt: skip


@cache
def _unicode(sign: str) -> Ranges:
    """The code points of `\\d`, `\\w` or `\\s`, as Python has them."""
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    return tuple((m.start(), m.end() - 1) for m in re.finditer(rf"\{sign}+", everything))


def _tables(dialect: Dialect, signs: frozenset[str]) -> Tables:
    if dialect == "ecma":
        ends = complement(((10, 10), (13, 13), (0x2028, 0x2029)))
        word: Ranges = ((48, 57), (65, 90), (95, 95), (97, 122))
        return Tables({"d": ((48, 57),), "w": word, "s": _ECMA_SPACE, ".": ends}, False)
    classes = {sign: _unicode(sign) for sign in signs}
    classes["."] = complement(((10, 10),))
    if dialect == "rust":
        classes["s"] = _RUST_SPACE
    return Tables(classes, before_newline=dialect == "python")


@cache
def _automaton(pattern: str, dialect: Dialect) -> Automaton | None:
    signs = frozenset(sign.lower() for sign in re.findall(r"\\([dwsDWS])", pattern))
    try:
        return automaton_of(pattern, _tables(dialect, signs))
    except Unclear:
        return None


def found_in(pattern: str, text: str) -> bool | None:
    """Whether a pattern is found in a text; None where engines differ or it is not understood."""
    answers = set()
    for dialect in _DIALECTS:
        automaton = _automaton(pattern, dialect)
        if automaton is None:
            return None
        state = automaton.start
        for sign in text:
            state = automaton.step(state, ord(sign))
        answers.add(automaton.accepts(state))
    return answers.pop() if len(answers) == 1 else None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Texts that hold all of `found`, none of `missing`, of so many code points."""

    found: tuple[str, ...]
    missing: tuple[str, ...]
    least: int
    most: int | None


@cache
def surely_none(wanted: Wanted) -> bool:
    """Whether no text is as wanted, in any dialect. False where that is not sure."""
    return all(_none_in(wanted, dialect) for dialect in _DIALECTS)


def understood(pattern: str) -> bool:
    """Whether anything can be concluded of a pattern."""
    return all(_automaton(pattern, dialect) is not None for dialect in _DIALECTS)


def _none_in(wanted: Wanted, dialect: Dialect) -> bool:
    # A pattern that is not understood asks for nothing: that leaves more texts, never fewer.
    found = [a for p in wanted.found if (a := _automaton(p, dialect)) is not None]
    missing = [a for p in wanted.missing if (a := _automaton(p, dialect)) is not None]
    automata = [*found, *missing]
    if not automata:
        return False
    letters = _representatives(automata)
    # Lengths beyond what is followed are no bounds: again more texts, never fewer.
    least = min(wanted.least, MOST_LENGTH)
    most = wanted.most if wanted.most is not None and wanted.most <= MOST_LENGTH else None
    reached = {tuple(a.start for a in automata)}
    seen: set[frozenset[tuple[State, ...]]] = set()
    length = steps = 0
    while True:
        steps += len(reached) * len(letters) * len(automata)
        if steps > MOST_STEPS:
            return False
        if length >= least:
            if any(_wanted(states, found, missing) for states in reached):
                return False
            if frozenset(reached) in seen:
                return True
            seen.add(frozenset(reached))
        if most is not None and length == most:
            return True
        reached = {
            tuple(a.step(s, letter) for a, s in zip(automata, states, strict=True))
            for states in reached
            for letter in letters
        }
        length += 1


def _wanted(
    states: Sequence[State], found: Sequence[Automaton], missing: Sequence[Automaton]
) -> bool:
    accepted = [a.accepts(s) for a, s in zip([*found, *missing], states, strict=True)]
    return all(accepted[: len(found)]) and not any(accepted[len(found) :])


def _representatives(automata: Iterable[Automaton]) -> tuple[int, ...]:
    """One code point of every group that no automaton tells apart."""
    edges = sorted({edge for automaton in automata for edge in automaton.edges} | {0, NEWLINE})
    groups: dict[tuple[bool, ...], int] = {}
    for edge in edges:
        groups.setdefault(tuple(_told(automata, edge)), edge)
    return tuple(groups.values())


def _told(automata: Iterable[Automaton], letter: int) -> Iterator[bool]:
    for automaton in automata:
        yield from automaton.signature(letter)
    yield letter == NEWLINE
