"""Coverage (全覆盖): how far an office has come within its committee's term, and what lags behind.

Flow V03. The case is the office's ledger of one term: report follows report.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Final

from pydantic import Field

from contracts.classes import F1
from contracts.common import Code, OrgRef, Part, Payload, Period, coded
from contracts.declare import event
from contracts.rules import Rule, adds_up, at_most_of, forbids, needs, rule, unique
from contracts.values import Count, Day, Identifier, Line, Paragraph, Year

NORMAL: Final = "green"


class KindCovered(Part):
    """The figures of one kind of unit; what is planned or untouched is the rest."""

    RULES = (
        rule(
            "covered_above_total",
            "covered",
            "已覆盖数与正在巡视巡察数之和不得大于应覆盖数",
            "covered and under way are not more than all",
            lambda it: it.covered + it.under_way > it.total,
        ),
    )

    kind: Annotated[Annotated[Code, coded("inspected_unit_kind")], F1("单位类型", "kind of unit")]
    total: Annotated[Count, F1("应覆盖数", "to be covered", "单位：个党组织")]
    covered: Annotated[Count, F1("已覆盖数", "covered", "单位：个党组织")]
    under_way: Annotated[Count, F1("正在巡视巡察数", "under way", "单位：个党组织")] = 0


class NotCovered(Part):
    """A unit that the term has not reached yet, with the year in which it will."""

    org: Annotated[OrgRef, F1("未覆盖党组织", "party not covered")]
    planned_year: Annotated[Year | None, F1("计划年度", "planned year")] = None
    reason: Annotated[Line | None, F1("未覆盖原因", "reason")] = None


def _beyond_term(it: Any) -> Iterator[str]:
    for place, unit in enumerate(it.not_covered):
        year = unit.planned_year
        if year is not None and not it.term.from_.year <= int(year) <= it.term.to.year:
            yield f"not_covered/{place}/planned_year"


@event(
    "coverage.reported",
    "全覆盖进度报告",
    "Coverage reported",
    key="/coverageid",
    flows=("V03", "P07"),
    phase="plan",
    ways=("same", "up"),
    publishers=("inspection-office",),
    concerned=("/not_covered/-/org",),
    due="coverage.reply",
)
class Reported(Payload):
    """An office reports how many Party organisations of each kind it has covered in the term.
    Shares are computed from the figures, never asked for.

    下级巡视巡察机构按单位类型报告本届任期内全覆盖进度；覆盖率由数据计算，不另填报。
    """

    RULES = (
        unique("kinds", "kind", "同一单位类型只能出现一次", "a kind stands once", "kind_repeated"),
        adds_up(
            "total",
            "kinds",
            "total",
            "应覆盖总数须等于各类型之和",
            "the total to be covered is the sum of the kinds",
        ),
        adds_up(
            "covered",
            "kinds",
            "covered",
            "已覆盖总数须等于各类型之和",
            "the total covered is the sum of the kinds",
            "covered_wrong",
        ),
        rule(
            "as_of_outside_term",
            "as_of",
            "统计截止日期须在任期之内",
            "the figures are of a day within the term",
            lambda it: not it.term.from_ <= it.as_of <= it.term.to,
        ),
        Rule(
            "planned_beyond_term",
            "计划年度须在本届任期之内",
            "a unit is covered within the term",
            _beyond_term,
        ),
        at_most_of(
            "revisited",
            "covered",
            "“回头看”党组织数不得大于已覆盖数",
            "only a party that was covered is revisited",
            "revisited_above_covered",
        ),
    )

    coverageid: Annotated[Identifier, F1("全覆盖台账编号", "coverage ledger")]
    office: Annotated[OrgRef, F1("报告机构", "reporting office")]
    term: Annotated[Period, F1("党委任期", "term of the committee")]
    as_of: Annotated[Day, F1("统计截止日期", "as of")]
    rounds_done: Annotated[Count, F1("已完成轮次数", "rounds done", "单位：轮")]
    total: Annotated[Count, F1("应覆盖总数", "to be covered", "单位：个党组织")]
    covered: Annotated[Count, F1("已覆盖总数", "covered", "单位：个党组织")]
    revisited: Annotated[Count | None, F1("回头看党组织数", "revisited", "单位：个党组织")] = None
    kinds: Annotated[
        tuple[KindCovered, ...],
        Field(min_length=1, max_length=50),
        F1("分类型进度", "progress by kind"),
    ]
    not_covered: Annotated[
        tuple[NotCovered, ...], Field(max_length=2_000), F1("未覆盖名单", "not covered")
    ] = ()
    difficulties: Annotated[Paragraph | None, F1("存在困难", "difficulties")] = None


class Shortfall(Part):
    """A kind of unit that lies behind: what should have been covered by now, and what is."""

    RULES = (
        rule(
            "shortfall_not_short",
            "actual",
            "实际数不小于应达数时不属于滞后",
            "what has reached the expected number is not behind",
            lambda it: it.actual >= it.expected,
        ),
    )

    kind: Annotated[Annotated[Code, coded("inspected_unit_kind")], F1("单位类型", "kind of unit")]
    expected: Annotated[Count, F1("应达数", "expected", "单位：个党组织")]
    actual: Annotated[Count, F1("实际数", "actual", "单位：个党组织")]


@event(
    "coverage.alert_raised",
    "全覆盖进度预警",
    "Coverage alert raised",
    key="/coverageid",
    flows=("V03",),
    phase="plan",
    ways=("same", "down"),
    answers=("coverage.reported",),
    unasked=True,
)
class AlertRaised(Payload):
    """The office above judges a report, or its absence: green when all is well, else what lags and
    by when it is put right.

    上级巡视巡察机构对进度报告（或未报告）作出评判：正常为绿色，滞后、遗漏等为黄色或红色并提出整改要求。
    """

    RULES = (
        forbids(
            "kinds",
            lambda it: it.level.code == NORMAL,
            "绿色（正常）不得填写预警类型",
            "where all is well there is no kind of alert",
            "alert_contradicted",
        ),
        needs(
            "kinds",
            lambda it: it.level.code != NORMAL,
            "黄色、红色预警须填预警类型",
            "an alert says of what kind it is",
            "alert_kind_missing",
        ),
        needs(
            "requirement",
            lambda it: it.level.code != NORMAL,
            "黄色、红色预警须写明整改要求",
            "an alert says what is to be done",
            "alert_requirement_missing",
        ),
        rule(
            "correction_before_alert",
            "correct_by",
            "整改期限不得早于统计截止日期",
            "the correction is not due before the day that was judged",
            lambda it: it.correct_by is not None and it.correct_by < it.as_of,
        ),
    )

    coverageid: Annotated[Identifier, F1("全覆盖台账编号", "coverage ledger")]
    office: Annotated[OrgRef, F1("被预警机构", "office concerned")]
    as_of: Annotated[Day, F1("统计截止日期", "as of")]
    level: Annotated[Annotated[Code, coded("alert_level")], F1("预警等级", "level of the alert")]
    kinds: Annotated[
        tuple[Annotated[Code, coded("coverage_alert_kind")], ...],
        Field(max_length=10),
        F1("预警类型", "kinds of alert"),
    ] = ()
    shortfalls: Annotated[
        tuple[Shortfall, ...], Field(max_length=50), F1("滞后情况", "shortfalls")
    ] = ()
    requirement: Annotated[Paragraph | None, F1("整改要求", "what is to be done")] = None
    correct_by: Annotated[Day | None, F1("整改期限", "to be done by")] = None
