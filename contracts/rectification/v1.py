"""The rectification plan (整改方案) with its three lists, and its review; H24.

An item has one number through all of it. Whoever rectifies is concerned, not accused: these events
go to the unit itself; who is suspected of what travels as a clue.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Final

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import Code, DocRef, OrgRef, Part, Payload, Period, Signatories, coded
from contracts.declare import event
from contracts.rectification.parts import (
    MEASURES_RULES,
    Leader,
    Measure,
    Meeting,
    Problem,
)
from contracts.rules import Rule, forbids, in_order, needs, rule, unique
from contracts.values import Count, Day, Identifier, Paragraph

APPROVED: Final = "approved"
ISSUE_LIST: Final = "issue"
TASK_LIST: Final = "task"


class Item(Problem):
    """One item: its problem, who answers for it, what is done by when, and to what end."""

    RULES = (
        *Problem.RULES,
        *MEASURES_RULES,
    )

    itemid: Annotated[Identifier, F1("整改事项编号", "item")]
    owner: Annotated[Leader, F2("责任领导", "leader who answers for the item")]
    unit: Annotated[OrgRef, F1("责任单位", "responsible unit")]
    measures: Annotated[
        tuple[Measure, ...], Field(min_length=1, max_length=100), F1("整改措施", "measures")
    ]
    due: Annotated[Day, F1("完成期限", "due")]
    long_term: Annotated[bool, F1("长期坚持", "goes on for good")] = False
    target_state: Annotated[Paragraph, F2("整改目标", "how it is to be in the end")]


class ThreeList(Part):
    """One of the three lists (三清单): that it was made, and with how many entries."""

    kind: Annotated[
        Annotated[Code, coded("rectification_list_kind")], F1("清单种类", "kind of list")
    ]
    entries: Annotated[Count, F1("条目数", "entries")]
    document: Annotated[DocRef | None, F1("清单文件", "document")] = None


def _miscounted(it: Any) -> Iterator[str]:
    """Lists of issues and of tasks that have other numbers of entries than items and measures."""
    wanted = {ISSUE_LIST: len(it.items), TASK_LIST: sum(len(item.measures) for item in it.items)}
    for place, listed in enumerate(it.three_lists):
        if wanted.get(listed.kind.code, listed.entries) != listed.entries:
            yield f"three_lists/{place}/entries"


@event(
    "rectification.plan_submitted",
    "整改方案报送",
    "Rectification plan submitted",
    key="/targetid",
    flows=("H24",),
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
    ),
    concerned=("/target",),
    due="rectification.review",
)
class PlanSubmitted(Payload):
    """The plan of an inspected party after feedback: item by item with measures, owners and dates,
    the three lists, and the meetings that discussed it.

    被巡视巡察党组织报送的整改方案：逐项列明问题、措施、责任人和时限，附三张清单和专题会议情况。
    """

    RULES = (
        unique("items", "itemid", "整改事项编号不得重复", "an item stands twice", "item_repeated"),
        unique(
            "three_lists",
            "kind",
            "同一种清单只能出现一次",
            "a kind of list stands twice",
            "list_repeated",
        ),
        Rule(
            "list_miscounted",
            "问题清单条目数应等于整改事项数，任务清单条目数应等于措施数",
            "the list of issues has an entry an item, the list of tasks one a measure",
            _miscounted,
        ),
        in_order(
            "feedback_on",
            "submitted_on",
            "报送日期不得早于反馈日期",
            "a plan is submitted after the feedback",
            "submitted_early",
        ),
        rule(
            "concentrated_early",
            "concentrated/from",
            "集中整改不得早于反馈日期开始",
            "concentrated rectification begins after the feedback",
            lambda it: it.concentrated is not None and it.concentrated.from_ < it.feedback_on,
        ),
    )

    roundid: Annotated[Identifier, F1("巡视巡察轮次", "round")]
    targetid: Annotated[Identifier, F1("被巡视巡察党组织编号", "number of the inspected party")]
    target: Annotated[OrgRef, F1("被巡视巡察党组织", "inspected party")]
    feedback_on: Annotated[Day, F1("反馈日期", "fed back on")]
    submitted_on: Annotated[Day, F1("报送日期", "submitted on")]
    concentrated: Annotated[Period | None, F1("集中整改期", "concentrated rectification")] = None
    led_by: Annotated[Leader, F2("整改第一责任人", "who leads the rectification")]
    items: Annotated[tuple[Item, ...], Field(min_length=1, max_length=500), F1("整改事项", "items")]
    three_lists: Annotated[
        tuple[ThreeList, ...], Field(min_length=1, max_length=3), F1("三张清单", "three lists")
    ]
    meetings: Annotated[tuple[Meeting, ...], Field(max_length=20), F1("专题会议", "meetings")] = ()
    documents: Annotated[tuple[DocRef, ...], Field(max_length=20), F1("方案文件", "documents")] = ()


class ReviewOpinion(Part):
    """What is to be changed in the plan, of one item or of the whole."""

    itemid: Annotated[Identifier | None, F1("整改事项编号", "item", "不填指方案整体")] = None
    reason: Annotated[Annotated[Code, coded("return_reason")], F1("退改理由", "reason")]
    text: Annotated[Paragraph, F2("修改意见", "what is to be changed")]


@event(
    "rectification.plan_reviewed",
    "整改方案审核",
    "Rectification plan reviewed",
    key="/targetid",
    flows=("H24",),
    phase="post",
    answers=("rectification.plan_submitted",),
)
class PlanReviewed(Payload):
    """Whether the plan stands, and if not, what has to be changed by when.

    对整改方案的审核结果：通过、原则通过或者退回重报，逐项写明修改意见和重报期限。
    """

    RULES = (
        needs(
            "opinions",
            lambda it: it.result.code != APPROVED,
            "须修改或者退回重报的，须写明修改意见",
            "what is not approved as it stands says what to change",
            "opinion_missing",
        ),
        needs(
            "resubmit_by",
            lambda it: it.result.code != APPROVED,
            "须修改或者退回重报的，须写明重报期限",
            "what is not approved as it stands says by when to submit again",
            "resubmit_by_missing",
        ),
        forbids(
            "resubmit_by",
            lambda it: it.result.code == APPROVED,
            "审核通过的不填重报期限",
            "what is approved is not submitted again",
            "resubmit_by_unexpected",
        ),
        in_order(
            "reviewed_on",
            "resubmit_by",
            "重报期限不得早于审核日期",
            "it is to be submitted again after the review",
            "resubmit_by_early",
        ),
    )

    roundid: Annotated[Identifier, F1("巡视巡察轮次", "round")]
    targetid: Annotated[Identifier, F1("被巡视巡察党组织编号", "number of the inspected party")]
    result: Annotated[Annotated[Code, coded("review_result")], F1("审核结果", "result")]
    reviewed_on: Annotated[Day, F1("审核日期", "reviewed on")]
    opinions: Annotated[
        tuple[ReviewOpinion, ...], Field(max_length=500), F1("修改意见", "opinions")
    ] = ()
    resubmit_by: Annotated[Day | None, F1("重报期限", "submit again by")] = None
    handlers: Annotated[Signatories, F1("审核人", "reviewed by")]
