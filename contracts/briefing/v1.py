"""Briefings (情况通报): what an agency tells the inspection office of a party to be inspected.

Flows H01, H07 and H09. The case is the inspected party: its briefings of all agencies form one
history, and another party's do not wait for it. By round they would; by section nothing would hold
them together.
"""

from typing import Annotated, Any

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import (
    Code,
    DocRef,
    Money,
    OrgRef,
    Part,
    Payload,
    Period,
    PersonRef,
    coded,
)
from contracts.declare import event
from contracts.rules import needs, rule
from contracts.values import Amount, Count, Day, Identifier, Line, Summary


class Indicator(Part):
    """One figure, as a decimal string."""

    code: Annotated[Identifier, F1("指标代码", "code")]
    name: Annotated[Line | None, F1("指标名称", "name")] = None
    value: Annotated[Amount, F1("指标值", "value")]
    unit: Annotated[Line | None, F1("计量单位", "unit")] = None


class Item(Part):
    """One matter of the briefing, in the agency's own words."""

    title: Annotated[Line, F1("事项名称", "title")]
    text: Annotated[Summary, F2("事项内容", "text")]
    date: Annotated[Day | None, F1("日期", "date")] = None
    class_: Annotated[Line | None, Field(alias="class"), F1("类别", "class")] = None
    money: Annotated[Money | None, F1("金额", "amount")] = None
    docref: Annotated[DocRef | None, F1("文件", "document")] = None


def _empty(it: Any) -> bool:
    return not it.items and not it.indicators and it.omitted_marked == 0


@event(
    "briefing.provided",
    "情况通报",
    "Briefing provided",
    key="/targetid",
    flows=("H01", "H07", "H09"),
    phase="pre",
    answers=("briefing.requested",),
    unasked=True,
    accused=("/target", "/leaders/-/org"),
    denied=("inspected-party",),
)
class Provided(Payload):
    """What one agency knows of one inspected party, or that it knows nothing to report. Marked
    matter stays out: `omitted_marked` counts it, `custodian` says whom to ask for it.

    有关机关就被巡视巡察党组织通报的情况，无情况的作零报告；涉密件不随文，只填件数和保管人。
    """

    RULES = (
        rule(
            "nothing_to_report_contradicted",
            "nothing_to_report",
            "零报告不得填写事项、指标或涉密件数；有内容时请去掉零报告标志",
            "a briefing with content does not say that there is nothing to report",
            lambda it: it.nothing_to_report and not _empty(it),
        ),
        rule(
            "nothing_to_report_missing",
            "nothing_to_report",
            "无事项和指标可报时，请填 nothing_to_report: true（零报告）",
            "a briefing without items and indicators says nothing_to_report",
            lambda it: _empty(it) and not it.nothing_to_report,
        ),
        needs(
            "custodian",
            lambda it: it.omitted_marked > 0,
            "有未随文报送的涉密件时，须填保管人联系方式",
            "whoever leaves marked items out names the custodian to ask for them",
            "custodian_missing",
        ),
    )

    roundid: Annotated[Identifier, F1("巡视巡察轮次", "round")]
    targetid: Annotated[Identifier, F1("被巡视巡察党组织编号", "number of the inspected party")]
    target: Annotated[OrgRef | None, F1("被巡视巡察党组织", "inspected party")] = None
    section: Annotated[Annotated[Code, coded("briefing_section")], F1("通报机关类别", "section")]
    period: Annotated[Period, F1("通报期间", "period")]
    nothing_to_report: Annotated[bool, F1("零报告", "nothing to report")] = False
    indicators: Annotated[
        tuple[Indicator, ...], Field(max_length=500), F1("指标", "indicators")
    ] = ()
    items: Annotated[tuple[Item, ...], Field(max_length=500), F2("事项", "matters")] = ()
    leaders: Annotated[
        tuple[PersonRef, ...], Field(max_length=100), F2("领导班子成员", "leaders")
    ] = ()
    omitted_marked: Annotated[Count, F1("未随文涉密件数", "marked items left out")] = 0
    custodian: Annotated[Line | None, F2("保管人联系方式", "custodian")] = None
