"""Proves that nothing satisfies some terms: the one question that comparing schemas asks.

`old` is contained in `new` exactly where nothing is valid under `old` and not under `new`. Terms
are taken apart into claims, kind by kind; where there are alternatives, each is refuted. Whatever
is left out on the way leaves more values, never fewer, so a proof is a proof; no proof is no claim.

Recursive schemas are refuted by descent: a value inside another is smaller, and there is no
smallest counterexample. Work and depth are bounded; beyond, nothing is sure.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from contracts.compatibility.arrays import no_array
from contracts.compatibility.claims import (
    KINDS,
    Among,
    Claim,
    Formula,
    Frozen,
    Kind,
    Matches,
    Members,
    Row,
    SomeMember,
    Term,
    all_of,
    one_of,
)
from contracts.compatibility.instances import Answer, Instances
from contracts.compatibility.keywords import Statement, statements
from contracts.compatibility.objects import no_object
from contracts.compatibility.sizes import denied_at_once, no_string, numbers, size_of

MOST_WORK: Final = 40_000
MOST_DESCENTS: Final = 40
_EMPTY: Final = {
    "string": Frozen("string", ""),
    "array": Frozen("array", ()),
    "object": Frozen("object", ()),
}
_NO_GOAL: Final = 1 << 30


class Exhausted(Exception):
    """The proof would take more work than it is given."""


@dataclass(slots=True)
class Branch:
    """What is asserted of one kind of value, taken apart as far as it is without alternatives."""

    kind: Kind
    claims: set[Claim] = field(default_factory=set)
    terms: set[Term] = field(default_factory=set)
    choices: list[tuple[Formula, ...]] = field(default_factory=list)

    def without(self, n: int) -> "Branch":
        """A copy that lacks one choice."""
        choices = self.choices[:n] + self.choices[n + 1 :]
        return Branch(self.kind, set(self.claims), set(self.terms), choices)


class Refutation:
    """Answers for one pair of documents; what was proved is remembered."""

    def __init__(self) -> None:
        self._proved: dict[frozenset[Term], bool] = {}
        self._goals: dict[frozenset[Term], tuple[int, int]] = {}
        self._expanded: dict[tuple[Term, str], Formula] = {}
        self._statements: dict[tuple[Term, Kind], tuple[Statement, ...]] = {}
        self._instances = Instances(self._expand)
        self._descents = 0
        self._earliest = _NO_GOAL
        self._work = 0

    def afresh(self) -> None:
        """Give the next question its full measure of work."""
        self._work = 0

    def apart(self, terms: frozenset[Term]) -> bool:
        """Whether surely no value satisfies all terms."""
        if any(term.denied in terms for term in terms):
            return True
        if terms in self._proved:
            return self._proved[terms]
        if terms in self._goals:
            goal, descents = self._goals[terms]
            if descents >= self._descents:
                return False
            # The same of a smaller value: a smallest counterexample would have none inside it.
            self._earliest = min(self._earliest, goal)
            return True
        if self._descents > MOST_DESCENTS:
            return False
        return self._prove(terms)

    def _prove(self, terms: frozenset[Term]) -> bool:
        goal, outer = len(self._goals), self._earliest
        self._goals[terms] = goal, self._descents
        self._earliest = _NO_GOAL
        try:
            proved = all(self._refuted(kind, Formula(terms=tuple(terms))) for kind in KINDS)
        finally:
            del self._goals[terms]
            leaned = self._earliest
            self._earliest = min(outer, leaned if leaned < goal else _NO_GOAL)
        # A proof that leans on a goal still open stands only with it.
        if not proved or leaned >= goal:
            self._proved[terms] = proved
        return proved

    def open_branch(self, terms: Iterable[Term], kind: Kind, also: Formula) -> Branch | None:
        """A branch of the proof that nothing closes, with all that holds in it; None if proved."""
        asserted = all_of([Formula(terms=tuple(terms)), also])
        branch = Branch(kind)
        if not self._absorb(branch, asserted):
            return None
        return self._open(branch)

    def statements(self, term: Term, kind: Kind) -> tuple[Statement, ...]:
        """What the keywords of a term's schema say of a kind."""
        key = (Term(term.node, True), kind)
        if key not in self._statements:
            self._spend()
            self._statements[key] = statements(term.node, kind, self.apart)
        return self._statements[key]

    def nothing(self, terms: frozenset[Term]) -> bool:
        """`apart` of what is inside the value at hand."""
        self._descents += 1
        try:
            return self.apart(terms)
        finally:
            self._descents -= 1

    def no_string(self, claims: frozenset[Among | Matches], terms: frozenset[Term]) -> bool:
        """Whether surely no string satisfies all claims and terms."""
        self._descents += 1
        try:
            return self._refuted("string", Formula(tuple(claims), tuple(terms)))
        finally:
            self._descents -= 1

    def satisfies(self, value: Frozen, term: Term) -> Answer:
        """Whether a value satisfies a term."""
        return self._instances.satisfies(value, term)

    def admits(self, value: Frozen, claim: Claim) -> Answer:
        """Whether a value satisfies a claim."""
        self._spend()
        return self._instances.admits(value, claim)

    def _spend(self, work: int = 1) -> None:
        self._work += work
        if self._work > MOST_WORK:
            raise Exhausted

    def _expand(self, term: Term, kind: str) -> Formula:
        key = (term, kind)
        if key not in self._expanded:
            said = self.statements(term, kind)  # type: ignore[arg-type]
            self._expanded[key] = (
                all_of([each.holds for each in said])
                if term.valid
                else one_of([failure.formula for each in said for failure in each.failures])
            )
        self._spend()
        return self._expanded[key]

    def _refuted(self, kind: Kind, formula: Formula) -> bool:
        branch = Branch(kind)
        return not self._absorb(branch, formula) or self._open(branch) is None

    def _absorb(self, branch: Branch, formula: Formula) -> bool:
        """Add to a branch what a formula says; False if that contradicts it at once."""
        waiting = [formula]
        while waiting:
            each = waiting.pop()
            branch.claims.update(each.claims)
            for choice in each.choices:
                if not choice:
                    return False
                branch.choices.append(choice)
            for term in each.terms:
                if term.denied in branch.terms:
                    return False
                if term not in branch.terms:
                    branch.terms.add(term)
                    waiting.append(self._expand(term, branch.kind))
        return not self._contradiction(branch)

    def _open(self, branch: Branch) -> Branch | None:
        """A branch below this one that stays open, or None if all close."""
        while branch.choices:
            self._spend()
            best: list[Branch] | None = None
            for n, choice in enumerate(branch.choices):
                left = self._left(branch, n, choice)
                if not left:
                    return None
                if best is None or len(left) < len(best):
                    best = left
                if len(left) == 1:
                    break
            assert best is not None, "there are choices"
            if len(best) > 1:
                opened = (self._open(each) for each in best)
                return next((each for each in opened if each is not None), None)
            branch = best[0]
        return branch

    def _left(self, branch: Branch, n: int, choice: tuple[Formula, ...]) -> list[Branch]:
        """The alternatives of a choice that do not contradict the branch at once."""
        left = []
        for alternative in choice:
            copy = branch.without(n)
            if self._absorb(copy, alternative):
                left.append(copy)
        return left

    def _contradiction(self, branch: Branch) -> bool:
        """Whether the claims of a branch contradict each other."""
        claims = frozenset(branch.claims)
        # Members that are named are looked up, unless one of any name is in question.
        roaming = any(isinstance(c, SomeMember) and c.name is None for c in claims)
        self._spend(1 + len(claims) // 8 + sum(_weight(c, roaming) for c in claims) // 32)
        if denied_at_once(claims):
            return True
        candidates = self._candidates(branch.kind, claims)
        if candidates is not None:
            return all(
                any(self.admits(value, claim) is False for claim in claims) for value in candidates
            )
        match branch.kind:
            case "string":
                return no_string(claims)
            case "array":
                return no_array(claims, self)
            case "object":
                return no_object(claims, self)
            case _:
                return False

    def _candidates(self, kind: Kind, claims: frozenset[Claim]) -> list[Frozen] | None:
        """The values that alone come into question, where they are few."""
        if kind == "null":
            return [Frozen("null", None)]
        if kind == "boolean":
            return [Frozen("boolean", False), Frozen("boolean", True)]
        named = [claim.choice for claim in claims if isinstance(claim, Among) and claim.holds]
        if named:
            refused = (c.choice for c in claims if isinstance(c, Among) and not c.holds)
            return list(frozenset.intersection(*named).difference(*refused))
        if kind == "number":
            return numbers(claims)
        return [_EMPTY[kind]] if size_of(claims).most == 0 else None


def _weight(claim: Claim, roaming: bool) -> int:
    """How much there is to look at in a claim."""
    match claim:
        case Members(named, patterned, _):
            return len(patterned) + (len(named) if roaming else 0)
        case Among(choice, _):
            return len(choice) // 8
        case Row(front, _):
            return len(front)
        case _:
            return 0
