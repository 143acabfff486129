"""Pairs of schemas that demand next to nothing, so that only their marks tell them apart.

One subschema is put in the place of another, or a keyword is given or taken away: often what is
valid stays the same, and what protects it does not.
"""

from random import Random
from typing import Any

from tests.contracts.compatibility.near import CLASSES, MEMBERS

Schema = Any

MOST_DEPTH = 3
_PATTERNS = ("^a", "b$", "[ab]", "^k$")


def marked(rnd: Random) -> tuple[Schema, Schema]:
    """An old schema and a new one."""
    old = _lenient(rnd, 0)
    new = _altered(rnd, old, 0)
    return (old, new) if rnd.random() < 0.5 else (new, old)


def _lenient(rnd: Random, depth: int) -> Schema:
    if rnd.random() < 0.1:
        return rnd.random() < 0.5
    schema: dict[str, Any] = {}
    for _ in range(0 if depth > MOST_DEPTH else rnd.choice((0, 1, 1, 2))):
        schema |= _inside(rnd, depth + 1)
    if rnd.random() < 0.5:
        schema |= _mark(rnd)
    return schema


def _mark(rnd: Random) -> dict[str, Any]:
    if rnd.random() < 0.2:
        return {"x-guantong-in-summary": True}
    return {"x-guantong-class": rnd.choice(CLASSES)}


def _inside(rnd: Random, depth: int) -> dict[str, Any]:
    """What is said of a value by way of what is in it, or of what else it may be."""
    match rnd.choice(("array", "object", "object", "object", "joined", "condition")):
        case "array":
            typed = {"type": "array"} if rnd.random() < 0.6 else {}
            match rnd.choice(("items", "items", "contains", "prefixItems")):
                case "contains":
                    return {**typed, "contains": _lenient(rnd, depth), "minContains": 0}
                case "prefixItems":
                    return {**typed, "prefixItems": [_lenient(rnd, depth)]}
                case word:
                    return {**typed, word: _lenient(rnd, depth)}
        case "object":
            return _object(rnd, depth)
        case "joined":
            word = rnd.choice(("anyOf", "allOf", "oneOf"))
            return {word: [_lenient(rnd, depth) for _ in range(rnd.randint(1, 2))]}
        case _:
            return {"if": _lenient(rnd, depth), "then": _lenient(rnd, depth)}


def _object(rnd: Random, depth: int) -> dict[str, Any]:
    words = ("properties", "patternProperties", "additionalProperties", "unevaluatedProperties")
    schema: dict[str, Any] = {}
    for word in rnd.sample(words, rnd.choice((1, 1, 2, 2, 3))):
        if word in ("properties", "patternProperties"):
            names = rnd.sample(MEMBERS if word == "properties" else _PATTERNS, rnd.randint(1, 2))
            schema[word] = {name: _lenient(rnd, depth) for name in names}
        else:
            schema[word] = False if rnd.random() < 0.5 else _lenient(rnd, depth)
    return schema | ({"type": "object"} if rnd.random() < 0.6 else {})


def _altered(rnd: Random, schema: Schema, depth: int) -> Schema:
    """The schema, one thing in it otherwise."""
    if isinstance(schema, bool) or not schema or rnd.random() < 0.15:
        return rnd.choice((True, {}, _lenient(rnd, depth), {"anyOf": [schema, True]}))
    word = rnd.choice(tuple(schema))
    held, choice = schema[word], rnd.random()
    if choice < 0.2:
        return {each: said for each, said in schema.items() if each != word}
    if choice < 0.4:
        return schema | (_mark(rnd) if rnd.random() < 0.5 else _inside(rnd, depth + 1))
    return {**schema, word: _moved(rnd, word, held, depth + 1)}


def _moved(rnd: Random, word: str, held: Any, depth: int) -> Any:
    if word == "x-guantong-class":
        return rnd.choice(CLASSES)
    if word in ("properties", "patternProperties"):
        name = rnd.choice(tuple(held))
        return {**held, name: _altered(rnd, held[name], depth)}
    if isinstance(held, list):
        n = rnd.randrange(len(held))
        return [*held[:n], _altered(rnd, held[n], depth), *held[n + 1 :]]
    if word in ("type", "minContains"):
        return held
    return not held if word == "x-guantong-in-summary" else _altered(rnd, held, depth)
