"""What our own keywords mean, told so that it can be tried on instances.

Code lists and rules become what every engine knows (`plain`); field classes, summaries and rules
are read at each place of an instance (`marks_at`), and compared there (`marks_broken`).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.contracts.compatibility.near import CLASSES, CODES, Lists
from tests.contracts.compatibility.schemas import VALUES

_WITHIN = ("allOf", "anyOf", "oneOf")
_BESIDE = ("if", "then", "else", "not")
_REST = ("additionalProperties", "unevaluatedProperties")


def plain(schema: Any, lists: Lists) -> Any:
    """The schema in the words of the standard alone.

    A list has the members that a side knows; one that it does not know has some, by its name. A
    set of rules refuses some values, which others cannot be told from the set.
    """
    if isinstance(schema, list):
        return [plain(each, lists) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {word: plain(held, lists) for word, held in schema.items()}
    said = []
    # The name of the list stays, by which instances are made.
    name, rules = made.get("x-guantong-codelist"), made.pop("x-guantong-rules", None)
    if isinstance(name, str):
        said.append(_listed(name, lists))
    if rules:
        refused = Random(" ".join(sorted(rules))).sample((*VALUES, *CODES), 8)
        said.append({"not": {"enum": refused}})
    # Twice denied, so that no member counts as looked at by what stands for our keywords.
    denied = [{"not": {"not": each}} for each in said]
    return {**made, "allOf": [*made.get("allOf", ()), *denied]} if denied else made


def _listed(name: str, lists: Lists) -> Any:
    known = lists.get(name, {"closed": True, "codes": [CODES[len(name) % len(CODES)]]})
    named = {"properties": {"list": {"const": name}}}
    member = {"properties": {"code": {"enum": known["codes"]}}, "required": ["code"]}
    ways = [member] if known["closed"] else [member, {"required": ["label"]}]
    return {"anyOf": [{"not": {"type": "object"}}, {"allOf": [named, {"anyOf": ways}]}]}


@dataclass(frozen=True)
class Marks:
    """What is marked at a place; `spoken`: some schema speaks of it."""

    level: int
    summary: bool
    rules: frozenset[tuple[str, ...]]
    spoken: bool


def marks_broken(old: Any, new: Any, way: str, instance: Any) -> bool:
    """Whether an instance valid under both has marks that a direction may not change.

    Of the new version an old publisher may expect no lower class and no new summary; an old reader
    no higher class and no lost summary; both the same rules, where both say something.
    """
    before, after = dict(marks_at(old, instance)), dict(marks_at(new, instance))
    return not all(
        _kept(was, after[pointer]) if way == "new_reads_old" else _kept(after[pointer], was)
        for pointer, was in before.items()
        if was.spoken
    )


def _kept(was: Marks, now: Marks) -> bool:
    """Whether nothing is shown to more than it was, and no rule changed."""
    ruled = was.rules == now.rules or not (was.spoken and now.spoken)
    return was.level <= now.level and now.summary <= was.summary and ruled


def marks_at(document: Any, instance: Any) -> Iterator[tuple[str, Marks]]:
    """Every place of the instance with its marks; the items of an array are one place."""
    around = Marks(0, False, frozenset(), True)
    waiting: list[tuple[str, list[Any], Marks, list[Any]]] = [("", [instance], around, [document])]
    while waiting:
        pointer, values, above, schemas = waiting.pop()
        about = list(_about(schemas, document))
        marks = _marks(about, above)
        yield pointer, marks
        inside: dict[str, tuple[list[Any], list[Any]]] = {}
        for value in values:
            if isinstance(value, dict):
                for name, held in value.items():
                    inside.setdefault(name, ([], list(_of_member(about, name))))[0].append(held)
            elif isinstance(value, list) and value:
                inside.setdefault("-", ([], list(_of_items(about))))[0].extend(value)
        waiting.extend(
            (f"{pointer}/{step}", held, marks, spoken) for step, (held, spoken) in inside.items()
        )


def _marks(about: list[Any], above: Marks) -> Marks:
    told = [each for each in about if isinstance(each, dict)]
    classes = [CLASSES.index(each["x-guantong-class"]) for each in told if _CLASS in each]
    rules = (tuple(sorted(each["x-guantong-rules"])) for each in told if _RULES in each)
    return Marks(
        level=max([above.level, *classes]),
        summary=above.summary or any(each.get("x-guantong-in-summary") is True for each in told),
        rules=frozenset(rules),
        spoken=bool(about),
    )


_CLASS, _RULES = "x-guantong-class", "x-guantong-rules"


def _about(schemas: Iterable[Any], document: Any) -> Iterator[Any]:
    """The schemas, and all that speak of the same value."""
    waiting, seen = list(schemas), set()
    while waiting:
        schema = waiting.pop()
        if not isinstance(schema, dict):
            yield schema
        elif id(schema) not in seen:
            seen.add(id(schema))
            yield schema
            if "$ref" in schema:
                name = schema["$ref"].removeprefix("#/$defs/")
                waiting.append(document if name == "#" else document["$defs"][name])
            waiting += [each for word in _WITHIN for each in schema.get(word, ())]
            waiting += [schema[word] for word in _BESIDE if word in schema]
            waiting += schema.get("dependentSchemas", {}).values()


def _of_member(about: list[Any], name: str) -> Iterator[Any]:
    for schema in about:
        if not isinstance(schema, dict):
            continue
        selected = [
            inner for p, inner in schema.get("patternProperties", {}).items() if re.search(p, name)
        ]
        if name in schema.get("properties", {}):
            selected.append(schema["properties"][name])
        # Of other members `{}` says no more than `true`: nothing speaks of them.
        yield from selected or [
            schema[word] for word in _REST if isinstance(schema.get(word), dict) and schema[word]
        ]


def _of_items(about: list[Any]) -> Iterator[Any]:
    for schema in about:
        if isinstance(schema, dict):
            words = ("items", "contains", "unevaluatedItems")
            yield from (schema[word] for word in words if word in schema)
            yield from schema.get("prefixItems", ())
