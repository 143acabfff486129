"""Guidance (指导督导): a team sent down gives findings, and the office it came to answers them.

Flow V05. Special checks stand in `v1_checks.py`, comments on reports in `v1_comments.py`.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Final

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import (
    Code,
    DocRef,
    Due,
    Handler,
    OrgRef,
    Part,
    Payload,
    Period,
    PersonRef,
    coded,
)
from contracts.contract import Slip
from contracts.declare import event
from contracts.rules import Rule, needs, rule, unique
from contracts.values import Day, Identifier, Line, Paragraph, Summary

FLOWS: Final = ("V05",)
# Between the levels of inspection, and whoever watches over their conduct.
RECEIVERS: Final = (
    "party-committee",
    "leading-group",
    "inspection-office",
    "inspection-team",
    "guidance-team",
    "discipline",
    "organization",
)
HEAD: Final = "head"
DONE: Final = "2"


class Member(Part):
    """A member of the guidance team, and in which role."""

    person: Annotated[PersonRef, F2("人员", "person")]
    role: Annotated[Annotated[Code, coded("team_role")], F1("组内职务", "role in the team")]


@event(
    "guidance.team_dispatched",
    "派出指导督导组",
    "Guidance team dispatched",
    key="/guidanceid",
    flows=FLOWS,
    ways=("same", "down"),
    publishers=("party-committee", "leading-group", "inspection-office"),
    receivers=RECEIVERS,
    concerned=("/guided/-",),
    due="guidance.findings",
)
class TeamDispatched(Payload):
    """The level above sends a guidance team: to whom, who is in it, what it looks at, how long.

    上级派出指导督导组，明确对象、成员、督导内容和起止时间。
    """

    RULES = (
        rule(
            "head_not_one",
            "members",
            "指导督导组须有且只有一名组长",
            "a guidance team has exactly one head",
            lambda it: sum(member.role.code == HEAD for member in it.members) != 1,
        ),
    )

    guidanceid: Annotated[Identifier, F1("指导督导编号", "guidance")]
    team: Annotated[Line, F1("督导组名称", "name of the team")]
    members: Annotated[
        tuple[Member, ...], Field(min_length=1, max_length=50), F1("组成人员", "members")
    ]
    guided: Annotated[
        tuple[OrgRef, ...], Field(min_length=1, max_length=100), F1("督导对象", "who is guided")
    ]
    roundid: Annotated[Identifier | None, F1("所涉轮次", "round concerned")] = None
    subjects: Annotated[
        tuple[Annotated[Code, coded("inspection_work")], ...],
        Field(min_length=1, max_length=20),
        F1("督导内容", "subjects"),
    ]
    questions: Annotated[
        tuple[Paragraph, ...], Field(max_length=30), F1("重点了解事项", "what it looks into")
    ] = ()
    period: Annotated[Period, F1("督导时间", "period")]
    recusal_checked: Annotated[bool, F1("已核查回避情形", "reasons for recusal were checked")]
    contact: Annotated[Handler | None, F1("联系人", "contact")] = None
    document: Annotated[DocRef | None, F1("派出通知", "notice")] = None


class Finding(Part):
    """One deviation: what was found, what it departs from, what is asked for and by when."""

    findingid: Annotated[Identifier, F1("问题编号", "finding")]
    deviation: Annotated[Annotated[Code, coded("deviation_kind")], F1("偏差类型", "deviation")]
    fact: Annotated[Paragraph, F2("事实", "fact")]
    standard: Annotated[Line | None, F1("依据的规定", "what it departs from")] = None
    requirement: Annotated[Paragraph, F1("整改要求", "what is to be done")]
    due: Annotated[Day | None, F1("整改期限", "due")] = None


def _due_too_early(it: Any) -> Iterator[str]:
    for place, finding in enumerate(it.findings):
        if finding.due is not None and finding.due < it.issued_on:
            yield f"findings/{place}/due"


@event(
    "guidance.findings_issued",
    "指导督导意见",
    "Guidance findings issued",
    key="/guidanceid",
    flows=FLOWS,
    ways=("same", "down"),
    publishers=("inspection-office", "guidance-team"),
    receivers=RECEIVERS,
    answers=("guidance.team_dispatched",),
    unasked=True,
    concerned=("/guided",),
    due="guidance.response",
    slip=Slip(
        title="指导督导意见签收单",
        numbers=("/guidanceid",),
        listed="/findings",
        signed_by=("反馈人", "反馈人", "签收人"),
    ),
)
class FindingsIssued(Payload):
    """What a guidance team found at one office, and what that office is to put right. The team
    tells whoever sent it, and the office guided.

    指导督导组向派出机关和被督导机构反馈督导发现的偏差、整改要求和期限。
    """

    RULES = (
        unique(
            "findings",
            "findingid",
            "同一问题编号只能出现一次",
            "a finding stands twice",
            "finding_repeated",
        ),
        Rule(
            "finding_due_before_issue",
            "整改期限不得早于反馈日期",
            "a finding is not due before it was issued",
            _due_too_early,
        ),
        needs(
            "response_due",
            lambda it: it.findings,
            "有问题须整改的，须填回复期限",
            "whoever has findings is told by when to answer",
            "response_due_missing",
        ),
    )

    guidanceid: Annotated[Identifier, F1("指导督导编号", "guidance")]
    team: Annotated[Line, F1("督导组名称", "name of the team")]
    guided: Annotated[OrgRef, F1("督导对象", "who is guided")]
    period: Annotated[Period, F1("督导时间", "period")]
    issued_on: Annotated[Day, F1("反馈日期", "issued on")]
    grade: Annotated[Annotated[Code, coded("evaluation_grade")] | None, F1("总体评价", "grade")] = (
        None
    )
    strengths: Annotated[
        tuple[Paragraph, ...], Field(max_length=20), F1("好的做法", "what is done well")
    ] = ()
    findings: Annotated[tuple[Finding, ...], Field(max_length=100), F1("发现的问题", "findings")]
    response_due: Annotated[Due | None, F1("回复期限", "answer due")] = None
    document: Annotated[DocRef | None, F1("反馈意见", "document")] = None


class Response(Part):
    """What was done about one finding, or why it is disputed."""

    RULES = (
        needs(
            "done_on",
            lambda it: it.completion.code == DONE,
            "已完成的整改须填完成日期",
            "what is completed has the day it was",
            "done_on_missing",
        ),
        needs(
            "next_step",
            lambda it: it.completion.code != DONE and it.objection is None,
            "未完成的整改须写明下步措施",
            "what is not completed says what comes next",
            "next_step_missing",
        ),
    )

    findingid: Annotated[Identifier, F1("问题编号", "finding")]
    completion: Annotated[
        Annotated[Code, coded("rectification_completion")], F1("整改完成情况", "completion")
    ]
    measures: Annotated[
        tuple[Paragraph, ...], Field(max_length=30), F1("整改措施", "measures")
    ] = ()
    done_on: Annotated[Day | None, F1("完成日期", "completed on")] = None
    next_step: Annotated[Paragraph | None, F1("下步措施", "next step")] = None
    objection: Annotated[Paragraph | None, F2("不同意见", "objection")] = None
    evidence: Annotated[tuple[DocRef, ...], Field(max_length=50), F1("佐证材料", "evidence")] = ()


@event(
    "guidance.response_reported",
    "指导督导整改回复",
    "Response to guidance reported",
    key="/guidanceid",
    flows=FLOWS,
    answers=("guidance.findings_issued",),
)
class ResponseReported(Payload):
    """The office guided answers finding by finding: done, still to do, or disputed.

    被督导机构逐项回复督导意见的整改情况，有不同意见的一并说明。
    """

    RULES = (
        unique(
            "responses",
            "findingid",
            "同一问题编号只能出现一次",
            "a finding stands twice",
            "finding_repeated",
        ),
    )

    guidanceid: Annotated[Identifier, F1("指导督导编号", "guidance")]
    reporter: Annotated[OrgRef, F1("回复机构", "reported by")]
    reported_on: Annotated[Day, F1("回复日期", "reported on")]
    responses: Annotated[
        tuple[Response, ...], Field(min_length=1, max_length=100), F1("逐项回复", "responses")
    ]
    overview: Annotated[Summary | None, F1("总体情况", "overview")] = None
    approved_by: Annotated[Handler, F1("审定人", "approved by")]
