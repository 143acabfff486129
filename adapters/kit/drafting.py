"""A contract's payload laid flat: the columns that a table needs so that rows become events of it.

Of a list as many items are laid flat as there must be, or one. What a table cannot hold so is left
to a translation.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from pydantic import TypeAdapter

from contracts.common import LIST_KEYWORD, Money, Payload
from contracts.contract import Contract
from contracts.fields import Field
from contracts.rules import RULES_KEYWORD
from contracts.values import Amount, Identifier, Year, YearMonth, Yuan

Schema = Mapping[str, Any]
Properties = Mapping[str, str | int | list[str]]

_COMMON: Final = frozenset(Payload.model_fields)
_LINE: Final = 200
_FORMATS: Final = {"date": "date", "date-time": "time"}
_RULES: Final = {
    "gb11643": "citizen_id",
    "gb32100": "uscc",
    "gb11714": "number",
    "region": "region",
}
_SIMPLE: Final = {"boolean": "flag", "integer": "integer"}


@dataclass(frozen=True, slots=True)
class Leaf:
    """A member that one column can hold: where it stands, what people call it (`titles` from the
    outermost in), whether the contract needs it, how it is read and with which properties."""

    pointer: str
    titles: tuple[str, ...]
    needed: bool
    reads: str
    properties: Properties = field(default_factory=dict)


def leaves(contract: Contract) -> tuple[Leaf, ...]:
    """The members of a payload, but for those that every payload may carry and none need."""
    schema = contract.schema()
    asked = schema.get("required", ())
    own = tuple(each for each in contract.fields if each.name not in _COMMON or each.name in asked)
    return tuple(_leaves(own, schema, schema.get("$defs", {}), "", (), needed=True))


@dataclass(frozen=True, slots=True)
class Shape:
    """What a contract says of a member: its schema, what its name leaves open ("" for nothing),
    and whether an event cannot be without it."""

    schema: Schema
    about: str
    needed: bool


def shape_at(contract: Contract, pointer: str) -> Shape | None:
    """What a contract says of the member at a JSON Pointer (`-`: any item of an array)."""
    shape: Schema = contract.schema()
    definitions = shape.get("$defs", {})
    about, needed = "", True
    for step in pointer.split("/")[1:]:
        held = _resolved(shape, definitions)
        if step == "-" or step.isdecimal():
            below, must = held.get("items"), held.get("minItems", 0) > 0
        else:
            below, must = held.get("properties", {}).get(step), step in held.get("required", ())
        if below is None:
            return None
        about, shape, needed = below.get("description", ""), _without_null(below), needed and must
    return Shape({**_resolved(shape, definitions), **shape}, about, needed)


def _leaves(
    fields: tuple[Field, ...],
    part: Schema,
    definitions: Schema,
    above: str,
    titles: tuple[str, ...],
    *,
    needed: bool,
) -> Iterator[Leaf]:
    for each in fields:
        shape = _without_null(part["properties"][each.name])
        pointer, named = f"{above}/{each.name}", (*titles, each.title)
        must = needed and each.name in part.get("required", ())
        inner = _without_null(shape["items"]) if each.many else shape
        if each.model is Money and not each.many:
            yield Leaf(pointer, named, must, "money", {"unit": "元"})
        elif LIST_KEYWORD in inner:
            reads = "codes" if each.many else "code"
            yield Leaf(pointer, named, must, reads, {"list": inner[LIST_KEYWORD]})
        elif each.parts:
            held = _resolved(inner, definitions)
            for below, known_as in _items(pointer, named, shape if each.many else None):
                yield from _leaves(each.parts, held, definitions, below, known_as, needed=must)
        elif each.many:
            if _resolved(inner, definitions).get("type") == "string":
                yield Leaf(pointer, named, must, "lines")
        else:
            yield Leaf(pointer, named, must, *_reading(_resolved(inner, definitions)))


def _items(
    pointer: str, titles: tuple[str, ...], array: Schema | None
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Where the parts of an object stand, or those of each item that an array must have."""
    if array is None:
        yield pointer, titles
        return
    yield f"{pointer}/-", titles
    for further in range(1, array.get("minItems", 0)):
        yield f"{pointer}/{further}", (*titles[:-1], f"{titles[-1]}{further + 1}")


def _reading(shape: Schema) -> tuple[str, Properties]:
    """How a cell becomes such a value: a conversion, and its properties."""
    allowed = shape.get("enum", [shape["const"]] if "const" in shape else None)
    if allowed is not None and all(isinstance(value, str) for value in allowed):
        return "choice", {"values": list(allowed)}
    known = (
        *(_RULES.get(rule) for rule in shape.get(RULES_KEYWORD, ())),
        _FORMATS.get(shape.get("format", "")),
        _patterns().get(shape.get("pattern", "")),
        _SIMPLE.get(shape.get("type", "")),
    )
    reads = next(filter(None, known), None)
    if reads is not None:
        return reads, {"unit": "元"} if reads == "yuan" else {}
    longest = shape.get("maxLength", _LINE)
    return "line" if longest <= _LINE else "text", {"longest": longest}


@cache
def _patterns() -> Mapping[str, str]:
    kinds: tuple[tuple[Any, str], ...] = (
        (Identifier, "identifier"),
        (Amount, "decimal"),
        (Yuan, "yuan"),
        (YearMonth, "month"),
        (Year, "number"),
    )
    return {TypeAdapter(kind).json_schema()["pattern"]: reads for kind, reads in kinds}


def _without_null(schema: Schema) -> Schema:
    choices = [choice for choice in schema.get("anyOf", ()) if choice.get("type") != "null"]
    if len(choices) != 1:
        return schema
    return {**{k: v for k, v in schema.items() if k == LIST_KEYWORD}, **choices[0]}


def _resolved(schema: Schema, definitions: Schema) -> Schema:
    name = schema.get("$ref", "").removeprefix("#/$defs/")
    return definitions[name] if name else schema
