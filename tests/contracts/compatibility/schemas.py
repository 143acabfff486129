"""Pairs of schemas that are mutations of one another, with every keyword the checker decides."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

Schema = Any

NAMES = ("a", "b", "k", "n1", "n22", "x")
PATTERNS = (
    "^a", "b$", "^[ab]+$", "^[ab]{2}$", "^[0-9]{2,4}$", "^[0-9]+$", "a|b", "^\\d+$", "x{2}", "^n",
    "^n[0-9]$", "^(a|ab|1)$", "^.$", "^[^a]*$", "(?=a)", "^$", "\\s",
)  # fmt: skip
FORMATS = ("date", "ipv4", "date-time")
NUMBERS = (-1, 0, 1, 2, 3, 5, 10, 0.5, 1.5, 2.5, 2**53 + 1, 10**20)
STEPS = (1, 2, 3, 4, 6, 0.5, 0.25, 1.5)
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, 1.0, 2, 2.5, "", "a", "ab", "1", "12", [], [1], [1, 1], ["a"], {},
    {"a": 1}, {"a": True}, {"k": "a"},
)  # fmt: skip
TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
DEFINED = ("A", "B")


def leaf(rnd: Random) -> Schema:
    """A schema without schemas inside."""
    schema: dict[str, Any] = {}
    for _ in range(rnd.choice((0, 1, 1, 2, 3))):
        keyword = rnd.choice(list(_LEAVES))
        schema[keyword] = _LEAVES[keyword](rnd)
    return schema


def _type(rnd: Random) -> Any:
    return rnd.choice(TYPES) if rnd.random() < 0.7 else rnd.sample(TYPES, rnd.randint(1, 3))


def _number(rnd: Random) -> Any:
    return rnd.choice(NUMBERS)


def _count(rnd: Random) -> int:
    return rnd.choice((0, 1, 1, 2, 2, 3))


def _names(rnd: Random) -> list[str]:
    return rnd.sample(NAMES, rnd.choice((0, 1, 1, 2)))


_LEAVES: dict[str, Callable[[Random], Any]] = {
    "type": _type,
    "enum": lambda rnd: rnd.sample(VALUES, rnd.randint(1, 4)),
    "const": lambda rnd: rnd.choice(VALUES),
    "minimum": _number,
    "maximum": _number,
    "exclusiveMinimum": _number,
    "exclusiveMaximum": _number,
    "multipleOf": lambda rnd: rnd.choice(STEPS),
    "minLength": _count,
    "maxLength": _count,
    "pattern": lambda rnd: rnd.choice(PATTERNS),
    "format": lambda rnd: rnd.choice(FORMATS),
    "minItems": _count,
    "maxItems": _count,
    "uniqueItems": lambda rnd: rnd.random() < 0.8,
    "minProperties": _count,
    "maxProperties": _count,
    "required": _names,
    "dependentRequired": lambda rnd: {rnd.choice(NAMES): _names(rnd)},
    "$ref": lambda rnd: rnd.choice(("#", *(f"#/$defs/{name}" for name in DEFINED * 3))),
    "title": lambda rnd: rnd.choice(("one", "two")),
}


def schema_of(rnd: Random, depth: int) -> Schema:
    """A schema, up to so many levels deep."""
    if rnd.random() < 0.08:
        return rnd.random() < 0.6
    if depth == 0 or rnd.random() < 0.2:
        return leaf(rnd)
    schema = leaf(rnd) if rnd.random() < 0.6 else {"type": rnd.choice(("object", "array"))}
    for _ in range(rnd.choice((1, 1, 2, 3))):
        _add(rnd, schema, depth)
    return schema


def _add(rnd: Random, schema: dict[str, Any], depth: int) -> None:
    keyword = rnd.choice(_INNER)
    inner = depth - 1
    if keyword in ("properties", "patternProperties", "dependentSchemas"):
        names = PATTERNS if keyword == "patternProperties" else NAMES
        chosen = rnd.sample(names, rnd.randint(1, 2 if names is PATTERNS else 3))
        schema[keyword] = {name: schema_of(rnd, inner) for name in chosen}
    elif keyword in ("allOf", "anyOf", "oneOf", "prefixItems"):
        schema[keyword] = [schema_of(rnd, inner) for _ in range(rnd.randint(1, 3))]
    elif keyword == "union":
        # A discriminated union, as contracts have them.
        schema[rnd.choice(("oneOf", "anyOf"))] = [
            {
                "properties": {"k": {"const": tag}, "a": schema_of(rnd, 0)},
                "required": ["k"],
            }
            for tag in rnd.sample(("a", "b", 1, True), rnd.randint(1, 3))
        ]
    elif keyword == "if":
        schema["if"] = schema_of(rnd, inner)
        for then in rnd.choice((("then",), ("else",), ("then", "else"))):
            schema[then] = schema_of(rnd, inner)
    elif keyword == "contains":
        schema["contains"] = schema_of(rnd, inner)
        if rnd.random() < 0.5:
            schema["minContains"] = _count(rnd)
        if rnd.random() < 0.5:
            schema["maxContains"] = _count(rnd)
    elif keyword == "closed":
        schema["additionalProperties"] = False
    else:
        schema[keyword] = schema_of(rnd, inner)


_INNER = (
    "properties", "properties", "properties", "patternProperties", "additionalProperties",
    "closed", "closed", "propertyNames", "items", "prefixItems", "contains", "allOf", "anyOf",
    "oneOf", "union", "not", "if", "dependentSchemas", "unevaluatedProperties", "unevaluatedItems",
)  # fmt: skip


def document(rnd: Random) -> Schema:
    """A whole schema with its definitions."""
    schema = schema_of(rnd, 3)
    if isinstance(schema, bool):
        return schema
    schema["$defs"] = {name: schema_of(rnd, 2) for name in DEFINED}
    return schema


def mutated(rnd: Random, schema: Schema) -> Schema:
    """The schema changed in one to three places, often so that it stays compatible one way."""
    changed = json.loads(json.dumps(schema))
    for _ in range(rnd.choice((1, 1, 2, 3))):
        places = _places(changed)
        if not places:
            return changed
        holder, key = rnd.choice(places)
        holder[key] = rnd.choice(_CHANGES)(rnd, holder[key])
    return changed


def _places(schema: Schema) -> list[tuple[Any, Any]]:
    """Where schemas stand: (what holds it, its key)."""
    root = {"": schema}
    found: list[tuple[Any, Any]] = []
    waiting: list[tuple[Any, Any]] = [(root, "")]
    while waiting:
        holder, key = waiting.pop()
        if holder is not root:
            found.append((holder, key))
        here = holder[key]
        if isinstance(here, bool):
            continue
        for keyword, value in here.items():
            if keyword in ("properties", "patternProperties", "dependentSchemas", "$defs"):
                waiting.extend((value, name) for name in value)
            elif keyword in ("allOf", "anyOf", "oneOf", "prefixItems"):
                waiting.extend((value, n) for n in range(len(value)))
            elif keyword in _SINGLE:
                waiting.append((here, keyword))
    # The root changes in place, its definitions stay.
    if isinstance(schema, dict):
        found.extend([(_Root(schema), "")] * 3)
    return found


_SINGLE = frozenset((
    "additionalProperties", "propertyNames", "items", "contains", "not", "if", "then", "else",
    "unevaluatedProperties", "unevaluatedItems",
))  # fmt: skip


class _Root:
    """The whole schema as a place, keeping its definitions and its identity."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema

    def __getitem__(self, key: str) -> Schema:
        return {k: v for k, v in self._schema.items() if k != "$defs"}

    def __setitem__(self, key: str, schema: Schema) -> None:
        kept = self._schema.get("$defs", {})
        self._schema.clear()
        self._schema.update({"not": {}} if schema is False else {} if schema is True else schema)
        self._schema["$defs"] = kept


def _drop(rnd: Random, schema: Schema) -> Schema:
    if isinstance(schema, bool) or not schema:
        return {}
    gone = rnd.choice(list(schema))
    return {keyword: value for keyword, value in schema.items() if keyword != gone}


def _add_leaf(rnd: Random, schema: Schema) -> Schema:
    if isinstance(schema, bool):
        return leaf(rnd)
    return {**schema, **leaf(rnd)}


def _add_inner(rnd: Random, schema: Schema) -> Schema:
    made = {} if isinstance(schema, bool) else dict(schema)
    _add(rnd, made, 1)
    return made


def _shift(rnd: Random, schema: Schema) -> Schema:
    """Move a bound a little."""
    if isinstance(schema, bool):
        return not schema
    bounds = [k for k, v in schema.items() if isinstance(v, int | float) and v is not True]
    if not bounds or "multipleOf" in bounds:
        return _drop(rnd, schema)
    keyword = rnd.choice(bounds)
    if keyword in _OTHERWISE and rnd.random() < 0.4:
        kept = {k: v for k, v in schema.items() if k != keyword}
        return {**kept, _OTHERWISE[keyword]: schema[keyword]}
    moved = max(schema[keyword] + rnd.choice((-1, 1)), 0)
    return schema if isinstance(schema[keyword], bool) else {**schema, keyword: moved}


_OTHERWISE = {
    "minimum": "exclusiveMinimum",
    "exclusiveMinimum": "minimum",
    "maximum": "exclusiveMaximum",
    "exclusiveMaximum": "maximum",
}


def _wrap(rnd: Random, schema: Schema) -> Schema:
    """Say the same otherwise, or nearly the same."""
    other = leaf(rnd)
    return rnd.choice(
        (
            {"allOf": [schema]},
            {"anyOf": [schema]},
            {"oneOf": [schema]},
            {"not": {"not": schema}},
            {"anyOf": [schema, other]},
            {"oneOf": [schema, other]},
            {"allOf": [schema, other]},
            {"if": other, "then": schema, "else": schema},
            {"anyOf": [schema, {"type": "null"}]},
            {"oneOf": [schema, {"type": "null"}]},
            {"$ref": f"#/$defs/{rnd.choice(DEFINED)}"},
        )
    )


def _members(rnd: Random, schema: Schema) -> Schema:
    """Add or remove a member, a name, an alternative."""
    if isinstance(schema, bool):
        return schema
    made = dict(schema)
    for keyword in ("properties", "enum", "required", "anyOf", "oneOf", "prefixItems", "type"):
        held = made.get(keyword)
        if isinstance(held, dict):
            name = rnd.choice(NAMES)
            made[keyword] = (
                {n: s for n, s in held.items() if n != name}
                if name in held
                else {**held, name: leaf(rnd)}
            )
        elif isinstance(held, list) and len(held) > 1 and rnd.random() < 0.5:
            made[keyword] = held[:-1]
        elif isinstance(held, list) and keyword == "enum":
            made[keyword] = [*held, rnd.choice(VALUES)]
        elif isinstance(held, list) and keyword == "required":
            made[keyword] = sorted({*held, rnd.choice(NAMES)})
        elif isinstance(held, list) and keyword != "type":
            made[keyword] = [*held, leaf(rnd)]
    return made


def _other(rnd: Random, schema: Schema) -> Schema:
    return schema_of(rnd, 1)


_CHANGES = (
    _drop, _drop, _add_leaf, _add_leaf, _add_inner, _shift, _shift, _wrap, _members, _members,
    _other,
)  # fmt: skip


def goes_in_circles(document: Schema) -> bool:
    """Whether references lead back to a schema about the same value, which has no meaning."""
    return any(_returns(holder[key], document, ()) for holder, key in _places(document))


def _returns(schema: Schema, document: Schema, above: tuple[int, ...]) -> bool:
    if isinstance(schema, bool):
        return False
    if id(schema) in above:
        return True
    parts = [schema[k] for k in ("not", "if", "then", "else") if k in schema]
    parts += [each for k in ("allOf", "anyOf", "oneOf") for each in schema.get(k, ())]
    parts += schema.get("dependentSchemas", {}).values()
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        parts.append(document if name == "#" else document.get("$defs", {}).get(name, True))
    return any(_returns(part, document, (*above, id(schema))) for part in parts)
