"""Pairs of schemas that differ in one thing, as contracts do from version to version.

Every schema is of one kind of value, so that its bounds matter; one keyword somewhere in it is
moved by a step, turned into its neighbour, given or taken away. Field classes, summaries, rules
and code lists are among what changes.
"""

import json
from collections.abc import Callable
from random import Random
from typing import Any

Schema = Any
Lists = dict[str, dict[str, Any]]

MEMBERS = ("a", "b", "k")
CODES = ("1", "2", "3", "9")
LISTS = ("kinds", "sorts")
RULES = ("calendar", "period_reversed", "whole_number")
CLASSES = ("F0", "F1", "F2", "F3", "F4")
MOST_DEPTH = 3
_LEAVES = ("number", "number", "string", "constant", "code")

_PATTERNS = (
    "^a", "b$", "^[ab]+$", "^[ab]{2}$", "^[0-9]{2,4}$", "^[0-9]+$", "^a$", "^.$", "^.*$", "^$",
)  # fmt: skip
_CONSTANTS: tuple[Any, ...] = (None, True, False, 0, 1, 0.5, "", "a", "1", [], [1], {}, {"a": 1})
_TWINS: dict[str, Any] = {"1": True, "True": 1, "0": False, "False": 0, "[1]": [True]}
_NEIGHBOURS = {
    "minimum": "exclusiveMinimum",
    "exclusiveMinimum": "minimum",
    "maximum": "exclusiveMaximum",
    "exclusiveMaximum": "maximum",
    "anyOf": "oneOf",
    "oneOf": "anyOf",
    "minItems": "minContains",
    "maxItems": "maxContains",
    "then": "else",
    "else": "then",
    "additionalProperties": "unevaluatedProperties",
    "items": "contains",
}
_MARKS = ("x-guantong-class", "x-guantong-in-summary", "x-guantong-rules", "x-guantong-codelist")
_SCHEMAS = (
    "items", "contains", "additionalProperties", "propertyNames", "not", "if", "then", "else",
    "unevaluatedProperties",
)  # fmt: skip


def near(rnd: Random) -> tuple[Schema, Schema]:
    """An old schema and a new one."""
    # Small ones mostly: what an instance must satisfy beside what changed hides the change.
    old = typed(rnd, rnd.choice((0, 1, 2, 2, 3, 3)))
    if rnd.random() < 0.3:
        old = strewn(rnd, old)
    text = json.dumps(old)
    choice = rnd.random() if "x-guantong-codelist" in text else 1
    # Of a code list, its name, or what a side knows of it, may be all that changed.
    renamed = text.replace('"kinds"', '"sorts"') if choice < 0.2 else text
    new = json.loads(renamed) if choice < 0.5 else changed(rnd, json.loads(text))
    if rnd.random() < 0.1:
        new = changed(rnd, new)
    definitions = {name: typed(rnd, MOST_DEPTH) for name in ("A", "B")}
    pair = [old, new]
    if rnd.random() < 0.2:
        # What changed stands in a definition, which may hold itself.
        chain = {"type": "object", "properties": {"a": {"$ref": "#/$defs/C"}}}
        pair = [{"anyOf": [each, chain]} if rnd.random() < 0.5 else each for each in pair]
        pair = [{"$ref": "#/$defs/C", "$defs": {**definitions, "C": each}} for each in pair]
    else:
        pair = [{**each, "$defs": definitions} for each in pair]
    return (pair[0], pair[1]) if rnd.random() < 0.5 else (pair[1], pair[0])


def near_lists(rnd: Random) -> tuple[Lists, Lists]:
    """Code lists as two sides know them: the same, or of other codes, or open on one side."""
    first = _list(rnd)
    old = {name: first if rnd.random() < 0.5 else _list(rnd) for name in LISTS}
    new = {
        name: _list(rnd) if rnd.random() < 0.5 else dict(known)
        for name, known in old.items()
        if rnd.random() < 0.9
    }
    return old, new


def _list(rnd: Random) -> dict[str, Any]:
    return {"closed": rnd.random() < 0.6, "codes": list(CODES[: rnd.randint(1, 3)])}


def typed(rnd: Random, depth: int) -> dict[str, Any]:
    """A schema of one kind of value."""
    inner = ("array", "array", "object", "object", "joined", "refer")
    kind = rnd.choice(_LEAVES if depth >= MOST_DEPTH else (*_LEAVES, *inner))
    if kind == "refer" and depth == 0:
        kind = "array"
    schema = dict(_KINDS[kind](rnd, depth))
    for _ in range(rnd.choice((1, 1, 2, 2, 3))):
        schema |= _more(rnd, kind, depth)
    if rnd.random() < 0.2:
        schema |= _mark(rnd)
    return schema


def _more(rnd: Random, kind: str, depth: int) -> dict[str, Any]:
    words = _WORDS.get(kind)
    if words is None:
        return {}
    keyword = rnd.choice(tuple(words))
    made = {keyword: words[keyword](rnd, depth)}
    if keyword in ("minContains", "maxContains"):
        made["contains"] = typed(rnd, MOST_DEPTH)
    return made


def _mark(rnd: Random) -> dict[str, Any]:
    keyword = rnd.choice(_MARKS[:3])
    return {keyword: _marked(rnd, keyword)}


def strewn(rnd: Random, schema: Schema) -> Schema:
    """The schema with marks all over it."""
    if isinstance(schema, bool):
        return schema
    made = dict(schema)
    for word, held in schema.items():
        if word in _SCHEMAS:
            made[word] = strewn(rnd, held)
        elif word in ("properties", "patternProperties"):
            made[word] = {name: strewn(rnd, inner) for name, inner in held.items()}
        elif word in ("allOf", "anyOf", "oneOf", "prefixItems"):
            made[word] = [strewn(rnd, inner) for inner in held]
    return made | _mark(rnd) if rnd.random() < 0.5 else made


def _marked(rnd: Random, keyword: str) -> Any:
    match keyword:
        case "x-guantong-class":
            return rnd.choice(CLASSES)
        case "x-guantong-rules":
            return rnd.sample(RULES, rnd.randint(1, 2))
        case "x-guantong-codelist":
            return rnd.choice(LISTS)
        case _:
            return True


def _bound(rnd: Random, depth: int) -> Any:
    return rnd.choice((-1, 0, 1, 2, 3, 0.5, 2.5))


def _size(rnd: Random, depth: int) -> int:
    return rnd.choice((0, 1, 1, 2, 2, 3))


def _below(rnd: Random, depth: int) -> Any:
    choice = rnd.random()
    return choice < 0.02 if choice < 0.1 else typed(rnd, depth + 1)


def _named(rnd: Random, depth: int) -> dict[str, Any]:
    return {name: _below(rnd, depth) for name in rnd.sample(MEMBERS, rnd.randint(1, 2))}


def _several(rnd: Random, depth: int) -> list[Any]:
    return [_below(rnd, depth) for _ in range(rnd.randint(1, 2))]


def _some_names(rnd: Random, depth: int) -> list[str]:
    return rnd.sample(MEMBERS, rnd.choice((1, 1, 2)))


def _code(rnd: Random, depth: int) -> dict[str, Any]:
    members = {name: {"type": "string"} for name in ("code", "label", "list")}
    closed = {"type": "object", "properties": members, "required": ["code"]}
    return {**closed, "additionalProperties": False, "x-guantong-codelist": rnd.choice(LISTS)}


def _joined(rnd: Random, depth: int) -> dict[str, Any]:
    word = rnd.choice(("anyOf", "oneOf", "allOf", "not", "if", "union", "nullable"))
    if word == "nullable":
        return {"anyOf": [typed(rnd, depth + 1), {"type": "null"}]}
    if word == "union":
        return {
            rnd.choice(("oneOf", "anyOf")): [
                {
                    "type": "object",
                    "properties": {"k": {"const": tag}, "a": _below(rnd, depth)},
                    "required": ["k"],
                }
                for tag in rnd.sample(("x", "y", 1, True), 2)
            ]
        }
    if word == "not":
        return {"not": typed(rnd, depth + 1)}
    if word == "if":
        branches = {each: _below(rnd, depth) for each in rnd.choice((("then",), ("else",)))}
        return {"if": typed(rnd, depth + 1), **branches}
    return {word: _several(rnd, depth)}


_Made = Callable[[Random, int], Any]
_KINDS: dict[str, _Made] = {
    "number": lambda rnd, _: {"type": rnd.choice(("number", "number", "integer"))},
    "string": lambda rnd, _: {"type": "string"},
    "constant": lambda rnd, _: {"enum": rnd.sample(_CONSTANTS, rnd.randint(1, 4))},
    "code": _code,
    "array": lambda rnd, _: {"type": "array"},
    "object": lambda rnd, depth: {"type": "object", "properties": _named(rnd, depth)},
    "joined": _joined,
    "refer": lambda rnd, _: {"$ref": f"#/$defs/{rnd.choice('AB')}"},
}
_WORDS: dict[str, dict[str, _Made]] = {
    "number": {
        **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _bound),
        "multipleOf": lambda rnd, _: rnd.choice((1, 2, 3, 4, 6, 0.5)),
    },
    "string": {
        "minLength": _size,
        "maxLength": _size,
        "pattern": lambda rnd, _: rnd.choice(_PATTERNS),
        "format": lambda rnd, _: rnd.choice(("date", "ipv4")),
    },
    "array": {
        "items": _below,
        "prefixItems": _several,
        "contains": _below,
        **dict.fromkeys(("minItems", "maxItems", "minContains", "maxContains"), _size),
        "uniqueItems": lambda rnd, _: True,
    },
    "object": {
        "required": _some_names,
        "additionalProperties": _below,
        "unevaluatedProperties": lambda rnd, _: False,
        "patternProperties": lambda rnd, depth: {
            pattern: _below(rnd, depth)
            for pattern in rnd.sample(("^a", "^k$", "[ab]", "b$"), rnd.choice((1, 1, 2)))
        },
        "propertyNames": lambda rnd, _: {"pattern": rnd.choice(_PATTERNS)},
        "minProperties": _size,
        "maxProperties": _size,
        "dependentRequired": lambda rnd, depth: {rnd.choice(MEMBERS): _some_names(rnd, depth)},
    },
}


def changed(rnd: Random, schema: Schema) -> Schema:
    """The schema, one thing in it changed."""
    if isinstance(schema, bool):
        return typed(rnd, MOST_DEPTH) if rnd.random() < 0.7 else not schema
    if not schema or rnd.random() < 0.12:
        return _otherwise(rnd, schema)
    keyword = rnd.choice(tuple(schema))
    held = schema[keyword]
    choice = rnd.random()
    if choice < 0.08 and keyword != "type":
        return {word: value for word, value in schema.items() if word != keyword}
    if choice < 0.2:
        return schema | (_mark(rnd) if rnd.random() < 0.4 else _more(rnd, _kind(schema), 2))
    if choice < 0.45 and keyword in _NEIGHBOURS:
        kept = {word: value for word, value in schema.items() if word != keyword}
        return kept | {_NEIGHBOURS[keyword]: held}
    return {**schema, keyword: _moved(rnd, keyword, held)}


def _kind(schema: dict[str, Any]) -> str:
    kind = schema.get("type", "")
    return "number" if kind == "integer" else kind if isinstance(kind, str) else ""


def _otherwise(rnd: Random, schema: dict[str, Any]) -> Schema:
    """The same said otherwise, or nearly the same."""
    other = typed(rnd, MOST_DEPTH)
    ways: tuple[Schema, ...] = (
        {"allOf": [schema]}, {"oneOf": [schema, {"type": "null"}]}, {"not": {"not": schema}},
        {"anyOf": [schema, other]}, {"oneOf": [schema, other]}, {"allOf": [schema, other]},
        {"oneOf": [schema, schema]}, {"if": other, "then": schema, "else": schema},
        {"if": other, "then": schema},
    )  # fmt: skip
    return rnd.choice(ways)


def _moved(rnd: Random, keyword: str, held: Any) -> Any:
    """What a keyword says, changed a little."""
    if keyword in _SCHEMAS:
        return changed(rnd, held)
    if keyword in _MARKS:
        return _remarked(rnd, keyword, held)
    if keyword in ("properties", "patternProperties"):
        name = rnd.choice(tuple(held))
        if rnd.random() < 0.8:
            return {**held, name: changed(rnd, held[name])}
        gone = {each: inner for each, inner in held.items() if each != name}
        return gone or {**held, rnd.choice(MEMBERS): typed(rnd, MOST_DEPTH)}
    if keyword == "dependentRequired":
        return {name: _moved(rnd, "required", needed) for name, needed in held.items()}
    if keyword == "type":
        if isinstance(held, list):
            return held[:1]
        return {"integer": "number", "number": "integer"}.get(held, ["null", "string"])
    if isinstance(held, list):
        return _shuffled(rnd, keyword, held)
    if isinstance(held, bool):
        return not held
    if keyword == "multipleOf":
        return rnd.choice((held * 2, held / 2, held * 3))
    if isinstance(held, int | float):
        whole = keyword.startswith(("min", "max")) and keyword not in ("minimum", "maximum")
        step = rnd.choice((-1, 1) if whole else (-1, -0.5, 0.5, 1))
        return max(held + step, 0) if whole else held + step
    if keyword == "format":
        return "ipv4" if held == "date" else "date"
    return rnd.choice(_PATTERNS) if keyword == "pattern" else held


def _shuffled(rnd: Random, keyword: str, held: list[Any]) -> list[Any]:
    if keyword == "enum" and rnd.random() < 0.4:
        # Values that only seem to be equal.
        return [each for each in held if repr(each) not in _TWINS] + [
            _TWINS[repr(each)] for each in held if repr(each) in _TWINS
        ] or held
    if keyword in ("required", "enum"):
        pool = MEMBERS if keyword == "required" else _CONSTANTS
        if rnd.random() < 0.5 or len(held) == 1:
            return [*held, *(each for each in (rnd.choice(pool),) if each not in held)]
        return held[1:]
    if keyword != "type" and rnd.random() < 0.7:
        n = rnd.randrange(len(held))
        return [*held[:n], changed(rnd, held[n]), *held[n + 1 :]]
    return held[:-1] if len(held) > 1 else [*held, typed(rnd, MOST_DEPTH)]


def _remarked(rnd: Random, keyword: str, held: Any) -> Any:
    if keyword == "x-guantong-class":
        place = CLASSES.index(held) + rnd.choice((-1, 1))
        return CLASSES[max(0, min(place, len(CLASSES) - 1))]
    if keyword == "x-guantong-rules":
        return held[::-1] if rnd.random() < 0.3 else _marked(rnd, keyword)
    return _marked(rnd, keyword) if keyword == "x-guantong-codelist" else not held
