"""Briefings (情况通报): what an agency tells the inspection office of a party to be inspected.

Flows H01, H07 and H09. A briefing answers a request letter in the field; as long as the request is
no contract of its own, `briefing.provided` is an opening.
"""

from collections.abc import Iterator
from typing import Annotated, Final, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from contracts.common import (
    F1,
    F2,
    Amount,
    Code,
    Count,
    Day,
    DocRef,
    Identifier,
    Line,
    Money,
    OrgRef,
    Part,
    Payload,
    PersonRef,
    Summary,
    coded,
    refuse,
    rule_broken,
)
from contracts.contract import Contract, Measure, Party, PartyRole, Relation


class Period(Part):
    """The days that the briefing covers, both included."""

    from_: Annotated[Day, Field(alias="from"), F1]
    to: Annotated[Day, F1]

    @model_validator(mode="after")
    def _runs_forward(self) -> Self:
        if self.to < self.from_:
            raise rule_broken(
                "period_reversed",
                "to",
                "通报期间的截止日期不得早于起始日期",
                "the period ends before it begins",
            )
        return self


class Indicator(Part):
    """One figure, as a decimal string."""

    code: Annotated[Identifier, F1]
    name: Annotated[Line | None, F1] = None
    value: Annotated[Amount, F1]
    unit: Annotated[Line | None, F1] = None


class Item(Part):
    """One matter of the briefing, in the agency's own words."""

    title: Annotated[Line, F1]
    text: Annotated[Summary, F2]
    date: Annotated[Day | None, F1] = None
    class_: Annotated[Line | None, Field(alias="class"), F1] = None
    money: Annotated[Money | None, F1] = None
    docref: Annotated[DocRef | None, F1] = None


class Provided(Payload):
    """What one agency knows of one inspected party, or that it knows nothing (零报告).

    What is marked 秘密 or above stays out: `omitted_marked` counts it and `custodian` says whom to
    ask for it.
    """

    roundid: Annotated[Identifier, F1]
    targetid: Annotated[Identifier, F1]
    target: Annotated[OrgRef | None, F1] = None
    section: Annotated[Annotated[Code, coded("briefing_section")], F1]
    period: Annotated[Period, F1]
    nothing_to_report: Annotated[bool, F1] = False
    indicators: Annotated[tuple[Indicator, ...], Field(max_length=500), F1] = ()
    items: Annotated[tuple[Item, ...], Field(max_length=500), F2] = ()
    leaders: Annotated[tuple[PersonRef, ...], Field(max_length=100), F2] = ()
    omitted_marked: Annotated[Count, F1] = 0
    custodian: Annotated[Line | None, F2] = None

    @model_validator(mode="after")
    def _keeps_the_rules(self) -> Self:
        refuse(self._broken())
        return self

    def _broken(self) -> Iterator[PydanticCustomError]:
        empty = not self.items and not self.indicators and self.omitted_marked == 0
        if self.nothing_to_report and not empty:
            yield rule_broken(
                "nothing_to_report_contradicted",
                "nothing_to_report",
                "零报告不得填写事项、指标或涉密件数；有内容时请去掉零报告标志",
                "a briefing with content does not say that there is nothing to report",
            )
        if empty and not self.nothing_to_report:
            yield rule_broken(
                "nothing_to_report_missing",
                "nothing_to_report",
                "无事项和指标可报时，请填 nothing_to_report: true（零报告）",
                "a briefing without items and indicators says nothing_to_report",
            )
        if self.omitted_marked > 0 and self.custodian is None:
            yield rule_broken(
                "custodian_missing",
                "custodian",
                "有未随文报送的涉密件时，须填保管人联系方式",
                "whoever leaves marked items out names the custodian to ask for them",
            )


AGENCIES: Final = (
    "discipline",
    "organization",
    "audit",
    "petition",
    "publicity",
    "political-legal",
    "finance",
    "statistics",
    "functional-dept",
)
SAME_LEVEL: Final[dict[Relation, Measure]] = {"same": "full"}

# The case is the inspected party: its briefings of all agencies form one history, and another
# party's do not wait for it. By round they would; by section nothing would hold them together.
CONTRACTS = (
    Contract(
        type="briefing.provided",
        version="1.0",
        model=Provided,
        title="情况通报",
        title_en="Briefing provided",
        key="/targetid",
        publishers=frozenset({"inspection-office", "congress", "cppcc", *AGENCIES}),
        receivers={
            "inspection-office": SAME_LEVEL,
            "inspection-team": SAME_LEVEL,
            **dict.fromkeys(AGENCIES, SAME_LEVEL),
        },
        parties=(Party("/target", PartyRole.ACCUSED), Party("/leaders/-/org", PartyRole.ACCUSED)),
        denied=frozenset({"inspected-party"}),
        flows=("H01", "H07", "H09"),
    ),
)
