"""Inspection (巡视巡察过程): from the authorization of a round's teams to the closing of the file.

A team is authorized for one round only (一次一授权), so that event's case is the round; the others
tell the history of one inspected party, as its briefings do.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Annotated, Any, Final

from pydantic import Field

from contracts.classes import F0, F1, F2
from contracts.codelists import code_list
from contracts.common import (
    Code,
    Extension,
    Handler,
    OrgRef,
    Part,
    Payload,
    Period,
    PersonRef,
    SiteWork,
    coded,
)
from contracts.declare import event
from contracts.rules import Rule, in_order, needs, rule, unique
from contracts.values import Count, Day, Identifier, Line, Paragraph

LIFECYCLE: Final = ("lifecycle",)
OFFICE_AND_TEAM: Final = ("inspection-office", "inspection-team")
# Who hears of the steps: when a report is drafted is not for the inspected party.
INFORMED: Final = ("party-committee", "leading-group", "inspection-office", "discipline")
STAGES: Final = "inspection_stage"
HEAD: Final = "head"

InspectionKind = Annotated[Code, coded("inspection_kind")]
Stage = Annotated[Code, coded(STAGES)]


class TeamMember(Part):
    """Who serves in a team, and where they come from."""

    person: Annotated[PersonRef, F2("人员", "person")]
    role: Annotated[Annotated[Code, coded("team_role")], F1("组内职务", "role in the team")]
    seconded_from: Annotated[OrgRef | None, F2("抽调单位", "seconded from")] = None


class Assigned(Part):
    """A party that a team is authorized to inspect, and how."""

    targetid: Annotated[Identifier, F1("被巡视巡察党组织编号", "number of the inspected party")]
    target: Annotated[OrgRef, F1("被巡视巡察党组织", "inspected party")]
    kind: Annotated[InspectionKind, F1("巡视巡察类型", "kind of inspection")]


class Team(Part):
    """A team of the round: who leads it, and whom it inspects."""

    groupid: Annotated[Identifier, F1("组别编号", "team")]
    name: Annotated[Line, F1("组名", "name of the team")]
    head: Annotated[PersonRef, F2("组长", "head")]
    deputies: Annotated[
        tuple[PersonRef, ...], Field(max_length=20), F2("副组长", "deputy heads")
    ] = ()
    members: Annotated[Count | None, F1("组员人数", "number of members")] = None
    targets: Annotated[
        tuple[Assigned, ...],
        Field(min_length=1, max_length=100),
        F1("巡视巡察对象", "parties to inspect"),
    ]


def _assigned_twice(it: Any) -> Iterator[str]:
    seen = set()
    for team, place, target in chain.from_iterable(
        ((team, place, target) for place, target in enumerate(members.targets))
        for team, members in enumerate(it.teams)
    ):
        if target.targetid in seen:
            yield f"teams/{team}/targets/{place}/targetid"
        seen.add(target.targetid)


@event(
    "inspection.authorized",
    "巡视巡察组授权",
    "Inspection teams authorized",
    key="/roundid",
    flows=LIFECYCLE,
    phase="plan",
    publishers=("party-committee", "leading-group"),
    receivers=("inspection-office", "party-committee", "leading-group"),
    ways=("same", "up"),
    concerned=("/teams/-/targets/-/target",),
)
class Authorized(Payload):
    """The committee or its leading group authorizes the heads of a round's teams, each for the
    parties named and for this round alone.

    党委（党组）或者巡视巡察工作领导小组对本轮各组组长的授权，一次一授权，写明各组所巡党组织。
    """

    RULES = (
        unique("teams", "groupid", "同一组别只能出现一次", "a team stands twice", "team_repeated"),
        Rule(
            "target_repeated",
            "同一党组织在本轮只能由一个组巡视巡察",
            "a party is inspected by one team of the round",
            _assigned_twice,
        ),
        rule(
            "authorized_late",
            "authorized_on",
            "授权日期不得晚于本轮起始日期",
            "a team is authorized before the round begins",
            lambda it: it.authorized_on > it.period.from_,
        ),
    )

    roundid: Annotated[Identifier, F1("巡视巡察轮次", "round")]
    round_name: Annotated[Line, F1("轮次名称", "name of the round")]
    authorized_by: Annotated[OrgRef, F1("授权机关", "authorizing body")]
    authorized_on: Annotated[Day, F1("授权日期", "authorized on")]
    period: Annotated[Period, F1("本轮起止日期", "period of the round")]
    tasks: Annotated[Paragraph | None, F1("授权任务", "tasks authorized")] = None
    special_checks: Annotated[
        tuple[Annotated[Code, coded("special_check_kind")], ...],
        Field(max_length=10),
        F1("同步专项检查", "special checks beside it"),
    ] = ()
    teams: Annotated[
        tuple[Team, ...], Field(min_length=1, max_length=100), F1("各组授权情况", "teams")
    ]


class Reception(Part):
    """How the public reaches the team while it is on site."""

    telephone: Annotated[Line | None, F0("值班电话", "telephone on duty")] = None
    mailbox: Annotated[Line | None, F0("邮政信箱", "postal box")] = None
    email: Annotated[Line | None, F0("电子信箱", "e-mail")] = None
    boxes: Annotated[
        tuple[Line, ...], Field(max_length=50), F0("意见箱位置", "where letter boxes hang")
    ] = ()
    hours: Annotated[Line | None, F0("受理时间", "hours")] = None
    until: Annotated[Day, F0("受理截止日期", "letters taken until")]


@event(
    "inspection.announced",
    "巡视巡察公告",
    "Inspection announced",
    key="/targetid",
    flows=(*LIFECYCLE, "H21"),
    phase="pre",
    publishers=("inspection-office",),
    concerned=("/target",),
)
class Announced(Payload):
    """The public notice of an inspection: who is inspected when, by which team, and how people
    reach it. All of it may be read by anybody.

    巡视巡察公告：巡视巡察对象、时间、任务和信访受理方式，内容均可公开。
    """

    RULES = (
        rule(
            "reception_outside_period",
            "reception/until",
            "信访受理截止日期应在巡视巡察期间之内",
            "letters are taken until a day of the inspection's period",
            lambda it: not it.period.from_ <= it.reception.until <= it.period.to,
        ),
        rule(
            "announced_after_end",
            "announced_on",
            "公告日期不得晚于巡视巡察截止日期",
            "an inspection is announced before it ends",
            lambda it: it.announced_on > it.period.to,
        ),
    )

    roundid: Annotated[Identifier, F0("巡视巡察轮次", "round")]
    targetid: Annotated[Identifier, F0("被巡视巡察党组织编号", "number of the inspected party")]
    target: Annotated[OrgRef, F1("被巡视巡察党组织", "inspected party")]
    kind: Annotated[InspectionKind, F0("巡视巡察类型", "kind of inspection")]
    team: Annotated[Line, F0("巡视巡察组名称", "name of the team")]
    announced_on: Annotated[Day, F0("公告日期", "announced on")]
    period: Annotated[Period, F1("现场巡视巡察起止日期", "period on site")]
    supervised: Annotated[Paragraph, F0("监督对象", "who is supervised")]
    accepted: Annotated[Paragraph, F0("受理范围", "what letters are taken")]
    passed_on: Annotated[
        Paragraph | None, F0("不属受理范围的处理", "what becomes of other letters")
    ] = None
    reception: Annotated[Reception, F0("信访受理方式", "how to reach the team")]
    channels: Annotated[
        tuple[Annotated[Code, coded("disclosure_channel")], ...],
        Field(min_length=1, max_length=10),
        F0("公告渠道", "where it is announced"),
    ]


class Meeting(Part):
    """The meeting that opens the work on site (进驻动员会)."""

    held_on: Annotated[Day, F1("会议日期", "held on")]
    attended: Annotated[Count, F1("参会人数", "people attending")]


@event(
    "inspection.entered",
    "巡视巡察组进驻",
    "Inspection team entered",
    key="/targetid",
    flows=LIFECYCLE,
    phase="on",
    publishers=OFFICE_AND_TEAM,
    concerned=("/target",),
)
class Entered(Payload):
    """A team has moved into the unit that it inspects; with its members and its methods.

    巡视巡察组进驻被巡视巡察单位，写明组员、驻点、动员会和拟采用的了解方式。
    """

    RULES = (
        in_order(
            "entered_on",
            "planned_until",
            "计划撤离日期不得早于进驻日期",
            "a team is to leave after it has entered",
        ),
        rule(
            "head_not_one",
            "members",
            "填写组员时，组长须有且只有一名",
            "a team whose members are listed has exactly one head",
            lambda it: it.members and sum(m.role.code == HEAD for m in it.members) != 1,
        ),
    )

    roundid: Annotated[Identifier, F1("巡视巡察轮次", "round")]
    targetid: Annotated[Identifier, F1("被巡视巡察党组织编号", "number of the inspected party")]
    target: Annotated[OrgRef, F1("被巡视巡察党组织", "inspected party")]
    groupid: Annotated[Identifier, F1("组别编号", "team")]
    entered_on: Annotated[Day, F1("进驻日期", "entered on")]
    planned_until: Annotated[Day, F1("计划撤离日期", "to leave on")]
    station: Annotated[Line | None, F1("驻点", "where the team stays")] = None
    meeting: Annotated[Meeting | None, F1("进驻动员会", "opening meeting")] = None
    methods: Annotated[
        tuple[Annotated[Code, coded("inspection_method")], ...],
        Field(max_length=20),
        F1("了解方式", "methods"),
    ] = ()
    members: Annotated[tuple[TeamMember, ...], Field(max_length=100), F2("组员", "members")] = ()


@event(
    "inspection.left",
    "巡视巡察组撤离",
    "Inspection team left",
    key="/targetid",
    flows=LIFECYCLE,
    phase="on",
    publishers=OFFICE_AND_TEAM,
    # How many clues came up is not for the inspected party.
    receivers=(*INFORMED, "organization", "audit"),
    concerned=("/target",),
)
class Left(Payload):
    """A team has left the unit: how long it was there, what it did, when its report is due.

    巡视巡察组结束现场工作，写明现场工作量；超过计划时间的，写明延期批准情况。
    """

    RULES = (
        in_order(
            "entered_on", "left_on", "撤离日期不得早于进驻日期", "a team leaves after it entered"
        ),
        in_order(
            "left_on",
            "report_due",
            "报告期限不得早于撤离日期",
            "the report is due after the team has left",
            "report_due_early",
        ),
        needs(
            "extension",
            lambda it: it.left_on > it.planned_until,
            "超过计划撤离日期的，须填延期理由和批准人",
            "a team that stayed longer than planned says who approved it",
            "extension_missing",
        ),
    )

    roundid: Annotated[Identifier, F1("巡视巡察轮次", "round")]
    targetid: Annotated[Identifier, F1("被巡视巡察党组织编号", "number of the inspected party")]
    target: Annotated[OrgRef, F1("被巡视巡察党组织", "inspected party")]
    groupid: Annotated[Identifier, F1("组别编号", "team")]
    entered_on: Annotated[Day, F1("进驻日期", "entered on")]
    planned_until: Annotated[Day, F1("计划撤离日期", "was to leave on")]
    left_on: Annotated[Day, F1("撤离日期", "left on")]
    extension: Annotated[Extension | None, F2("延期情况", "extension")] = None
    work: Annotated[SiteWork, F1("现场工作量", "work on site")]
    issues: Annotated[Count, F1("发现问题数", "issues found")]
    clues: Annotated[Count, F1("发现线索数", "clues found")]
    report_due: Annotated[Day, F1("报告期限", "report due")]


@event(
    "inspection.stage_changed",
    "巡视巡察阶段变更",
    "Stage of an inspection changed",
    key="/targetid",
    flows=(*LIFECYCLE, "V09"),
    publishers=OFFICE_AND_TEAM,
    receivers=INFORMED,
    concerned=("/target",),
)
class StageChanged(Payload):
    """An inspection has moved to another of its stages; a step back says why.

    一个党组织的巡视巡察进入另一阶段；退回前一阶段的，写明理由。
    """

    RULES = (
        rule(
            "stage_unchanged",
            "stage",
            "变更前后的阶段不得相同",
            "a change leads to another stage",
            lambda it: it.previous is not None and it.stage.code == it.previous.code,
        ),
        needs(
            "reason",
            lambda it: it.previous is not None and _place(it.stage) < _place(it.previous),
            "退回前一阶段的，须写明理由",
            "a step back says why",
            "reason_missing",
        ),
        in_order(
            "changed_on",
            "next_expected",
            "预计进入下一阶段的日期不得早于变更日期",
            "the next stage comes after this one",
        ),
    )

    roundid: Annotated[Identifier, F1("巡视巡察轮次", "round")]
    targetid: Annotated[Identifier, F1("被巡视巡察党组织编号", "number of the inspected party")]
    target: Annotated[OrgRef | None, F1("被巡视巡察党组织", "inspected party")] = None
    groupid: Annotated[Identifier | None, F1("组别编号", "team")] = None
    previous: Annotated[Stage | None, F1("原阶段", "previous stage")] = None
    stage: Annotated[Stage, F1("现阶段", "stage")]
    changed_on: Annotated[Day, F1("变更日期", "changed on")]
    next_expected: Annotated[Day | None, F1("预计进入下一阶段", "next stage expected")] = None
    reason: Annotated[Paragraph | None, F2("变更理由", "reason")] = None


def _place(stage: Code) -> int:
    """Where a stage stands: the list gives them in their order."""
    return list(code_list(STAGES).labels).index(stage.code)


@event(
    "inspection.closed",
    "巡视巡察办结归档",
    "Inspection closed",
    key="/targetid",
    flows=LIFECYCLE,
    phase="post",
    publishers=("inspection-office",),
    concerned=("/target",),
)
class Closed(Payload):
    """The file of one inspection is closed: what became of its issues, where its papers lie.

    一个党组织的巡视巡察办结归档，写明问题整改结果和档案号；未完成的，写明后续安排。
    """

    RULES = (
        rule(
            "issues_miscounted",
            "issues",
            "问题总数应等于已完成、长期坚持和未完成之和",
            "issues are completed, long-term or unfinished: the sum agrees",
            lambda it: it.issues != it.completed + it.long_term + it.unfinished,
        ),
        needs(
            "followed_up",
            lambda it: it.unfinished > 0,
            "有未完成的问题时，须写明后续安排",
            "unfinished issues are followed up somehow: say so",
            "follow_up_missing",
        ),
    )

    roundid: Annotated[Identifier, F1("巡视巡察轮次", "round")]
    targetid: Annotated[Identifier, F1("被巡视巡察党组织编号", "number of the inspected party")]
    target: Annotated[OrgRef, F1("被巡视巡察党组织", "inspected party")]
    closed_on: Annotated[Day, F1("办结日期", "closed on")]
    issues: Annotated[Count, F1("反馈问题总数", "issues fed back")]
    completed: Annotated[Count, F1("已完成整改数", "rectified")]
    long_term: Annotated[Count, F1("长期坚持数", "kept up for the long term")] = 0
    unfinished: Annotated[Count, F1("未完成整改数", "not rectified")]
    followed_up: Annotated[Paragraph | None, F1("后续安排", "how the rest is followed up")] = None
    evaluation: Annotated[
        Annotated[Code, coded("evaluation_grade")] | None, F1("整改评估等次", "evaluation")
    ] = None
    archive_no: Annotated[Line, F1("档案号", "archive number")]
    volumes: Annotated[Count | None, F1("卷数", "volumes")] = None
    closed_by: Annotated[Handler, F1("批准人", "approved by")]
