"""Plans (计划): approved by the committee or the office above, then carried out round by round.

Flows V02 and V03.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Final

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import (
    Code,
    DocRef,
    Handler,
    MeetingRef,
    OrgRef,
    Part,
    Payload,
    Period,
    PersonRef,
    Target,
    coded,
)
from contracts.declare import event
from contracts.rules import Rule, another, needs, rule, together, unique
from contracts.values import Count, Day, Identifier, Line, Paragraph

ONE_ROUND: Final = "round"

Focus = Annotated[tuple[Annotated[Code, coded("inspection_focus")], ...], Field(max_length=20)]
Requirements = Annotated[tuple[Paragraph, ...], Field(max_length=50)]
TARGETS_UNIQUE: Final = unique(
    "targets",
    "targetid",
    "同一被巡视巡察党组织在一轮中只能出现一次",
    "an inspected party stands once in a round",
    "target_repeated",
)


class PlannedRound(Part):
    """One round of a plan: what kind, when, whom, with how many."""

    RULES = (TARGETS_UNIQUE,)

    roundid: Annotated[Identifier, F1("轮次编号", "round")]
    name: Annotated[Line, F1("轮次名称", "name of the round")]
    kind: Annotated[Annotated[Code, coded("inspection_kind")], F1("巡视巡察类型", "kind")]
    period: Annotated[Period, F1("计划起止时间", "planned period")]
    focus: Annotated[Focus, F1("监督重点", "focus")] = ()
    targets: Annotated[
        tuple[Target, ...],
        Field(min_length=1, max_length=500),
        F1("拟巡视巡察党组织", "parties to be inspected"),
    ]
    teams: Annotated[Count | None, F1("组数", "number of teams", "单位：个")] = None
    people: Annotated[Count | None, F1("拟抽调人数", "people needed", "单位：人")] = None


def _outside(it: Any) -> Iterator[str]:
    for place, planned in enumerate(it.rounds):
        if planned.period.from_ < it.period.from_ or planned.period.to > it.period.to:
            yield f"rounds/{place}/period"


@event(
    "plan.submitted",
    "计划报批",
    "Plan submitted",
    key="/planid",
    flows=("V02",),
    phase="plan",
    ways=("same", "up"),
    publishers=("inspection-office",),
    # Who is to be inspected is not known beyond those who decide on it.
    receivers=("party-committee", "leading-group", "inspection-office"),
    concerned=("/rounds/-/targets/-/org",),
    due="plan.decision",
)
class Submitted(Payload):
    """An inspection office submits a programme, an annual plan or the plan of one round for
    approval by its committee or the office above.

    巡视巡察机构将工作规划、年度计划或轮次方案报党委（党组）、领导小组或上级巡视巡察机构审批。
    """

    RULES = (
        unique(
            "rounds",
            "roundid",
            "同一轮次编号只能出现一次",
            "a round stands once in a plan",
            "round_repeated",
        ),
        Rule(
            "round_outside_plan",
            "轮次起止时间须在计划期间之内",
            "a round lies within the period of its plan",
            _outside,
        ),
        rule(
            "round_plan_not_one",
            "rounds",
            "轮次方案须填且只填一个轮次",
            "the plan of a round has exactly one round",
            lambda it: it.kind.code == ONE_ROUND and len(it.rounds) != 1,
        ),
        another(
            "adjusts",
            "planid",
            "此处应填被调整的原计划编号",
            "this names the plan that is adjusted, not the plan itself",
            "plan_refers_to_itself",
        ),
        together(
            "adjusts",
            "adjustment_reason",
            message="调整计划须同时填原计划编号和调整理由",
            message_en="an adjustment names the plan it adjusts and the reason",
            code="adjustment_incomplete",
        ),
    )

    planid: Annotated[Identifier, F1("计划编号", "plan")]
    kind: Annotated[Annotated[Code, coded("plan_kind")], F1("计划种类", "kind of plan")]
    title: Annotated[Line, F1("计划名称", "title")]
    period: Annotated[Period, F1("计划期间", "period of the plan")]
    basis: Annotated[tuple[DocRef, ...], Field(max_length=50), F1("制定依据", "basis")] = ()
    tasks: Annotated[Requirements, F1("主要任务", "main tasks")] = ()
    rounds: Annotated[tuple[PlannedRound, ...], Field(max_length=60), F1("轮次安排", "rounds")] = ()
    units_in_scope: Annotated[
        Count | None, F1("应覆盖党组织数", "parties to be covered", "本届任期内，单位：个")
    ] = None
    deliberated: Annotated[MeetingRef | None, F1("审议会议", "deliberated at")] = None
    adjusts: Annotated[Identifier | None, F1("调整的原计划", "plan it adjusts")] = None
    adjustment_reason: Annotated[Paragraph | None, F1("调整理由", "reason")] = None
    document: Annotated[DocRef, F1("计划文本", "text of the plan")]


class LeftOut(Part):
    """A party that the approval takes out of the plan."""

    roundid: Annotated[Identifier, F1("轮次编号", "round")]
    targetid: Annotated[Identifier, F1("被巡视巡察党组织编号", "number of the inspected party")]
    reason: Annotated[Line, F1("调出理由", "reason")]


@event(
    "plan.approved",
    "计划批准",
    "Plan approved",
    key="/planid",
    flows=("V02",),
    phase="plan",
    answers=("plan.submitted",),
)
class Approved(Payload):
    """The committee, the leading group or the office above approves a plan, with changes it asks
    for.

    党委（党组）、领导小组或上级巡视巡察机构批准计划，可附修改要求和调出的党组织。
    """

    RULES = (
        needs(
            "revise_by",
            lambda it: it.conditions,
            "有修改要求时须填修改完成期限",
            "an approval that asks for changes says by when",
            "revise_by_missing",
        ),
        unique(
            "left_out",
            "targetid",
            "同一党组织只能调出一次",
            "a party is taken out once",
            "target_repeated",
        ),
    )

    planid: Annotated[Identifier, F1("计划编号", "plan")]
    approver: Annotated[OrgRef, F1("批准机关", "approved by")]
    meeting: Annotated[MeetingRef | None, F1("批准会议", "approved at")] = None
    approved_on: Annotated[Day, F1("批准日期", "approved on")]
    conditions: Annotated[Requirements, F1("修改要求", "changes asked for")] = ()
    revise_by: Annotated[Day | None, F1("修改完成期限", "changes due")] = None
    left_out: Annotated[
        tuple[LeftOut, ...], Field(max_length=500), F1("调出的党组织", "parties taken out")
    ] = ()


class Objection(Part):
    """What has to be changed, and where in the plan."""

    place: Annotated[Line, F1("所涉部分", "part of the plan")]
    requirement: Annotated[Paragraph, F1("修改要求", "what to change")]


@event(
    "plan.returned",
    "计划退回",
    "Plan returned",
    key="/planid",
    flows=("V02",),
    phase="plan",
    answers=("plan.submitted",),
)
class Returned(Payload):
    """The plan goes back to be done again, with reasons and the points to change.

    审批机关退回计划重报，写明理由和须修改之处。
    """

    RULES = (
        rule(
            "resubmission_before_return",
            "resubmit_by",
            "重报期限不得早于退回日期",
            "the plan cannot be due again before it was returned",
            lambda it: it.resubmit_by is not None and it.resubmit_by < it.returned_on,
        ),
    )

    planid: Annotated[Identifier, F1("计划编号", "plan")]
    returned_on: Annotated[Day, F1("退回日期", "returned on")]
    reasons: Annotated[
        tuple[Annotated[Code, coded("return_reason")], ...],
        Field(min_length=1, max_length=10),
        F1("退回理由", "reasons"),
    ]
    objections: Annotated[
        tuple[Objection, ...],
        Field(min_length=1, max_length=50),
        F1("修改意见", "points to change"),
    ]
    resubmit_by: Annotated[Day | None, F1("重报期限", "due again")] = None
    approved_by: Annotated[Handler, F1("批准人", "approved by")]


class Team(Part):
    """A team of the round, its authorized head and the parties it inspects."""

    groupid: Annotated[Identifier, F1("组别编号", "team")]
    name: Annotated[Line, F1("组名", "name of the team")]
    head: Annotated[PersonRef | None, F2("组长", "head of the team")] = None
    targetids: Annotated[
        tuple[Identifier, ...],
        Field(min_length=1, max_length=50),
        F1("负责的党组织编号", "parties it inspects"),
    ]


def _unknown_targets(it: Any) -> Iterator[str]:
    known = {target.targetid for target in it.targets}
    for place, team in enumerate(it.teams):
        for inner, targetid in enumerate(team.targetids):
            if targetid not in known:
                yield f"teams/{place}/targetids/{inner}"


def _given_twice(it: Any) -> Iterator[str]:
    seen = set()
    for place, team in enumerate(it.teams):
        for inner, targetid in enumerate(team.targetids):
            if targetid in seen:
                yield f"teams/{place}/targetids/{inner}"
            seen.add(targetid)


@event(
    "plan.round_assigned",
    "轮次部署",
    "Round assigned",
    key="/roundid",
    flows=("V03",),
    phase="plan",
    concerned=("/targets/-/org",),
)
class RoundAssigned(Payload):
    """A round of inspection is set to work: which parties, which teams, when and what for.

    部署一轮巡视巡察：类型、监督重点、被巡视巡察党组织、各组任务分工和时间安排。
    """

    RULES = (
        TARGETS_UNIQUE,
        unique("teams", "groupid", "同一组别只能出现一次", "a team stands once", "team_repeated"),
        Rule(
            "team_target_unknown",
            "各组负责的党组织须在本轮名单之内",
            "a team inspects parties of this round",
            _unknown_targets,
        ),
        Rule(
            "target_given_twice",
            "同一党组织不得分给两个组",
            "a party is given to one team",
            _given_twice,
        ),
        rule(
            "report_before_end",
            "report_due",
            "报告期限不得早于现场工作结束日期",
            "the report is not due before the work on site ends",
            lambda it: it.report_due is not None and it.report_due < it.period.to,
        ),
    )

    roundid: Annotated[Identifier, F1("轮次编号", "round")]
    planid: Annotated[Identifier | None, F1("所属计划", "plan")] = None
    taskid: Annotated[Identifier | None, F1("所属联动任务", "joint task")] = None
    name: Annotated[Line, F1("轮次名称", "name of the round")]
    kind: Annotated[Annotated[Code, coded("inspection_kind")], F1("巡视巡察类型", "kind")]
    focus: Annotated[Focus, Field(min_length=1), F1("监督重点", "focus")]
    period: Annotated[Period, F1("现场工作时间", "work on site")]
    mobilised_on: Annotated[Day | None, F1("动员部署会日期", "deployment meeting")] = None
    targets: Annotated[
        tuple[Target, ...],
        Field(min_length=1, max_length=500),
        F1("被巡视巡察党组织", "inspected parties"),
    ]
    teams: Annotated[tuple[Team, ...], Field(max_length=60), F1("各组分工", "teams")] = ()
    special_checks: Annotated[
        tuple[Annotated[Code, coded("special_check_kind")], ...],
        Field(max_length=10),
        F1("同步开展的专项检查", "special checks alongside"),
    ] = ()
    requirements: Annotated[Requirements, F1("工作要求", "requirements")] = ()
    report_due: Annotated[Day | None, F1("报告报送期限", "report due")] = None
    embargo_until: Annotated[
        Day | None, F1("公告前保密至", "closed until", "公告发布之前名单不对外")
    ] = None
    document: Annotated[DocRef | None, F1("部署文件", "document")] = None
