"""Reports (汇报): what a team or an office lays before its committee or the office above; V15, V16.

A report speaks of persons and units, so neither sees it: who hears it is the committee and the
offices above.
"""

from typing import Annotated, Final

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import (
    Code,
    DocRef,
    OrgRef,
    Part,
    Payload,
    Period,
    PersonRef,
    SiteWork,
    coded,
)
from contracts.declare import event
from contracts.rules import needs, rule, unique
from contracts.values import Count, Day, Identifier, Line, Ordinal, Paragraph, Summary, Year

OF_A_TEAM: Final = "group"
OF_ROUNDS: Final = frozenset({"group", "round"})
OF_A_YEAR: Final = "annual"


class Reported(Part):
    """A party that the report covers."""

    targetid: Annotated[Identifier, F1("被巡视巡察党组织编号", "number of the inspected party")]
    target: Annotated[OrgRef, F1("被巡视巡察党组织", "inspected party")]
    judgement: Annotated[Paragraph | None, F2("总体评价", "overall judgement")] = None


class ReportedIssue(Part):
    """An issue that the report puts forward."""

    issueid: Annotated[Identifier, F1("问题编号", "issue")]
    paper_no: Annotated[Identifier | None, F1("底稿编号", "number of the paper")] = None
    targetid: Annotated[
        Identifier | None, F1("被巡视巡察党组织编号", "number of the inspected party")
    ] = None
    category: Annotated[Annotated[Code, coded("issue_category")], F1("问题类别", "category")]
    focus: Annotated[Annotated[Code, coded("inspection_focus")] | None, F1("监督重点", "focus")] = (
        None
    )
    issue: Annotated[Line, F2("具体问题", "issue")]
    manifestation: Annotated[Summary, F2("具体表现", "how it shows")]


class NamedPerson(Part):
    """A person whom the committee should know of, and why; the matter itself travels as a clue."""

    person: Annotated[PersonRef, F2("重点人员", "person")]
    matter: Annotated[Paragraph, F2("反映事项", "matter")]
    clueid: Annotated[Identifier | None, F2("线索编号", "clue")] = None


class Suggestion(Part):
    """What the report asks the committee to decide."""

    no: Annotated[Ordinal, F1("建议序号", "number of the suggestion")]
    kind: Annotated[
        Annotated[Code, coded("decision_kind")] | None, F1("事项类型", "kind of matter")
    ] = None
    text: Annotated[Paragraph, F2("工作建议", "suggestion")]


@event(
    "report.submitted",
    "巡视巡察工作汇报",
    "Report submitted",
    key="/reportid",
    flows=("lifecycle", "V15", "V16"),
    phase="post",
    ways=("same", "up"),
    accused=("/targets/-/target", "/persons/-/person/org"),
    accused_persons=("/persons/-/person",),
    denied=("inspected-party",),
    due="report.decision",
)
class Submitted(Payload):
    """A team's, a round's or a year's report: what was done and found, who and what the committee
    should know of, and what it should decide. Marked matter stays out and is only counted.

    组报告、每轮综合情况报告、整改情况报告、年度工作报告等：工作情况、发现的问题、重点人和事，以及提请决定的建议；涉密件只填件数和保管人。
    """

    RULES = (
        needs(
            "roundid",
            lambda it: it.kind.code in OF_ROUNDS,
            "组报告和每轮综合情况报告须填轮次",
            "the report of a team or of a round names the round",
            "round_missing",
        ),
        needs(
            "groupid",
            lambda it: it.kind.code == OF_A_TEAM,
            "组报告须填组别编号",
            "the report of a team names the team",
            "team_missing",
        ),
        needs(
            "targets",
            lambda it: it.kind.code == OF_A_TEAM,
            "组报告须填被巡视巡察党组织",
            "the report of a team names whom it inspected",
            "target_missing",
        ),
        needs(
            "year",
            lambda it: it.kind.code == OF_A_YEAR,
            "年度工作报告须填年度",
            "an annual report names its year",
            "year_missing",
        ),
        unique(
            "targets",
            "targetid",
            "同一党组织只能出现一次",
            "an inspected party stands twice",
            "target_repeated",
        ),
        unique(
            "issues", "issueid", "同一问题只能出现一次", "an issue stands twice", "issue_repeated"
        ),
        rule(
            "issues_above_total",
            "issues",
            "列出的问题不得多于问题总数",
            "no more issues are listed than there are in all",
            lambda it: len(it.issues) > it.issues_total,
        ),
        unique(
            "suggestions",
            "no",
            "建议序号不得重复",
            "a suggestion's number stands twice",
            "no_repeated",
        ),
        needs(
            "custodian",
            lambda it: it.omitted_marked > 0,
            "有未随文报送的涉密件时，须填保管人联系方式",
            "whoever leaves marked items out names the custodian to ask for them",
            "custodian_missing",
        ),
    )

    reportid: Annotated[Identifier, F1("报告编号", "report")]
    kind: Annotated[Annotated[Code, coded("report_kind")], F1("报告种类", "kind of report")]
    title: Annotated[Line, F1("报告名称", "title")]
    roundid: Annotated[Identifier | None, F1("巡视巡察轮次", "round")] = None
    groupid: Annotated[Identifier | None, F1("组别编号", "team")] = None
    year: Annotated[Year | None, F1("年度", "year")] = None
    period: Annotated[Period, F1("报告期间", "period")]
    reported_on: Annotated[Day, F1("报告日期", "reported on")]
    to_be_heard_by: Annotated[
        Annotated[Code, coded("meeting_kind")] | None, F1("提请听取的会议", "to be heard by")
    ] = None
    targets: Annotated[
        tuple[Reported, ...], Field(max_length=200), F1("被巡视巡察党组织", "inspected parties")
    ] = ()
    work: Annotated[SiteWork | None, F1("工作量", "work done")] = None
    overview: Annotated[Summary, F2("总体情况", "overview")]
    issues_total: Annotated[Count, F1("发现问题总数", "issues in all")]
    issues: Annotated[
        tuple[ReportedIssue, ...], Field(max_length=200), F2("主要问题", "main issues")
    ] = ()
    clues_total: Annotated[Count, F1("发现线索总数", "clues in all")] = 0
    persons: Annotated[
        tuple[NamedPerson, ...], Field(max_length=100), F2("重点人员", "persons named")
    ] = ()
    suggestions: Annotated[
        tuple[Suggestion, ...], Field(max_length=50), F2("工作建议", "suggestions")
    ] = ()
    documents: Annotated[
        tuple[DocRef, ...], Field(max_length=50), F1("报告和附件", "documents")
    ] = ()
    omitted_marked: Annotated[Count, F1("未随文涉密件数", "marked items left out")] = 0
    custodian: Annotated[Line | None, F2("保管人联系方式", "custodian")] = None
