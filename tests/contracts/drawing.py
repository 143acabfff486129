"""Payloads drawn at random for a contract: from its schema, or out of one of its examples.

What is drawn is mostly right and often nearly right: texts come from the examples' own, days may be
impossible, codes unknown, numbers have wrong check digits, and rules that join fields break by
themselves.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from contracts.codelists import code_list
from contracts.common import LIST_KEYWORD
from contracts.contract import Contract
from contracts.rules import RULES_KEYWORD
from tests.examples import VALID, contract_of

Schema = Mapping[str, Any]

# White space and edges on which engines of patterns are known to differ, and letters beyond.
ODD: Final = (
    "\u0085",
    "\u00a0",
    "\u200b",
    "\u2028",
    "\u3000",
    "\ufeff",
    "\n",
    "\x1c",
    "𠮷",
    "é",
    "0",
)
HOSTILE: Final[tuple[Any, ...]] = (
    None,
    True,
    0,
    -1,
    10**10,
    1.5,
    "",
    " ",
    "是",
    [],
    {},
    [None],
    {"code": "1"},
)
MOST_ITEMS: Final = 3


@dataclass(frozen=True)
class Drawing:
    """The schema of one contract, its examples, and the texts that stand in each kind of place."""

    contract: Contract
    schema: Schema
    examples: tuple[Any, ...]
    texts: Mapping[str, list[str]] = field(repr=False)

    def payload(self, random: Random) -> Any:
        """A payload as JSON, valid or not."""
        if random.random() < 0.3:
            return self._made(self.schema, random)
        return self._changed(random.choice(self.examples), self.schema, random, 0.3 / 20)

    def _made(self, schema: Schema, random: Random) -> Any:
        """A value that the schema describes, or nearly."""
        (chosen,) = random.sample(list(arms(self.schema, schema)), 1)
        if LIST_KEYWORD in chosen:
            return self._code(chosen[LIST_KEYWORD], random)
        if "enum" in chosen or "const" in chosen:
            return random.choice(chosen.get("enum", [chosen.get("const")]))
        match chosen["type"]:
            case "object":
                required = chosen.get("required", ())
                return {
                    name: self._made(part, random)
                    for name, part in chosen["properties"].items()
                    if name in required or random.random() < 0.25
                }
            case "array":
                least = chosen.get("minItems", 0)
                most = min(chosen.get("maxItems", MOST_ITEMS), least + MOST_ITEMS)
                count = random.randint(least, most)
                return [self._made(chosen["items"], random) for _ in range(count)]
            case "integer":
                least = chosen.get("minimum", 0)
                return random.choice((least, least + 1, min(chosen.get("maximum", 9), least + 9)))
            case "boolean":
                return random.random() < 0.5
            case "null":
                return None
            case _:
                return self._text(chosen, random)

    def _text(self, schema: Schema, random: Random) -> str:
        if schema.get("format") == "date" or random.random() < 0.02:
            return (
                f"202{random.randint(5, 7)}-{random.randint(1, 12):02}-{random.randint(1, 31):02}"
            )
        text = random.choice(self.texts[kind_of(schema)] or ["示例1"])
        if random.random() < 0.05:
            at = random.randint(0, len(text))
            text = text[:at] + random.choice(ODD) + text[at + random.randint(0, 1) :]
        if schema.get("format") == "date-time" and random.random() < 0.05:
            text = text[:19]
        return text

    def _code(self, listed: str, random: Random) -> Any:
        known = {"code": random.choice(sorted(code_list(listed).members))}
        stranger = {"code": "stranger"}
        return random.choice(
            (known, known, known, {**known, "list": listed}, {**stranger, "label": "本地"})
            + ((stranger, {**known, "list": "another"}) if random.random() < 0.1 else ())
        )

    def _changed(self, value: Any, schema: Schema, random: Random, rate: float) -> Any:
        """`value` with some of its parts left out, repeated, added or drawn anew."""
        if random.random() < rate:
            return self._made(schema, random)
        if random.random() < rate / 10:
            return random.choice(HOSTILE)
        fitting = [arm for arm in arms(self.schema, schema) if fits(value, arm)]
        if not fitting or LIST_KEYWORD in fitting[0]:
            return value
        if isinstance(value, dict):
            return self._members(value, fitting[0], random, rate)
        if isinstance(value, list):
            items = [self._changed(item, fitting[0]["items"], random, rate) for item in value]
            if items and random.random() < 2 * rate:
                items.append(random.choice(items))
            if items and random.random() < rate:
                items.pop()
            return items
        # In JSON Schema 2.0 is an integer, too.
        whole = fitting[0].get("type") == "integer" and random.random() < 0.05
        return float(value) if whole else value

    def _members(self, value: Any, schema: Schema, random: Random, rate: float) -> Any:
        changed = {}
        for name, part in schema["properties"].items():
            if name in value:
                if random.random() > rate:
                    changed[name] = self._changed(value[name], part, random, rate)
            elif random.random() < rate:
                changed[name] = self._made(part, random)
        if random.random() < rate / 10:
            changed["未声明"] = 1
        return changed


def drawing_of(contract: Contract) -> Drawing:
    """What is needed to draw payloads of a contract."""
    schema = contract.schema()
    paths = [path for path in VALID if contract_of(path) is contract]
    examples = tuple(json.loads(path.read_bytes()) for path in paths)
    texts: dict[str, list[str]] = defaultdict(list)
    for example in examples:
        for kind, text in _texts_in(example, schema, schema):
            texts[kind].append(text)
    return Drawing(contract, schema, examples, texts)


def arms(root: Schema, schema: Schema) -> Iterator[Schema]:
    """The alternatives that a schema allows, references followed, what stands beside them kept."""
    if "anyOf" in schema:
        for arm in schema["anyOf"]:
            yield from arms(root, {**_beside(schema, "anyOf"), **arm})
    elif "$ref" in schema:
        target = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
        named = [*schema.get(RULES_KEYWORD, ()), *target.get(RULES_KEYWORD, ())]
        yield from arms(root, {**target, **_beside(schema, "$ref"), RULES_KEYWORD: named})
    else:
        yield schema


def fits(value: Any, arm: Schema) -> bool:
    """Whether a value is of the JSON type that an alternative describes."""
    types = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
    return isinstance(value, types.get(arm.get("type", "object"), int))


def kind_of(schema: Schema) -> str:
    """What kind of text stands in a place: its pattern and the rules named there."""
    return f"{schema.get('pattern')} {schema.get(RULES_KEYWORD, ())}"


def _beside(schema: Schema, name: str) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != name}


def _texts_in(value: Any, schema: Schema, root: Schema) -> Iterator[tuple[str, str]]:
    for arm in (arm for arm in arms(root, schema) if fits(value, arm)):
        if isinstance(value, str):
            yield kind_of(arm), value
        elif isinstance(value, list):
            for item in value:
                yield from _texts_in(item, arm["items"], root)
        elif isinstance(value, dict):
            for name, part in arm.get("properties", {}).items():
                if name in value:
                    yield from _texts_in(value[name], part, root)
