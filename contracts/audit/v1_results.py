"""Audit (审计贯通): what was found, reported and rectified; flows H09 and H13.

The case is the audit project: its findings, report and rectification keep their order, and who
withdraws from the project withdraws from all of it. What an audit office hands over for handling
(移送处理书) is `clue.transferred` from the source audit.
"""

from typing import Annotated, Final

from pydantic import Field

from contracts.audit.parts import MoneyOfKind, Project
from contracts.classes import F0, F1, F2
from contracts.common import (
    Code,
    DocRef,
    Due,
    Money,
    OrgRef,
    Part,
    Payload,
    Period,
    PersonRef,
    coded,
)
from contracts.contract import Slip
from contracts.declare import event
from contracts.rules import forbids, in_order, needs, rule, together, unique
from contracts.values import Count, Day, Identifier, Line, Link, Paragraph, Summary

FLOWS: Final = ("H13",)
DONE: Final = "2"
NON_MONETARY: Final = "non_monetary"


class Basis(Part):
    """A rule that was broken (定性依据)."""

    law: Annotated[Line, F0("法规名称", "law or rule")]
    article: Annotated[Line | None, F0("条款", "article")] = None


class Responsible(Part):
    """Who answers for the finding, and in which way."""

    person: Annotated[PersonRef, F2("责任人", "person")]
    responsibility: Annotated[
        Annotated[Code, coded("audit_responsibility")], F2("责任类型", "responsibility")
    ]


class Treatment(Part):
    """What the audit decision orders for an amount (处理意见)."""

    treatment: Annotated[Annotated[Code, coded("audit_treatment")], F1("处理方式", "treatment")]
    money: Annotated[Money | None, F1("处理金额", "amount")] = None


class Rectified(Part):
    """What the auditee put right before the finding was told (边审边改)."""

    RULES = (
        needs(
            "on",
            lambda it: it.completion.code == DONE,
            "已完成整改的须填完成日期",
            "what is rectified says when",
            "rectified_on_missing",
        ),
    )

    completion: Annotated[
        Annotated[Code, coded("rectification_completion")], F1("整改完成情况", "completion")
    ]
    money: Annotated[Money | None, F1("已整改金额", "amount rectified")] = None
    on: Annotated[Day | None, F1("整改完成日期", "rectified on")] = None


@event(
    "audit.finding_reported",
    "审计发现问题通报",
    "Audit finding reported",
    key="/auditprojectid",
    flows=("H09", *FLOWS),
    publishers=("audit",),
    receivers=(
        "party-committee",
        "leading-group",
        "inspection-office",
        "inspection-team",
        "discipline",
        "organization",
        "finance",
    ),
    concerned=("/project/auditee",),
    accused=("/responsible/-/person/org",),
    accused_persons=("/responsible/-/person",),
    denied=("inspected-party",),
)
class FindingReported(Payload):
    """One finding of an audit: the fact, its class and amounts, the rule broken, who answers for
    it, and what was ordered and already put right.

    审计机关逐项通报审计发现问题：事实、分类、金额、定性依据、责任人、处理意见和已整改情况。
    """

    RULES = (
        forbids(
            "amounts",
            lambda it: it.class_.code == NON_MONETARY,
            "非金额计量问题不得填写金额，请填 extent",
            "a finding not measured in money has no amount: use extent",
            "amount_unexpected",
        ),
        needs(
            "extent",
            lambda it: it.class_.code == NON_MONETARY,
            "非金额计量问题须说明数量或范围",
            "a finding not measured in money says its extent",
            "extent_missing",
        ),
    )

    auditprojectid: Annotated[Identifier, F1("审计项目编号", "audit project")]
    project: Annotated[Project, F1("审计项目", "project")]
    findingid: Annotated[Identifier, F1("审计问题编号", "finding")]
    class_: Annotated[
        Annotated[Code, coded("audit_finding_class")],
        Field(alias="class"),
        F1("问题分类", "class"),
    ]
    title: Annotated[Line, F1("问题标题", "title")]
    fact: Annotated[Summary, F2("事实", "fact")]
    occurred: Annotated[Period | None, F1("问题发生期间", "occurred")] = None
    amounts: Annotated[
        tuple[MoneyOfKind, ...], Field(max_length=20), F1("问题金额", "amounts")
    ] = ()
    extent: Annotated[
        Line | None, F1("数量或范围", "extent", "以件、人、亩等计量，须写明计量单位")
    ] = None
    basis: Annotated[tuple[Basis, ...], Field(max_length=20), F1("定性依据", "rules broken")] = ()
    stated_in: Annotated[DocRef, F1("载明问题的审计文书", "stated in")]
    document_kind: Annotated[
        Annotated[Code, coded("audit_document_kind")], F1("审计文书种类", "kind of document")
    ]
    responsible: Annotated[
        tuple[Responsible, ...], Field(max_length=50), F2("责任人", "persons responsible")
    ] = ()
    treatments: Annotated[
        tuple[Treatment, ...], Field(max_length=20), F1("处理意见", "treatment")
    ] = ()
    suggestion: Annotated[Paragraph | None, F2("审计建议", "suggestion")] = None
    rectified: Annotated[Rectified | None, F1("审计期间整改", "rectified during the audit")] = None


class FindingLine(Part):
    """A finding as the report lists it."""

    findingid: Annotated[Identifier, F1("审计问题编号", "finding")]
    class_: Annotated[
        Annotated[Code, coded("audit_finding_class")],
        Field(alias="class"),
        F1("问题分类", "class"),
    ]
    title: Annotated[Line, F1("问题标题", "title")]
    amounts: Annotated[
        tuple[MoneyOfKind, ...], Field(max_length=20), F1("问题金额", "amounts")
    ] = ()


@event(
    "audit.report_shared",
    "审计报告通报",
    "Audit report shared",
    key="/auditprojectid",
    flows=("H09", *FLOWS),
    publishers=("audit",),
    concerned=("/project/auditee", "/project/department"),
    due="audit.rectification",
    slip=Slip(
        title="审计报告送达回证",
        numbers=("/auditprojectid", "/report/docno"),
        listed="/findings",
        signed_by=("送达人", "签收人"),
    ),
)
class ReportShared(Payload):
    """The report of an audit project: its opinion, totals, findings and suggestions, and by when
    the auditee reports its rectification.

    审计机关出具的审计报告：总体评价、金额汇总、问题清单、审计建议和整改报告期限。
    """

    RULES = (
        unique(
            "findings",
            "findingid",
            "同一审计问题编号只能出现一次",
            "a finding stands twice",
            "finding_repeated",
        ),
        rule(
            "count_differs",
            "finding_count",
            "问题数须与问题清单条数一致",
            "the number of findings is not that of the list",
            lambda it: it.findings and len(it.findings) != it.finding_count,
        ),
        together(
            "announced_on",
            "announced_at",
            message="审计结果公告的日期和网址须同时填写",
            message_en="a public announcement has its day and its address",
            code="announcement_incomplete",
        ),
        in_order(
            "issued_on",
            "announced_on",
            "公告日期不得早于报告日期",
            "announced before it was issued",
            "announced_too_early",
        ),
    )

    auditprojectid: Annotated[Identifier, F1("审计项目编号", "audit project")]
    project: Annotated[Project, F1("审计项目", "project")]
    report: Annotated[DocRef, F1("审计报告", "report")]
    decision: Annotated[DocRef | None, F1("审计决定书", "decision")] = None
    issued_on: Annotated[Day, F1("报告日期", "issued on")]
    opinion: Annotated[Summary, F2("总体评价", "opinion")]
    auditee_comments: Annotated[
        Paragraph | None, F2("被审计单位反馈意见", "comments of the auditee")
    ] = None
    totals: Annotated[
        tuple[MoneyOfKind, ...], Field(max_length=20), F1("金额汇总", "amounts in all")
    ] = ()
    finding_count: Annotated[Count, F1("问题数", "number of findings")]
    findings: Annotated[
        tuple[FindingLine, ...], Field(max_length=1_000), F1("问题清单", "findings")
    ] = ()
    suggestions: Annotated[
        tuple[Paragraph, ...], Field(max_length=50), F2("审计建议", "suggestions")
    ] = ()
    rectify_by: Annotated[Due | None, F1("整改报告期限", "rectification due")] = None
    announced_on: Annotated[Day | None, F0("公告日期", "announced on")] = None
    announced_at: Annotated[Link | None, F0("公告网址", "announced at")] = None


class Measure(Part):
    """One thing that was done to put the finding right."""

    kind: Annotated[
        Annotated[Code, coded("rectification_measure_kind")], F1("措施类型", "kind of measure")
    ]
    text: Annotated[Paragraph, F2("措施内容", "measure")]
    on: Annotated[Day | None, F1("完成日期", "done on")] = None


class RectifiedItem(Part):
    """How far one finding has been put right."""

    RULES = (
        needs(
            "measures",
            lambda it: it.completion.code == DONE,
            "已完成整改的须填整改措施",
            "what is rectified says how",
            "measures_missing",
        ),
        needs(
            "obstacle",
            lambda it: it.completion.code != DONE,
            "未整改到位的须说明原因",
            "what is not rectified says why",
            "obstacle_missing",
        ),
        needs(
            "planned_for",
            lambda it: it.completion.code != DONE,
            "未整改到位的须填计划完成日期",
            "what is not rectified says by when it will be",
            "planned_for_missing",
        ),
    )

    findingid: Annotated[Identifier, F1("审计问题编号", "finding")]
    completion: Annotated[
        Annotated[Code, coded("rectification_completion")], F1("整改完成情况", "completion")
    ]
    measures: Annotated[tuple[Measure, ...], Field(max_length=50), F1("整改措施", "measures")] = ()
    settled: Annotated[
        tuple[Treatment, ...], Field(max_length=20), F1("已处理金额", "amounts settled")
    ] = ()
    rules_made: Annotated[Count, F1("建章立制数", "rules made")] = 0
    people_sanctioned: Annotated[Count, F1("追责问责人数", "people held to account")] = 0
    obstacle: Annotated[Paragraph | None, F2("未整改到位原因", "obstacle")] = None
    planned_for: Annotated[Day | None, F1("计划完成日期", "planned for")] = None
    evidence: Annotated[tuple[DocRef, ...], Field(max_length=50), F1("佐证材料", "evidence")] = ()


@event(
    "audit.rectification_reported",
    "审计整改情况报告",
    "Audit rectification reported",
    key="/auditprojectid",
    flows=FLOWS,
    phase="post",
    answers=("audit.report_shared",),
    unasked=True,
    publishers=("audit", "inspected-party"),
    receivers=("inspection-office", "discipline", "organization", "audit", "finance", "congress"),
    concerned=("/auditee",),
)
class RectificationReported(Payload):
    """How far the findings of an audit project have been put right, finding by finding.

    被审计单位报告审计查出问题的整改情况，逐项填写；审计机关也可主动通报。
    """

    RULES = (
        unique(
            "items",
            "findingid",
            "同一审计问题编号只能出现一次",
            "a finding stands twice",
            "finding_repeated",
        ),
        rule(
            "items_exceed",
            "finding_count",
            "应整改问题数不得少于所列问题",
            "fewer findings are counted than are listed",
            lambda it: len(it.items) > it.finding_count,
        ),
        rule(
            "measure_after_report",
            "as_of",
            "措施完成日期不得晚于截止日期",
            "a measure was done after the day that the report speaks of",
            lambda it: any(
                measure.on is not None and measure.on > it.as_of
                for item in it.items
                for measure in item.measures
            ),
        ),
        rule(
            "done_exceeds",
            "done_count",
            "已整改问题数不得大于应整改问题数",
            "more is rectified than there is",
            lambda it: it.done_count > it.finding_count,
        ),
        rule(
            "done_differs",
            "done_count",
            "逐项填写全部问题时，已整改问题数须与各项完成情况一致",
            "the number rectified is not that of the items",
            lambda it: (
                len(it.items) == it.finding_count
                and sum(item.completion.code == DONE for item in it.items) != it.done_count
            ),
        ),
    )

    auditprojectid: Annotated[Identifier, F1("审计项目编号", "audit project")]
    auditee: Annotated[OrgRef, F1("被审计单位", "auditee")]
    as_of: Annotated[Day, F1("截止日期", "as of")]
    finding_count: Annotated[Count, F1("应整改问题数", "findings to rectify")]
    done_count: Annotated[Count, F1("已整改问题数", "findings rectified")]
    items: Annotated[
        tuple[RectifiedItem, ...],
        Field(min_length=1, max_length=1_000),
        F1("逐项整改情况", "items"),
    ]
    report: Annotated[DocRef | None, F1("整改情况报告", "report")] = None
