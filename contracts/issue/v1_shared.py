"""Issues that concern more than one level: shared down for checking, or up for a decision; V10."""

from collections.abc import Iterator
from typing import Annotated, Any, Final

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import Code, DocRef, Due, Money, OrgRef, Part, Payload, coded
from contracts.declare import event
from contracts.rules import Rule, at_least_one, forbids, needs, rule, unique
from contracts.values import Count, Day, Identifier, Line, Paragraph, RegionCode, Summary

UPWARDS: Final = frozenset({"beyond_remit", "upper_cause"})
NOT_FOUND: Final = "not_found"
PENDING: Final = "pending"

PointNumber = Annotated[int, Field(ge=1, le=99)]


class Point(Part):
    """One thing to check."""

    no: Annotated[PointNumber, F1("要点序号", "number of the point")]
    text: Annotated[Paragraph, F2("核查要点", "what to check")]


class Scope(Part):
    """Where to look: a system of units, regions, or both."""

    RULES = (
        at_least_one(
            "system",
            "regions",
            message="核查范围须填系统（行业）或者行政区划",
            message_en="say where to look: a system, or regions",
            code="scope_missing",
        ),
    )

    system: Annotated[Line | None, F1("系统（行业）", "system")] = None
    regions: Annotated[
        tuple[RegionCode, ...], Field(max_length=100), F1("行政区划", "regions")
    ] = ()


@event(
    "issue.shared",
    "问题上下联动共享",
    "Issue shared between levels",
    key="/issueid",
    flows=("V10",),
    publishers=("party-committee", "leading-group", "inspection-office"),
    receivers=("party-committee", "leading-group", "inspection-office"),
    accused=("/found_at",),
    denied=("inspected-party",),
    due="issue.verification",
)
class Shared(Payload):
    """An issue of the same system or region passed down to be checked there, or one beyond the
    sender's remit passed up; with what to check, where and by when.

    同系统、同区域的共性问题向下通报核查，超出本级职权的问题向上报送，写明核查要点、范围和期限。
    """

    RULES = (
        unique("points", "no", "要点序号不得重复", "a point's number stands twice", "no_repeated"),
        needs(
            "points",
            lambda it: it.reason.code not in UPWARDS,
            "向下共享的问题须列明核查要点",
            "an issue passed down says what to check",
            "points_missing",
        ),
        needs(
            "beyond",
            lambda it: it.reason.code in UPWARDS,
            "向上报送的问题须说明为何超出本级职权或者成因何在",
            "an issue passed up says why the sender cannot settle it",
            "beyond_missing",
        ),
    )

    issueid: Annotated[Identifier, F1("问题编号", "issue")]
    roundid: Annotated[Identifier, F1("巡视巡察轮次", "round")]
    reason: Annotated[
        Annotated[Code, coded("issue_sharing_reason")], F1("共享事由", "why it is shared")
    ]
    category: Annotated[Annotated[Code, coded("issue_category")], F1("问题类别", "category")]
    focus: Annotated[Annotated[Code, coded("inspection_focus")] | None, F1("监督重点", "focus")] = (
        None
    )
    title: Annotated[Line, F1("问题名称", "title", "不得出现单位和人员名称")]
    text: Annotated[Summary, F2("问题情况", "what was found")]
    found_at: Annotated[OrgRef | None, F2("发现单位", "where it was found")] = None
    money: Annotated[Money | None, F2("涉及金额", "amount involved")] = None
    scope: Annotated[Scope | None, F1("核查范围", "where to look")] = None
    points: Annotated[tuple[Point, ...], Field(max_length=50), F2("核查要点", "what to check")] = ()
    beyond: Annotated[Paragraph | None, F2("报送上级的理由", "why it is passed up")] = None
    evidence: Annotated[tuple[DocRef, ...], Field(max_length=100), F2("佐证材料", "evidence")] = ()
    due: Annotated[Due | None, F1("核查期限", "due")] = None


class PointResult(Part):
    """What checking one point brought."""

    RULES = (
        rule(
            "cases_contradicted",
            "cases",
            "不存在的问题，发现数应为 0",
            "what does not exist has no cases",
            lambda it: it.result.code == NOT_FOUND and it.cases > 0,
        ),
        needs(
            "text",
            lambda it: it.result.code != NOT_FOUND,
            "存在或者正在核查的，须写明情况",
            "what was found, or is still looked into, is told",
            "text_missing",
        ),
        needs(
            "expected_on",
            lambda it: it.result.code == PENDING,
            "正在核查的，须填预计完成日期",
            "what is still looked into says until when",
            "expected_missing",
        ),
        forbids(
            "expected_on",
            lambda it: it.result.code != PENDING,
            "已有核查结果的，不填预计完成日期",
            "what has a result is not expected any more",
            "expected_contradicted",
        ),
    )

    no: Annotated[PointNumber, F1("要点序号", "number of the point")]
    result: Annotated[Annotated[Code, coded("verification_result")], F1("核查结果", "result")]
    units_checked: Annotated[Count, F1("核查单位数", "units checked")]
    cases: Annotated[Count, F1("发现数", "cases")] = 0
    money: Annotated[Money | None, F2("涉及金额", "amount involved")] = None
    text: Annotated[Paragraph | None, F2("核查情况", "what was found")] = None
    expected_on: Annotated[Day | None, F1("预计完成日期", "expected on")] = None


def _more_than_found(it: Any) -> Iterator[str]:
    found = sum(result.cases for result in it.results)
    yield from (name for name in ("rectified", "clues") if getattr(it, name) > found)


@event(
    "issue.verification_reported",
    "共享问题核查报告",
    "Verification of a shared issue reported",
    key="/issueid",
    flows=("V10",),
    answers=("issue.shared",),
)
class VerificationReported(Payload):
    """What another level found when it checked an issue that was shared with it, point by point,
    or what it decided on an issue passed up.

    对共享问题逐项核查的结果，已整改和移交线索的数量；对报送上级的问题，写明上级处理意见。
    """

    RULES = (
        unique("results", "no", "要点序号不得重复", "a point's number stands twice", "no_repeated"),
        at_least_one(
            "results",
            "opinion",
            message="须填各要点核查结果或者处理意见",
            message_en="give results, or an opinion on what was passed up",
            code="report_empty",
        ),
        Rule(
            "more_than_found",
            "已整改数和移交线索数均不得多于发现数",
            "no more can be rectified, or handed over, than was found",
            _more_than_found,
        ),
    )

    issueid: Annotated[Identifier, F1("问题编号", "issue")]
    region: Annotated[RegionCode, F1("核查地区", "region that checked")]
    verified_on: Annotated[Day, F1("核查日期", "verified on")]
    results: Annotated[
        tuple[PointResult, ...], Field(max_length=50), F1("各要点核查结果", "results")
    ] = ()
    rectified: Annotated[Count, F1("已整改数", "rectified")] = 0
    clues: Annotated[Count, F1("移交线索数", "clues handed over")] = 0
    opinion: Annotated[Paragraph | None, F2("处理意见", "opinion")] = None
    next_steps: Annotated[Paragraph | None, F2("下步措施", "next steps")] = None
