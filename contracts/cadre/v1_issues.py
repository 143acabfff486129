"""Issues of cadres (干部问题) that an inspection hands to the organization department; H07."""

from typing import Annotated

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
    PersonRef,
    Signatories,
    TwoSignatories,
    coded,
)
from contracts.contract import Slip
from contracts.declare import event
from contracts.rules import exactly_one, in_order, needs, rule, unique
from contracts.values import Authority, Day, Identifier, Instant, Line, Ordinal, Paragraph, Summary

OPENINGS = ("cadre.issue_transferred",)


class Subject(Part):
    """The cadre or the leading body that the issue is about."""

    RULES = (
        exactly_one(
            "person",
            "body",
            message="须填 person（干部）或 body（领导班子所在单位）之一，且只填其一",
            message_en="an issue is about a cadre or about a leading body: give exactly one",
            code="subject_not_one",
        ),
    )

    subject_no: Annotated[Ordinal, F1("对象序号", "subject number")]
    person: Annotated[PersonRef | None, F2("干部", "cadre")] = None
    body: Annotated[OrgRef | None, F2("领导班子所在单位", "leading body")] = None
    authority: Annotated[Authority, F2("干部管理权限", "level that manages the cadre")]


class Result(Part):
    """What the department did about one subject."""

    RULES = (
        needs(
            "clueid",
            lambda it: it.result.code == "transferred",
            "移送纪检监察机关的，须填线索编号",
            "what went to the discipline organ names the clue",
            "clueid_missing",
        ),
        needs(
            "document",
            lambda it: it.result.code in ("admonished", "adjusted"),
            "诫勉或组织调整的，须填文书",
            "an admonition or an adjustment names its document",
            "document_missing",
        ),
    )

    subject_no: Annotated[Ordinal, F1("对象序号", "subject number")]
    result: Annotated[Annotated[Code, coded("cadre_issue_result")], F2("处理结果", "result")]
    text: Annotated[Paragraph, F2("核实和处理情况", "what was found and done")]
    on: Annotated[Day, F1("处理日期", "dealt with on")]
    clueid: Annotated[Identifier | None, F1("线索编号", "clue number")] = None
    document: Annotated[DocRef | None, F2("处理文书", "document")] = None


@event(
    "cadre.issue_transferred",
    "干部问题移交",
    "Issue of cadres transferred",
    key="/cadreissueid",
    flows=("H07",),
    phase="post",
    publishers=("inspection-office",),
    accused=("/subjects/-/body", "/subjects/-/person/org"),
    accused_persons=("/subjects/-/person",),
    denied=("inspected-party",),
    due="cadre.issue_receipt",
    slip=Slip(
        title="干部问题移交单",
        numbers=("/cadreissueid", "/roundid"),
        listed="/basis",
        signed_by=("移交人", "移交人", "接收人", "接收人"),
    ),
)
class IssueTransferred(Payload):
    """An issue of selection, conduct or a leading body that the organization department is to deal
    with.

    巡视巡察发现的选人用人、干部履职和班子运行等问题，移交组织部门处理。
    """

    RULES = (
        unique(
            "subjects",
            "subject_no",
            "同一对象序号只能出现一次",
            "a subject number stands twice",
            "subject_repeated",
        ),
        in_order(
            "period_from",
            "period_to",
            "问题发生的截止日期不得早于起始日期",
            "the period ends before it begins",
        ),
    )

    cadreissueid: Annotated[Identifier, F1("干部问题编号", "number of the issue")]
    roundid: Annotated[Identifier, F1("巡视巡察轮次", "round")]
    targetid: Annotated[Identifier, F1("被巡视巡察党组织编号", "number of the inspected party")]
    issueid: Annotated[Identifier | None, F1("问题底稿编号", "working paper")] = None
    kind: Annotated[Annotated[Code, coded("cadre_issue_kind")], F1("问题类别", "kind")]
    title: Annotated[Line, F2("问题名称", "title")]
    subjects: Annotated[
        tuple[Subject, ...], Field(min_length=1, max_length=100), F2("涉及对象", "subjects")
    ]
    facts: Annotated[Summary, F2("问题情况", "facts")]
    period_from: Annotated[Day | None, F2("问题发生起始日期", "from")] = None
    period_to: Annotated[Day | None, F2("问题发生截止日期", "to")] = None
    basis: Annotated[tuple[DocRef, ...], Field(max_length=200), F2("依据材料", "documents")] = ()
    suggestion: Annotated[Paragraph | None, F2("处理建议", "suggestion")] = None
    transferred_at: Annotated[Instant, F1("移交时间", "handed over at")]
    handlers: Annotated[TwoSignatories, F1("移交人", "handlers")]
    due: Annotated[Due | None, F1("办理期限", "due")] = None


@event(
    "cadre.issue_received",
    "干部问题签收",
    "Issue of cadres received",
    key="/cadreissueid",
    flows=("H07",),
    phase="post",
    answers=OPENINGS,
    due="cadre.issue",
)
class IssueReceived(Payload):
    """Who took the issue, under which number and into which section.

    组织部门签收干部问题，登记编号并明确承办处室。
    """

    cadreissueid: Annotated[Identifier, F1("干部问题编号", "number of the issue")]
    register_no: Annotated[Line, F1("收文登记号", "register number")]
    section: Annotated[Line, F1("承办处室", "section that deals with it")]
    received_at: Annotated[Instant, F1("签收时间", "received at")]
    handlers: Annotated[TwoSignatories, F1("接收人", "received by")]


@event(
    "cadre.issue_returned",
    "干部问题退回",
    "Issue of cadres returned",
    key="/cadreissueid",
    flows=("H07",),
    phase="post",
    answers=OPENINGS,
)
class IssueReturned(Payload):
    """Why the issue goes back to the office, and what is missing.

    组织部门退回干部问题的理由和需补充的内容。
    """

    RULES = (
        needs(
            "wanted",
            lambda it: it.reason.code == "incomplete",
            "因材料不全退回的，须列明需补充的材料",
            "whoever returns for missing material says what is missing",
            "wanted_missing",
        ),
    )

    cadreissueid: Annotated[Identifier, F1("干部问题编号", "number of the issue")]
    reason: Annotated[Annotated[Code, coded("return_reason")], F1("退回理由", "reason")]
    note: Annotated[Paragraph, F2("退回说明", "explanation")]
    wanted: Annotated[tuple[Line, ...], Field(max_length=50), F2("需补充材料", "wanted")] = ()
    returned_at: Annotated[Instant, F1("退回时间", "returned at")]
    approved_by: Annotated[Handler, F1("批准人", "approved by")]
    handlers: Annotated[Signatories, F1("承办人", "handlers")]


@event(
    "cadre.issue_handled",
    "干部问题办理结果",
    "Issue of cadres handled",
    key="/cadreissueid",
    flows=("H07",),
    phase="post",
    answers=OPENINGS,
)
class IssueHandled(Payload):
    """What the organization department found and did, subject by subject.

    组织部门逐一反馈干部问题的核实和处理结果。
    """

    RULES = (
        unique(
            "results",
            "subject_no",
            "同一对象序号只能出现一次",
            "a subject number stands twice",
            "subject_repeated",
        ),
        rule(
            "handled_before_result",
            "handled_on",
            "办结日期不得早于各对象的处理日期",
            "an issue is not finished before its last result",
            lambda it: it.handled_on < max(result.on for result in it.results),
        ),
    )

    cadreissueid: Annotated[Identifier, F1("干部问题编号", "number of the issue")]
    results: Annotated[
        tuple[Result, ...],
        Field(min_length=1, max_length=100),
        F2("各对象处理结果", "results"),
    ]
    handled_on: Annotated[Day, F1("办结日期", "finished on")]
    follow_up: Annotated[Paragraph | None, F2("后续工作", "next steps")] = None
    approved_by: Annotated[Handler, F1("审定人", "approved by")]
    handlers: Annotated[Signatories, F1("承办人", "handlers")]
