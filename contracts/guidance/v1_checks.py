"""Special checks (专项检查) that the level above orders; flow V06."""

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
    coded,
)
from contracts.declare import event
from contracts.rules import Rule, at_most_of, needs, rule, unique
from contracts.values import Count, Day, Identifier, Paragraph, Summary

FLOWS: Final = ("V06",)


class Point(Part):
    """One thing to check, and how."""

    pointno: Annotated[Identifier, F1("检查事项序号", "point")]
    content: Annotated[Paragraph, F1("检查内容", "what to check")]
    methods: Annotated[
        tuple[Annotated[Code, coded("inspection_method")], ...],
        Field(max_length=11),
        F1("检查方式", "methods"),
    ] = ()


@event(
    "guidance.check_ordered",
    "专项检查部署",
    "Special check ordered",
    key="/checkid",
    flows=FLOWS,
    ways=("same", "down"),
    publishers=("party-committee", "leading-group", "inspection-office"),
    concerned=("/units/-",),
    due="guidance.check",
)
class CheckOrdered(Payload):
    """The level above orders a special check: of what, over which time, by whom and by when.

    上级部署专项检查，明确检查类型、事项、所查期间、承担机构和报告期限。
    """

    RULES = (
        unique(
            "points",
            "pointno",
            "同一检查事项序号只能出现一次",
            "a point stands twice",
            "point_repeated",
        ),
        rule(
            "checked_after_check",
            "covers",
            "所查期间不得晚于检查时间",
            "a check looks at what lies before its own end",
            lambda it: it.covers.to > it.conducted.to,
        ),
        rule(
            "report_before_end",
            "report_due",
            "报告期限不得早于检查结束日期",
            "the report is not due before the check ends",
            lambda it: it.report_due < it.conducted.to,
        ),
    )

    checkid: Annotated[Identifier, F1("专项检查编号", "check")]
    kind: Annotated[Annotated[Code, coded("special_check_kind")], F1("检查类型", "kind")]
    form: Annotated[Literal["self", "on-site", "cross"], F1("检查形式", "form")]
    roundid: Annotated[Identifier | None, F1("所涉轮次", "round concerned")] = None
    carried_out_by: Annotated[
        tuple[OrgRef, ...], Field(min_length=1, max_length=200), F1("承担机构", "carried out by")
    ]
    partners: Annotated[tuple[OrgRef, ...], Field(max_length=20), F1("会同单位", "partners")] = ()
    units: Annotated[
        tuple[OrgRef, ...], Field(max_length=500), F1("被检查单位", "units checked")
    ] = ()
    covers: Annotated[Period, F1("所查期间", "time looked at")]
    conducted: Annotated[Period, F1("检查时间", "time of the check")]
    points: Annotated[
        tuple[Point, ...], Field(min_length=1, max_length=100), F1("检查事项", "points")
    ]
    report_due: Annotated[Day, F1("报告期限", "report due")]
    contact: Annotated[Handler | None, F1("联系人", "contact")] = None
    document: Annotated[DocRef | None, F1("部署文件", "document")] = None


class PointResult(Part):
    """What was found on one point."""

    RULES = (
        needs(
            "issues",
            lambda it: it.result.code in ("found", "partly"),
            "存在问题的事项须填问题数",
            "where something is found, its number is given",
            "issues_missing",
        ),
        rule(
            "issues_contradicted",
            "issues",
            "不存在问题的事项问题数应为 0",
            "where nothing is found there are no issues",
            lambda it: it.result.code == "not_found" and it.issues,
        ),
    )

    pointno: Annotated[Identifier, F1("检查事项序号", "point")]
    result: Annotated[Annotated[Code, coded("verification_result")], F1("检查结果", "result")]
    issues: Annotated[Count | None, F1("问题数", "issues", "单位：个")] = None
    text: Annotated[Paragraph | None, F2("情况说明", "what was found")] = None


class CheckedIssue(Part):
    """One issue that the check brought up, where, and whether it is put right."""

    RULES = (
        needs(
            "rectify_by",
            lambda it: not it.rectified,
            "尚未整改的问题须填整改期限",
            "an issue that is not yet put right has a day by which it will be",
            "rectify_by_missing",
        ),
    )

    issueno: Annotated[Identifier, F1("问题序号", "issue number")]
    category: Annotated[Annotated[Code, coded("issue_category")], F1("问题类别", "category")]
    unit: Annotated[OrgRef, F1("问题单位", "unit concerned")]
    fact: Annotated[Paragraph, F2("问题事实", "fact")]
    rectified: Annotated[bool, F1("已整改", "put right")]
    rectify_by: Annotated[Day | None, F1("整改期限", "to be put right by")] = None


def _late_results(it: Any) -> Iterator[str]:
    for place, issue in enumerate(it.listed):
        if issue.rectify_by is not None and issue.rectify_by < it.conducted.to:
            yield f"listed/{place}/rectify_by"


@event(
    "guidance.check_reported",
    "专项检查报告",
    "Special check reported",
    key="/checkid",
    flows=FLOWS,
    answers=("guidance.check_ordered",),
    concerned=("/listed/-/unit",),
)
class CheckReported(Payload):
    """What an ordered check found, point by point, and which issues are put right already.

    承担机构报告专项检查结果：逐项结论、发现的问题和整改情况。
    """

    RULES = (
        unique(
            "points",
            "pointno",
            "同一检查事项序号只能出现一次",
            "a point stands twice",
            "point_repeated",
        ),
        unique(
            "listed",
            "issueno",
            "同一问题序号只能出现一次",
            "an issue number stands twice",
            "issue_repeated",
        ),
        at_most_of(
            "units_checked",
            "units_in_scope",
            "实际检查单位数不得大于应检查单位数",
            "not more units are checked than are in scope",
            "checked_above_scope",
        ),
        Rule(
            "rectified_before_check",
            "整改期限不得早于检查结束日期",
            "an issue is not to be put right before the check ended",
            _late_results,
        ),
        rule(
            "listed_above_issues",
            "listed",
            "列出的问题不得多于问题总数",
            "not more issues are listed than were found",
            lambda it: len(it.listed) > it.issues,
        ),
        rule(
            "total_wrong",
            "issues",
            "问题总数须等于各事项问题数之和",
            "the total of issues is the sum of the points",
            lambda it: it.issues != sum(point.issues or 0 for point in it.points),
        ),
    )

    checkid: Annotated[Identifier, F1("专项检查编号", "check")]
    reporter: Annotated[OrgRef, F1("报告机构", "reported by")]
    conducted: Annotated[Period, F1("检查时间", "time of the check")]
    units_in_scope: Annotated[Count, F1("应检查单位数", "units in scope", "单位：个")]
    units_checked: Annotated[Count, F1("实际检查单位数", "units checked", "单位：个")]
    points: Annotated[
        tuple[PointResult, ...], Field(min_length=1, max_length=100), F1("逐项结果", "points")
    ]
    issues: Annotated[Count, F1("问题总数", "issues found", "单位：个")]
    listed: Annotated[
        tuple[CheckedIssue, ...], Field(max_length=500), F1("主要问题", "issues listed")
    ] = ()
    overview: Annotated[Summary, F1("总体情况", "overview")]
    report: Annotated[DocRef | None, F1("检查报告", "report")] = None
    approved_by: Annotated[Handler, F1("审定人", "approved by")]
