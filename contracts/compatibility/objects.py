"""Contradictions among claims about the members of an object."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Final

from contracts.compatibility.claims import (
    Among,
    Claim,
    Frozen,
    Has,
    Matches,
    Members,
    Names,
    Size,
    SomeMember,
    Term,
)
from contracts.compatibility.instances import Answer, every
from contracts.compatibility.patterns import found_in
from contracts.compatibility.port import Inside
from contracts.compatibility.sizes import impossible, size_of

# So many patterns are told apart in every combination; of more, nothing is concluded.
MOST_PATTERNS: Final = 4


def no_object(claims: frozenset[Claim], inside: Inside) -> bool:
    """Whether surely no object satisfies the claims."""
    told = Told(claims, inside)
    if impossible(told.size) or told.present & told.absent:
        return True
    if any(told.refuses(name) for name in told.present):
        return True
    return any(
        claim.name is None and told.no_member(claim)
        for claim in claims
        if isinstance(claim, SomeMember)
    )


@dataclass(frozen=True)
class Told:
    """What claims tell of an object."""

    claims: frozenset[Claim]
    inside: Inside

    @cached_property
    def members(self) -> tuple[Members, ...]:
        return tuple(claim for claim in self.claims if isinstance(claim, Members))

    @cached_property
    def name_terms(self) -> frozenset[Term]:
        return frozenset(claim.term for claim in self.claims if isinstance(claim, Names))

    @cached_property
    def present(self) -> frozenset[str]:
        required = {claim.name for claim in self.claims if isinstance(claim, Has) and claim.holds}
        return frozenset(required | self._wanted.keys())

    @cached_property
    def absent(self) -> frozenset[str]:
        return frozenset(
            claim.name for claim in self.claims if isinstance(claim, Has) and not claim.holds
        )

    @cached_property
    def size(self) -> Size:
        """How many members there are, by all that is told."""
        size = size_of(self.claims)
        if size.least > len(self.present) and self.members and self._others_impossible:
            # Where only known names are possible, there are no more members than those.
            possible = sum(not self.refuses(name) for name in self.known - self.absent)
            return Size(size.least, possible if size.most is None else min(possible, size.most))
        return Size(max(size.least, len(self.present)), size.most)

    @cached_property
    def _wanted(self) -> dict[str, frozenset[Term]]:
        """What members that are sure to be there satisfy beyond what all of their name do."""
        wanted: dict[str, frozenset[Term]] = {}
        for claim in self.claims:
            if isinstance(claim, SomeMember) and claim.name is not None:
                wanted[claim.name] = wanted.get(claim.name, frozenset()) | set(claim.terms)
        return wanted

    @cached_property
    def known(self) -> frozenset[str]:
        named = frozenset(name for claim in self.members for name, _ in claim.named)
        return named | self.present | self.absent

    def refuses(self, name: str) -> bool:
        """Whether no member of this name is possible."""
        if self._name_refused(name):
            return True
        terms = self.terms_of(name)
        return bool(terms) and self.inside.nothing(terms)

    def terms_of(self, name: str) -> frozenset[Term]:
        """What a member of this name satisfies, as far as that is sure."""
        found = set(self._wanted.get(name, ()))
        for claim in self.members:
            node = claim.by_name.get(name)
            answers = [(found_in(pattern, name), held) for pattern, held in claim.patterned]
            found.update(Term(held, True) for answer, held in answers if answer is True)
            if node is not None:
                found.add(Term(node, True))
            elif claim.others is not None and all(answer is False for answer, _ in answers):
                found.add(Term(claim.others, True))
        return frozenset(found)

    def no_member(self, wanted: SomeMember) -> bool:
        """Whether a member as wanted is possible under no name."""
        for name in self.known - self.absent:
            if self._may_be(name, wanted) is not False:
                terms = self.terms_of(name) | set(wanted.terms)
                if not (terms and self.inside.nothing(terms)) and not self._name_refused(name):
                    return False
        names = frozenset(wanted.name_terms) | self.name_terms
        for claims, terms in self._other_names():
            claimed = frozenset(claims) | set(wanted.name_claims)
            if self.inside.no_string(claimed, names):
                continue
            if not self.inside.nothing(terms | set(wanted.terms)):
                return False
        return True

    @cached_property
    def _others_impossible(self) -> bool:
        return self.no_member(SomeMember(None, (self._unknown,), (), ()))

    @cached_property
    def _unknown(self) -> Among:
        return Among(frozenset(Frozen("string", name) for name in self.known), holds=False)

    def _name_refused(self, name: str) -> bool:
        value = Frozen("string", name)
        return any(self.inside.satisfies(value, term) is False for term in self.name_terms)

    def _may_be(self, name: str, wanted: SomeMember) -> Answer:
        value = Frozen("string", name)
        return every(
            [
                *(self.inside.admits(value, claim) for claim in wanted.name_claims),
                *(self.inside.satisfies(value, term) for term in wanted.name_terms),
            ]
        )

    def _other_names(self) -> Iterator[tuple[tuple[Among | Matches, ...], frozenset[Term]]]:
        """The names that nothing names, by the patterns they match: claims, and members' terms."""
        patterns = sorted({p for claim in self.members for p, _ in claim.patterned})
        if len(patterns) > MOST_PATTERNS:
            yield (self._unknown,), frozenset()
            return
        for answers in product((True, False), repeat=len(patterns)):
            matched = dict(zip(patterns, answers, strict=True))
            terms: set[Term] = set()
            for claim in self.members:
                selected = [Term(held, True) for p, held in claim.patterned if matched[p]]
                terms.update(selected)
                if not selected and claim.others is not None:
                    terms.add(Term(claim.others, True))
            claims = (Matches(pattern, holds) for pattern, holds in matched.items())
            yield (self._unknown, *claims), frozenset(terms)
