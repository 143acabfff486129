"""What the catalogue calls things: Chinese and English of the codes that contracts use."""

from collections.abc import Iterable, Mapping
from typing import Final

from contracts.agency import KINDS
from contracts.classes import FieldClass
from contracts.contract import PartyRole, Phase
from contracts.deadlines import Deadline, deadlines
from contracts.matrix import Cells, Measure, Relation
from contracts.values import Classification

Pair = tuple[str, str]

CLASSES: Final[Mapping[FieldClass, Pair]] = {
    FieldClass.F0: ("可公开", "open"),
    FieldClass.F1: ("工作内部", "internal"),
    FieldClass.F2: ("涉及个人", "about a person"),
    FieldClass.F3: ("敏感个人信息", "sensitive, about a person"),
    FieldClass.F4: ("来源保护", "protects a source"),
}
CLASS_MEANINGS: Final[Mapping[FieldClass, Pair]] = {
    FieldClass.F0: ("凡能收到本件者皆可见。", "Whoever gets the event sees it."),
    FieldClass.F1: ("机关之间的工作内容，摘要收件方可见。", "Work between agencies; in summaries."),
    FieldClass.F2: ("个人姓名、职务等，须经授权。", "Names, posts …: only where granted."),
    FieldClass.F3: ("证件号码、住址、亲属等，须经专门授权。", "Numbers of documents, homes, kin …"),
    FieldClass.F4: (
        "能识别反映人的内容，只给保管人。",
        "What could give a source away: custodians only.",
    ),
}
PHASES: Final[Mapping[Phase, Pair]] = {
    "plan": ("谋划", "planning"),
    "pre": ("巡前", "before"),
    "on": ("巡中", "on site"),
    "post": ("巡后", "after"),
    "any": ("全程", "any time"),
}
RELATIONS: Final[Mapping[Relation, Pair]] = {
    "same": ("同级", "same level"),
    "up": ("上级", "above"),
    "down": ("下级", "below"),
    "to": ("指名收件", "only if addressed"),
}
ARROWS: Final[Mapping[Relation, str]] = {"same": "↔", "up": "↑", "down": "↓", "to": "→"}
MEASURES: Final[Mapping[Measure, Pair]] = {
    "full": ("全文", "in full"),
    "masked": ("摘要", "a summary"),
}
MARKINGS: Final[Mapping[Classification, Pair]] = {
    "public": ("公开", "public"),
    "internal": ("内部", "internal"),
    "mimi": ("秘密", "secret"),
    "jimi": ("机密", "highly secret"),
    "juemi": ("绝密", "top secret"),
}
ROLES: Final[Mapping[PartyRole, Pair]] = {
    PartyRole.ACCUSED: ("被反映方（本件不得送达）", "accused: never receives it"),
    PartyRole.CONCERNED: ("相关方", "concerned"),
}
LEVELS: Final[Mapping[str, Pair]] = {
    "central": ("中央", "central"),
    "province": ("省", "province"),
    "city": ("市", "city"),
    "county": ("县", "county"),
}
_UNITS: Final[Mapping[str, tuple[str, str]]] = {
    "hours": ("小时", "hours"),
    "working_days": ("个工作日", "working days"),
    "days": ("日", "days"),
    "months": ("个月", "months"),
    "quarters": ("个季度", "quarters"),
    "years": ("年", "years"),
}
_OPEN: Final[Pair] = ("由各地规定", "set by each place")
# What a rule without an amount says, by where its day comes from.
_ELSEWHERE: Final[Mapping[str, Pair]] = {
    "letter": ("以来文载明的日期为准", "the day that the letter names"),
    "item": ("以事项载明的日期为准", "the day that the item names"),
}


def kinds(codes: Iterable[str]) -> Pair:
    """The names of kinds, in the order of the registry."""
    found = [kind for code, kind in KINDS.items() if code in set(codes)]
    return "、".join(kind.name for kind in found), ", ".join(kind.name_en for kind in found)


def level(name: str) -> Pair:
    """A level of the hierarchy."""
    return LEVELS.get(name, (name, name))


def amount(row: Deadline) -> Pair:
    """How long one row of the deadlines gives."""
    if row.unit == "before_leaving":
        return "撤离前", "before leaving"
    if row.amount is None or row.unit is None:
        return _ELSEWHERE.get(row.source, _OPEN)
    unit, unit_en = _UNITS[row.unit]
    single = unit_en.removesuffix("s") if row.amount == 1 else unit_en
    return f"{row.amount} {unit}", f"{row.amount} {single}"


def deadline(rule: str) -> Pair:
    """How long a rule gives, and where a level has its own."""
    said: list[str] = []
    said_en: list[str] = []
    for row in deadlines():
        if row.rule == rule:
            long, long_en = amount(row)
            there, there_en = level(row.level) if row.level else ("", "")
            said.append(f"{there}级 {long}" if there else long)
            said_en.append(f"{there_en}: {long_en}" if there_en else long_en)
    return "；".join(said), "; ".join(said_en)


def source(row: Deadline) -> Pair:
    """Where the figure of a row is from, and whether its text was seen."""
    if row.source in {"node", "letter", "item"}:
        return "", ""
    if row.source == "guantong":
        return "本系统建议值，可由各地改定", "a proposal of ours, each place may set its own"
    if row.confirmed:
        return f"依据：{row.source}", f"source: {row.source}"
    return "行业通行做法，原文未核对，可由各地改定", f"{row.source}; unconfirmed"


def grouped(receivers: Cells) -> dict[tuple[Relation, Measure], list[str]]:
    """Who receives, by how they lie to the publisher and in which measure."""
    found: dict[tuple[Relation, Measure], list[str]] = {}
    for kind in KINDS:
        for relation, measure in receivers.get(kind, {}).items():
            found.setdefault((relation, measure), []).append(kind)
    order = list(RELATIONS)
    return dict(sorted(found.items(), key=lambda it: (order.index(it[0][0]), it[0][1])))
