"""The places one step inside a value, and the schemas that speak of each.

The items of an array are one place, the names of an object's members another. Members are told
apart by name where a schema names them, and by the patterns that are found in their names.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, combinations
from typing import Any, Final, Literal

from contracts.compatibility.evaluated import closing_names
from contracts.compatibility.nodes import MOST_DEPTH, OPAQUE, Node
from contracts.compatibility.patterns import found_in

# Each more doubles the sets of patterns that a name may have in it.
MOST_PATTERNS: Final = 6

_SAME_VALUE: Final = ("allOf", "anyOf", "oneOf")
_CONDITIONS: Final = ("if", "then", "else", "not")
_ITEMS: Final = ("items", "contains", "unevaluatedItems")
_OTHERS: Final = ("additionalProperties", "unevaluatedProperties")


@dataclass(frozen=True, slots=True)
class Step:
    """To the items, to the names, or to members of this name in which these patterns are found.

    Without a name: to those that no schema here names.
    """

    to: Literal["items", "names", "member"]
    name: str | None = None
    found: frozenset[str] = frozenset()


# Schemas of which every value at a place satisfies one: with none of them there is no such place.
# None: nothing is sure.
Held = frozenset[Node] | None


def speaking(nodes: Iterable[Node]) -> tuple[Node, ...]:
    """The nodes and all that speak of the same value."""
    found: dict[Node, None] = {}
    waiting = list(nodes)[::-1]
    while waiting:
        node = waiting.pop()
        if node in found:
            continue
        found[node] = None
        schema = node.schema
        if isinstance(schema, bool):
            continue
        waiting.extend(_referred(node))
        for keyword in _SAME_VALUE:
            waiting.extend(_parts(node, keyword))
        waiting.extend(node.at(keyword) for keyword in _CONDITIONS if keyword in schema)
        waiting.extend(
            node.at("dependentSchemas", name) for name in schema.get("dependentSchemas", ())
        )
    return tuple(found)


def unfollowed(nodes: Iterable[Node]) -> str | None:
    """A keyword by which more may be said of a value or inside it than is followed here."""
    patterns: set[str] = set()
    for schema in _schemas(nodes):
        patterns.update(schema.get("patternProperties", ()))
    if len(patterns) > MOST_PATTERNS:
        return "patternProperties"
    for node in nodes:
        if isinstance(node.schema, bool):
            continue
        if "$ref" in node.schema and not _referred(node):
            return "$ref"
        if leads := sorted(OPAQUE.intersection(node.schema)):
            return leads[0]
    return None


def steps(nodes: Iterable[Node]) -> Iterator[Step]:
    """Every place one step inside of which one of the schemas may speak."""
    schemas = list(_schemas(nodes))
    patterns = sorted({p for schema in schemas for p in schema.get("patternProperties", ())})
    if any(keyword in schema for schema in schemas for keyword in (*_ITEMS, "prefixItems")):
        yield Step("items")
    if any("propertyNames" in schema for schema in schemas):
        yield Step("names")
    for name in sorted({name for schema in schemas for name in schema.get("properties", ())}):
        answers = {pattern: found_in(pattern, name) for pattern in patterns}
        surely = frozenset(pattern for pattern, answer in answers.items() if answer)
        # Where engines differ, some find the pattern and some do not.
        for some in _subsets(pattern for pattern, answer in answers.items() if answer is None):
            yield Step("member", name, surely | some)
    yield from (Step("member", None, some) for some in _subsets(patterns))


def spoken(nodes: Iterable[Node], step: Step) -> tuple[Node, ...]:
    """The schemas that speak of a place one step inside, each as its own schema selects them."""
    return tuple(
        inner for node in nodes if isinstance(node.schema, dict) for inner in _selected(node, step)
    )


def held_inside(held: Held, step: Step) -> Held:
    """What is sure one step inside."""
    return None if held is None else _either(_held(node, step, {}, 0) for node in held)


def _selected(node: Node, step: Step) -> list[Node]:
    schema = node.schema
    if step.to == "items":
        words = [node.at(keyword) for keyword in _ITEMS if keyword in schema]
        return [*words, *_parts(node, "prefixItems")]
    if step.to == "names":
        return [node.at("propertyNames")] if "propertyNames" in schema else []
    # What neither a name nor a pattern selects is one of the others; `{}` says nothing of them.
    others = [k for k in _OTHERS if isinstance(schema.get(k), dict) and schema[k]]
    return _named(node, step) or [node.at(keyword) for keyword in others]


def _named(node: Node, step: Step) -> list[Node]:
    schema = node.schema
    patterns = [p for p in schema.get("patternProperties", ()) if p in step.found]
    named = [node.at("patternProperties", pattern) for pattern in patterns]
    if step.name is not None and step.name in schema.get("properties", ()):
        named.append(node.at("properties", step.name))
    return named


def _held(node: Node, step: Step, known: dict[Node, Held], depth: int) -> Held:
    """What is sure one step inside the values that are valid under one schema."""
    if node not in known:
        # Of what leads back to itself nothing is sure.
        known[node] = None
        if depth <= MOST_DEPTH:
            told = [each for each in _told(node, step, known, depth + 1) if each is not None]
            known[node] = min(told, key=len, default=None)
    return known[node]


def _told(node: Node, step: Step, known: dict[Node, Held], depth: int) -> Iterator[Held]:
    """What each keyword makes sure; all of it is true."""
    schema = node.schema
    if isinstance(schema, bool):
        if not schema:
            yield frozenset()
        return
    if "type" in schema:
        types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        if ("array" if step.to == "items" else "object") not in types:
            yield frozenset()
    if step.to == "items" and "items" in schema:
        yield _possible([node.at("items"), *_parts(node, "prefixItems")])
    elif step.to == "member":
        yield from _of_members(node, step)
    for part in (*_referred(node), *_parts(node, "allOf")):
        yield _held(part, step, known, depth)
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            yield _either(_held(part, step, known, depth) for part in _parts(node, keyword))


def _of_members(node: Node, step: Step) -> Iterator[Held]:
    if named := _named(node, step):
        yield from (_possible([each]) for each in named)
    elif "additionalProperties" in node.schema:
        yield _possible([node.at("additionalProperties")])
    if node.schema.get("unevaluatedProperties") is False:
        looked_at = closing_names(node)
        if looked_at is not None:
            names, patterns = looked_at
            if step.name not in names and step.found.isdisjoint(patterns):
                yield frozenset()


def _possible(nodes: Iterable[Node]) -> Held:
    return frozenset(node for node in nodes if node.schema is not False)


def _either(alternatives: Iterable[Held]) -> Held:
    found: frozenset[Node] = frozenset()
    for each in alternatives:
        if each is None:
            return None
        found |= each
    return found


def _referred(node: Node) -> list[Node]:
    target = node.document.target(node.schema["$ref"]) if "$ref" in node.schema else None
    return [] if target is None else [target]


def _parts(node: Node, keyword: str) -> list[Node]:
    return [node.at(keyword, n) for n in range(len(node.schema.get(keyword, ())))]


def _schemas(nodes: Iterable[Node]) -> Iterator[dict[str, Any]]:
    return (node.schema for node in nodes if isinstance(node.schema, dict))


def _subsets(patterns: Iterable[str]) -> Iterator[frozenset[str]]:
    listed = tuple(patterns)
    sizes = (combinations(listed, size) for size in range(len(listed) + 1))
    return map(frozenset, chain.from_iterable(sizes))
