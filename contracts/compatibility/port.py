"""What the contradictions of arrays and objects ask about the values inside them."""

from typing import Protocol

from contracts.compatibility.claims import Among, Claim, Frozen, Matches, Term
from contracts.compatibility.instances import Answer


class Inside(Protocol):
    """Proofs about what is smaller than the value in question. False: it is not sure."""

    def nothing(self, terms: frozenset[Term]) -> bool:
        """Whether surely no value satisfies all terms."""

    def no_string(self, claims: frozenset[Among | Matches], terms: frozenset[Term]) -> bool:
        """Whether surely no string satisfies all claims and terms."""

    def satisfies(self, value: Frozen, term: Term) -> Answer:
        """Whether a value satisfies a term; None if that cannot be told."""

    def admits(self, value: Frozen, claim: Claim) -> Answer:
        """Whether a value satisfies a claim; None if that cannot be told."""
