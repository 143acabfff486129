"""What became of rectification (整改): the report, its publication, the evaluation; H24, V16."""

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import Code, DocRef, OrgRef, Part, Payload, Period, Signatories, coded
from contracts.contract import Slip
from contracts.declare import event
from contracts.rectification.parts import (
    NOT_COMPLETED,
    Completion,
    Effect,
    Leader,
    Meeting,
    named_in,
)
from contracts.rules import Rule, adds_up, at_most_of, needs, rule, unique
from contracts.values import Day, Identifier, Line, Paragraph, Percent

FULL_MARKS: Final = 100


class ReportedItem(Part):
    """How far one item has come, as the party's report has it."""

    RULES = (
        needs(
            "next_steps",
            lambda it: it.completion.code == NOT_COMPLETED,
            "未完成的事项须写明后续措施",
            "what is not completed says what comes next",
            "next_steps_missing",
        ),
        needs(
            "due",
            lambda it: it.completion.code == NOT_COMPLETED,
            "未完成的事项须写明完成期限",
            "what is not completed says by when it will be",
            "due_missing",
        ),
    )

    itemid: Annotated[Identifier, F1("整改事项编号", "item")]
    completion: Annotated[Completion, F1("完成情况", "completion")]
    long_term: Annotated[bool, F1("长期坚持", "goes on for good")] = False
    outcome: Annotated[Paragraph, F2("整改成效", "what was achieved")]
    next_steps: Annotated[Paragraph | None, F2("后续措施", "what comes next")] = None
    due: Annotated[Day | None, F1("完成期限", "due")] = None


class Withheld(Part):
    """An item that is not to be made public in this scope (拟不公开事项), and why."""

    itemid: Annotated[Identifier, F1("整改事项编号", "item")]
    reason: Annotated[Annotated[Code, coded("withholding_reason")], F1("不公开理由", "reason")]
    text: Annotated[Paragraph, F2("拟不公开内容", "what is withheld")]


class Publication(Part):
    """How the report is to be made public in one of the two scopes."""

    scope: Annotated[Annotated[Code, coded("disclosure_scope")], F1("公开范围", "scope")]
    planned_on: Annotated[Day, F1("拟公开日期", "planned on")]
    channel: Annotated[
        Annotated[Code, coded("disclosure_channel")] | None, F1("公开渠道", "channel")
    ] = None
    withheld: Annotated[
        tuple[Withheld, ...], Field(max_length=500), F1("拟不公开事项", "what is withheld")
    ] = ()


def _withheld_strangers(it: Any) -> Iterator[str]:
    known = {item.itemid for item in it.items}
    for place, publication in enumerate(it.publications):
        for at, withheld in enumerate(publication.withheld):
            if withheld.itemid not in known:
                yield f"publications/{place}/withheld/{at}/itemid"


@event(
    "rectification.report_submitted",
    "整改情况报告",
    "Rectification report submitted",
    key="/targetid",
    flows=("H24", "V16"),
    phase="post",
    ways=("same", "up"),
    publishers=("inspected-party", "inspection-office"),
    receivers=(
        "party-committee",
        "leading-group",
        "inspection-office",
        "inspection-team",
        "discipline",
        "organization",
        "congress",
        "cppcc",
    ),
    concerned=("/target",),
    due="rectification.evaluation",
    slip=Slip(
        title="整改情况报告签收单",
        numbers=("/roundid", "/targetid"),
        listed="/items",
        signed_by=("报送人", "签收人"),
    ),
)
class ReportSubmitted(Payload):
    """What became of each item by the end of a period of rectification, and what of it is to be
    made public within the Party and to society.

    被巡视巡察党组织报送的整改情况：逐项完成情况和成效，以及党内公开、向社会公开的安排和拟不公开事项。
    """

    RULES = (
        unique("items", "itemid", "整改事项编号不得重复", "an item stands twice", "item_repeated"),
        unique(
            "publications",
            "scope",
            "同一公开范围只能出现一次",
            "a scope stands twice",
            "scope_repeated",
        ),
        Rule(
            "item_not_listed",
            "拟不公开的事项须在本报告的整改事项中",
            "what is withheld is an item of this report",
            _withheld_strangers,
        ),
        rule(
            "submitted_early",
            "submitted_on",
            "报送日期不得早于整改期间起始日期",
            "a report is submitted after its period begins",
            lambda it: it.submitted_on < it.period.from_,
        ),
    )

    roundid: Annotated[Identifier, F1("巡视巡察轮次", "round")]
    targetid: Annotated[Identifier, F1("被巡视巡察党组织编号", "number of the inspected party")]
    target: Annotated[OrgRef, F1("被巡视巡察党组织", "inspected party")]
    stage: Annotated[
        Literal["concentrated", "follow_up"],
        F1("整改阶段", "stage", "concentrated 集中整改，follow_up 后续整改"),
    ]
    period: Annotated[Period, F1("整改期间", "period of rectification")]
    submitted_on: Annotated[Day, F1("报送日期", "submitted on")]
    led_by: Annotated[Leader, F2("整改第一责任人", "who leads the rectification")]
    items: Annotated[
        tuple[ReportedItem, ...], Field(min_length=1, max_length=500), F1("整改事项", "items")
    ]
    effect: Annotated[Effect | None, F1("整改成效数据", "figures of the effect")] = None
    publications: Annotated[
        tuple[Publication, ...], Field(max_length=2), F1("公开安排", "publication")
    ] = ()
    meetings: Annotated[tuple[Meeting, ...], Field(max_length=20), F1("专题会议", "meetings")] = ()
    documents: Annotated[tuple[DocRef, ...], Field(max_length=50), F1("报告文件", "documents")] = ()


class Criterion(Part):
    """One line of the evaluation's score sheet."""

    RULES = (
        at_most_of(
            "points",
            "marks",
            "得分不得高于该项分值",
            "no more points are given than the line has",
            "points_above_marks",
        ),
    )

    name: Annotated[Line, F1("评估内容", "what is evaluated")]
    marks: Annotated[Percent, F1("分值", "marks")]
    points: Annotated[Percent, F1("得分", "points given")]


class EvaluatedItem(Part):
    """How the evaluation finds one item, whatever the report said."""

    itemid: Annotated[Identifier, F1("整改事项编号", "item")]
    completion: Annotated[Completion, F1("认定完成情况", "completion as found")]
    finding: Annotated[Paragraph | None, F2("评估意见", "finding")] = None


class Requirement(Part):
    """What is still to be done, about one item or all of it."""

    itemid: Annotated[Identifier | None, F1("整改事项编号", "item", "不填指整改整体")] = None
    text: Annotated[Paragraph, F2("要求", "requirement")]
    due: Annotated[Day, F1("完成期限", "due")]


@event(
    "rectification.evaluated",
    "整改评估",
    "Rectification evaluated",
    key="/targetid",
    flows=("H24",),
    phase="post",
    answers=("rectification.report_submitted",),
    receivers=("party-committee", "leading-group", "discipline", "organization"),
    concerned=("/target",),
)
class Evaluated(Payload):
    """How good the rectification is found to be: the grade, item by item, and what is still asked.

    对整改情况的评估结果：等次、得分、逐项认定，以及继续整改的要求和结果运用建议。
    """

    RULES = (
        rule(
            "marks_not_hundred",
            "criteria",
            "各项分值之和应为 100",
            "the marks of the lines add up to 100",
            lambda it: it.criteria and sum(each.marks for each in it.criteria) != FULL_MARKS,
        ),
        needs(
            "score",
            lambda it: it.criteria,
            "填写评分明细的须填总分",
            "a score sheet comes with its score",
            "score_missing",
        ),
        adds_up(
            "score",
            "criteria",
            "points",
            "总分应等于各项得分之和",
            "the score is the sum of the points",
            "score_wrong",
        ),
        needs(
            "requirements",
            lambda it: it.grade.code == "poor",
            "评估等次为差的须提出继续整改要求",
            "a poor rectification is told what to do",
            "requirements_missing",
        ),
        unique("items", "itemid", "整改事项编号不得重复", "an item stands twice", "item_repeated"),
        named_in(
            "requirements",
            lambda it: {item.itemid for item in it.items},
            "继续整改的事项须在评估事项中",
            "what is asked of an item is asked of one that was evaluated",
        ),
    )

    roundid: Annotated[Identifier, F1("巡视巡察轮次", "round")]
    targetid: Annotated[Identifier, F1("被巡视巡察党组织编号", "number of the inspected party")]
    target: Annotated[OrgRef, F1("被巡视巡察党组织", "inspected party")]
    evaluated_on: Annotated[Day, F1("评估日期", "evaluated on")]
    agencies: Annotated[
        tuple[OrgRef, ...], Field(min_length=1, max_length=20), F1("评估单位", "evaluated by")
    ]
    grade: Annotated[Annotated[Code, coded("evaluation_grade")], F1("评估等次", "grade")]
    score: Annotated[Percent | None, F1("总分", "score", "百分制")] = None
    criteria: Annotated[
        tuple[Criterion, ...], Field(max_length=30), F1("评分明细", "score sheet")
    ] = ()
    items: Annotated[tuple[EvaluatedItem, ...], Field(max_length=500), F1("逐项认定", "items")] = ()
    requirements: Annotated[
        tuple[Requirement, ...], Field(max_length=100), F1("继续整改要求", "what is still asked")
    ] = ()
    revisit_proposed: Annotated[bool, F1("建议回头看", "a second inspection is proposed")] = False
    uses: Annotated[
        tuple[Annotated[Code, coded("result_use")], ...],
        Field(max_length=9),
        F1("结果运用建议", "proposed uses"),
    ] = ()
    handlers: Annotated[Signatories, F1("评估人", "evaluators")]
