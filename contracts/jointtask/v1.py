"""Joint tasks (联动任务): several offices inspect one region or one system together.

Flow V04. The opening goes to every office that takes part; each answers for itself.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import (
    Code,
    DocRef,
    Handler,
    OrgRef,
    Part,
    Payload,
    Period,
    PersonRef,
    Target,
    coded,
)
from contracts.contract import Slip
from contracts.declare import event
from contracts.rules import Rule, adds_up, at_most_of, rule, unique
from contracts.values import Count, Day, Identifier, Line, Paragraph, Summary

FLOWS: Final = ("V04",)
OPENINGS: Final = ("jointtask.assigned",)


class Participant(Part):
    """An office that takes part, whether it leads, and the parties that are its share."""

    org: Annotated[OrgRef, F1("参加机构", "office that takes part")]
    role: Annotated[Literal["lead", "participant"], F1("分工角色", "role")] = "participant"
    targets: Annotated[
        tuple[Target, ...], Field(max_length=200), F1("负责的党组织", "parties it inspects")
    ] = ()
    share: Annotated[Line | None, F1("任务分工", "share of the work")] = None


class Milestone(Part):
    """A step of the joint task, and by when it is reached."""

    stage: Annotated[Annotated[Code, coded("inspection_stage")], F1("工作阶段", "stage")]
    by: Annotated[Day, F1("完成时限", "by")]


def _outside(it: Any) -> Iterator[str]:
    for place, step in enumerate(it.milestones):
        if not it.period.from_ <= step.by <= it.period.to:
            yield f"milestones/{place}/by"


@event(
    "jointtask.assigned",
    "联动任务下达",
    "Joint task assigned",
    key="/taskid",
    flows=FLOWS,
    phase="plan",
    concerned=("/participants/-/targets/-/org",),
    due="jointtask.acceptance",
    slip=Slip(
        title="联动任务交办单",
        numbers=("/taskid",),
        listed="/participants",
        signed_by=("交办机构经办人", "接收机构经办人"),
    ),
)
class Assigned(Payload):
    """An office proposes or assigns an inspection that several offices carry out together.

    部署区域性、系统性联动任务，明确牵头和参加机构、各自负责的党组织、时间安排和报告要求。
    """

    RULES = (
        rule(
            "lead_not_one",
            "participants",
            "联动任务须有且只有一个牵头机构",
            "a joint task has exactly one office in the lead",
            lambda it: sum(p.role == "lead" for p in it.participants) != 1,
        ),
        Rule(
            "milestone_outside_period",
            "各阶段时限须在任务期间之内",
            "a milestone lies within the period of the task",
            _outside,
        ),
        unique(
            "milestones",
            "stage",
            "同一工作阶段只能出现一次",
            "a stage stands twice",
            "stage_repeated",
        ),
        rule(
            "report_before_end",
            "report_due",
            "总结报告期限不得早于任务结束日期",
            "the report is not due before the task ends",
            lambda it: it.report_due < it.period.to,
        ),
    )

    taskid: Annotated[Identifier, F1("联动任务编号", "joint task")]
    name: Annotated[Line, F1("任务名称", "name of the task")]
    mode: Annotated[Annotated[Code, coded("jointtask_mode")], F1("联动方式", "mode")]
    kind: Annotated[Annotated[Code, coded("inspection_kind")], F1("巡视巡察类型", "kind")]
    sector: Annotated[Line | None, F1("领域或系统", "sector or system")] = None
    focus: Annotated[
        tuple[Annotated[Code, coded("inspection_focus")], ...],
        Field(max_length=20),
        F1("监督重点", "focus"),
    ] = ()
    period: Annotated[Period, F1("任务期间", "period")]
    participants: Annotated[
        tuple[Participant, ...],
        Field(min_length=2, max_length=200),
        F1("参加机构和分工", "who takes part"),
    ]
    milestones: Annotated[
        tuple[Milestone, ...], Field(max_length=14), F1("阶段安排", "milestones")
    ] = ()
    requirements: Annotated[
        tuple[Paragraph, ...], Field(max_length=50), F1("工作要求", "requirements")
    ] = ()
    report_due: Annotated[Day, F1("总结报告期限", "final report due")]
    contact: Annotated[Handler | None, F1("联系人", "contact")] = None
    document: Annotated[DocRef | None, F1("部署文件", "document")] = None


@event(
    "jointtask.accepted",
    "联动任务接受",
    "Joint task accepted",
    key="/taskid",
    flows=FLOWS,
    phase="plan",
    answers=OPENINGS,
    concerned=("/targets/-/org",),
    due="jointtask.conclusion",
)
class Accepted(Payload):
    """An office takes its share: who leads it, with how many, which parties, when.

    参加机构接受联动任务，报告组织领导、力量投入、具体对象和时间安排。
    """

    RULES = (
        unique(
            "targets",
            "targetid",
            "同一党组织只能出现一次",
            "a party stands once",
            "target_repeated",
        ),
        at_most_of(
            "teams",
            "people",
            "组数不得大于人数",
            "there are not more teams than people",
            "teams_above_people",
        ),
    )

    taskid: Annotated[Identifier, F1("联动任务编号", "joint task")]
    participant: Annotated[OrgRef, F1("参加机构", "office that takes part")]
    accepted_on: Annotated[Day, F1("接受日期", "accepted on")]
    roundid: Annotated[Identifier | None, F1("本级轮次编号", "own round")] = None
    leader: Annotated[PersonRef, F2("负责人", "in charge")]
    teams: Annotated[Count, F1("组数", "teams", "单位：个")]
    people: Annotated[Count, F1("投入人数", "people", "单位：人")]
    period: Annotated[Period, F1("本级时间安排", "own period")]
    targets: Annotated[
        tuple[Target, ...],
        Field(min_length=1, max_length=200),
        F1("拟巡视巡察党组织", "parties to be inspected"),
    ]
    support_wanted: Annotated[
        tuple[Paragraph, ...], Field(max_length=20), F1("需支持事项", "support wanted")
    ] = ()


@event(
    "jointtask.declined",
    "联动任务不予承接",
    "Joint task declined",
    key="/taskid",
    flows=FLOWS,
    phase="plan",
    answers=OPENINGS,
)
class Declined(Payload):
    """An office cannot take its share, says why, and who approved that answer.

    参加机构因故不能承接联动任务，经批准说明理由并可提出替代建议。
    """

    taskid: Annotated[Identifier, F1("联动任务编号", "joint task")]
    participant: Annotated[OrgRef, F1("参加机构", "office that was asked")]
    declined_on: Annotated[Day, F1("答复日期", "declined on")]
    reason: Annotated[Annotated[Code, coded("refusal_reason")], F1("不予承接理由", "reason")]
    explanation: Annotated[Paragraph, F1("情况说明", "explanation")]
    alternative: Annotated[Paragraph | None, F1("替代建议", "what is proposed instead")] = None
    approved_by: Annotated[Handler, F1("批准人", "approved by")]


class Figures(Part):
    """What one office did and found so far."""

    RULES = (
        at_most_of(
            "finished",
            "entered",
            "已完成数不得大于已进驻数",
            "only what was entered is finished",
            "finished_above_entered",
        ),
    )

    entered: Annotated[Count, F1("已进驻数", "entered", "单位：个党组织")]
    finished: Annotated[Count, F1("已完成数", "finished", "单位：个党组织")]
    talks: Annotated[Count | None, F1("谈话人数", "people talked to", "单位：人")] = None
    letters: Annotated[Count | None, F1("受理信访数", "letters and visits", "单位：件")] = None
    issues: Annotated[Count, F1("发现问题数", "issues found", "单位：个")]
    clues: Annotated[Count, F1("移交线索数", "clues transferred", "单位：件；只报数，不报内容")]


@event(
    "jointtask.progress_reported",
    "联动任务进展",
    "Joint task progress reported",
    key="/taskid",
    flows=FLOWS,
    phase="on",
    answers=OPENINGS,
)
class ProgressReported(Payload):
    """How far one office has come with its share, in figures, and what it needs settled.

    参加机构报告联动任务阶段、进度数据、共性问题苗头和需协调事项。
    """

    taskid: Annotated[Identifier, F1("联动任务编号", "joint task")]
    participant: Annotated[OrgRef, F1("参加机构", "office that takes part")]
    period: Annotated[Period, F1("报告期间", "period")]
    stage: Annotated[Annotated[Code, coded("inspection_stage")], F1("工作阶段", "stage")]
    figures: Annotated[Figures, F1("进度数据", "figures")]
    common_signs: Annotated[
        tuple[Paragraph, ...], Field(max_length=50), F2("共性问题苗头", "signs of common issues")
    ] = ()
    to_settle: Annotated[
        tuple[Paragraph, ...], Field(max_length=20), F1("需协调事项", "to be settled")
    ] = ()
    next_steps: Annotated[
        tuple[Paragraph, ...], Field(max_length=20), F1("下步安排", "next steps")
    ] = ()


class CategoryCount(Part):
    """How many issues of one category."""

    category: Annotated[Annotated[Code, coded("issue_category")], F1("问题类别", "category")]
    count: Annotated[Count, F1("问题数", "issues", "单位：个")]


class CommonIssue(Part):
    """An issue that several parties of the task share."""

    category: Annotated[Annotated[Code, coded("issue_category")], F1("问题类别", "category")]
    text: Annotated[Paragraph, F2("问题表现", "manifestation")]
    parties: Annotated[Count, F1("涉及党组织数", "parties it is found at", "单位：个")]
    cause: Annotated[Paragraph | None, F2("原因分析", "cause")] = None


@event(
    "jointtask.concluded",
    "联动任务总结",
    "Joint task concluded",
    key="/taskid",
    flows=FLOWS,
    phase="post",
    answers=OPENINGS,
)
class Concluded(Payload):
    """One office concludes its share: figures, issues by category, what they have in common.

    参加机构完成联动任务，报告总体数据、分类问题、共性问题和工作建议。
    """

    RULES = (
        adds_up(
            "issues",
            "categories",
            "count",
            "问题总数须等于各类别之和",
            "the total of issues is the sum of the categories",
        ),
        unique(
            "categories",
            "category",
            "同一问题类别只能出现一次",
            "a category stands twice",
            "category_repeated",
        ),
        at_most_of(
            "immediate",
            "issues",
            "立行立改问题数不得大于问题总数",
            "not more are rectified at once than were found",
            "immediate_above_issues",
        ),
    )

    taskid: Annotated[Identifier, F1("联动任务编号", "joint task")]
    participant: Annotated[OrgRef, F1("参加机构", "office that takes part")]
    concluded_on: Annotated[Day, F1("完成日期", "concluded on")]
    inspected: Annotated[Count, F1("巡视巡察党组织数", "parties inspected", "单位：个")]
    issues: Annotated[Count, F1("问题总数", "issues found", "单位：个")]
    categories: Annotated[
        tuple[CategoryCount, ...], Field(max_length=100), F1("分类问题数", "issues by category")
    ] = ()
    immediate: Annotated[Count | None, F1("立行立改问题数", "rectified at once", "单位：个")] = None
    clues: Annotated[Count, F1("移交线索数", "clues transferred", "单位：件；只报数，不报内容")]
    common_issues: Annotated[
        tuple[CommonIssue, ...], Field(max_length=50), F2("共性问题", "common issues")
    ] = ()
    recommendations: Annotated[
        tuple[Paragraph, ...], Field(max_length=30), F1("工作建议", "recommendations")
    ] = ()
    summary: Annotated[Summary, F2("总体情况", "summary")]
    report: Annotated[DocRef | None, F1("总结报告", "report")] = None
