"""Schemas as nodes: equal exactly where they say the same, wherever they stand.

Two documents are read together (`Pair`), so that what did not change between them is recognised
at once: a node's `meaning` is a number that structurally equal schemas share, annotations left
out. Where a `$ref` below it leads to something that did change, the number belongs to one side.
"""

from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final
from urllib.parse import unquote

CLASS: Final = "x-guantong-class"
CODE_LIST: Final = "x-guantong-codelist"
RULES: Final = "x-guantong-rules"
IN_SUMMARY: Final = "x-guantong-in-summary"
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
MOST_DEPTH: Final = 100

_SCHEMA: Final = frozenset((
    "additionalProperties", "propertyNames", "items", "contains", "not", "if", "then", "else",
    "unevaluatedItems", "unevaluatedProperties",
))  # fmt: skip
_SCHEMAS_BY_NAME: Final = frozenset(("properties", "patternProperties", "dependentSchemas"))
_SCHEMAS: Final = frozenset(("allOf", "anyOf", "oneOf", "prefixItems"))
_VALUES: Final = frozenset((
    "type", "enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
    "multipleOf", "minLength", "maxLength", "pattern", "format", "minItems", "maxItems",
    "uniqueItems", "minContains", "maxContains", "minProperties", "maxProperties", "required",
    "dependentRequired", "$ref",
)) | {CLASS, CODE_LIST, RULES, IN_SUMMARY}  # fmt: skip
# Nothing is proved of these: they lead elsewhere, or other drafts give them a meaning.
OPAQUE: Final = frozenset((
    "$dynamicRef", "$recursiveRef", "$vocabulary", "dependencies", "additionalItems", "extends",
    "disallow",
))  # fmt: skip
# `$anchor` is a name that a `$ref` may use; `$dynamicAnchor` alone changes nothing else.
_ANCHORS: Final = ("$anchor", "$dynamicAnchor")

CodeLists = Mapping[str, Mapping[str, Any]]
Meaning = int | tuple[int, int]


class Malformed(Exception):
    """What stands here is no JSON Schema of draft 2020-12."""

    def __init__(self, pointer: str) -> None:
        super().__init__(pointer)
        self.pointer = pointer


@dataclass(frozen=True, slots=True)
class Node:
    """A schema at a place of its document."""

    meaning: Meaning
    document: "Document" = field(compare=False, repr=False)
    schema: Any = field(compare=False, repr=False)
    pointer: str = field(compare=False)

    def at(self, *steps: str | int) -> "Node":
        """The schema that stands below this one."""
        schema, pointer = self.schema, self.pointer
        for step in steps:
            schema = schema[step]
            pointer = below(pointer, step)
        return self.document.node(schema, pointer)


class Document:
    """One side of a pair."""

    def __init__(self, pair: "Pair", side: int, schema: Any, lists: CodeLists) -> None:
        self._pair, self._side, self._schema = pair, side, schema
        self._lists = lists
        self._numbers: dict[int, int] = {}
        self._targets: dict[str, tuple[Any, str] | None] = {}
        self._resources = False
        self._read(schema, 0)
        waiting = list(self._targets)
        while waiting:
            target = self._targets[waiting.pop()]
            if target is not None and id(target[0]) not in self._numbers:
                known = len(self._targets)
                with _below(target[1]):
                    self._read(target[0], 0)
                waiting.extend(list(self._targets)[known:])
        if self._resources:
            # A part with a base of its own: which references mean it is left in doubt.
            self._targets = dict.fromkeys(self._targets)

    @property
    def root(self) -> Node:
        """The document as a schema."""
        return self.node(self._schema, "")

    def node(self, schema: Any, pointer: str) -> Node:
        """The node of a schema that stands in this document."""
        number = self._number_of(schema)
        if self._pair.references(number) <= self._pair.shared:
            return Node(number, self, schema, pointer)
        return Node((self._side, number), self, schema, pointer)

    def target(self, reference: str) -> Node | None:
        """Where a `$ref` leads, or None if that is not in this document."""
        found = self._targets[reference]
        return None if found is None else self.node(*found)

    def target_number(self, reference: str) -> int | None:
        """What stands where a `$ref` leads, or None."""
        found = self._targets.get(reference)
        return None if found is None else self._number_of(found[0])

    def has_any(self, keywords: frozenset[str]) -> bool:
        """Whether one of the keywords stands anywhere in this document."""
        return any(not keywords.isdisjoint(each) for each, _ in _objects(self._schema, "", 0))

    def listed(self, name: str) -> tuple[str, bool, frozenset[str]] | tuple[str]:
        """A code list with its members, as far as they are known."""
        known = self._lists.get(name)
        if known is None:
            return (name,)
        return (name, bool(known["closed"]), frozenset(map(str, known["codes"])))

    def _number_of(self, schema: Any) -> int:
        return self._pair.number(schema) if isinstance(schema, bool) else self._numbers[id(schema)]

    def _read(self, schema: Any, depth: int) -> int:
        """Number a schema and all below it, and note the references met."""
        if isinstance(schema, bool):
            return self._pair.number(schema)
        if not isinstance(schema, dict) or depth > MOST_DEPTH:
            raise Malformed("")
        if schema is not self._schema and isinstance(schema.get("$id"), str):
            self._resources = True
        references: set[str] = set()
        said: list[tuple[str, Hashable]] = []
        for keyword, value in schema.items():
            try:
                key = self._key(keyword, value, depth, references)
            except Malformed as malformed:
                raise Malformed(below("", keyword) + malformed.pointer) from None
            if key is not None:
                said.append((keyword, key))
        number = self._pair.number(frozenset(said), frozenset(references))
        self._numbers[id(schema)] = number
        return number

    def _key(self, keyword: str, value: Any, depth: int, references: set[str]) -> Hashable | None:
        """What a keyword says, as a part of what its schema says; None for an annotation."""
        if keyword in _SCHEMA:
            return self._inner(value, "", depth, references)
        if keyword in _SCHEMAS_BY_NAME:
            if not isinstance(value, dict):
                raise Malformed("")
            return frozenset(
                (name, self._inner(each, below("", name), depth, references))
                for name, each in value.items()
            )
        if keyword in _SCHEMAS:
            if not isinstance(value, list) or (not value and keyword != "prefixItems"):
                raise Malformed("")
            return tuple(
                self._inner(each, f"/{n}", depth, references) for n, each in enumerate(value)
            )
        if keyword in _VALUES or keyword in OPAQUE:
            return self._value(keyword, value, references)
        return None

    def _inner(self, schema: Any, place: str, depth: int, references: set[str]) -> int:
        with _below(place):
            number = self._read(schema, depth + 1)
        references |= self._pair.references(number)
        return number

    def _value(self, keyword: str, value: Any, references: set[str]) -> Hashable:
        if keyword == "$ref":
            if not isinstance(value, str):
                raise Malformed("")
            references.add(value)
            if value not in self._targets:
                self._targets[value] = self._find(value)
        elif keyword in OPAQUE:
            # No reference of a document is called so: the node is never taken for unchanged.
            references.add(f"?{keyword}")
        elif keyword == CODE_LIST:
            if not isinstance(value, str):
                raise Malformed("")
            return self.listed(value)
        return told_apart(value)

    def _find(self, reference: str) -> tuple[Any, str] | None:
        """The schema that a reference names; None outside this document or in doubt."""
        own = self._schema.get("$id")
        base, _, fragment = reference.partition("#")
        if base and base != own:
            return None
        if fragment and not fragment.startswith("/"):
            named = [
                each for each in _objects(self._schema, "", 0) if _is_called(each[0], fragment)
            ]
            return named[0] if len(named) == 1 else None
        found = self._schema
        pointer = ""
        for step in unquote(fragment).split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(found, dict) and name in found:
                found = found[name]
            elif isinstance(found, list) and name.isdecimal() and int(name) < len(found):
                found = found[int(name)]
            else:
                return None
            pointer += f"/{step}"
            if isinstance(found, dict) and isinstance(found.get("$id"), str):
                return None
        return found, pointer


class Pair:
    """Two documents that are compared, and the numbers of all that they say."""

    def __init__(self, old: Any, new: Any, old_lists: CodeLists, new_lists: CodeLists) -> None:
        self._known: dict[Hashable, int] = {}
        self._references: list[frozenset[str]] = []
        self.shared: frozenset[str] = frozenset()
        self.old = Document(self, 0, old, old_lists)
        self.new = Document(self, 1, new, new_lists)
        self.shared = self._unchanged()

    def number(self, said: Hashable, references: frozenset[str] = frozenset()) -> int:
        """The number of what a schema says."""
        key = (type(said).__name__, said)
        number = self._known.setdefault(key, len(self._references))
        if number == len(self._references):
            self._references.append(references)
        return number

    def references(self, number: int) -> frozenset[str]:
        """The references that stand in a schema."""
        return self._references[number]

    def _unchanged(self) -> frozenset[str]:
        """The references that lead to the same on both sides, all the way down."""
        mentioned = frozenset().union(*self._references)
        numbers = {name: self.old.target_number(name) for name in mentioned}
        same = {
            name
            for name, number in numbers.items()
            if number is not None and number == self.new.target_number(name)
        }
        while True:
            left = {name for name in same if self._references[numbers[name] or 0] <= same}
            if left == same:
                return frozenset(same)
            same = left


def below(pointer: str, step: str | int) -> str:
    """The JSON Pointer one step further."""
    return f"{pointer}/{str(step).replace('~', '~0').replace('/', '~1')}"


@contextmanager
def _below(pointer: str) -> Iterator[None]:
    try:
        yield
    except Malformed as malformed:
        raise Malformed(pointer + malformed.pointer) from None


def told_apart(value: Any, depth: int = 0) -> Hashable:
    """A JSON value such that only the very same is equal: neither true nor 1.0 equals 1."""
    if depth > MOST_DEPTH:
        raise Malformed("")
    if isinstance(value, dict):
        return frozenset((str(name), told_apart(held, depth + 1)) for name, held in value.items())
    if isinstance(value, list):
        return ("list", *(told_apart(item, depth + 1) for item in value))
    if value is not None and not isinstance(value, str | int | float | Decimal):
        raise Malformed("")
    return (type(value).__name__, value)


def _objects(value: Any, pointer: str, depth: int) -> Iterator[tuple[Any, str]]:
    """Every object of a document with its pointer."""
    if depth > MOST_DEPTH:
        raise Malformed(pointer)
    if isinstance(value, dict):
        yield value, pointer
        for name, held in value.items():
            yield from _objects(held, below(pointer, name), depth + 1)
    elif isinstance(value, list):
        for n, item in enumerate(value):
            yield from _objects(item, below(pointer, n), depth + 1)


def _is_called(schema: Any, name: str) -> bool:
    return any(schema.get(keyword) == name for keyword in _ANCHORS)
