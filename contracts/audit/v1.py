"""Audit (审计贯通): what is planned, and the three letters that ask others for help; flow H13."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from contracts.audit.parts import Project
from contracts.classes import F1, F2
from contracts.common import Code, DocRef, Due, Money, Part, Payload, coded
from contracts.contract import Slip
from contracts.declare import event
from contracts.rules import forbids, in_order, needs, rule, unique
from contracts.values import Day, Identifier, Line, Paragraph, Summary, Year, YearMonth

FLOWS: Final = ("H13",)
JOINT: Final = "joint"
URGING: Final = "urging_notice"
ASSISTANCE: Final = "assistance"


class PlannedProject(Part):
    """One project of the plan, and how it is combined with an inspection."""

    RULES = (
        in_order(
            "starts",
            "ends",
            "计划结束月份不得早于开始月份",
            "the project ends before it starts",
        ),
        needs(
            "roundid",
            lambda it: it.linkage is not None and it.linkage.code == JOINT,
            "巡审同步的项目须填巡视巡察轮次",
            "a project done together with an inspection names the round",
            "roundid_missing",
        ),
    )

    auditprojectid: Annotated[Identifier, F1("审计项目编号", "audit project")]
    project: Annotated[Project, F1("审计项目", "project")]
    starts: Annotated[YearMonth | None, F1("计划开始月份", "starts")] = None
    ends: Annotated[YearMonth | None, F1("计划结束月份", "ends")] = None
    linkage: Annotated[
        Annotated[Code, coded("audit_linkage")] | None, F1("巡审联动方式", "link with inspection")
    ] = None
    roundid: Annotated[Identifier | None, F1("巡视巡察轮次", "round")] = None


@event(
    "audit.plan_shared",
    "审计项目计划通报",
    "Audit plan shared",
    key="/planid",
    flows=FLOWS,
    phase="plan",
    publishers=("audit",),
    receivers=(
        "party-committee",
        "leading-group",
        "inspection-office",
        "discipline",
        "organization",
        "audit",
        "finance",
        "functional-dept",
        "cppcc",
        "congress",
    ),
    concerned=("/projects/-/project/auditee",),
)
class PlanShared(Payload):
    """The year's audit projects, so that inspections do not visit a body at the same time for the
    same thing, or go there together with the auditors.

    审计机关通报年度审计项目计划，供统筹巡视巡察与审计安排，避免重复进驻，明确巡审联动方式。
    """

    RULES = (
        unique(
            "projects",
            "auditprojectid",
            "同一审计项目编号只能出现一次",
            "an audit project stands twice",
            "project_repeated",
        ),
        needs(
            "approved_on",
            lambda it: it.status != "draft",
            "已批准或调整的计划须填批准日期",
            "an approved or changed plan says when it was approved",
            "approval_missing",
        ),
        needs(
            "change_note",
            lambda it: it.status == "changed",
            "调整的计划须说明调整内容和理由",
            "a changed plan says what was changed and why",
            "change_note_missing",
        ),
    )

    planid: Annotated[Identifier, F1("计划编号", "plan")]
    year: Annotated[Year, F1("年度", "year")]
    status: Annotated[
        Literal["draft", "approved", "changed"],
        F1("计划状态", "status", "draft 拟定，approved 已批准，changed 已调整"),
    ]
    approved_on: Annotated[Day | None, F1("批准日期", "approved on")] = None
    approved_by: Annotated[Line | None, F1("批准机关", "approved by")] = None
    change_note: Annotated[Paragraph | None, F1("调整说明", "what was changed")] = None
    projects: Annotated[
        tuple[PlannedProject, ...], Field(min_length=1, max_length=500), F1("审计项目", "projects")
    ]


class Asked(Part):
    """One thing that the letter asks for, by a number that the answer repeats."""

    no: Annotated[int, Field(ge=1, le=99), F1("序号", "number")]
    text: Annotated[Paragraph, F2("请协助事项", "what is asked")]


@event(
    "audit.assistance_requested",
    "审计协助函（三函）",
    "Audit assistance requested",
    key="/requestid",
    flows=FLOWS,
    phase="any",
    publishers=("audit",),
    receivers=("inspection-office", "discipline", "organization", "finance", "audit"),
    concerned=("/project/auditee", "/project/department"),
    due="audit.assistance",
    slip=Slip(
        title="审计协助函签收单",
        numbers=("/requestid", "/auditprojectid"),
        listed="/asked",
        signed_by=("送交人", "接收人"),
    ),
)
class AssistanceRequested(Payload):
    """One of the three letters: help with an audit that is obstructed, help with its
    rectification, or notice that rectification is overdue and must be urged.

    审计机关发出的协助审计实施函、协助审计整改函或审计整改督促告知函。
    """

    RULES = (
        unique("asked", "no", "同一序号只能出现一次", "a number stands twice", "number_repeated"),
        needs(
            "findingids",
            lambda it: it.letter_kind.code != ASSISTANCE,
            "协助整改和督促告知须列明所涉问题编号",
            "a letter about rectification names the findings",
            "findings_missing",
        ),
        needs(
            "owed_since",
            lambda it: it.letter_kind.code == URGING,
            "督促告知须填整改期限届满日期",
            "a notice urging rectification says when it fell due",
            "owed_since_missing",
        ),
        forbids(
            "outstanding",
            lambda it: it.letter_kind.code == ASSISTANCE,
            "协助审计实施函不涉及未整改金额",
            "assistance with an audit has no amount left to rectify",
            "outstanding_unexpected",
        ),
    )

    requestid: Annotated[Identifier, F1("函件编号", "letter")]
    letter_kind: Annotated[
        Annotated[Code, coded("audit_letter_kind")], F1("函件种类", "kind of letter")
    ]
    auditprojectid: Annotated[Identifier, F1("审计项目编号", "audit project")]
    project: Annotated[Project, F1("审计项目", "project")]
    reason: Annotated[Summary, F2("有关情况", "circumstances")]
    asked: Annotated[
        tuple[Asked, ...], Field(min_length=1, max_length=99), F1("请协助事项", "what is asked")
    ]
    findingids: Annotated[
        tuple[Identifier, ...], Field(max_length=500), F1("所涉问题编号", "findings")
    ] = ()
    outstanding: Annotated[Money | None, F1("未整改金额", "not yet rectified")] = None
    owed_since: Annotated[Day | None, F1("整改期限届满日期", "rectification was due on")] = None
    attached: Annotated[
        tuple[DocRef, ...], Field(max_length=50), F1("附件", "attached documents")
    ] = ()
    due: Annotated[Due | None, F1("答复期限", "answer due")] = None


class Help(Part):
    """What was done about one thing that was asked."""

    no: Annotated[int, Field(ge=1, le=99), F1("序号", "number")]
    done: Annotated[bool, F1("已办理", "done")]
    text: Annotated[Paragraph, F2("办理情况", "what was done")]


def _all_done(it: Any) -> bool:
    return all(help_.done for help_ in it.given)


@event(
    "audit.assistance_answered",
    "审计协助函答复",
    "Audit assistance answered",
    key="/requestid",
    flows=FLOWS,
    answers=("audit.assistance_requested",),
)
class AssistanceAnswered(Payload):
    """What was done about each thing that the letter asked for, or why none of it can be.

    收函单位逐项答复审计协助函的办理情况；不能协助的说明理由。
    """

    RULES = (
        unique("given", "no", "同一序号只能出现一次", "a number stands twice", "number_repeated"),
        needs(
            "reason",
            lambda it: it.result == "declined",
            "不能协助的须填理由",
            "whoever declines says why",
            "reason_missing",
        ),
        needs(
            "given",
            lambda it: it.result != "declined",
            "除不能协助外，须逐项答复办理情况",
            "whoever helps says what was done",
            "answer_empty",
        ),
        rule(
            "result_contradicted",
            "result",
            "有未办理事项时，结果不得为全部办理",
            "not all is provided while something is not done",
            lambda it: it.result == "provided" and not _all_done(it),
        ),
    )

    requestid: Annotated[Identifier, F1("函件编号", "letter")]
    result: Annotated[
        Literal["provided", "partly", "declined"],
        F1("办理结果", "result", "provided 全部办理，partly 部分办理，declined 不能协助"),
    ]
    given: Annotated[tuple[Help, ...], Field(max_length=99), F1("办理情况", "help given")] = ()
    reason: Annotated[
        Annotated[Code, coded("refusal_reason")] | None, F1("不能协助理由", "reason")
    ] = None
    note: Annotated[Paragraph | None, F2("说明", "note")] = None
    answered_on: Annotated[Day, F1("答复日期", "answered on")]
    attached: Annotated[
        tuple[DocRef, ...], Field(max_length=50), F1("附件", "attached documents")
    ] = ()
