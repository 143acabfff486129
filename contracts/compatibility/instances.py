"""Whether one JSON value satisfies a claim: yes, no, or not to be told."""

from collections.abc import Callable, Iterable

from contracts.compatibility.claims import (
    Among,
    Claim,
    Count,
    Distinct,
    Formula,
    Frozen,
    Has,
    High,
    Low,
    Matches,
    Members,
    Multiple,
    Names,
    Row,
    Says,
    Size,
    SomeItem,
    SomeMember,
    Term,
)
from contracts.compatibility.patterns import found_in

Answer = bool | None


def every(answers: Iterable[Answer]) -> Answer:
    """Whether all hold: one that does not decides, one that cannot be told leaves it open."""
    told: Answer = True
    for answer in answers:
        if answer is False:
            return False
        if answer is None:
            told = None
    return told


def some(answers: Iterable[Answer]) -> Answer:
    """Whether one holds."""
    return denied(every(denied(answer) for answer in answers))


def denied(answer: Answer) -> Answer:
    """The opposite of what is told."""
    return None if answer is None else not answer


class Instances:
    """Tries values on terms. `expand` gives what a term says of the values of a kind."""

    def __init__(self, expand: Callable[[Term, str], Formula]) -> None:
        self._expand = expand

    def satisfies(self, value: Frozen, term: Term) -> Answer:
        """Whether a value satisfies a term."""
        return self._formula(value, self._expand(term, value.kind))

    def _formula(self, value: Frozen, formula: Formula) -> Answer:
        return every(
            answer
            for group in (
                (self.admits(value, claim) for claim in formula.claims),
                (self.satisfies(value, term) for term in formula.terms),
                (some(self._formula(value, a) for a in choice) for choice in formula.choices),
            )
            for answer in group
        )

    def admits(self, value: Frozen, claim: Claim) -> Answer:
        """Whether a value satisfies a claim about values of its kind."""
        content = value.content
        match claim:
            case Low(bound, strict):
                return bool(content > bound if strict else content >= bound)
            case High(bound, strict):
                return bool(content < bound if strict else content <= bound)
            case Multiple(of, holds):
                return ((content / of).denominator == 1) is holds
            case Size(least, most):
                return least <= len(content) and (most is None or len(content) <= most)
            case Among(choice, holds):
                return (value in choice) is holds
            case Matches(pattern, holds):
                answer = found_in(pattern, content)
                return answer if holds else denied(answer)
            case Says():
                return None
            case Has(name, holds):
                return (name in dict(content)) is holds
            case Members() | Names() | SomeMember():
                return self._object(content, claim)
            case Row() | SomeItem() | Count() | Distinct():
                return self._array(content, claim)

    def _object(
        self, members: tuple[tuple[str, Frozen], ...], claim: Members | Names | SomeMember
    ) -> Answer:
        match claim:
            case Members():
                return every(self._member(name, held, claim) for name, held in members)
            case Names(term):
                return every(self.satisfies(Frozen("string", n), term) for n, _ in members)
            case SomeMember(wanted, name_claims, name_terms, terms):
                return some(
                    every(
                        [
                            wanted is None or name == wanted,
                            *(self.admits(Frozen("string", name), c) for c in name_claims),
                            *(self.satisfies(Frozen("string", name), t) for t in name_terms),
                            *(self.satisfies(held, term) for term in terms),
                        ]
                    )
                    for name, held in members
                )

    def _member(self, name: str, held: Frozen, claim: Members) -> Answer:
        named = claim.by_name
        matched = [(found_in(pattern, name), node) for pattern, node in claim.patterned]
        answers = [
            some([denied(selected), self.satisfies(held, Term(node, True))])
            for selected, node in matched
        ]
        if name in named:
            answers.append(self.satisfies(held, Term(named[name], True)))
        elif claim.others is not None:
            selected = some(selected for selected, _ in matched)
            answers.append(some([selected, self.satisfies(held, Term(claim.others, True))]))
        return every(answers)

    def _array(self, items: tuple[Frozen, ...], claim: Row | SomeItem | Count | Distinct) -> Answer:
        match claim:
            case Row(front, rest):
                terms = [*front, *([rest] * (len(items) - len(front)))]
                pairs = zip(items, terms, strict=False)
                return every(self.satisfies(i, t) for i, t in pairs if t is not None)
            case SomeItem(position, onwards, term):
                looked = items[position:] if onwards else items[position : position + 1]
                return some(self.satisfies(item, term) for item in looked)
            case Count(term, least, most):
                answers = [self.satisfies(item, term) for item in items]
                surely, maybe = answers.count(True), answers.count(None)
                if surely + maybe < least or (most is not None and surely > most):
                    return False
                certain = surely >= least and (most is None or surely + maybe <= most)
                return True if certain else None
            case Distinct(holds):
                return (len(set(items)) == len(items)) is holds
