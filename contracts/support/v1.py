"""Support (工作支持、技术支持): tasks that another agency does for an inspection; H03, H11."""

from typing import Annotated

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import (
    Code,
    DocRef,
    Due,
    OrgRef,
    Part,
    Payload,
    Period,
    PersonRef,
    Refusal,
    Signatories,
    coded,
)
from contracts.declare import event
from contracts.rules import needs, unique
from contracts.values import Count, Day, Identifier, Line, Ordinal, Paragraph, Summary

FLOWS = ("H03", "H11")


class Task(Part):
    """One thing to be done, and what is to come of it."""

    task_no: Annotated[Ordinal, F1("任务序号", "task number")]
    kind: Annotated[Annotated[Code, coded("support_kind")], F1("支持类型", "kind")]
    text: Annotated[Paragraph, F2("任务内容", "task")]
    result_wanted: Annotated[Line, F1("成果要求", "result wanted")]
    needed_by: Annotated[Day | None, F1("完成时限", "needed by")] = None


class Outcome(Part):
    """What was done on one task; what is not done says why."""

    RULES = (
        needs(
            "note",
            lambda it: not it.done,
            "未完成的任务须说明原因和后续安排",
            "a task that is not done says why",
            "note_missing",
        ),
        needs(
            "finding",
            lambda it: it.done,
            "已完成的任务须填结论或成果",
            "a task that is done says what came of it",
            "finding_missing",
        ),
    )

    task_no: Annotated[Ordinal, F1("任务序号", "task number")]
    done: Annotated[bool, F1("已完成", "done")]
    finding: Annotated[Summary | None, F2("结论或成果", "finding")] = None
    method: Annotated[Paragraph | None, F1("方法和依据", "method and basis")] = None
    documents: Annotated[
        tuple[DocRef, ...], Field(max_length=100), F2("成果文件", "documents")
    ] = ()
    note: Annotated[Paragraph | None, F2("情况说明", "explanation")] = None


@event(
    "support.requested",
    "工作支持请求",
    "Support requested",
    key="/supportid",
    flows=FLOWS,
    publishers=("inspection-office", "inspection-team"),
    concerned=("/target",),
    due="support.provision",
)
class Requested(Payload):
    """Tasks for which an inspection needs another agency's people, data or technical means.

    巡视巡察机构请有关机关提供工作、技术、数据等支持，逐项列明任务和成果要求。
    """

    RULES = (
        unique(
            "tasks",
            "task_no",
            "同一任务序号只能出现一次",
            "a task number stands twice",
            "task_repeated",
        ),
    )

    supportid: Annotated[Identifier, F1("支持请求编号", "request number")]
    title: Annotated[Line, F1("事项名称", "title")]
    roundid: Annotated[Identifier | None, F1("巡视巡察轮次", "round")] = None
    target: Annotated[OrgRef | None, F1("被巡视巡察党组织", "inspected party")] = None
    tasks: Annotated[tuple[Task, ...], Field(min_length=1, max_length=50), F2("支持任务", "tasks")]
    people: Annotated[Count | None, F1("需要人数", "people needed", "人 / persons")] = None
    period: Annotated[Period | None, F1("支持期间", "period")] = None
    place: Annotated[Line | None, F1("工作地点", "place of work")] = None
    confidentiality: Annotated[Paragraph | None, F1("保密要求", "confidentiality")] = None
    contact: Annotated[Line, F2("联系人", "contact")]
    due: Annotated[Due | None, F1("答复期限", "answer due")] = None


@event(
    "support.provided",
    "工作支持提供",
    "Support provided",
    key="/supportid",
    flows=FLOWS,
    answers=("support.requested",),
)
class Provided(Payload):
    """What was done, task by task, by whom.

    提供支持的机关逐项反馈任务完成情况和成果。
    """

    RULES = (
        unique(
            "outcomes",
            "task_no",
            "同一任务序号只能出现一次",
            "a task number stands twice",
            "task_repeated",
        ),
    )

    supportid: Annotated[Identifier, F1("支持请求编号", "request number")]
    outcomes: Annotated[
        tuple[Outcome, ...], Field(min_length=1, max_length=50), F2("任务完成情况", "outcomes")
    ]
    provided_on: Annotated[Day, F1("提供日期", "provided on")]
    people: Annotated[tuple[PersonRef, ...], Field(max_length=100), F2("参与人员", "people")] = ()
    handlers: Annotated[Signatories, F1("承办人", "handlers")]


@event(
    "support.refused",
    "工作支持不予提供",
    "Support refused",
    key="/supportid",
    flows=FLOWS,
    answers=("support.requested",),
)
class Refused(Payload):
    """Why the support is not given, in whole or for some tasks.

    有关机关不能提供支持的理由；部分任务不能承接的，列出任务序号。
    """

    supportid: Annotated[Identifier, F1("支持请求编号", "request number")]
    task_nos: Annotated[
        tuple[Ordinal, ...],
        Field(max_length=50),
        F1("不能承接的任务", "tasks refused", "不填即全部任务 / none stated: all of them"),
    ] = ()
    refusal: Annotated[Refusal, F1("不予提供情况", "refusal")]
