"""What the steps of rectification share: problems, who is responsible, measures, effects."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from contracts.classes import F1, F2
from contracts.codelists import code_list
from contracts.common import Code, DocRef, Due, MeetingRef, Money, OrgRef, Part, coded
from contracts.rules import Rule, needs, rule, unique
from contracts.values import Count, Day, Identifier, Line, Paragraph, Summary

NOT_COMPLETED: Final = "0"
BASICALLY: Final = "1"
COMPLETED: Final = "2"

Category = Annotated[Code, coded("issue_category")]
Completion = Annotated[Code, coded("rectification_completion")]
Evidence = Annotated[tuple[DocRef, ...], Field(max_length=100)]


def falls_on(due: Due) -> date:
    """The day that counts: of the last extension, or the first day."""
    return due.extended[-1].until if due.extended else due.date


def late(items: str, day: str, last: Callable[[Any], Any], what: str, what_en: str) -> Rule:
    """No item of an array has its `day` after the last day that `last` reads from the object."""

    def after(it: Any) -> Iterator[str]:
        limit = last(it)
        for place, item in enumerate(getattr(it, items)):
            given = getattr(item, day)
            if limit is not None and given is not None and given > limit:
                yield f"{items}/{place}/{day}"

    return Rule(f"{day}_late", what, what_en, after)


MEASURES_ONCE: Final = unique(
    "measures", "measureid", "措施编号不得重复", "a measure stands twice", "measure_repeated"
)
# Of an item that is taken on with its measures.
MEASURES_RULES: Final = (
    MEASURES_ONCE,
    late(
        "measures",
        "due",
        lambda it: it.due,
        "措施的完成时间不得晚于整改事项的期限",
        "a measure is due no later than its item",
    ),
)


def named_in(items: str, among: Callable[[Any], set[str]], message: str, message_en: str) -> Rule:
    """Every `itemid` of an array is one of those that the object speaks of."""

    def strangers(it: Any) -> Iterator[str]:
        known = among(it)
        for place, item in enumerate(getattr(it, items)):
            if item.itemid is not None and item.itemid not in known:
                yield f"{items}/{place}/itemid"

    return Rule("item_not_listed", message, message_en, strangers)


def _elsewhere(it: Any) -> bool:
    """Whether the subcategory is listed below another category; own codes say nothing of that."""
    if it.subcategory is None:
        return False
    member = code_list("issue_category").members.get(it.subcategory.code)
    return member is not None and member.parent not in ("", None, it.category.code)


class Leader(Part):
    """Who answers for it (责任人): by name and post; no other personal data is needed."""

    personkey: Annotated[Identifier | None, F2("人员编号", "person key")] = None
    name: Annotated[Line, F2("姓名", "name")]
    post: Annotated[Line | None, F2("职务", "post")] = None
    kind: Annotated[
        Annotated[Code, coded("rectification_owner_kind")],
        F1("责任人类型", "kind of responsibility"),
    ]


class Problem(Part):
    """The line of the issue list: category, subcategory, issue, and how it shows."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        rule(
            "subcategory_elsewhere",
            "subcategory",
            "问题子类不属于所填的问题类别",
            "the subcategory belongs to another category",
            _elsewhere,
        ),
        needs(
            "attention_reasons",
            lambda it: it.key_attention,
            "列为重点关注的问题须填关注情形",
            "an issue that needs attention says why",
            "attention_reason_missing",
        ),
    )

    issueid: Annotated[Identifier | None, F1("反馈问题编号", "issue fed back")] = None
    category: Annotated[Category, F1("问题类别", "category")]
    subcategory: Annotated[Category | None, F1("问题子类", "subcategory")] = None
    issue: Annotated[Line, F2("具体问题", "issue")]
    manifestation: Annotated[Summary, F2("具体表现", "how it shows")]
    track: Annotated[Annotated[Code, coded("issue_track")], F1("整改专项", "track")]
    focus: Annotated[Annotated[Code, coded("inspection_focus")] | None, F1("监督重点", "focus")] = (
        None
    )
    key_attention: Annotated[bool, F1("是否重点关注", "needs attention")] = False
    attention_reasons: Annotated[
        tuple[Annotated[Code, coded("key_attention")], ...],
        Field(max_length=5),
        F1("重点关注情形", "why it needs attention"),
    ] = ()


class Measure(Part):
    """One measure: what is done, of which kinds, who answers for it, by when."""

    measureid: Annotated[Identifier, F1("措施编号", "measure")]
    text: Annotated[Paragraph, F2("措施内容", "measure in words")]
    kinds: Annotated[
        tuple[Annotated[Code, coded("rectification_measure_kind")], ...],
        Field(min_length=1, max_length=7),
        F1("措施类型", "kinds of measure"),
    ]
    responsible: Annotated[
        tuple[Leader, ...], Field(min_length=1, max_length=20), F2("责任人", "responsible persons")
    ]
    unit: Annotated[OrgRef | None, F1("责任部门", "responsible department")] = None
    due: Annotated[Day, F1("预计完成时间", "due")]


class Meeting(MeetingRef):
    """A meeting on rectification: 专题会 of the Party group, 专题民主生活会."""

    presided_by: Annotated[Line | None, F2("主持人", "presided by")] = None
    minutes: Annotated[DocRef | None, F1("会议纪要", "minutes")] = None


class Effect(Part):
    """What rectification brought about, in figures."""

    recovered: Annotated[Money | None, F1("挽回损失", "recovered")] = None
    returned: Annotated[Money | None, F1("清退资金", "paid back to those it belongs to")] = None
    people_sanctioned: Annotated[Count | None, F1("党纪政务处分人数", "people sanctioned")] = None
    people_reminded: Annotated[
        Count | None, F1("批评教育和组织处理人数", "people admonished or moved")
    ] = None
    rules_made: Annotated[Count | None, F1("新建制度数", "rules made")] = None
    rules_revised: Annotated[Count | None, F1("修订制度数", "rules revised")] = None
