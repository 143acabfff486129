"""Guantong's own keywords, compared place by place of the instance.

| change | breaks |
|---|---|
| `x-guantong-class` raised | `old_reads_new`: readers who were entitled no longer see the field |
| `x-guantong-class` lowered | `new_reads_old`: what an old publisher protected would be shown |
| `x-guantong-in-summary` taken away | `old_reads_new`: masked readers no longer see the field |
| `x-guantong-in-summary` given | `new_reads_old`: masked readers see what an old publisher hid |
| `x-guantong-rules` changed in any way | both: what the rules say is not in the schema |

A field without a class has that of the object around it, the root F0. `x-guantong-codelist`
narrows values and is compared with them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from contracts.compatibility.nodes import CLASS, IN_SUMMARY, RULES, Malformed, Node, below
from contracts.compatibility.patterns import found_in
from contracts.compatibility.reasons import Breaks, Reason

_CLASSES: Final = ("F0", "F1", "F2", "F3", "F4")
_SAME_VALUE: Final = ("allOf", "anyOf", "oneOf")
_CONDITIONS: Final = ("if", "then", "else", "not")
_ITEMS: Final = ("items", "contains", "unevaluatedItems")
_OTHERS: Final = ("additionalProperties", "unevaluatedProperties")

_Mark = Literal["class_raised", "class_lowered", "summary_removed", "summary_added", "rules"]
_SENTENCES: Final[dict[_Mark, tuple[str, str]]] = {
    "class_raised": (
        "新版本提高了字段的保护类别，原来看得到的订阅方将看不到它；请保持类别，或发布新的主版本并重新授权",
        "the new version raises the field's class, so that readers lose it; keep the class, or "
        "release a new major version and renew the grants",
    ),
    "class_lowered": (
        "新版本降低了字段的保护类别，旧版本受保护的内容会被更多人看到；请保持类别，或发布新的主版本",
        "the new version lowers the field's class, so that what was protected is shown to more; "
        "keep the class, or release a new major version",
    ),
    "summary_removed": (
        "新版本把字段移出摘要，只看摘要的订阅方将看不到它；请保留，或发布新的主版本",
        "the new version takes the field out of summaries, so that masked readers lose it; "
        "keep it there, or release a new major version",
    ),
    "summary_added": (
        "新版本把字段放入摘要，旧版本未公开的内容会被只看摘要的订阅方看到；请不要放入，或发布新的主版本",
        "the new version puts the field into summaries, which shows masked readers what was kept "
        "from them; leave it out, or release a new major version",
    ),
    "rules": (
        "业务规则（x-guantong-rules）有变化，其内容不在 Schema 中，无法比较；请保持规则，"
        "或发布新的主版本",
        "the rules (x-guantong-rules) changed, and what they say is not in the schema; keep them, "
        "or release a new major version",
    ),
}


@dataclass(frozen=True, slots=True)
class _Place:
    """The schemas that speak of one place of the instance, and what holds around it."""

    nodes: tuple[Node, ...]
    at: Node
    above: int = 0
    summary: bool = False


@dataclass(frozen=True, slots=True)
class _Marks:
    """What is marked at one place."""

    level: int
    summary: bool
    rules: frozenset[tuple[str, ...]]


def marks_of(old: Node, new: Node) -> tuple[Reason, ...]:
    """Every change of marks, each at the outermost place where it shows."""
    found: dict[tuple[str, str, str], Reason] = {}
    seen: set[tuple[object, ...]] = set()
    waiting = [(_Place((old,), old), _Place((new,), new))]
    while waiting:
        before, after = waiting.pop()
        one, other = _about(before.nodes), _about(after.nodes)
        around = (before.above, after.above, before.summary, after.summary)
        key = (frozenset(one), frozenset(other), around)
        same = around[0] == around[1] and around[2] == around[3]
        if key in seen or (same and key[0] == key[1]):
            continue
        seen.add(key)
        was, now = _marks(one, before), _marks(other, after)
        for reason in _changes(before, after, was, now):
            found.setdefault((reason.breaks, reason.code, reason.pointer), reason)
        waiting.extend(
            (_inside(there, was, before.at), _inside(here, now, after.at))
            for there, here in _shared(one, other, after)
        )
    return tuple(found.values())


def _shared(
    one: tuple[Node, ...], other: tuple[Node, ...], after: _Place
) -> Iterator[tuple[tuple[Node, ...], tuple[Node, ...]]]:
    """The places inside that both may have, with the schemas of each side.

    A member that is new is not raised; one that is gone is protected no more, but where it is
    refused.
    """
    known: dict[Node, bool] = {}
    refused = bool(after.nodes) and all(_is_closed(node, known) for node in after.nodes)
    for step in sorted({step for node in (*one, *other) for step in _steps(node)}, reverse=True):
        there, here = _spoken(one, step), _spoken(other, step)
        if there and (here or not refused):
            yield there, here


def _is_closed(node: Node, known: dict[Node, bool]) -> bool:
    """Whether no object that is valid has a member that nothing speaks of."""
    if node not in known:
        # What leads back to itself is taken for open.
        known[node] = False
        known[node] = _closes(node, known)
    return known[node]


def _closes(node: Node, known: dict[Node, bool]) -> bool:
    schema = node.schema
    if isinstance(schema, bool):
        return not schema
    if any(schema.get(keyword) is False for keyword in _OTHERS):
        return True
    if isinstance(schema.get("type"), str) and schema["type"] != "object":
        return True
    parts = [node.at("allOf", n) for n in range(len(schema.get("allOf", ())))]
    if "$ref" in schema and (target := node.document.target(schema["$ref"])) is not None:
        parts.append(target)
    return any(_is_closed(part, known) for part in parts) or any(
        all(_is_closed(node.at(keyword, n), known) for n in range(len(schema[keyword])))
        for keyword in ("anyOf", "oneOf")
        if keyword in schema
    )


def _inside(nodes: tuple[Node, ...], marks: _Marks, at: Node) -> _Place:
    return _Place(nodes, nodes[0] if nodes else at, marks.level, marks.summary)


def _changes(before: _Place, after: _Place, was: _Marks, now: _Marks) -> Iterator[Reason]:
    # What a field has from the object around it was told there.
    if (was.level, now.level) != (before.above, after.above):
        if now.level > was.level:
            yield _reason("old_reads_new", "class_raised", before.at, CLASS)
        elif now.level < was.level:
            yield _reason("new_reads_old", "class_lowered", after.at, CLASS)
    if (was.summary, now.summary) != (before.summary, after.summary):
        if was.summary and not now.summary:
            yield _reason("old_reads_new", "summary_removed", before.at, IN_SUMMARY)
        elif now.summary and not was.summary:
            yield _reason("new_reads_old", "summary_added", after.at, IN_SUMMARY)
    if was.rules != now.rules and before.nodes and after.nodes:
        yield _reason("new_reads_old", "rules", after.at, RULES)
        yield _reason("old_reads_new", "rules", before.at, RULES)


def _reason(breaks: Breaks, mark: _Mark, node: Node, keyword: str) -> Reason:
    code = "rules_changed" if mark == "rules" else mark
    stands = isinstance(node.schema, dict) and keyword in node.schema
    pointer = below(node.pointer, keyword) if stands else node.pointer
    return Reason(breaks, code, pointer, *_SENTENCES[mark])


def _marks(nodes: Iterable[Node], place: _Place) -> _Marks:
    level, summary = place.above, place.summary
    rules: set[tuple[str, ...]] = set()
    for node in nodes:
        if isinstance(node.schema, bool):
            continue
        if CLASS in node.schema:
            if node.schema[CLASS] not in _CLASSES:
                raise Malformed(below(node.pointer, CLASS))
            level = max(level, _CLASSES.index(node.schema[CLASS]))
        summary = summary or node.schema.get(IN_SUMMARY) is True
        if node.schema.get(RULES):
            rules.add(tuple(sorted(map(str, node.schema[RULES]))))
    return _Marks(level, summary, frozenset(rules))


def _about(nodes: Iterable[Node]) -> tuple[Node, ...]:
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
        if "$ref" in schema and (target := node.document.target(schema["$ref"])) is not None:
            waiting.append(target)
        for keyword in _SAME_VALUE:
            waiting.extend(node.at(keyword, n) for n in range(len(schema.get(keyword, ()))))
        waiting.extend(node.at(keyword) for keyword in _CONDITIONS if keyword in schema)
        waiting.extend(
            node.at("dependentSchemas", name) for name in schema.get("dependentSchemas", ())
        )
    return tuple(found)


def _steps(node: Node) -> Iterator[str]:
    """The places one step inside: `/name` and `*pattern` of members, `*` others, `-` items."""
    schema = node.schema
    if isinstance(schema, bool):
        return
    yield from (f"/{name}" for name in schema.get("properties", ()))
    yield from (f"*{pattern}" for pattern in schema.get("patternProperties", ()))
    if any(isinstance(schema.get(keyword), dict) for keyword in _OTHERS):
        yield "*"
    if any(keyword in schema for keyword in (*_ITEMS, "prefixItems")):
        yield "-"


def _spoken(nodes: Iterable[Node], step: str) -> tuple[Node, ...]:
    """The schemas that speak of a place one step inside, each as its own schema selects them."""
    return tuple(
        inner for node in nodes if isinstance(node.schema, dict) for inner in _selected(node, step)
    )


def _selected(node: Node, step: str) -> list[Node]:
    schema, name = node.schema, step[1:]
    if step == "-":
        front = (node.at("prefixItems", n) for n in range(len(schema.get("prefixItems", ()))))
        return [*(node.at(keyword) for keyword in _ITEMS if keyword in schema), *front]
    named: list[Node] = []
    if step.startswith("/"):
        patterns = [
            p for p in schema.get("patternProperties", ()) if found_in(p, name) is not False
        ]
        named += [node.at("patternProperties", pattern) for pattern in patterns]
        if name in schema.get("properties", ()):
            named.append(node.at("properties", name))
    elif name in schema.get("patternProperties", ()):
        named.append(node.at("patternProperties", name))
    # What neither a name nor a pattern selects is one of the others.
    others = [k for k in _OTHERS if isinstance(schema.get(k), dict) and schema[k]]
    return named or [node.at(keyword) for keyword in others]
