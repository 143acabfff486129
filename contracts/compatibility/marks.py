"""Guantong's own keywords, compared place by place of the instance.

| change | breaks |
|---|---|
| `x-guantong-class` raised | `old_reads_new`: readers who were entitled no longer see the field |
| `x-guantong-class` lowered | `new_reads_old`: what an old publisher protected would be shown |
| `x-guantong-in-summary` taken away | `old_reads_new`: masked readers no longer see the field |
| `x-guantong-in-summary` given | `new_reads_old`: masked readers see what an old publisher hid |
| `x-guantong-rules` changed in any way | both: what the rules say is not in the schema |

What is marked is compared at every place of which the old version speaks and that something valid
under both may have; a side that may have more said of it than is followed breaks both. A field
without a class has that of the object around it, the root F0. `x-guantong-codelist`
narrows values and is compared with them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from contracts.compatibility.nodes import CLASS, IN_SUMMARY, RULES, Malformed, Node, below
from contracts.compatibility.places import (
    Held,
    Step,
    held_inside,
    speaking,
    spoken,
    steps,
    unfollowed,
)
from contracts.compatibility.reasons import Breaks, Reason, unprovable

# How many schemas are read, each again at every place of which it speaks.
MOST_WORK: Final = 20_000

_CLASSES: Final = ("F0", "F1", "F2", "F3", "F4")
_MARKS: Final = frozenset((CLASS, IN_SUMMARY, RULES))

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
class _Marks:
    """What is marked at one place."""

    level: int = 0
    summary: bool = False
    rules: frozenset[tuple[str, ...]] = frozenset()


@dataclass(frozen=True, slots=True)
class _Place:
    """One place of the instance: all that speaks of it, what is sure, the marks around it."""

    nodes: tuple[Node, ...]
    at: Node
    held: Held
    around: _Marks

    def inside(self, step: Step, marks: _Marks) -> "_Place":
        """The place one step inside this one, which has these marks."""
        told = spoken(self.nodes, step)
        at = told[0] if told else self.at
        return _Place(speaking(told), at, held_inside(self.held, step), marks)


def marks_of(old: Node, new: Node) -> tuple[Reason, ...]:
    """Every change of marks, each at the outermost place where it shows."""
    if not any(node.document.has_any(_MARKS) for node in (old, new)):
        return ()
    found: dict[tuple[str, str, str], Reason] = {}
    seen: set[tuple[object, ...]] = set()
    work = 0
    waiting = [(_root(old), _root(new))]
    while waiting:
        before, after = waiting.pop()
        around = [(place.around.level, place.around.summary) for place in (before, after)]
        one, other = frozenset(before.nodes), frozenset(after.nodes)
        key = (one, other, *around, before.held, after.held)
        if key in seen or (one == other and around[0] == around[1]):
            continue
        seen.add(key)
        work += len(before.nodes) + len(after.nodes)
        was, now = _marks(before), _marks(after)
        lost = unfollowed((*before.nodes, *after.nodes)) if work <= MOST_WORK else ""
        for reason in (*_changes(before, after, was, now), *_doubts(before, after, lost)):
            found.setdefault((reason.breaks, reason.code, reason.pointer), reason)
        if lost is None:
            waiting.extend(_inside(before, after, was, now))
        elif not lost:
            break
    return tuple(found.values())


def _root(node: Node) -> _Place:
    return _Place(speaking((node,)), node, frozenset({node}), _Marks())


def _inside(before: _Place, after: _Place, was: _Marks, now: _Marks) -> list[tuple[_Place, _Place]]:
    """The places one step inside of which the old version speaks, the first one last.

    A member that is new is not raised; one that is gone is protected no more. Where a side has no
    such place, neither has anything that is valid under both.
    """
    places = [
        (before.inside(step, was), after.inside(step, now))
        for step in steps((*before.nodes, *after.nodes))
    ]
    return [
        (there, here)
        for there, here in reversed(places)
        if there.nodes and frozenset() not in (there.held, here.held)
    ]


def _doubts(before: _Place, after: _Place, keyword: str | None) -> Iterator[Reason]:
    """Beyond a keyword that is not followed, or so much work, any mark may have changed."""
    if keyword is not None:
        yield unprovable("new_reads_old", keyword, after.at.pointer)
        yield unprovable("old_reads_new", keyword, before.at.pointer)


def _changes(before: _Place, after: _Place, was: _Marks, now: _Marks) -> Iterator[Reason]:
    # What a field has from the object around it was told there.
    if (was.level, now.level) != (before.around.level, after.around.level):
        if now.level > was.level:
            yield _reason("old_reads_new", "class_raised", before.at, CLASS)
        elif now.level < was.level:
            yield _reason("new_reads_old", "class_lowered", after.at, CLASS)
    if (was.summary, now.summary) != (before.around.summary, after.around.summary):
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


def _marks(place: _Place) -> _Marks:
    level, summary = place.around.level, place.around.summary
    rules: set[tuple[str, ...]] = set()
    for node in place.nodes:
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
