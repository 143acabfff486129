"""Progress (工作进展): what a team did in a week, and a round in a month; flow V09."""

from typing import Annotated, Literal

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import Code, Part, Payload, Period, SiteWork, coded
from contracts.declare import event
from contracts.rules import needs, rule, unique
from contracts.values import Count, Day, Identifier, Line, Paragraph


class FocusCount(Part):
    """How many of the issues found belong to one focus of supervision."""

    focus: Annotated[Annotated[Code, coded("inspection_focus")], F1("监督重点", "focus")]
    issues: Annotated[Count, F1("问题数", "issues")]


class Found(Part):
    """What was found: issues, in all and by focus, and what came of them so far."""

    RULES = (
        rule(
            "issues_miscounted",
            "issues",
            "分监督重点填写的，各类问题数之和应等于发现问题总数",
            "the issues by focus add up to the issues in all",
            lambda it: it.by_focus and sum(each.issues for each in it.by_focus) != it.issues,
        ),
    )

    issues: Annotated[Count, F1("发现问题总数", "issues found")]
    by_focus: Annotated[
        tuple[FocusCount, ...], Field(max_length=20), F1("按监督重点分", "by focus")
    ] = ()
    papers: Annotated[Count | None, F1("形成底稿数", "working papers")] = None
    immediate: Annotated[Count | None, F1("立行立改数", "rectified immediately")] = None
    clues: Annotated[Count | None, F1("移交线索数", "clues handed over")] = None


class TargetStage(Part):
    """Where one party's inspection stands, in an office's report."""

    targetid: Annotated[Identifier, F1("被巡视巡察党组织编号", "number of the inspected party")]
    stage: Annotated[Annotated[Code, coded("inspection_stage")], F1("阶段", "stage")]
    left_on: Annotated[Day | None, F1("撤离日期", "left on")] = None


@event(
    "progress.reported",
    "工作进展报告",
    "Progress reported",
    key="/roundid",
    flows=("V09",),
    phase="on",
    publishers=("inspection-team", "inspection-office"),
    receivers=(
        "party-committee",
        "leading-group",
        "inspection-office",
        "discipline",
        "organization",
        "audit",
    ),
    ways=("same", "up"),
)
class Reported(Payload):
    """What was done and found in a week or a month, and what comes next: a team's weekly report to
    its office, or an office's report to the office above.

    巡视巡察组周报，或者巡视巡察机构向上级报告的一轮工作进展：工作量、发现问题和下步计划。
    """

    RULES = (
        needs(
            "groupid",
            lambda it: it.cadence == "weekly",
            "周报须填组别编号",
            "a weekly report names its team",
            "team_missing",
        ),
        rule(
            "reported_before_period",
            "reported_on",
            "报告日期不得早于报告期间的起始日期",
            "a period is not reported on before it begins",
            lambda it: it.reported_on < it.period.from_,
        ),
        rule(
            "total_below_period",
            "total/issues",
            "累计发现问题数不得少于本期发现问题数",
            "no fewer issues in all than in this period",
            lambda it: it.total is not None and it.total.issues < it.found.issues,
        ),
        unique(
            "targets",
            "targetid",
            "同一党组织只能出现一次",
            "an inspected party stands twice",
            "target_repeated",
        ),
    )

    roundid: Annotated[Identifier, F1("巡视巡察轮次", "round")]
    groupid: Annotated[Identifier | None, F1("组别编号", "team")] = None
    targetid: Annotated[
        Identifier | None, F1("被巡视巡察党组织编号", "number of the inspected party")
    ] = None
    cadence: Annotated[
        Literal["weekly", "monthly"], F1("报告周期", "cadence", "weekly 周报，monthly 月报")
    ]
    number: Annotated[
        int, Field(ge=1, le=200), F1("周（月）序号", "number", "本轮第几周或者第几月")
    ]
    reported_on: Annotated[Day, F1("报告日期", "reported on")]
    period: Annotated[Period, F1("报告期间", "period")]
    work: Annotated[SiteWork, F1("本期工作量", "work of the period")]
    found: Annotated[Found, F1("本期发现问题", "found in the period")]
    total: Annotated[Found | None, F1("累计发现问题", "found in all")] = None
    targets: Annotated[
        tuple[TargetStage, ...], Field(max_length=500), F1("各党组织进展", "by party")
    ] = ()
    next_plan: Annotated[Paragraph, F1("下期计划", "plan for the next period")]
    difficulties: Annotated[Paragraph | None, F2("困难和建议", "difficulties, proposals")] = None
    remark: Annotated[Line | None, F2("备注", "remark")] = None
