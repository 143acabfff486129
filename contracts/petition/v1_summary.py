"""Petition (信访): what petitions an inspected party has had, in figures, before the round; H14."""

from typing import Annotated, Any

from pydantic import Field

from contracts.classes import F1
from contracts.common import Code, OrgRef, Part, Payload, Period, coded
from contracts.declare import event
from contracts.rules import Rule, rule, unique
from contracts.values import Count, Day, Identifier, Line, RegionCode


class OfForm(Part):
    """How many petitions came in one form."""

    form: Annotated[Annotated[Code, coded("petition_form")], F1("信访形式", "form")]
    items: Annotated[Count, F1("件次", "petitions")]


class OfPurpose(Part):
    """How many petitions had one purpose."""

    purpose: Annotated[Annotated[Code, coded("petition_purpose")], F1("信访目的", "purpose")]
    items: Annotated[Count, F1("件次", "petitions")]


class OfContent(Part):
    """How many petitions were about one class of matters."""

    content_class: Annotated[
        Annotated[Code, coded("petition_content")], F1("内容分类", "content class")
    ]
    items: Annotated[Count, F1("件次", "petitions")]


class Topic(Part):
    """What many petitions were about (热点问题), named without any person."""

    topic: Annotated[Line, F1("热点问题", "topic")]
    items: Annotated[Count, F1("件次", "petitions")]
    place: Annotated[RegionCode | None, F1("问题属地", "place")] = None


class OpenCase(Part):
    """A petition that is still open and of weight, by number; what it says stays at the bureau."""

    petitionid: Annotated[Identifier, F1("信访事项编号", "petition number")]
    content_class: Annotated[
        Annotated[Code, coded("petition_content")], F1("内容分类", "content class")
    ]
    since: Annotated[Day, F1("首次信访日期", "first day")]
    times: Annotated[Count, F1("信访次数", "how many times")]
    due: Annotated[Day | None, F1("限办日期", "due on")] = None


def _adds_up(field: str, title: str) -> Rule:
    """A table that is given covers all petitions."""
    return rule(
        "total_differs",
        field,
        f"按{title}分列的件次之和须等于信访总量",
        "the figures of a table add up to the total",
        lambda it: getattr(it, field) and sum(row.items for row in getattr(it, field)) != it.total,
    )


def _more_than_all(it: Any) -> bool:
    return bool(max(it.repeated, it.joint, it.real_name, it.accusations) > it.total)


@event(
    "petition.summary_provided",
    "信访情况通报",
    "Summary of petitions provided",
    key="/targetid",
    flows=("H09", "H14"),
    phase="pre",
    publishers=("petition",),
    receivers=(
        "inspection-office",
        "inspection-team",
        "discipline",
        "party-committee",
        "congress",
        "cppcc",
    ),
    accused=("/target",),
    denied=("inspected-party",),
)
class SummaryProvided(Payload):
    """How many petitions concern one inspected party, of which kinds, and which are still open: in
    figures and numbers, without persons or letters.

    信访部门通报反映某被巡视巡察党组织的信访总量、结构、热点和未结重点件，只列数字和编号，不附人员和信件内容。
    """

    RULES = (
        rule(
            "nothing_to_report_contradicted",
            "nothing_to_report",
            "零报告的信访总量应为 0；总量为 0 时请填 nothing_to_report: true",
            "there is nothing to report exactly when the total is 0",
            lambda it: it.nothing_to_report != (it.total == 0),
        ),
        _adds_up("by_form", "信访形式"),
        _adds_up("by_purpose", "信访目的"),
        _adds_up("by_content", "内容分类"),
        rule(
            "part_exceeds_total",
            "total",
            "重复、联名、实名、检举控告件次均不得多于信访总量",
            "no part of the petitions is more than all of them",
            _more_than_all,
        ),
        rule(
            "states_differ_from_total",
            "pending",
            "已办结与未办结件次之和须等于信访总量",
            "those closed and those pending are all of them",
            lambda it: it.closed + it.pending != it.total,
        ),
        unique(
            "open_cases",
            "petitionid",
            "同一信访事项只能列一次",
            "a petition stands twice",
            "petition_repeated",
        ),
    )

    roundid: Annotated[Identifier | None, F1("巡视巡察轮次", "round")] = None
    targetid: Annotated[Identifier, F1("被巡视巡察党组织编号", "number of the inspected party")]
    target: Annotated[OrgRef | None, F1("被巡视巡察党组织", "inspected party")] = None
    period: Annotated[Period, F1("通报期间", "period")]
    nothing_to_report: Annotated[bool, F1("零报告", "nothing to report")] = False
    total: Annotated[Count, F1("信访总量", "all petitions", "件次（petitions）")]
    people: Annotated[Count | None, F1("信访人次", "people", "人次（persons）")] = None
    repeated: Annotated[Count, F1("重复件次", "repeated")] = 0
    joint: Annotated[Count, F1("联名件次", "joint")] = 0
    real_name: Annotated[Count, F1("实名件次", "under a real name")] = 0
    accusations: Annotated[Count, F1("检举控告件次", "accusations")] = 0
    closed: Annotated[Count, F1("已办结件次", "closed")]
    pending: Annotated[Count, F1("未办结件次", "pending")]
    overdue: Annotated[Count, F1("逾期件次", "overdue")] = 0
    by_form: Annotated[tuple[OfForm, ...], Field(max_length=50), F1("按形式分列", "by form")] = ()
    by_purpose: Annotated[
        tuple[OfPurpose, ...], Field(max_length=20), F1("按目的分列", "by purpose")
    ] = ()
    by_content: Annotated[
        tuple[OfContent, ...], Field(max_length=200), F1("按内容分列", "by content")
    ] = ()
    topics: Annotated[tuple[Topic, ...], Field(max_length=50), F1("热点问题", "topics")] = ()
    open_cases: Annotated[
        tuple[OpenCase, ...], Field(max_length=200), F1("未结重点件", "open cases")
    ] = ()
