"""What each keyword of JSON Schema says of a value, and what it says to deny it.

For every kind of value a schema is a list of `Statement`s. All keywords that concern other kinds
of value say nothing (`maximum` of a string); what is unknown is an annotation, as the standard
has it; what cannot be expressed becomes a claim that only its equal satisfies (`Says`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Any, Final

from contracts.compatibility.claims import (
    ALWAYS,
    NEVER,
    Among,
    Claim,
    Count,
    Distinct,
    Formula,
    Has,
    High,
    Kind,
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
    all_of,
    claimed,
    exact,
    frozen,
    one_of,
    termed,
)
from contracts.compatibility.evaluated import closing_names
from contracts.compatibility.nodes import CODE_LIST, OPAQUE, RULES, Malformed, Node, below

_WHOLE: Final = Multiple(Fraction(1))
# Formats of the standard concern strings; of any other nothing is known.
_STRING_FORMATS: Final = frozenset((
    "date", "date-time", "time", "duration", "email", "idn-email", "hostname", "idn-hostname",
    "ipv4", "ipv6", "uri", "uri-reference", "iri", "iri-reference", "uuid", "uri-template",
    "json-pointer", "relative-json-pointer", "regex",
))  # fmt: skip
_SIZED: Final[Mapping[str, tuple[Kind, bool]]] = {
    "minLength": ("string", True),
    "maxLength": ("string", False),
    "minItems": ("array", True),
    "maxItems": ("array", False),
    "minProperties": ("object", True),
    "maxProperties": ("object", False),
}
_BOUNDS: Final[Mapping[str, tuple[bool, bool]]] = {
    "minimum": (True, False),
    "exclusiveMinimum": (True, True),
    "maximum": (False, False),
    "exclusiveMaximum": (False, True),
}
# Beside one of these, which items are left unevaluated depends on the instance.
_LOOKS_AT_ITEMS: Final = frozenset((
    "allOf", "anyOf", "oneOf", "if", "then", "else", "$ref", "contains", "dependentSchemas",
    "$dynamicRef",
))  # fmt: skip
_TYPES: Final = frozenset(("null", "boolean", "number", "integer", "string", "array", "object"))


@dataclass(frozen=True, slots=True)
class Statement:
    """What a keyword says: a formula when it holds, and the ways in which it may fail.

    `place` is the keyword's pointer below the node. Where a way to fail lies in one inner schema
    (a property, an item), `Failure.inner` names it.
    """

    keyword: str
    place: str
    holds: Formula
    failures: tuple["Failure", ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """One way in which a keyword may fail."""

    formula: Formula
    inner: Node | None = None
    name: str | None = None


def statements(
    node: Node, kind: Kind, apart: Callable[[frozenset[Term]], bool]
) -> tuple[Statement, ...]:
    """All that a schema says of values of a kind.

    `apart` tells of terms whether surely no value satisfies them all; it keeps `oneOf` small.
    """
    schema = node.schema
    if isinstance(schema, bool):
        holds = ALWAYS if schema else NEVER
        return (Statement("false", "", holds, () if schema else (Failure(ALWAYS),)),)
    found: list[Statement] = []
    for keyword, value in schema.items():
        found.extend(_values(node, keyword, value, kind))
        found.extend(_joined(node, keyword, value, apart))
    if kind == "object":
        found.extend(_objects(node))
    elif kind == "array":
        found.extend(_arrays(node))
    return tuple(found)


def _said(keyword: str, claim: Claim, *denials: Claim) -> Statement:
    failures = tuple(Failure(claimed(denial)) for denial in denials)
    return Statement(keyword, f"/{keyword}", claimed(claim), failures)


def _settled(keyword: str, holds: bool) -> Statement:
    return Statement(
        keyword, f"/{keyword}", ALWAYS if holds else NEVER, () if holds else (Failure(ALWAYS),)
    )


def _values(node: Node, keyword: str, value: Any, kind: Kind) -> Iterator[Statement]:
    """Keywords that look at the value as a whole, and those of numbers and strings."""
    pointer = below(node.pointer, keyword)
    if keyword == "type":
        yield _type(value, kind, pointer)
    elif keyword in ("enum", "const"):
        if keyword == "enum" and not isinstance(value, list):
            raise Malformed(pointer)
        members = value if keyword == "enum" else [value]
        choice = frozenset(frozen(each, pointer) for each in members)
        of_kind = frozenset(each for each in choice if each.kind == kind)
        yield _said(keyword, Among(of_kind), Among(of_kind, holds=False))
    elif keyword in _BOUNDS and kind == "number":
        low, strict = _BOUNDS[keyword]
        bound = exact(value, pointer)
        if low:
            yield _said(keyword, Low(bound, strict), High(bound, not strict))
        else:
            yield _said(keyword, High(bound, strict), Low(bound, not strict))
    elif keyword == "multipleOf" and kind == "number":
        of = exact(value, pointer)
        if of <= 0:
            raise Malformed(pointer)
        yield _said(keyword, Multiple(of), Multiple(of, holds=False))
    elif keyword in _SIZED and _SIZED[keyword][0] == kind:
        yield _size(keyword, _whole(value, pointer))
    elif keyword == "pattern" and kind == "string":
        yield _said(keyword, Matches(_text(value, pointer)), Matches(value, holds=False))
    elif keyword == "format":
        if _text(value, pointer) not in _STRING_FORMATS or kind == "string":
            yield _says(keyword, value)
    elif keyword == CODE_LIST:
        yield _says(keyword, node.document.listed(value))
    elif keyword == RULES:
        if not isinstance(value, list):
            raise Malformed(pointer)
        if value:
            yield _says(keyword, frozenset(map(str, value)))
    elif keyword in OPAQUE:
        yield _says(keyword, node.meaning)


def _type(value: Any, kind: Kind, pointer: str) -> Statement:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not _TYPES.issuperset(map(str, names)):
        raise Malformed(pointer)
    if kind in names:
        return _settled("type", True)
    if kind == "number" and "integer" in names:
        return _said("type", _WHOLE, Multiple(Fraction(1), holds=False))
    return _settled("type", False)


def _size(keyword: str, size: int) -> Statement:
    if _SIZED[keyword][1]:
        if size == 0:
            return _settled(keyword, True)
        return _said(keyword, Size(size, None), Size(0, size - 1))
    return _said(keyword, Size(0, size), Size(size + 1, None))


def _says(keyword: str, argument: Any) -> Statement:
    return _said(keyword, Says(keyword, argument), Says(keyword, argument, holds=False))


def _joined(
    node: Node, keyword: str, value: Any, apart: Callable[[frozenset[Term]], bool]
) -> Iterator[Statement]:
    """Keywords that join schemas about the same value."""
    place = f"/{keyword}"
    if keyword == "$ref":
        target = node.document.target(value)
        if target is None:
            yield _says(keyword, node.meaning)
        else:
            yield _inner(keyword, place, target)
    elif keyword == "allOf":
        for n in range(len(value)):
            yield _inner(keyword, f"{place}/{n}", node.at(keyword, n))
    elif keyword == "anyOf":
        terms = [Term(node.at(keyword, n), True) for n in range(len(value))]
        denial = termed(*(term.denied for term in terms))
        holds = one_of([termed(term) for term in terms])
        yield Statement(keyword, place, holds, (Failure(denial),))
    elif keyword == "oneOf":
        yield _one(place, [Term(node.at(keyword, n), True) for n in range(len(value))], apart)
    elif keyword == "not":
        term = Term(node.at(keyword), True)
        yield Statement(keyword, place, termed(term.denied), (Failure(termed(term)),))
    elif keyword == "if":
        yield from _conditional(node)


def _inner(keyword: str, place: str, inner: Node) -> Statement:
    term = Term(inner, True)
    return Statement(keyword, place, termed(term), (Failure(termed(term.denied), inner),))


def _one(place: str, terms: list[Term], apart: Callable[[frozenset[Term]], bool]) -> Statement:
    """Exactly one; where two cannot both hold anyway, that is not said again."""
    together = [pair for pair in combinations(terms, 2) if not apart(frozenset(pair))]
    alternatives = []
    for term in terms:
        rivals = [
            other.denied for pair in together if term in pair for other in pair if other != term
        ]
        twice = any(pair == (term, term) for pair in together)
        alternatives.append(NEVER if twice else termed(term, *rivals))
    none = Failure(termed(*(term.denied for term in terms)))
    several = (Failure(termed(*pair)) for pair in together)
    return Statement("oneOf", place, one_of(alternatives), (none, *several))


def _conditional(node: Node) -> Iterator[Statement]:
    condition = Term(node.at("if"), True)
    for keyword, when in (("then", condition), ("else", condition.denied)):
        if keyword in node.schema:
            term = Term(node.at(keyword), True)
            yield Statement(
                keyword,
                f"/{keyword}",
                one_of([termed(when.denied), termed(when, term)]),
                (Failure(termed(when, term.denied), term.node),),
            )


def _objects(node: Node) -> Iterator[Statement]:
    schema = node.schema
    if "required" in schema:
        for name in _names(schema["required"], below(node.pointer, "required")):
            yield _needs("required", "/required", ALWAYS, name)
    if "dependentRequired" in schema:
        place = "/dependentRequired"
        needed = _mapping(schema["dependentRequired"], node.pointer + place)
        for name, others in needed.items():
            for other in _names(others, node.pointer + place):
                yield _needs("dependentRequired", below(place, name), claimed(Has(name)), other)
    for name in schema.get("dependentSchemas", ()):
        inner = node.at("dependentSchemas", name)
        term, present = Term(inner, True), Has(name)
        yield Statement(
            "dependentSchemas",
            below("/dependentSchemas", name),
            one_of([claimed(Has(name, holds=False)), Formula((present,), (term,))]),
            (Failure(Formula((present,), (term.denied,)), inner),),
        )
    if "propertyNames" in schema:
        inner = node.at("propertyNames")
        term = Term(inner, True)
        some = SomeMember(None, (), (term.denied,), ())
        yield Statement(
            "propertyNames", "/propertyNames", claimed(Names(term)), (Failure(claimed(some)),)
        )
    yield from _members(node)


def _needs(keyword: str, place: str, when: Formula, name: str) -> Statement:
    holds = one_of(
        [claimed(Has(name))]
        if when == ALWAYS
        else [
            claimed(*(Has(c.name, holds=False) for c in when.claims if isinstance(c, Has))),
            all_of([when, claimed(Has(name))]),
        ]
    )
    absent = all_of([when, claimed(Has(name, holds=False))])
    return Statement(keyword, place, holds, (Failure(absent, name=name),))


def _members(node: Node) -> Iterator[Statement]:
    """`properties`, `patternProperties`, `additionalProperties` and `unevaluatedProperties`."""
    schema = node.schema
    named = {name: node.at("properties", name) for name in schema.get("properties", ())}
    patterned = {
        pattern: node.at("patternProperties", pattern)
        for pattern in schema.get("patternProperties", ())
    }
    others = node.at("additionalProperties") if "additionalProperties" in schema else None
    if named or patterned or others is not None:
        whole = claimed(Members(tuple(named.items()), tuple(patterned.items()), others))
        for name, inner in named.items():
            some = SomeMember(name, (), (), (Term(inner, False),))
            yield _member("properties", below("/properties", name), some, inner, name)
        for pattern, inner in patterned.items():
            some = SomeMember(None, (Matches(pattern),), (), (Term(inner, False),))
            yield _member("patternProperties", below("/patternProperties", pattern), some, inner)
        if others is not None:
            some = _beyond(tuple(named), tuple(patterned), others)
            yield _member("additionalProperties", "/additionalProperties", some, others)
        yield Statement("properties", "", whole, ())
    if schema.get("unevaluatedProperties", True) is not True and others is None:
        inner = node.at("unevaluatedProperties")
        known = closing_names(node)
        if known is None:
            yield _says("unevaluatedProperties", node.meaning)
        else:
            names, patterns = known
            free = node.document.node(True, node.pointer)
            whole = claimed(
                Members(
                    tuple((name, free) for name in names),
                    tuple((pattern, free) for pattern in patterns),
                    inner,
                )
            )
            some = _beyond(names, patterns, inner)
            place = "/unevaluatedProperties"
            yield Statement(
                place[1:], place, whole, (Failure(claimed(some), inner if inner.schema else None),)
            )


def _beyond(names: tuple[str, ...], patterns: tuple[str, ...], inner: Node) -> SomeMember:
    """A member that neither a name nor a pattern selects, not valid under `inner`."""
    told = Among(frozenset(frozen(name, "") for name in names), holds=False)
    unmatched = (Matches(pattern, holds=False) for pattern in patterns)
    return SomeMember(None, (told, *unmatched), (), (Term(inner, False),))


def _member(
    keyword: str, place: str, some: SomeMember, inner: Node, name: str | None = None
) -> Statement:
    return Statement(keyword, place, ALWAYS, (Failure(claimed(some), inner, name),))


def _arrays(node: Node) -> Iterator[Statement]:
    schema = node.schema
    front = tuple(node.at("prefixItems", n) for n in range(len(schema.get("prefixItems", ()))))
    rest = node.at("items") if "items" in schema else None
    if rest is None and "unevaluatedItems" in schema and _LOOKS_AT_ITEMS.isdisjoint(schema):
        rest = node.at("unevaluatedItems")
    if front or rest is not None:
        row = Row(
            tuple(Term(inner, True) for inner in front),
            None if rest is None else Term(rest, True),
        )
        for n, inner in enumerate(front):
            some = claimed(SomeItem(n, False, Term(inner, False)))
            yield Statement("prefixItems", f"/prefixItems/{n}", ALWAYS, (Failure(some, inner),))
        if rest is not None:
            some = claimed(SomeItem(len(front), True, Term(rest, False)))
            place = "/items" if "items" in schema else "/unevaluatedItems"
            yield Statement(place[1:], place, ALWAYS, (Failure(some, rest),))
        yield Statement("items", "", claimed(row), ())
    if "contains" in schema:
        term = Term(node.at("contains"), True)
        least = _whole(schema.get("minContains", 1), below(node.pointer, "minContains"))
        if least > 0:
            yield _said("contains", Count(term, least, None), Count(term, 0, least - 1))
        if "maxContains" in schema:
            most = _whole(schema["maxContains"], below(node.pointer, "maxContains"))
            yield _said("maxContains", Count(term, 0, most), Count(term, most + 1, None))
    if schema.get("uniqueItems", False) is True:
        yield _said("uniqueItems", Distinct(), Distinct(holds=False))
    if schema.get("unevaluatedItems", True) is not True and rest is None:
        yield _says("unevaluatedItems", node.meaning)


def _whole(value: Any, pointer: str) -> int:
    number = exact(value, pointer)
    if number.denominator != 1 or number < 0:
        raise Malformed(pointer)
    return int(number)


def _text(value: Any, pointer: str) -> str:
    if not isinstance(value, str):
        raise Malformed(pointer)
    return value


def _names(value: Any, pointer: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise Malformed(pointer)
    return list(dict.fromkeys(value))


def _mapping(value: Any, pointer: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Malformed(pointer)
    return value
