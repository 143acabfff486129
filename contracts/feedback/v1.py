"""Feedback (反馈): what an inspection found, told to the inspected party and then to agencies; H24.

What is fed back stays closed until the feedback meeting. The party itself is told, so it is
concerned and not accused; who is suspected of what never stands here, that travels as a clue.
"""

from typing import Annotated, Final, Literal

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import (
    Code,
    DocRef,
    Handler,
    OrgRef,
    Part,
    Payload,
    coded,
)
from contracts.contract import Slip
from contracts.declare import event
from contracts.rules import in_order, needs, rule, unique
from contracts.values import Count, Day, Identifier, Instant, Line, Ordinal, Paragraph, Summary

Category = Annotated[Code, coded("issue_category")]

# The inspected party hears the feedback itself; its circulation is for the others.
CIRCULATION: Final = (
    "party-committee",
    "leading-group",
    "inspection-office",
    "discipline",
    "organization",
    "audit",
    "petition",
    "publicity",
    "political-legal",
    "finance",
    "statistics",
    "functional-dept",
)


class FedBackIssue(Part):
    """One issue of the list; rectification goes on under items of its own."""

    RULES = (
        needs(
            "attention_reasons",
            lambda it: it.key_attention,
            "列为重点关注的问题须填关注情形",
            "an issue that needs attention says why",
            "attention_reason_missing",
        ),
    )

    issueid: Annotated[Identifier, F1("问题编号", "issue")]
    category: Annotated[Category, F1("问题类别", "category")]
    subcategory: Annotated[Category | None, F1("问题子类", "subcategory")] = None
    issue: Annotated[Line, F2("具体问题", "issue")]
    manifestation: Annotated[Summary, F2("具体表现", "how it shows")]
    track: Annotated[Annotated[Code, coded("issue_track")], F1("整改专项", "track")]
    focus: Annotated[Annotated[Code, coded("inspection_focus")], F1("监督重点", "focus")]
    key_attention: Annotated[bool, F1("是否重点关注", "needs attention")] = False
    attention_reasons: Annotated[
        tuple[Annotated[Code, coded("key_attention")], ...],
        Field(max_length=5),
        F1("重点关注情形", "why it needs attention"),
    ] = ()


class Requirement(Part):
    """What the party is asked to do about all of it."""

    no: Annotated[Ordinal, F1("要求序号", "number of the requirement")]
    text: Annotated[Paragraph, F2("整改要求", "requirement")]


class FeedbackMeeting(Part):
    """The meeting where it was told."""

    held_on: Annotated[Day, F1("反馈会日期", "held on")]
    scope: Annotated[Annotated[Code, coded("feedback_scope")], F1("反馈范围", "who is told")]
    presided_by: Annotated[Line | None, F2("主持人", "presided by")] = None
    told_by: Annotated[Line | None, F2("反馈人", "told by")] = None
    attended: Annotated[Count | None, F1("参会人数", "people attending")] = None


@event(
    "feedback.issued",
    "巡视巡察反馈意见",
    "Feedback issued",
    key="/targetid",
    flows=("lifecycle", "H24"),
    phase="post",
    publishers=("inspection-office", "inspection-team"),
    receivers=(
        "party-committee",
        "leading-group",
        "inspection-office",
        "discipline",
        "organization",
        "inspected-party",
    ),
    concerned=("/target",),
    due="feedback.acknowledgement",
    slip=Slip(
        title="巡视巡察反馈意见签收单",
        numbers=("/roundid", "/targetid"),
        listed="/issues",
        signed_by=("反馈人", "反馈人", "签收人"),
    ),
)
class Issued(Payload):
    """What an inspection found, told to the inspected party: the list of issues, what is required,
    by when its plan and its report are due.

    向被巡视巡察党组织反馈的意见：问题清单、整改要求，以及整改方案和整改报告的期限。
    """

    RULES = (
        unique(
            "issues", "issueid", "同一问题只能出现一次", "an issue stands twice", "issue_repeated"
        ),
        unique(
            "requirements",
            "no",
            "要求序号不得重复",
            "a requirement's number stands twice",
            "no_repeated",
        ),
        in_order(
            "plan_due",
            "report_due",
            "整改报告期限不得早于整改方案期限",
            "the report is due after the plan",
            "report_due_early",
        ),
        rule(
            "plan_due_early",
            "plan_due",
            "整改方案期限不得早于反馈会日期",
            "the plan is due after the meeting",
            lambda it: it.plan_due < it.meeting.held_on,
        ),
        rule(
            "embargo_early",
            "embargo_until",
            "保密期限不得早于反馈会日期",
            "what is fed back stays closed until the meeting at least",
            lambda it: it.embargo_until is not None and it.embargo_until < it.meeting.held_on,
        ),
    )

    roundid: Annotated[Identifier, F1("巡视巡察轮次", "round")]
    targetid: Annotated[Identifier, F1("被巡视巡察党组织编号", "number of the inspected party")]
    target: Annotated[OrgRef, F1("被巡视巡察党组织", "inspected party")]
    groupid: Annotated[Identifier | None, F1("组别编号", "team")] = None
    issued_at: Annotated[Instant, F1("反馈时间", "issued at")]
    meeting: Annotated[FeedbackMeeting, F1("反馈会", "meeting")]
    judgement: Annotated[Summary | None, F2("总体评价", "overall judgement")] = None
    issues: Annotated[
        tuple[FedBackIssue, ...], Field(min_length=1, max_length=500), F2("问题清单", "issues")
    ]
    requirements: Annotated[
        tuple[Requirement, ...],
        Field(min_length=1, max_length=50),
        F2("整改要求", "requirements"),
    ]
    plan_due: Annotated[Day, F1("整改方案期限", "plan due")]
    report_due: Annotated[Day, F1("整改报告期限", "report due")]
    embargo_until: Annotated[Day | None, F1("保密至", "closed until")] = None
    special: Annotated[
        tuple[Annotated[Code, coded("special_check_kind")], ...],
        Field(max_length=10),
        F1("一并反馈的专项检查", "special checks fed back with it"),
    ] = ()
    documents: Annotated[tuple[DocRef, ...], Field(max_length=20), F1("反馈文件", "documents")] = ()


class Discrepancy(Part):
    """What was not as it should be when the papers came."""

    kind: Annotated[Annotated[Code, coded("receipt_discrepancy")], F1("签收差错", "discrepancy")]
    note: Annotated[Line | None, F1("差错说明", "note")] = None


class Objection(Part):
    """An issue that the party sees otherwise, and why."""

    issueid: Annotated[Identifier, F1("问题编号", "issue")]
    reason: Annotated[Paragraph, F2("异议理由", "reason")]
    evidence: Annotated[tuple[DocRef, ...], Field(max_length=20), F2("佐证材料", "evidence")] = ()


@event(
    "feedback.acknowledged",
    "反馈意见签收",
    "Feedback acknowledged",
    key="/targetid",
    flows=("H24",),
    phase="post",
    answers=("feedback.issued",),
)
class Acknowledged(Payload):
    """The inspected party has signed for the feedback: what came, whether it accepts it, who leads
    the rectification.

    被巡视巡察党组织签收反馈意见，清点件数，表明是否认领全部问题，写明整改负责人。
    """

    RULES = (
        rule(
            "objections_contradicted",
            "accepted",
            "认领全部问题的不得填写异议；有异议的须列明",
            "either all issues are accepted or objections are listed",
            lambda it: it.accepted == bool(it.objections),
        ),
        unique(
            "objections",
            "issueid",
            "同一问题只能提出一次异议",
            "an issue is objected to twice",
            "issue_repeated",
        ),
    )

    roundid: Annotated[Identifier, F1("巡视巡察轮次", "round")]
    targetid: Annotated[Identifier, F1("被巡视巡察党组织编号", "number of the inspected party")]
    received_at: Annotated[Instant, F1("签收时间", "received at")]
    received_by: Annotated[
        tuple[Handler, ...], Field(min_length=1, max_length=10), F2("签收人", "received by")
    ]
    register_no: Annotated[Identifier | None, F1("收文登记号", "register number")] = None
    items_received: Annotated[Count, F1("签收件数", "items received")]
    discrepancies: Annotated[
        tuple[Discrepancy, ...], Field(max_length=20), F1("签收差错", "discrepancies")
    ] = ()
    accepted: Annotated[bool, F1("是否认领全部问题", "all issues accepted")]
    objections: Annotated[
        tuple[Objection, ...], Field(max_length=100), F2("异议", "objections")
    ] = ()
    led_by: Annotated[Line, F2("整改第一责任人", "who leads the rectification")]
    contact: Annotated[Line | None, F2("联系人", "contact")] = None


class CategoryCount(Part):
    """How many issues belong to a category."""

    category: Annotated[Category, F1("问题类别", "category")]
    issues: Annotated[Count, F1("问题数", "issues")]


class SectorMatter(Part):
    """What one sector's department is asked to look at."""

    section: Annotated[Annotated[Code, coded("briefing_section")], F1("所属领域", "sector")]
    issueid: Annotated[Identifier, F1("问题编号", "issue")]
    title: Annotated[Line, F1("问题名称", "title", "不得出现人员姓名")]
    text: Annotated[Summary | None, F2("问题情况", "what was found")] = None
    asked: Annotated[Paragraph | None, F1("请协助督促事项", "what is asked")] = None


@event(
    "feedback.circulated",
    "反馈情况通报",
    "Feedback circulated",
    key="/targetid",
    flows=("H24", "H12", "H23"),
    phase="post",
    publishers=("inspection-office",),
    receivers=CIRCULATION,
    concerned=("/target",),
)
class Circulated(Payload):
    """After the feedback meeting, agencies are told what was fed back to whom: figures for all,
    and for a sector's department the matters of its field.

    反馈会后向有关机关和部门通报反馈情况：问题分类数量，以及涉及各领域、请其协助督促整改的问题。
    """

    RULES = (
        in_order(
            "fed_back_on",
            "circulated_on",
            "通报日期不得早于反馈日期",
            "feedback is circulated after its meeting",
            "circulated_early",
        ),
        rule(
            "issues_miscounted",
            "by_category",
            "各类问题数之和应等于反馈问题总数",
            "the issues by category add up to the issues in all",
            lambda it: sum(each.issues for each in it.by_category) != it.issues,
        ),
        rule(
            "matters_above_issues",
            "matters",
            "涉及的问题不得多于反馈问题总数",
            "no more issues are named than were fed back",
            lambda it: len({matter.issueid for matter in it.matters}) > it.issues,
        ),
    )

    roundid: Annotated[Identifier, F1("巡视巡察轮次", "round")]
    targetid: Annotated[Identifier, F1("被巡视巡察党组织编号", "number of the inspected party")]
    target: Annotated[OrgRef, F1("被巡视巡察党组织", "inspected party")]
    circulated_on: Annotated[Day, F1("通报日期", "circulated on")]
    fed_back_on: Annotated[Day, F1("反馈日期", "fed back on")]
    issues: Annotated[Count, F1("反馈问题总数", "issues fed back")]
    by_category: Annotated[
        tuple[CategoryCount, ...],
        Field(min_length=1, max_length=100),
        F1("按类别分", "by category"),
    ]
    matters: Annotated[
        tuple[SectorMatter, ...], Field(max_length=500), F1("涉及领域的问题", "matters by sector")
    ] = ()
    report_due: Annotated[Day | None, F1("整改报告期限", "report due")] = None
    supervision: Annotated[
        Literal["discipline", "organization", "both"] | None,
        F1(
            "日常监督责任",
            "daily supervision",
            "discipline 纪检监察机关，organization 组织部门，both 两者",
        ),
    ] = None
