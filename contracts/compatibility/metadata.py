"""What a contract says beside its schema (`x-guantong-contract`), compared member by member.

| member | taken away, lowered | added, raised |
|---|---|---|
| `type`, `key`, `about`, `due` | both | both |
| `parties`, `accused_persons` | `new_reads_old` | `old_reads_new` |
| `publishers` (none is whoever received the opening), `ways` | `new_reads_old` | nothing |
| `receivers` (masked is less than full) | `old_reads_new` | `new_reads_old` |
| `denied` | `new_reads_old` | `old_reads_new` |
| `custodians` | `old_reads_new` | `new_reads_old` |
| `answers`, `unasked` | `new_reads_old` | `old_reads_new` |
| `ceiling` | `new_reads_old` | `old_reads_new` |

`old_reads_new` breaks where who read before gets events no more, or events he cannot place;
`new_reads_old` where an old publisher's event is refused, or seen by more than it was sent to.
All else (titles, flows, phase, retention …) breaks nobody's reading. If only one of two documents
has metadata, nothing can be said of either direction.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from contracts.compatibility.nodes import below, told_apart
from contracts.compatibility.reasons import Breaks, Reason

MEMBER: Final = "x-guantong-contract"
_WHOLE: Final[Mapping[str, tuple[str, str]]] = {
    "type": ("事件类型", "event type"),
    "key": ("办理键", "key"),
    "about": ("所指事件", "event that it is about"),
    "due": ("办理期限规则", "due rule"),
}
_CEILINGS: Final = ("public", "internal", "mimi", "jimi", "juemi")
# Member → names, what breaks when something goes, what breaks when something comes.
_SETS: Final[Mapping[str, tuple[str, str, Breaks, Breaks | None]]] = {
    "parties": ("当事方", "parties", "new_reads_old", "old_reads_new"),
    "accused_persons": ("被反映人", "accused persons", "new_reads_old", "old_reads_new"),
    "publishers": ("发布方", "publishers", "new_reads_old", None),
    "ways": ("可寄送方向", "ways", "new_reads_old", None),
    "receivers": ("接收方", "receivers", "old_reads_new", "new_reads_old"),
    "denied": ("禁止接收方", "denied kinds", "new_reads_old", "old_reads_new"),
    "custodians": ("来源保管方", "custodians", "old_reads_new", "new_reads_old"),
    "answers": ("所答复的事项", "answered openings", "new_reads_old", "old_reads_new"),
    "unasked": ("主动报送", "unasked events", "new_reads_old", "old_reads_new"),
    "ceiling": ("最高密级", "ceiling", "new_reads_old", "old_reads_new"),
}
_BOTH: Final[tuple[Breaks, Breaks]] = ("new_reads_old", "old_reads_new")


def metadata_reasons(
    old: Mapping[str, Any] | bool, new: Mapping[str, Any] | bool
) -> tuple[Reason, ...]:
    """What breaks by changed metadata; nothing where neither document has any."""
    before, after = (None if isinstance(d, bool) else d.get(MEMBER) for d in (old, new))
    if before is after is None:
        return ()
    if not isinstance(before, dict) or not isinstance(after, dict):
        sentence = (
            "只有一方带有完整的契约元数据（x-guantong-contract），无法比较；请为两个版本都补全",
            "only one of the versions has contract metadata; give both theirs",
        )
        pointer = below("", MEMBER)
        return tuple(Reason(breaks, "metadata_missing", pointer, *sentence) for breaks in _BOTH)
    return (*_changed(before, after), *_moved(before, after))


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Reason]:
    for member, (name, name_en) in _WHOLE.items():
        if told_apart(before.get(member)) != told_apart(after.get(member)):
            for breaks in _BOTH:
                yield Reason(
                    breaks,
                    f"{member}_changed",
                    _pointer(member),
                    f"契约的{name}改变了，新旧版本的事件不能再按同一件事处理；请保持不变，或设立新的事件类型",
                    f"the contract's {name_en} changed, so that events of the versions are no "
                    "longer handled as one; keep it, or make a new event type",
                )


def _moved(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Reason]:
    for member, (name, name_en, when_gone, when_come) in _SETS.items():
        was, now = _elements(member, before.get(member)), _elements(member, after.get(member))
        gone, come = sorted(was - now), sorted(now - was)
        if gone:
            yield _set_reason(when_gone, member, "removed", name, name_en, gone)
        if come and when_come is not None:
            yield _set_reason(when_come, member, "added", name, name_en, come)


def _set_reason(
    breaks: Breaks, member: str, change: str, name: str, name_en: str, which: list[str]
) -> Reason:
    shown = "、".join(which[:5]) + ("…" if len(which) > 5 else "")
    did = "减少了" if change == "removed" else "增加了"
    hurt, hurt_en = {
        "new_reads_old": (
            "旧版本的事件不再被同样接受或保护",
            "events of the old version are not accepted or protected as before",
        ),
        "old_reads_new": (
            "旧版本的订阅方不再同样收得到",
            "subscribers of the old version do not get them as before",
        ),
    }[breaks]
    return Reason(
        breaks,
        f"{member}_{change}",
        _pointer(member),
        f"契约的{name}{did} {shown}，{hurt}；请保持不变，或发布新的主版本",
        f"the contract's {name_en}: {change} {shown}, so that {hurt_en}; keep them, or release a "
        "new major version",
    )


def _pointer(member: str) -> str:
    return below(below("", MEMBER), member)


def _elements(member: str, value: Any) -> frozenset[str]:
    """A member as a set: who may more has more elements."""
    if value is None or value is False:
        return frozenset()
    if member == "publishers" and value == []:
        return frozenset({"*"})
    if member == "receivers" and isinstance(value, dict):
        return frozenset(_measures(value))
    if member == "ceiling" and value in _CEILINGS:
        return frozenset(_CEILINGS[: _CEILINGS.index(value) + 1])
    items = value if isinstance(value, list) else [value]
    return frozenset(
        each if isinstance(each, str) else json.dumps(each, ensure_ascii=False, sort_keys=True)
        for each in items
    )


def _measures(receivers: Mapping[str, Any]) -> Iterator[str]:
    for kind, relations in receivers.items():
        if not isinstance(relations, dict):
            yield f"{kind} {json.dumps(relations, ensure_ascii=False, sort_keys=True)}"
            continue
        for relation, measure in relations.items():
            yield f"{kind}/{relation}"
            if measure != "masked":
                yield f"{kind}/{relation}/{measure}"
