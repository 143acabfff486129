"""Assessment (考核): inspection work as part of the yearly assessment of leading bodies; V17."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import Code, OrgRef, Part, Payload, PersonRef, coded
from contracts.declare import event
from contracts.rules import Rule, needs, rule, unique
from contracts.values import Amount, Count, Day, Identifier, Line, Ordinal, Paragraph, Year


class Measured(Part):
    """One indicator of the scheme, and how much of the whole it is."""

    code: Annotated[Identifier, F1("指标代码", "code")]
    name: Annotated[Line, F1("指标名称", "indicator")]
    weight: Annotated[Amount, F1("权重", "weight", "百分比，各项合计 100")]


class Score(Part):
    """A unit's score on one indicator."""

    code: Annotated[Identifier, F1("指标代码", "code")]
    score: Annotated[Amount, F1("得分", "score", "百分制，按权重折算前")]
    reason: Annotated[Paragraph | None, F2("扣分原因", "why points were taken off")] = None


class UnitResult(Part):
    """How one unit was assessed."""

    unit: Annotated[OrgRef, F1("被考核单位", "unit")]
    total: Annotated[Amount, F1("总分", "total", "百分制")]
    grade: Annotated[Annotated[Code, coded("evaluation_grade")] | None, F1("评估等次", "grade")] = (
        None
    )
    place: Annotated[Count | None, F1("名次", "place")] = None
    scores: Annotated[tuple[Score, ...], Field(max_length=100), F1("分项得分", "by indicator")] = ()


def _outside(score: str) -> bool:
    return not 0 <= Decimal(score) <= 100


def _scores_outside(it: Any) -> Iterator[str]:
    for place, result in enumerate(it.results):
        if _outside(result.total):
            yield f"results/{place}/total"
        for at, score in enumerate(result.scores):
            if _outside(score.score):
                yield f"results/{place}/scores/{at}/score"


def _indicators_unknown(it: Any) -> Iterator[str]:
    known = {each.code for each in it.indicators}
    for place, result in enumerate(it.results):
        for at, score in enumerate(result.scores):
            if score.code not in known:
                yield f"results/{place}/scores/{at}/code"


@event(
    "assessment.result_reported",
    "巡视巡察工作考核结果",
    "Assessment result reported",
    key="/assessmentid",
    flows=("V17",),
    phase="post",
    publishers=("party-committee", "leading-group", "inspection-office"),
    receivers=(
        "party-committee",
        "leading-group",
        "inspection-office",
        "organization",
        "discipline",
    ),
    concerned=("/results/-/unit",),
    due="assessment.application",
)
class ResultReported(Payload):
    """How units did in a year at inspection work or rectification, by an announced scheme, for the
    organization department's assessment of their leading bodies.

    巡视巡察工作或者整改情况的年度考核结果，按公布的指标和权重评分，供组织部门纳入领导班子年度考核。
    """

    RULES = (
        unique(
            "indicators",
            "code",
            "同一指标只能出现一次",
            "an indicator stands twice",
            "indicator_repeated",
        ),
        rule(
            "weights_not_hundred",
            "indicators",
            "各指标权重合计应为 100",
            "the weights add up to 100",
            lambda it: sum(Decimal(each.weight) for each in it.indicators) != 100,
        ),
        Rule(
            "score_outside", "得分应在 0 至 100 之间", "a score is from 0 to 100", _scores_outside
        ),
        Rule(
            "indicator_unknown",
            "分项得分的指标须在考核指标中",
            "a score belongs to an indicator of the scheme",
            _indicators_unknown,
        ),
    )

    assessmentid: Annotated[Identifier, F1("考核编号", "assessment")]
    year: Annotated[Year, F1("考核年度", "year")]
    title: Annotated[Line, F1("考核名称", "title")]
    scheme: Annotated[Line | None, F1("考核办法", "scheme")] = None
    indicators: Annotated[
        tuple[Measured, ...], Field(min_length=1, max_length=100), F1("考核指标", "indicators")
    ]
    results: Annotated[
        tuple[UnitResult, ...], Field(min_length=1, max_length=1_000), F1("考核结果", "results")
    ]
    assessed_on: Annotated[Day, F1("考核日期", "assessed on")]


class Application(Part):
    """What one unit's result led to."""

    RULES = (
        needs(
            "persons",
            lambda it: it.cadre_grade is not None,
            "填写干部考核等次的须填人员",
            "a cadre's grade belongs to somebody",
            "person_missing",
        ),
    )

    no: Annotated[Ordinal, F1("运用序号", "number")]
    unit: Annotated[OrgRef, F1("被考核单位", "unit")]
    use: Annotated[Annotated[Code, coded("result_use")], F1("运用方式", "use")]
    text: Annotated[Paragraph, F2("运用情况", "what was done")]
    points: Annotated[Amount | None, F1("计入年度考核分值", "points counted")] = None
    persons: Annotated[tuple[PersonRef, ...], Field(max_length=50), F2("涉及人员", "persons")] = ()
    cadre_grade: Annotated[
        Annotated[Code, coded("assessment_grade")] | None, F2("干部考核等次", "cadre's grade")
    ] = None


@event(
    "assessment.applied",
    "考核结果运用",
    "Assessment applied",
    key="/assessmentid",
    flows=("V17",),
    phase="post",
    answers=("assessment.result_reported",),
)
class Applied(Payload):
    """What the organization department made of an assessment: points in the yearly assessment,
    grades, appointments.

    组织部门运用考核结果的情况：计入领导班子年度考核的分值、等次，以及任免、奖惩等。
    """

    RULES = (
        unique("applications", "no", "运用序号不得重复", "a number stands twice", "no_repeated"),
    )

    assessmentid: Annotated[Identifier, F1("考核编号", "assessment")]
    year: Annotated[Year, F1("考核年度", "year")]
    applied_on: Annotated[Day, F1("运用日期", "applied on")]
    applications: Annotated[
        tuple[Application, ...],
        Field(min_length=1, max_length=1_000),
        F1("运用情况", "applications"),
    ]
