"""Which members `unevaluatedProperties` leaves: those that nothing beside it has looked at."""

from typing import Final

from contracts.compatibility.nodes import Node

# Where one of these stands beside it, what was looked at depends on the instance.
_DEPENDS: Final = frozenset((
    "anyOf", "oneOf", "if", "then", "else", "dependentSchemas", "additionalProperties",
    "$dynamicRef", "$recursiveRef",
))  # fmt: skip

Known = tuple[tuple[str, ...], tuple[str, ...]]


def closing_names(node: Node) -> Known | None:
    """The names and patterns that a schema looks at, through `allOf` and `$ref` alone.

    None where they depend on the instance, or cannot be told.
    """
    names: dict[str, None] = {}
    patterns: dict[str, None] = {}
    seen: set[int] = set()
    waiting = [node]
    while waiting:
        each = waiting.pop()
        schema = each.schema
        if isinstance(schema, bool) or id(schema) in seen:
            continue
        seen.add(id(schema))
        if not _DEPENDS.isdisjoint(schema) or (
            each is not node and "unevaluatedProperties" in schema
        ):
            return None
        names.update(dict.fromkeys(schema.get("properties", ())))
        patterns.update(dict.fromkeys(schema.get("patternProperties", ())))
        waiting.extend(each.at("allOf", n) for n in range(len(schema.get("allOf", ()))))
        if "$ref" in schema:
            target = each.document.target(schema["$ref"])
            if target is None:
                return None
            waiting.append(target)
    return tuple(names), tuple(patterns)
