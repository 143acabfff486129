"""Directives (部署): what the level above asks for, taken up and carried out task by task.

Flows V01 and V20.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from contracts.classes import F1
from contracts.common import (
    Code,
    DocRef,
    Handler,
    MeetingRef,
    OrgRef,
    Part,
    Payload,
    Period,
    TaskProgress,
    coded,
)
from contracts.contract import Slip
from contracts.declare import event
from contracts.rules import Rule, in_order, needs, together, unique
from contracts.values import Day, Identifier, Line, Paragraph, Summary

TASK_LIST: Final = "task_list"
FLOWS: Final = ("V01", "V20")
TASKS_UNIQUE: Final = unique(
    "tasks", "taskno", "同一任务序号只能出现一次", "a task number stands twice", "task_repeated"
)


class Task(Part):
    """One task: what is to be done, who answers for it, what shows that it was done, by when."""

    taskno: Annotated[Identifier, F1("任务序号", "task number")]
    requirement: Annotated[Paragraph, F1("任务要求", "what is to be done")]
    lead: Annotated[OrgRef | None, F1("牵头单位", "organisation in the lead")] = None
    partners: Annotated[tuple[OrgRef, ...], Field(max_length=50), F1("配合单位", "partners")] = ()
    deliverable: Annotated[Line | None, F1("成果形式", "what shows that it was done")] = None
    due: Annotated[Day | None, F1("完成期限", "due")] = None


def _due_too_early(it: Any) -> Iterator[str]:
    for place, task in enumerate(it.tasks):
        if task.due is not None and task.due < it.issued_on:
            yield f"tasks/{place}/due"


@event(
    "directive.issued",
    "部署下达",
    "Directive issued",
    key="/directiveid",
    flows=FLOWS,
    phase="plan",
    ways=("same", "down"),
    due="directive.acknowledgement",
    slip=Slip(
        title="部署文件签收单",
        numbers=("/directiveid",),
        listed="/documents",
        signed_by=("发文机关经办人", "签收人"),
    ),
)
class Issued(Payload):
    """A committee, a leading group or an office above deploys work or breaks it down into tasks.

    党委（党组）、领导小组或上级巡视巡察机构部署工作，或下达任务清单，明确责任和期限。
    """

    RULES = (
        TASKS_UNIQUE,
        needs(
            "tasks",
            lambda it: it.kind.code == TASK_LIST,
            "任务清单须列出任务",
            "a list of tasks has tasks",
            "tasks_missing",
        ),
        Rule(
            "task_due_before_issue",
            "任务完成期限不得早于下达日期",
            "a task is not due before the directive was issued",
            _due_too_early,
        ),
        together(
            "report_every",
            "first_report_due",
            message="要求报告进展时，须同时填报告频次和首次报告期限",
            message_en="who asks for reports says how often and when the first is due",
            code="reporting_incomplete",
        ),
    )

    directiveid: Annotated[Identifier, F1("部署编号", "directive")]
    kind: Annotated[Annotated[Code, coded("directive_kind")], F1("部署类型", "kind")]
    title: Annotated[Line, F1("标题", "title")]
    issuers: Annotated[
        tuple[OrgRef, ...], Field(min_length=1, max_length=10), F1("下达机关", "issued by")
    ]
    issued_on: Annotated[Day, F1("下达日期", "issued on")]
    meeting: Annotated[MeetingRef | None, F1("议定会议", "decided at")] = None
    basis: Annotated[tuple[DocRef, ...], Field(max_length=50), F1("依据", "basis")] = ()
    tasks: Annotated[tuple[Task, ...], Field(max_length=300), F1("任务", "tasks")] = ()
    documents: Annotated[
        tuple[DocRef, ...], Field(min_length=1, max_length=50), F1("部署文件", "documents")
    ]
    in_force: Annotated[Period | None, F1("适用期间", "in force")] = None
    report_every: Annotated[
        Literal["once", "month", "quarter", "half_year", "year"] | None,
        F1("报告频次", "report every"),
    ] = None
    first_report_due: Annotated[Day | None, F1("首次报告期限", "first report due")] = None


class Assignment(Part):
    """Who takes on one task at the receiver's."""

    taskno: Annotated[Identifier, F1("任务序号", "task number")]
    org: Annotated[OrgRef, F1("责任单位", "organisation responsible")]
    person: Annotated[Handler | None, F1("责任人", "person responsible")] = None
    due: Annotated[Day | None, F1("计划完成日期", "planned for")] = None


@event(
    "directive.acknowledged",
    "部署签收",
    "Directive acknowledged",
    key="/directiveid",
    flows=FLOWS,
    phase="plan",
    answers=("directive.issued",),
    due="directive.progress",
)
class Acknowledged(Payload):
    """The receiver has registered a directive, says who is in charge and who takes which task.

    接收机关登记签收，明确负责人，将任务分解到责任单位；有疑问的一并提出。
    """

    RULES = (
        unique(
            "assignments",
            "taskno",
            "同一任务序号只能出现一次",
            "a task number stands twice",
            "task_repeated",
        ),
        in_order(
            "received_on",
            "conveyed_on",
            "传达学习日期不得早于签收日期",
            "it is not conveyed before it was received",
            "conveyed_before_receipt",
        ),
    )

    directiveid: Annotated[Identifier, F1("部署编号", "directive")]
    receiver: Annotated[OrgRef, F1("签收机关", "received by")]
    register_no: Annotated[Identifier, F1("收文登记号", "register number")]
    received_on: Annotated[Day, F1("签收日期", "received on")]
    in_charge: Annotated[Handler, F1("负责人", "in charge")]
    conveyed_on: Annotated[Day | None, F1("传达学习日期", "conveyed on")] = None
    assignments: Annotated[
        tuple[Assignment, ...], Field(max_length=300), F1("任务分解", "who takes which task")
    ] = ()
    questions: Annotated[tuple[Paragraph, ...], Field(max_length=20), F1("疑问", "questions")] = ()


def _done_later(it: Any) -> Iterator[str]:
    for place, task in enumerate(it.tasks):
        if task.done_on is not None and task.done_on > it.period.to:
            yield f"tasks/{place}/done_on"


@event(
    "directive.progress_reported",
    "部署落实进展",
    "Directive progress reported",
    key="/directiveid",
    flows=FLOWS,
    phase="any",
    answers=("directive.issued",),
)
class ProgressReported(Payload):
    """How far the tasks of a directive have come at one receiver in one period.

    接收机关报告一段时间内各项任务的落实进展、成果和困难。
    """

    RULES = (
        TASKS_UNIQUE,
        Rule(
            "done_after_period",
            "任务完成日期不得晚于报告期间",
            "what was done after the period belongs in the next report",
            _done_later,
        ),
    )

    directiveid: Annotated[Identifier, F1("部署编号", "directive")]
    reporter: Annotated[OrgRef, F1("报告机关", "reported by")]
    period: Annotated[Period, F1("报告期间", "period")]
    tasks: Annotated[
        tuple[TaskProgress, ...], Field(min_length=1, max_length=300), F1("任务进展", "tasks")
    ]
    overview: Annotated[Summary | None, F1("总体情况", "overview")] = None
    next_steps: Annotated[
        tuple[Paragraph, ...], Field(max_length=20), F1("下步安排", "next steps")
    ] = ()
    suggestions: Annotated[
        tuple[Paragraph, ...], Field(max_length=20), F1("意见建议", "suggestions")
    ] = ()
    final: Annotated[bool, F1("最终报告", "last report")] = False
