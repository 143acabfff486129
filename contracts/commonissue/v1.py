"""Common issues (共性问题): told to all so that each looks into its own house (举一反三).

Flow V12. A bulletin names no person.
"""

from typing import Annotated, Any, Final

from pydantic import Field

from contracts.classes import F1, F2, IN_SUMMARY
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
from contracts.rules import at_most_of, needs, rule, unique
from contracts.values import Count, Day, Identifier, Line, Paragraph, Summary

FLOWS: Final = ("V12",)
FOUND: Final = frozenset({"found", "partly"})


class Issue(Part):
    """One issue that recurs: how it shows, where it was found, why it comes back."""

    RULES = (
        at_most_of(
            "found_at",
            "inspected",
            "发现该问题的单位数不得大于巡视巡察单位数",
            "it is not found at more units than were inspected",
            "found_above_inspected",
        ),
    )

    issueno: Annotated[Identifier, F1("问题序号", "issue number")]
    category: Annotated[Annotated[Code, coded("issue_category")], F1("问题类别", "category")]
    title: Annotated[Line, F1("问题名称", "title")]
    manifestations: Annotated[
        tuple[Paragraph, ...],
        Field(min_length=1, max_length=20),
        F2("具体表现", "manifestations", "隐去单位和人员名称"),
        IN_SUMMARY,
    ]
    inspected: Annotated[Count | None, F1("巡视巡察单位数", "units inspected", "单位：个")] = None
    found_at: Annotated[Count | None, F1("发现该问题单位数", "found at", "单位：个")] = None
    causes: Annotated[
        tuple[Paragraph, ...], Field(max_length=10), F2("原因分析", "causes"), IN_SUMMARY
    ] = ()
    rules_breached: Annotated[
        tuple[Line, ...], Field(max_length=20), F1("违反的规定", "rules breached")
    ] = ()


@event(
    "commonissue.published",
    "共性问题通报",
    "Common issues published",
    key="/commonissueid",
    flows=FLOWS,
    phase="post",
    ways=("same", "down"),
    due="commonissue.selfcheck",
)
class Published(Payload):
    """Issues that recurred in several inspections, told to all below with what each is to check.

    通报多轮多单位巡视巡察发现的共性问题，要求各单位对照自查、举一反三；不点名到人。
    """

    RULES = (
        unique(
            "issues",
            "issueno",
            "同一问题序号只能出现一次",
            "an issue number stands twice",
            "issue_repeated",
        ),
        rule(
            "found_after_issue",
            "found_in",
            "发现期间不得晚于通报日期",
            "what is told was found before",
            lambda it: it.found_in is not None and it.found_in.to > it.issued_on,
        ),
        rule(
            "selfcheck_before_issue",
            "selfcheck_due",
            "自查期限不得早于通报日期",
            "the self-check is not due before the bulletin",
            lambda it: it.selfcheck_due < it.issued_on,
        ),
    )

    commonissueid: Annotated[Identifier, F1("通报编号", "bulletin")]
    title: Annotated[Line, F1("通报标题", "title")]
    issuer: Annotated[OrgRef, F1("通报机关", "issued by")]
    issued_on: Annotated[Day, F1("通报日期", "issued on")]
    roundids: Annotated[
        tuple[Identifier, ...], Field(max_length=50), F1("来源轮次", "rounds it comes from")
    ] = ()
    found_in: Annotated[Period | None, F1("发现期间", "found in")] = None
    sector: Annotated[Line | None, F1("领域或系统", "sector or system")] = None
    applies_to: Annotated[
        tuple[Annotated[Code, coded("inspected_unit_kind")], ...],
        Field(max_length=20),
        F1("适用单位类型", "kinds of units it is for"),
    ] = ()
    issues: Annotated[
        tuple[Issue, ...], Field(min_length=1, max_length=100), F1("共性问题", "issues")
    ]
    requirements: Annotated[
        tuple[Paragraph, ...],
        Field(min_length=1, max_length=30),
        F1("自查整改要求", "what each is to do"),
    ]
    selfcheck_due: Annotated[Day, F1("自查报告期限", "self-check due")]
    document: Annotated[DocRef | None, F1("通报文件", "document")] = None


def _found_nothing(it: Any) -> bool:
    return it.result.code in FOUND and not it.found_at


class Checked(Part):
    """What the self-check found of one issue."""

    RULES = (
        rule(
            "found_at_missing",
            "found_at",
            "存在问题的须填存在该问题的单位数（至少 1）",
            "what is found is found at one unit or more",
            _found_nothing,
        ),
        rule(
            "found_at_contradicted",
            "found_at",
            "不存在该问题时单位数应为 0",
            "what is not found is found at no unit",
            lambda it: it.result.code == "not_found" and it.found_at,
        ),
        at_most_of(
            "rectified",
            "found_at",
            "已整改单位数不得大于存在问题的单位数",
            "not more units have put it right than have it",
            "rectified_above_found",
        ),
        needs(
            "measures",
            lambda it: it.result.code in FOUND,
            "存在问题的须写明整改措施",
            "what is found has measures",
            "measures_missing",
        ),
    )

    issueno: Annotated[Identifier, F1("问题序号", "issue number")]
    result: Annotated[Annotated[Code, coded("verification_result")], F1("自查结果", "result")]
    found_at: Annotated[Count, F1("存在问题单位数", "found at", "单位：个")] = 0
    rectified: Annotated[Count, F1("已整改单位数", "put right at", "单位：个")] = 0
    text: Annotated[Paragraph | None, F2("具体情况", "what was found")] = None
    measures: Annotated[
        tuple[Paragraph, ...], Field(max_length=20), F1("整改措施", "measures")
    ] = ()
    rectify_by: Annotated[Day | None, F1("整改期限", "to be put right by")] = None


@event(
    "commonissue.selfcheck_reported",
    "举一反三自查情况",
    "Self-check reported",
    key="/commonissueid",
    flows=FLOWS,
    phase="post",
    answers=("commonissue.published",),
)
class SelfcheckReported(Payload):
    """What a place found when it looked for the common issues in its own units, and what it does.

    各地各单位对照通报逐项自查，报告存在问题的单位数、整改措施和期限。
    """

    RULES = (
        at_most_of(
            "units_checked",
            "units_in_scope",
            "实际自查单位数不得大于应自查单位数",
            "not more units are checked than are in scope",
            "checked_above_scope",
        ),
        unique(
            "results",
            "issueno",
            "同一问题序号只能出现一次",
            "an issue number stands twice",
            "issue_repeated",
        ),
        rule(
            "found_above_checked",
            "results",
            "存在问题的单位数不得大于实际自查单位数",
            "an issue is not found at more units than were checked",
            lambda it: any(result.found_at > it.units_checked for result in it.results),
        ),
    )

    commonissueid: Annotated[Identifier, F1("通报编号", "bulletin")]
    reporter: Annotated[OrgRef, F1("报告单位", "reported by")]
    checked_in: Annotated[Period, F1("自查时间", "time of the self-check")]
    units_in_scope: Annotated[Count, F1("应自查单位数", "units in scope", "单位：个")]
    units_checked: Annotated[Count, F1("实际自查单位数", "units checked", "单位：个")]
    results: Annotated[
        tuple[Checked, ...], Field(min_length=1, max_length=100), F1("逐项自查结果", "results")
    ]
    rules_made: Annotated[
        tuple[DocRef, ...], Field(max_length=50), F1("建章立制", "rules made")
    ] = ()
    overview: Annotated[Summary | None, F1("总体情况", "overview")] = None
    approved_by: Annotated[Handler, F1("审定人", "approved by")]
