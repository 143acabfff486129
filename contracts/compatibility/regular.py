"""Regular expressions as automata: the part of their syntax that all engines read alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

Ranges = tuple[tuple[int, int], ...]
NEWLINE: Final = 10
LAST: Final = 0x10FFFF
MOST_NODES: Final = 3_000
MOST_REPEATS: Final = 500
MOST_NESTING: Final = 40
_CONTROLS: Final[Mapping[str, int]] = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13}
_HEX: Final = frozenset("0123456789abcdefABCDEF")
_PUNCTUATION: Final = frozenset(r"\^$.*+?()[]{}|/-")


class Unclear(Exception):
    """The expression is not regular, too large, or engines may read it differently."""


@dataclass(frozen=True, slots=True)
class Tables:
    """How a dialect reads `.`, digits, words, blanks; whether `$` stands before a last newline."""

    classes: Mapping[str, Ranges]
    before_newline: bool


class State(NamedTuple):
    """Where the reading of a text stands; `matched` for good."""

    at: frozenset[int]
    first: bool = False
    ended: bool = False
    matched: bool = False


def complement(ranges: Ranges) -> Ranges:
    """All other code points."""
    found, after = [], 0
    for low, high in sorted(ranges):
        if low > after:
            found.append((after, low - 1))
        after = max(after, high + 1)
    return (*found, (after, LAST)) if after <= LAST else tuple(found)


class Automaton:
    """Reads a text from its start; tells whether the expression is found in it."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._free: list[list[int]] = []
        self._begin: list[list[int]] = []
        self._end: list[list[int]] = []
        self._letters: list[list[tuple[Ranges, int]]] = []
        self._steps: dict[tuple[State, int], State] = {}
        self._accepted: dict[State, bool] = {}
        self.initial = self.final = 0

    def node(self) -> int:
        """A new node. Raises Unclear when there are too many."""
        if len(self._free) >= MOST_NODES:
            raise Unclear
        for edges in (self._free, self._begin, self._end):
            edges.append([])
        self._letters.append([])
        return len(self._free) - 1

    def free(self, a: int, b: int) -> None:
        """A way from `a` to `b` that reads nothing."""
        self._free[a].append(b)

    def letter(self, a: int, b: int, ranges: Ranges) -> None:
        """A way that reads one code point."""
        self._letters[a].append((ranges, b))

    def only_at(self, a: int, b: int, *, end: bool) -> None:
        """A way that is open only at the start or at the end of the text."""
        (self._end if end else self._begin)[a].append(b)

    def check(self) -> None:
        """Raises Unclear if something is read after the end, which engines see differently."""
        for targets in self._end:
            reached = self._closure(frozenset(targets), first=True, end=True)
            if any(self._letters[node] for node in reached):
                raise Unclear

    @property
    def start(self) -> State:
        """Before the text."""
        return self._state(frozenset({self.initial}), first=True, ended=False)

    def step(self, state: State, letter: int) -> State:
        """After one more code point."""
        if state.matched:
            return state
        key = (state, letter)
        if key not in self._steps:
            moved = {
                target
                for node in state.at
                for ranges, target in self._letters[node]
                if any(low <= letter <= high for low, high in ranges)
            }
            ended = self._tables.before_newline and letter == NEWLINE and self.accepts(state, True)
            self._steps[key] = self._state(frozenset(moved | {self.initial}), False, ended)
        return self._steps[key]

    def accepts(self, state: State, anew: bool = False) -> bool:
        """Whether the expression is found in a text that ends here; `anew`: by what is at hand."""
        if state.matched or (state.ended and not anew):
            return True
        if state not in self._accepted:
            reached = self._closure(state.at, first=state.first, end=True)
            self._accepted[state] = self.final in reached
        return self._accepted[state]

    @cached_property
    def _ranges(self) -> tuple[Ranges, ...]:
        return tuple({ranges for edges in self._letters for ranges, _ in edges})

    @cached_property
    def edges(self) -> frozenset[int]:
        """The code points where what is read changes."""
        return frozenset(
            edge for ranges in self._ranges for low, high in ranges for edge in (low, high + 1)
        ) - {LAST + 1}

    def signature(self, letter: int) -> tuple[bool, ...]:
        """What tells a code point from others."""
        return tuple(any(low <= letter <= high for low, high in each) for each in self._ranges)

    def _state(self, nodes: frozenset[int], first: bool, ended: bool) -> State:
        reached = self._closure(nodes, first=first, end=False)
        if self.final in reached:
            return State(frozenset(), matched=True)
        return State(reached, first, ended)

    def _closure(self, nodes: frozenset[int], *, first: bool, end: bool) -> frozenset[int]:
        reached, waiting = set(nodes), list(nodes)
        while waiting:
            node = waiting.pop()
            ways = [*self._free[node]]
            if first:
                ways += self._begin[node]
            if end:
                ways += self._end[node]
            for target in ways:
                if target not in reached:
                    reached.add(target)
                    waiting.append(target)
        return frozenset(reached)


def automaton_of(pattern: str, tables: Tables) -> Automaton:
    """The automaton of an expression. Raises Unclear for what is not understood for sure."""
    reader = _Reader(pattern, tables)
    return reader.read()


class _Reader:
    """Reads an expression; repetition reads its text again, once for each copy."""

    def __init__(self, pattern: str, tables: Tables) -> None:
        self._text, self._tables, self._at = pattern, tables, 0
        self._made = Automaton(tables)

    def read(self) -> Automaton:
        start, end = self._alternatives(0)
        if self._at != len(self._text):
            raise Unclear
        self._made.initial, self._made.final = start, end
        self._made.check()
        return self._made

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _next(self) -> str:
        sign = self._peek()
        if not sign:
            raise Unclear
        self._at += 1
        return sign

    def _alternatives(self, nesting: int) -> tuple[int, int]:
        if nesting > MOST_NESTING:
            raise Unclear
        start, end = self._made.node(), self._made.node()
        while True:
            first, last = self._sequence(nesting)
            self._made.free(start, first)
            self._made.free(last, end)
            if self._peek() != "|":
                return start, end
            self._at += 1

    def _sequence(self, nesting: int) -> tuple[int, int]:
        start = end = self._made.node()
        while self._peek() not in ("", "|", ")"):
            first, last = self._repeated(nesting)
            self._made.free(end, first)
            end = last
        return start, end

    def _repeated(self, nesting: int) -> tuple[int, int]:
        began = self._at
        piece, asserts = self._piece(nesting)
        ended = self._at
        times = self._times()
        if times is None:
            return piece
        if asserts:
            raise Unclear
        after = self._at
        least, most = times
        made = self._made
        start = end = made.node()
        for n in range(max(least, 1 if most is None else most)):
            if n:
                self._at = began
                piece, _ = self._piece(nesting)
                assert self._at == ended, "the same text reads the same again"
            first, last = piece
            made.free(end, first)
            joined = made.node()
            made.free(last, joined)
            if n >= least:
                made.free(end, joined)
            if most is None and n == max(least, 1) - 1:
                made.free(joined, first)
            end = joined
        self._at = after
        return start, end

    def _times(self) -> tuple[int, int | None] | None:
        """How often the piece before is repeated, or None for exactly once."""
        sign = self._peek()
        times: tuple[int, int | None]
        if sign in ("*", "+", "?") and sign:
            self._at += 1
            times = {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
        elif sign == "{":
            close = self._text.find("}", self._at)
            least, comma, most = self._text[self._at + 1 : close].partition(",")
            bounds = [least, *([most] if most else [])]
            if close < 0 or not all(b.isascii() and b.isdecimal() for b in bounds):
                raise Unclear
            self._at = close + 1
            times = (int(least), (int(most) if most else None) if comma else int(least))
            if max(times[0], times[1] or 0) > MOST_REPEATS or (times[1] or times[0]) < times[0]:
                raise Unclear
        else:
            return None
        if self._peek() == "?":
            # A lazy repetition finds the same texts.
            self._at += 1
        if self._peek() in ("*", "+", "?", "{") and self._peek():
            raise Unclear
        return times

    def _piece(self, nesting: int) -> tuple[tuple[int, int], bool]:
        """One thing that may be repeated, and whether it is an assertion, which may not."""
        made, sign = self._made, self._next()
        if sign == "(":
            if self._peek() == "?":
                if self._text[self._at : self._at + 2] != "?:":
                    raise Unclear
                self._at += 2
            inner = self._alternatives(nesting + 1)
            if self._next() != ")":
                raise Unclear
            return inner, False
        start, end = made.node(), made.node()
        if sign in "^$":
            made.only_at(start, end, end=sign == "$")
            return (start, end), True
        if sign == ".":
            ranges = self._tables.classes["."]
        elif sign == "[":
            ranges = self._class()
        elif sign == "\\":
            ranges = self._escape()
        elif sign in "*+?{}])":
            raise Unclear
        else:
            ranges = ((ord(sign), ord(sign)),)
        made.letter(start, end, ranges)
        return (start, end), False

    def _class(self) -> Ranges:
        negated = self._peek() == "^"
        self._at += negated
        found: list[tuple[int, int]] = []
        while self._peek() != "]" or not found:
            low = self._member(found)
            if self._peek() == "-" and self._text[self._at + 1 : self._at + 2] != "]":
                self._at += 1
                high = self._member(found)
                if len(low) != 1 or len(high) != 1 or low[0][0] != low[0][1]:
                    raise Unclear
                if high[0][0] != high[0][1] or high[0][0] < low[0][0]:
                    raise Unclear
                found.append((low[0][0], high[0][0]))
            else:
                found.extend(low)
        self._at += 1
        return complement(tuple(found)) if negated else tuple(found)

    def _member(self, before: list[tuple[int, int]]) -> Ranges:
        sign = self._next()
        # Some engines know sets within sets, and operations on them.
        if sign in "[]" or (sign in "&-~|^" and self._peek() == sign):
            raise Unclear
        if sign == "-" and before and self._peek() != "]":
            raise Unclear
        return self._escape() if sign == "\\" else ((ord(sign), ord(sign)),)

    def _escape(self) -> Ranges:
        sign = self._next()
        if sign in _CONTROLS:
            code = _CONTROLS[sign]
        elif sign in "xu":
            digits = self._text[self._at : self._at + (2 if sign == "x" else 4)]
            if len(digits) != (2 if sign == "x" else 4) or not set(digits) <= _HEX:
                raise Unclear
            code = int(digits, 16)
            if 0xD800 <= code <= 0xDFFF:
                raise Unclear
            self._at += len(digits)
        elif sign in _PUNCTUATION:
            code = ord(sign)
        elif sign.lower() in "dws":
            ranges = self._tables.classes[sign.lower()]
            return complement(ranges) if sign.isupper() else ranges
        else:
            raise Unclear
        return ((code, code),)
