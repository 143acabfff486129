"""Sectors (行业领域整治): how a department put its field right; flow H12."""

from typing import Annotated, Any

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import Code, DocRef, Money, OrgRef, Part, Payload, Period, coded
from contracts.declare import event
from contracts.rules import needs, rule
from contracts.values import Count, Day, Identifier, Line, Paragraph


class BodyLine(Part):
    """How far one body of the field has come."""

    RULES = (
        rule(
            "rectified_exceeds",
            "rectified",
            "已整改数不得大于发现数",
            "more is rectified than was found",
            lambda it: it.rectified > it.found,
        ),
    )

    org: Annotated[OrgRef, F1("单位", "body")]
    found: Annotated[Count, F1("发现问题数", "problems found")]
    rectified: Annotated[Count, F1("已整改问题数", "problems rectified")]


class CommonProblem(Part):
    """A problem that many bodies of the field have, and its cause."""

    category: Annotated[Annotated[Code, coded("issue_category")], F1("问题类别", "category")]
    text: Annotated[Paragraph, F2("问题表现", "problem")]
    cause: Annotated[Paragraph | None, F2("原因分析", "cause")] = None
    count: Annotated[Count, F1("问题数", "number of problems")]


def _sums_differ(it: Any) -> bool:
    found = sum(line.found for line in it.bodies)
    rectified = sum(line.rectified for line in it.bodies)
    listed_all = len(it.bodies) == it.bodies_checked
    return bool(listed_all and (found, rectified) != (it.problems_found, it.problems_rectified))


@event(
    "sector.rectification_reported",
    "行业领域整治情况报告",
    "Sector rectification reported",
    key="/campaignid",
    flows=("H12",),
    phase="post",
    concerned=("/department", "/bodies/-/org"),
)
class RectificationReported(Payload):
    """How a department put right what is wrong in its whole field: how many bodies it checked, what
    it found and rectified, which rules it made.

    主管部门报告行业领域突出问题整治情况：排查范围、发现和整改数、共性问题、挽回损失和建章立制。
    """

    RULES = (
        rule(
            "checked_exceeds",
            "bodies_checked",
            "已排查单位数不得大于应排查单位数",
            "more bodies are checked than there are",
            lambda it: it.bodies_checked > it.bodies_in_all,
        ),
        rule(
            "rectified_exceeds",
            "problems_rectified",
            "已整改问题数不得大于发现问题数",
            "more is rectified than was found",
            lambda it: it.problems_rectified > it.problems_found,
        ),
        rule(
            "sums_differ",
            "bodies",
            "列出全部已排查单位时，各单位合计须与总数一致",
            "the bodies do not add up to the totals",
            _sums_differ,
        ),
        rule(
            "listed_exceed",
            "bodies",
            "所列单位不得多于已排查单位数",
            "more bodies are listed than were checked",
            lambda it: len(it.bodies) > it.bodies_checked,
        ),
        needs(
            "next_steps",
            lambda it: not it.final,
            "未结束的整治须填下步安排",
            "what goes on says what comes next",
            "next_steps_missing",
        ),
    )

    campaignid: Annotated[Identifier, F1("专项整治编号", "campaign")]
    name: Annotated[Line, F1("专项整治名称", "name")]
    field: Annotated[Line, F1("行业领域", "field")]
    department: Annotated[OrgRef, F1("主管部门", "department in charge")]
    recommendationids: Annotated[
        tuple[Identifier, ...], Field(max_length=50), F1("所办建议书编号", "recommendations")
    ] = ()
    period: Annotated[Period, F1("整治期间", "period")]
    as_of: Annotated[Day, F1("数据截止日期", "as of")]
    final: Annotated[bool, F1("整治结束", "final")]
    bodies_in_all: Annotated[Count, F1("应排查单位数", "bodies in all")]
    bodies_checked: Annotated[Count, F1("已排查单位数", "bodies checked")]
    problems_found: Annotated[Count, F1("发现问题数", "problems found")]
    problems_rectified: Annotated[Count, F1("已整改问题数", "problems rectified")]
    bodies: Annotated[tuple[BodyLine, ...], Field(max_length=500), F1("各单位情况", "bodies")] = ()
    common_problems: Annotated[
        tuple[CommonProblem, ...], Field(max_length=100), F1("共性问题", "common problems")
    ] = ()
    recovered: Annotated[Money | None, F1("挽回损失", "recovered")] = None
    people_sanctioned: Annotated[Count, F2("追责问责人数", "people held to account")] = 0
    clues_handed_over: Annotated[Count, F2("移交问题线索数", "clues handed over")] = 0
    rules_made: Annotated[
        tuple[DocRef, ...], Field(max_length=50), F1("建章立制", "rules made")
    ] = ()
    next_steps: Annotated[Paragraph | None, F1("下步安排", "next steps")] = None
