"""Instances near the edges of schemas: where a wrong verdict would show."""

import json
from collections.abc import Iterator
from random import Random
from typing import Any

from tests.contracts.compatibility.near import CODES, LISTS
from tests.contracts.compatibility.schemas import NAMES, VALUES

STRINGS = (
    "", "a", "b", "ab", "ba", "aa", "aab", "abab", "1", "12", "123", "12345", "x", "xx", "xxx",
    "a\n", "\n", " ", "１２", "2026-01-01", "2026-01-01T00:00:00Z", "é", "😀", "😀😀", "1.2.3.4",
    "n1", "n22", "k", "0",
)  # fmt: skip
MOST_DEPTH = 4
MOST_SIZE = 4


class Sampler:
    """Makes instances that one of the schemas may be about."""

    def __init__(self, rnd: Random, *documents: Any) -> None:
        self._rnd = rnd
        self._documents = documents
        self._numbers = sorted(
            {
                made
                for document in documents
                for bound in _values_of(document, _NUMBERED)
                for made in (bound, bound + 1, bound - 1, bound + 0.5)
            }
            | {0, 1, 7, 0.75}
        )
        self._sizes = sorted(
            {
                made
                for document in documents
                for bound in _values_of(document, _SIZES)
                for made in (bound - 1, bound, bound + 1)
                if 0 <= made <= MOST_SIZE
            }
            | {0, 1, 2}
        )
        self._constants = [v for document in documents for v in _constants(document)]

    def instances(self, number: int) -> Iterator[Any]:
        """So many instances, and all small ones."""
        yield from (None, True, False, 0, 1, 2.5, "", "a", [], {})
        yield from self._constants
        for _ in range(number):
            document = self._rnd.choice(self._documents)
            yield self.of(document, document, 0)

    def of(self, schema: Any, document: Any, depth: int) -> Any:
        """An instance that tries to be valid under a schema."""
        rnd = self._rnd
        if isinstance(schema, bool) or rnd.random() < 0.05 or depth > MOST_DEPTH:
            return self._any(depth)
        schema = self._chosen(schema, document)
        if "const" in schema and rnd.random() < 0.9:
            return schema["const"]
        if schema.get("enum") and rnd.random() < 0.9:
            return rnd.choice(schema["enum"])
        types = schema.get("type", [])
        types = [types] if isinstance(types, str) else types
        kind = rnd.choice(types) if types else self._kind(schema)
        return self._of_kind(kind, schema, document, depth)

    def _chosen(self, schema: dict[str, Any], document: Any) -> dict[str, Any]:
        """The schema with some of what it refers to or chooses from laid over it."""
        rnd, seen = self._rnd, 0
        merged = dict(schema)
        while seen < 4:
            seen += 1
            parts: list[Any] = []
            if "$ref" in merged:
                reference = merged.pop("$ref")
                target = document
                for step in reference.split("/")[1:]:
                    target = target.get(step, {}) if isinstance(target, dict) else {}
                parts.append(target)
            for keyword in ("anyOf", "oneOf"):
                if keyword in merged:
                    parts.append(rnd.choice(merged.pop(keyword)))
            parts.extend(merged.pop("allOf", []))
            for keyword in ("then", "else"):
                if keyword in merged and rnd.random() < 0.5:
                    parts.append(merged[keyword])
                    parts.append(merged.get("if", {}) if keyword == "then" else {})
            merged.pop("then", None)
            merged.pop("else", None)
            for part in parts:
                if isinstance(part, dict):
                    for keyword, value in part.items():
                        mine = merged.get(keyword)
                        if isinstance(mine, dict) and isinstance(value, dict):
                            merged[keyword] = {**value, **mine}
                        elif isinstance(mine, list) and keyword == "required":
                            merged[keyword] = [*mine, *value]
                        elif rnd.random() < 0.8:
                            merged[keyword] = value
            if not parts:
                break
        return merged

    def _kind(self, schema: dict[str, Any]) -> str:
        hints = [kind for word, kind in _HINTS.items() if word in schema]
        if hints and self._rnd.random() < 0.8:
            return self._rnd.choice(hints)
        return self._rnd.choice(("null", "boolean", "number", "string", "array", "object"))

    def _of_kind(self, kind: str, schema: dict[str, Any], document: Any, depth: int) -> Any:
        rnd = self._rnd
        if kind == "null":
            return None
        if kind == "boolean":
            return rnd.random() < 0.5
        if kind in ("number", "integer"):
            return self._number(kind, schema)
        if kind == "string":
            if rnd.random() < 0.4:
                return rnd.choice(("a", "1", "😀", "ab")) * rnd.choice(self._sizes)
            return rnd.choice(STRINGS)
        if kind == "array":
            return self._array(schema, document, depth)
        return self._object(schema, document, depth)

    def _number(self, kind: str, schema: dict[str, Any]) -> Any:
        rnd = self._rnd
        number = rnd.choice(self._numbers)
        own = [schema[keyword] for keyword in _NUMBERED if keyword in schema]
        if own and rnd.random() < 0.6:
            number = rnd.choice(own) + rnd.choice((0, 0, 0.5, -0.5, 1, -1))
        step = schema.get("multipleOf")
        if step is not None and rnd.random() < 0.7:
            return step * rnd.randint(-3, 12)
        return int(number) if kind == "integer" else number

    def _array(self, schema: dict[str, Any], document: Any, depth: int) -> list[Any]:
        rnd = self._rnd
        front = schema.get("prefixItems", [])
        rest = [schema[keyword] for keyword in ("items", "contains") if keyword in schema] or [True]
        length = rnd.choice((*self._sizes, len(front), len(front) + 1))
        items = [
            self.of(front[n] if n < len(front) else rnd.choice(rest), document, depth + 1)
            for n in range(length)
        ]
        # Items that are equal, or only seem to be.
        if len(items) > 1 and rnd.random() < 0.3:
            items[-1] = rnd.choice((items[0], *_TWINS.get(repr(items[0]), ())))
        return items

    def _code(self) -> dict[str, Any]:
        rnd = self._rnd
        made = {"code": rnd.choice(CODES)}
        if rnd.random() < 0.3:
            made["label"] = "a"
        if rnd.random() < 0.3:
            made["list"] = rnd.choice(LISTS)
        return made

    def _object(self, schema: dict[str, Any], document: Any, depth: int) -> dict[str, Any]:
        rnd = self._rnd
        if "x-guantong-codelist" in schema and rnd.random() < 0.95:
            return self._code()
        named = schema.get("properties", {})
        names = {n for n in schema.get("required", []) if rnd.random() < 0.95}
        names |= {n for n in named if rnd.random() < 0.5}
        names |= set(rnd.sample(NAMES, rnd.choice((0, 0, 1, 2))))
        if rnd.random() < 0.1:
            names.add(rnd.choice(STRINGS))
        patterns = list(schema.get("patternProperties", {}).values())
        other = schema.get("additionalProperties", True)
        return {
            name: self.of(
                named.get(name, rnd.choice([*patterns, other])),
                document,
                depth + 1,
            )
            for name in sorted(names)
        }

    def _any(self, depth: int) -> Any:
        rnd = self._rnd
        choice = rnd.random()
        if choice < 0.3:
            return rnd.choice(STRINGS)
        if choice < 0.6:
            return rnd.choice(self._numbers)
        return rnd.choice(VALUES)


_TWINS = {"1": (1.0, True), "True": (1, 1.0), "0": (False,), "False": (0,), "[1]": ([True],)}
_HINTS = {
    "minimum": "number", "maximum": "number", "exclusiveMinimum": "number",
    "exclusiveMaximum": "number", "multipleOf": "number", "minLength": "string",
    "maxLength": "string", "pattern": "string", "format": "string", "items": "array",
    "prefixItems": "array", "contains": "array", "minItems": "array", "maxItems": "array",
    "uniqueItems": "array", "unevaluatedItems": "array", "properties": "object",
    "required": "object", "additionalProperties": "object", "patternProperties": "object",
    "propertyNames": "object", "minProperties": "object", "maxProperties": "object",
    "dependentRequired": "object", "dependentSchemas": "object", "unevaluatedProperties": "object",
}  # fmt: skip
_NUMBERED = frozenset(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"))
_SIZES = frozenset((
    "minLength", "maxLength", "minItems", "maxItems", "minContains", "maxContains",
    "minProperties", "maxProperties",
))  # fmt: skip


def _values_of(document: Any, keywords: frozenset[str]) -> Iterator[Any]:
    for keyword, value in _everything(document):
        if keyword in keywords and isinstance(value, int | float):
            yield value


def _constants(document: Any) -> Iterator[Any]:
    for keyword, value in _everything(document):
        if keyword == "const":
            yield value
        elif keyword == "enum":
            yield from value


def _everything(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for keyword, held in value.items():
            yield keyword, held
            yield from _everything(held)
    elif isinstance(value, list):
        for item in value:
            yield from _everything(item)


def readable(instance: Any) -> str:
    """An instance as a failure shows it."""
    return json.dumps(instance, ensure_ascii=False)
