"""Immediate rectification (立行立改): ordered while the team is on site, reported before it leaves.

The unit itself is told, so nothing here speaks against persons.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Final

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import Code, DocRef, Handler, Money, OrgRef, Part, Payload, coded
from contracts.contract import Slip
from contracts.declare import event
from contracts.rules import Rule, forbids, in_order, needs, unique
from contracts.values import Count, Day, Identifier, Line, Paragraph

COMPLETED: Final = "2"

DemandNumber = Annotated[int, Field(ge=1, le=99)]


class Demand(Part):
    """One thing the unit must do at once."""

    no: Annotated[DemandNumber, F1("要求序号", "number of the demand")]
    text: Annotated[Paragraph, F2("整改要求", "what to do")]
    due: Annotated[Day | None, F1("完成期限", "due")] = None


def _due_outside(it: Any) -> Iterator[str]:
    for place, demand in enumerate(it.demands):
        if demand.due is not None and not it.ordered_on <= demand.due <= it.due_on:
            yield f"demands/{place}/due"


@event(
    "issue.immediate_rectification_ordered",
    "立行立改通知",
    "Immediate rectification ordered",
    key="/issueid",
    flows=("lifecycle",),
    phase="on",
    publishers=("inspection-team",),
    concerned=("/target",),
    due="issue.immediate",
    slip=Slip(
        title="立行立改通知书签收单",
        numbers=("/notice_no", "/issueid"),
        listed="/demands",
        signed_by=("送达人", "送达人", "签收人"),
    ),
)
class ImmediateRectificationOrdered(Payload):
    """The team tells the unit to put something right at once, before the team leaves.

    巡视巡察组就现场发现的问题要求被巡视巡察单位立行立改，写明要求和期限。
    """

    RULES = (
        unique(
            "demands", "no", "要求序号不得重复", "a demand's number stands twice", "no_repeated"
        ),
        in_order(
            "ordered_on", "due_on", "完成期限不得早于通知日期", "it is due after it is ordered"
        ),
        Rule(
            "demand_due_outside",
            "各项要求的期限应在通知日期和完成期限之间",
            "a demand is due between the order and the day when all is due",
            _due_outside,
        ),
    )

    issueid: Annotated[Identifier, F1("问题编号", "issue")]
    notice_no: Annotated[Identifier, F1("通知书编号", "number of the notice")]
    roundid: Annotated[Identifier, F1("巡视巡察轮次", "round")]
    groupid: Annotated[Identifier, F1("组别编号", "team")]
    targetid: Annotated[Identifier, F1("被巡视巡察党组织编号", "number of the inspected party")]
    target: Annotated[OrgRef, F1("被巡视巡察党组织", "inspected party")]
    category: Annotated[Annotated[Code, coded("issue_category")], F1("问题类别", "category")]
    issue: Annotated[Line, F2("具体问题", "issue")]
    manifestation: Annotated[Paragraph, F2("具体表现", "how it shows")]
    demands: Annotated[
        tuple[Demand, ...], Field(min_length=1, max_length=50), F2("整改要求", "demands")
    ]
    ordered_on: Annotated[Day, F1("通知日期", "ordered on")]
    due_on: Annotated[Day, F1("完成期限", "due")]
    leaving_on: Annotated[Day | None, F1("计划撤离日期", "the team is to leave on")] = None
    approved_by: Annotated[Handler, F1("批准人", "approved by")]


class Measure(Part):
    """What was done about one demand."""

    no: Annotated[DemandNumber, F1("要求序号", "number of the demand")]
    kinds: Annotated[
        tuple[Annotated[Code, coded("rectification_measure_kind")], ...],
        Field(max_length=7),
        F1("措施类型", "kinds of measure"),
    ] = ()
    text: Annotated[Paragraph, F2("整改措施", "measure")]
    done_on: Annotated[Day | None, F1("完成日期", "done on")] = None
    evidence: Annotated[tuple[DocRef, ...], Field(max_length=50), F2("佐证材料", "evidence")] = ()


def _done_late(it: Any) -> Iterator[str]:
    for place, measure in enumerate(it.measures):
        if measure.done_on is not None and measure.done_on > it.reported_on:
            yield f"measures/{place}/done_on"


@event(
    "issue.immediate_rectification_reported",
    "立行立改情况报告",
    "Immediate rectification reported",
    key="/issueid",
    flows=("lifecycle",),
    phase="on",
    answers=("issue.immediate_rectification_ordered",),
    concerned=("/target",),
)
class ImmediateRectificationReported(Payload):
    """What the unit did about an order to put something right at once.

    被巡视巡察单位报告立行立改的措施和成效；未完成的，写明原因和预计完成日期。
    """

    RULES = (
        Rule(
            "done_after_report",
            "完成日期不得晚于报告日期",
            "what is done was done by the day of the report",
            _done_late,
        ),
        needs(
            "obstacle",
            lambda it: it.completion.code != COMPLETED,
            "未完成的，须写明原因",
            "what is not completed is explained",
            "obstacle_missing",
        ),
        needs(
            "expected_on",
            lambda it: it.completion.code != COMPLETED,
            "未完成的，须填预计完成日期",
            "what is not completed says until when",
            "expected_missing",
        ),
        forbids(
            "expected_on",
            lambda it: it.completion.code == COMPLETED,
            "已完成的，不填预计完成日期",
            "what is completed is not expected any more",
            "expected_contradicted",
        ),
    )

    issueid: Annotated[Identifier, F1("问题编号", "issue")]
    targetid: Annotated[Identifier, F1("被巡视巡察党组织编号", "number of the inspected party")]
    target: Annotated[OrgRef | None, F1("被巡视巡察党组织", "inspected party")] = None
    reported_on: Annotated[Day, F1("报告日期", "reported on")]
    completion: Annotated[
        Annotated[Code, coded("rectification_completion")], F1("完成情况", "completion")
    ]
    measures: Annotated[
        tuple[Measure, ...], Field(min_length=1, max_length=50), F2("整改措施", "measures")
    ]
    recovered: Annotated[Money | None, F1("挽回损失", "recovered")] = None
    people_dealt_with: Annotated[Count, F1("处理人数", "people dealt with")] = 0
    rules_made: Annotated[Count, F1("建章立制数", "rules made")] = 0
    obstacle: Annotated[Paragraph | None, F2("未完成原因", "why it is not completed")] = None
    expected_on: Annotated[Day | None, F1("预计完成日期", "expected on")] = None
    responsible: Annotated[Line | None, F2("责任人", "responsible")] = None
