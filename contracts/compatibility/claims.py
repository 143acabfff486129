"""What can be claimed of one JSON value: the words in which schemas are compared.

A schema, or its denial, becomes a `Formula` of claims for each of the six kinds of value.
JSON values inside claims are `Frozen`: hashable, exact, equal exactly where JSON Schema says so
(1 and 1.0 are one number, 1 and true are not).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any, Final, Literal, NamedTuple

from contracts.compatibility.nodes import Malformed, Node

Kind = Literal["null", "boolean", "number", "string", "array", "object"]
KINDS: Final[tuple[Kind, ...]] = ("null", "boolean", "number", "string", "array", "object")
# Beyond this, an exponent is an attack on memory, not a bound.
MOST_EXPONENT: Final = 400


class Frozen(NamedTuple):
    """A JSON value. `content`: None, bool, Fraction, str, a tuple of values, a tuple of pairs."""

    kind: Kind
    content: Any


def exact(value: object, pointer: str) -> Fraction:
    """A number as it is written. Raises Malformed for what is none, or is absurdly large."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise Malformed(pointer)
    if isinstance(value, int):
        return Fraction(value)
    written = Decimal(repr(value)) if isinstance(value, float) else value
    if not written.is_finite() or abs(written.adjusted()) > MOST_EXPONENT:
        raise Malformed(pointer)
    return Fraction(written)


def frozen(value: object, pointer: str) -> Frozen:
    """A JSON value as claims hold it. Raises Malformed for what is no JSON."""
    match value:
        case None:
            return Frozen("null", None)
        case bool():
            return Frozen("boolean", value)
        case str():
            return Frozen("string", value)
        case list() | tuple():
            return Frozen("array", tuple(frozen(item, pointer) for item in value))
        case Mapping():
            members = ((str(name), frozen(held, pointer)) for name, held in value.items())
            return Frozen("object", tuple(sorted(members, key=lambda member: member[0])))
        case _:
            return Frozen("number", exact(value, pointer))


class Term(NamedTuple):
    """That a value is valid under a schema, or that it is not."""

    node: Node
    valid: bool

    @property
    def denied(self) -> "Term":
        """The opposite."""
        return Term(self.node, not self.valid)


@dataclass(frozen=True, slots=True)
class Low:
    """A number is at least `value`, or above it."""

    value: Fraction
    strict: bool


@dataclass(frozen=True, slots=True)
class High:
    """A number is at most `value`, or below it."""

    value: Fraction
    strict: bool


@dataclass(frozen=True, slots=True)
class Multiple:
    """A number is a multiple of `of`, or is none."""

    of: Fraction
    holds: bool = True


@dataclass(frozen=True, slots=True)
class Size:
    """Code points of a string, items of an array, members of an object; `most` None: no end."""

    least: int
    most: int | None


@dataclass(frozen=True, slots=True)
class Among:
    """The value is one of these, or is none of them."""

    choice: frozenset[Frozen]
    holds: bool = True


@dataclass(frozen=True, slots=True)
class Matches:
    """A pattern is found in a string, or is not."""

    pattern: str
    holds: bool = True


@dataclass(frozen=True, slots=True)
class Says:
    """Something that has no structure here (a format, a code list), or its denial."""

    keyword: str
    argument: Any
    holds: bool = True


@dataclass(frozen=True, slots=True)
class Has:
    """An object has this member, or has it not."""

    name: str
    holds: bool = True


@dataclass(frozen=True)
class Members:
    """Every member is valid under what its name selects: `properties` and its companions."""

    named: tuple[tuple[str, Node], ...]
    patterned: tuple[tuple[str, Node], ...]
    others: Node | None

    @cached_property
    def by_name(self) -> Mapping[str, Node]:
        """What is said of members by their names."""
        return dict(self.named)


@dataclass(frozen=True, slots=True)
class Names:
    """Every member's name satisfies a term."""

    term: Term


@dataclass(frozen=True, slots=True)
class SomeMember:
    """Some member satisfies `terms`: the one called `name`, or one whose name is told by claims."""

    name: str | None
    name_claims: tuple[Among | Matches, ...]
    name_terms: tuple[Term, ...]
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """Items satisfy terms: those in front each its own, all later ones `rest`."""

    front: tuple[Term, ...]
    rest: Term | None


@dataclass(frozen=True, slots=True)
class SomeItem:
    """Some item satisfies a term: the one at `position`, or (`onwards`) one from there on."""

    position: int
    onwards: bool
    term: Term


@dataclass(frozen=True, slots=True)
class Count:
    """Between `least` and `most` items satisfy a term."""

    term: Term
    least: int
    most: int | None


@dataclass(frozen=True, slots=True)
class Distinct:
    """No two items are equal, or some are."""

    holds: bool = True


Claim = (
    Low | High | Multiple | Size | Among | Matches | Says | Has | Members | Names | SomeMember
    | Row | SomeItem | Count | Distinct
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Formula:
    """Claims and terms that all hold, and of each of `choices` at least one alternative."""

    claims: tuple[Claim, ...] = ()
    terms: tuple[Term, ...] = ()
    choices: tuple[tuple["Formula", ...], ...] = ()


ALWAYS: Final = Formula()
NEVER: Final = Formula(choices=((),))


def claimed(*claims: Claim) -> Formula:
    """A formula of claims alone."""
    return Formula(claims=claims)


def termed(*terms: Term) -> Formula:
    """A formula of terms alone."""
    return Formula(terms=terms)


def all_of(formulas: list[Formula]) -> Formula:
    """One formula that says what all of them say."""
    return Formula(
        tuple(claim for each in formulas for claim in each.claims),
        tuple(term for each in formulas for term in each.terms),
        tuple(choice for each in formulas for choice in each.choices),
    )


def one_of(alternatives: list[Formula]) -> Formula:
    """A formula that holds where one of them does."""
    return alternatives[0] if len(alternatives) == 1 else Formula(choices=(tuple(alternatives),))
