"""Decisions (点人点事点问题): what the committee decides when it hears a report; V15, V16.

The case is the report that was heard, also where it was heard without the hub.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Final

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import Code, DocRef, OrgRef, Part, Payload, PersonRef, coded
from contracts.declare import event
from contracts.rules import Rule, forbids, needs, unique
from contracts.values import Day, Identifier, Line, Ordinal, Paragraph

PERSON: Final = "person"
COMPLETED: Final = "2"


class Item(Part):
    """One matter decided: who sees to it, which leader is answerable, by when."""

    RULES = (
        needs(
            "person",
            lambda it: it.kind.code == PERSON,
            "点人的事项须填人员",
            "an item that names a person says whom",
            "person_missing",
        ),
        forbids(
            "person",
            lambda it: it.kind.code != PERSON,
            "非点人的事项不填人员",
            "only an item that names a person says whom",
            "person_unexpected",
        ),
    )

    no: Annotated[Ordinal, F1("事项序号", "number of the item")]
    kind: Annotated[Annotated[Code, coded("decision_kind")], F1("事项类型", "kind of item")]
    text: Annotated[Paragraph, F2("决定内容", "what was decided")]
    issueid: Annotated[Identifier | None, F1("问题编号", "issue")] = None
    person: Annotated[PersonRef | None, F2("点到的人员", "person named")] = None
    owner: Annotated[OrgRef, F1("承办单位", "who sees to it")]
    lead: Annotated[PersonRef | None, F2("分管领导", "leader answerable")] = None
    due: Annotated[Day, F1("完成期限", "due")]


class Session(Part):
    """The meeting that decided."""

    kind: Annotated[Annotated[Code, coded("meeting_kind")], F1("会议种类", "kind of meeting")]
    held_on: Annotated[Day, F1("会议日期", "held on")]
    chaired_by: Annotated[Line | None, F2("主持人", "chaired by")] = None
    minutes_no: Annotated[Line | None, F1("会议纪要文号", "number of the minutes")] = None


def _due_before_meeting(it: Any) -> Iterator[str]:
    for place, item in enumerate(it.items):
        if item.due < it.meeting.held_on:
            yield f"items/{place}/due"


@event(
    "decision.issued",
    "听取汇报决定事项",
    "Decision issued",
    key="/reportid",
    flows=("V15", "V16"),
    phase="post",
    answers=("report.submitted",),
    unasked=True,
    ways=("same", "down"),
    accused=("/items/-/person/org",),
    accused_persons=("/items/-/person",),
    denied=("inspected-party",),
    due="decision.progress",
)
class Issued(Payload):
    """What the committee decided when it heard a report: item by item, with an owner, a leader who
    is answerable for it, and a day.

    党委（党组）听取汇报时点人点事点问题作出的决定，逐项写明承办单位、分管领导和完成期限。
    """

    RULES = (
        unique("items", "no", "事项序号不得重复", "an item's number stands twice", "no_repeated"),
        Rule(
            "due_before_meeting",
            "完成期限不得早于会议日期",
            "an item is due after the meeting that decided it",
            _due_before_meeting,
        ),
    )

    reportid: Annotated[Identifier, F1("所听取报告的编号", "report that was heard")]
    roundid: Annotated[Identifier | None, F1("巡视巡察轮次", "round")] = None
    meeting: Annotated[Session, F1("会议", "meeting")]
    opinion: Annotated[Paragraph | None, F2("总体意见", "opinion")] = None
    items: Annotated[tuple[Item, ...], Field(min_length=1, max_length=200), F2("决定事项", "items")]


class ItemProgress(Part):
    """Where one item stands."""

    RULES = (
        needs(
            "done_on",
            lambda it: it.completion.code == COMPLETED,
            "已完成的事项须填完成日期",
            "what is completed says when",
            "done_missing",
        ),
        forbids(
            "done_on",
            lambda it: it.completion.code != COMPLETED,
            "未完成的事项不填完成日期",
            "what is not completed was not done on a day",
            "done_early",
        ),
        needs(
            "obstacle",
            lambda it: it.completion.code != COMPLETED,
            "未完成的事项须写明原因",
            "what is not completed is explained",
            "obstacle_missing",
        ),
    )

    no: Annotated[Ordinal, F1("事项序号", "number of the item")]
    completion: Annotated[
        Annotated[Code, coded("rectification_completion")], F1("完成情况", "completion")
    ]
    text: Annotated[Paragraph, F2("办理情况", "what was done")]
    done_on: Annotated[Day | None, F1("完成日期", "done on")] = None
    obstacle: Annotated[Paragraph | None, F2("未完成原因", "why it is not completed")] = None
    evidence: Annotated[tuple[DocRef, ...], Field(max_length=50), F2("佐证材料", "evidence")] = ()


def _done_late(it: Any) -> Iterator[str]:
    for place, item in enumerate(it.items):
        if item.done_on is not None and item.done_on > it.reported_on:
            yield f"items/{place}/done_on"


@event(
    "decision.progress_reported",
    "决定事项办理情况",
    "Progress on a decision reported",
    key="/reportid",
    flows=("V15", "V16"),
    phase="post",
    answers=("decision.issued",),
    denied=("inspected-party",),
)
class ProgressReported(Payload):
    """How far the items of a decision have come, told by whoever sees to them.

    承办单位逐项报告决定事项的办理情况；未完成的，写明原因。
    """

    RULES = (
        unique("items", "no", "事项序号不得重复", "an item's number stands twice", "no_repeated"),
        Rule(
            "done_after_report",
            "完成日期不得晚于报告日期",
            "what is done was done by the day of the report",
            _done_late,
        ),
    )

    reportid: Annotated[Identifier, F1("所听取报告的编号", "report that was heard")]
    reported_on: Annotated[Day, F1("报告日期", "reported on")]
    items: Annotated[
        tuple[ItemProgress, ...],
        Field(min_length=1, max_length=200),
        F2("各事项办理情况", "items"),
    ]
