"""Clues (问题线索): handed over, received or returned, decided on, concluded; H04, H13, H18.

The opening is `clue.transferred`; the others answer it and speak of its subjects by number. The
steps between stand in `v1_steps.py`, what is handed on in `v1_handovers.py`.
"""

from datetime import date
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from contracts.classes import F1, F2, F3, F4, IN_SUMMARY
from contracts.common import (
    Code,
    DocRef,
    Due,
    Handler,
    Money,
    OrgRef,
    Part,
    Payload,
    PersonRef,
    coded,
)
from contracts.contract import Slip
from contracts.declare import event
from contracts.lifetime import Lifetime
from contracts.rules import (
    Rule,
    another,
    at_least_one,
    exactly_one,
    forbids,
    in_order,
    needs,
    rule,
    unique,
)
from contracts.values import (
    Authority,
    Count,
    Day,
    Identifier,
    Instant,
    Line,
    Ordinal,
    Paragraph,
    Summary,
)

FROM_INSPECTION: Final = "inspection"
UNFOUNDED: Final = "unfounded"
# Who reported is known to discipline and to the custodian at the office only.
CUSTODIANS: Final = ("discipline", "inspection-office")
OPENINGS: Final = ("clue.transferred", "clue.reassigned")
FLOWS: Final = ("H04", "H13", "H18")
# Agencies have two budget years to move on to 2.0.
TO_BE_RETIRED: Final = Lifetime(
    deprecated=date(2027, 1, 1), sunset=date(2029, 1, 1), successor="clue.transferred 2.0"
)

Signatories = Annotated[tuple[Handler, ...], Field(min_length=1, max_length=20)]
TwoSignatories = Annotated[tuple[Handler, ...], Field(min_length=2, max_length=20)]
DisciplineKinds = Annotated[
    tuple[Annotated[Code, coded("discipline_kind")], ...], Field(max_length=20)
]


OTHER_CLUE: Final = another(
    "repeat_of",
    "clueid",
    "此处应填另一条线索的编号",
    "this names another clue, not the clue itself",
    "clue_refers_to_itself",
)
# What every version says of a clue that is handed over.
TRANSFER_RULES: Final = (
    in_order(
        "period_from",
        "period_to",
        "问题发生的截止日期不得早于起始日期",
        "the period ends before it begins",
    ),
    needs(
        "found_in",
        lambda it: it.source.code == FROM_INSPECTION,
        "巡视巡察中发现的线索须填轮次、被巡视巡察党组织和组别",
        "a clue found in an inspection names its round, target and team",
        "found_in_missing",
    ),
    OTHER_CLUE,
)


class Subject(Part):
    """Whom the clue is about: one person or one organisation, under whose cadre authority.

    `subject_no` is the sender's; dispositions and outcomes are stated by it.
    """

    RULES = (
        exactly_one(
            "person",
            "org",
            message="每个被反映对象须填 person（人）或 org（单位）之一，且只填其一",
            message_en="a subject is either a person or an organisation: give exactly one",
            code="subject_not_one",
        ),
    )

    subject_no: Annotated[Ordinal, F1("被反映对象序号", "subject number")]
    person: Annotated[PersonRef | None, F2("被反映人", "person")] = None
    org: Annotated[OrgRef | None, F2("被反映单位", "organisation")] = None
    role: Annotated[Literal["被反映人", "其他涉及人"], F2("角色", "role")] = "被反映人"
    authority: Annotated[Authority, F2("干部管理权限", "level that manages the cadre")]


class FoundIn(Part):
    """The round, the inspected party and the team in whose work the clue came up."""

    roundid: Annotated[Identifier, F1("巡视巡察轮次", "round")]
    targetid: Annotated[Identifier, F1("被巡视巡察党组织", "inspected party")]
    groupid: Annotated[Identifier, F1("组别", "team")]


class Reporter(Part):
    """That somebody reported, never who: the identity stays sealed with its custodian."""

    RULES = (
        rule(
            "reporter_count",
            "count",
            "实名反映的人数至少为 1",
            "a real-name report has at least one reporter",
            lambda it: it.kind == "real-name" and it.count == 0,
        ),
        rule(
            "reporter_unexpected",
            "kind",
            "无反映人时人数应为 0，且不填密封件号",
            "without a reporter the count is 0 and there is no sealed reference",
            lambda it: it.kind == "none" and (it.count > 0 or it.sealed_ref is not None),
        ),
    )

    kind: Annotated[Literal["real-name", "anonymous", "none"], F4("反映方式", "kind of report")]
    count: Annotated[Count, F4("反映人数", "number of reporters")]
    sealed_ref: Annotated[Identifier | None, F4("密封件号", "sealed reference")] = None


class Handover(Part):
    """The hand-over slip (交接单): its number, the two who hand over, when."""

    form: Annotated[Line, F1("交接单号", "hand-over slip")]
    from_: Annotated[TwoSignatories, Field(alias="from"), F1("移交人", "handed over by")]
    at: Annotated[Instant, F1("移交时间", "handed over at")]


@event(
    "clue.transferred",
    "问题线索移交",
    "Clue transferred",
    key="/clueid",
    flows=FLOWS,
    phase="post",
    accused=("/subjects/-/org", "/subjects/-/person/org"),
    accused_persons=("/subjects/-/person",),
    custodians=CUSTODIANS,
    due="clue.receipt",
    lifetime=TO_BE_RETIRED,
    slip=Slip(
        title="问题线索移交交接单",
        numbers=("/clueid", "/native_no", "/handover/form"),
        listed="/basis",
        signed_by=("移交人", "移交人", "接收人", "接收人"),
    ),
)
class Transferred(Payload):
    """A clue handed over for verification, with a summary that its custodian wrote.

    移交方将问题线索移交有管辖权的纪检监察机关或政法机关；摘要由保管人另写，不附信件原文。
    """

    RULES: ClassVar[tuple[Rule, ...]] = (
        *TRANSFER_RULES,
        unique(
            "subjects",
            "subject_no",
            "同一被反映对象编号只能出现一次",
            "a subject number stands twice",
            "subject_repeated",
        ),
    )

    clueid: Annotated[Identifier, F1("线索编号", "clue number")]
    native_no: Annotated[Line | None, F1("原系统编号", "number in the sender's system")] = None
    title: Annotated[Line, F1("线索名称", "title")]
    source: Annotated[Annotated[Code, coded("clue_source")], F1("线索来源", "source of the clue")]
    discipline_kind: Annotated[
        DisciplineKinds, Field(min_length=1), F1("违纪类别", "kind of discipline")
    ]
    subjects: Annotated[
        tuple[Subject, ...], Field(min_length=1, max_length=100), F2("被反映对象", "subjects")
    ]
    summary: Annotated[Summary, F2("线索摘要", "summary")]
    amount: Annotated[Money | None, F2("涉及金额", "amount involved")] = None
    period_from: Annotated[Day | None, F2("问题发生起始日期", "from")] = None
    period_to: Annotated[Day | None, F2("问题发生截止日期", "to")] = None
    found_in: Annotated[FoundIn | None, F1("发现环节", "found in")] = None
    basis: Annotated[
        tuple[DocRef, ...], Field(max_length=200), F3("依据材料", "supporting documents")
    ] = ()
    reporter: Annotated[Reporter | None, F4("反映人情况", "reporter")] = None
    confidentiality: Annotated[Literal["normal", "high"], F1("保密要求", "confidentiality")] = (
        "normal"
    )
    urgency: Annotated[Literal["normal", "urgent"], F1("紧急程度", "urgency")] = "normal"
    handover: Annotated[Handover, F1("移交手续", "hand-over")]
    suggested_disposition: Annotated[
        Annotated[Code, coded("disposition")] | None, F2("建议处置方式", "suggested disposition")
    ] = None
    disclosure_embargo_until: Annotated[
        Day | None, F1("不得公开至", "not to be disclosed until")
    ] = None
    repeat_of: Annotated[Identifier | None, F1("与前案重复", "repeats")] = None


@event(
    "clue.received",
    "问题线索签收",
    "Clue received",
    key="/clueid",
    flows=FLOWS,
    phase="post",
    answers=(*OPENINGS, "clue.supplemented", "clue.forwarded_up"),
)
class Received(Payload):
    """The receiver has signed for the clue and registered it.

    接收方双人签收并登记移交的问题线索。
    """

    clueid: Annotated[Identifier, F1("线索编号", "clue number")]
    receiver: Annotated[TwoSignatories, F1("接收人", "receivers")]
    received_at: Annotated[Instant, F1("接收时间", "received at")]
    register_no: Annotated[Identifier, F1("登记号", "register number")]
    room: Annotated[Line | None, F1("承办部门", "office in charge")] = None


@event(
    "clue.returned",
    "问题线索退回",
    "Clue returned",
    key="/clueid",
    flows=FLOWS,
    phase="post",
    answers=(*OPENINGS, "clue.forwarded_up"),
)
class Returned(Payload):
    """The receiver gives the clue back, with a reason and somebody's approval.

    接收方经批准退回问题线索，写明理由。
    """

    RULES = (OTHER_CLUE,)

    clueid: Annotated[Identifier, F1("线索编号", "clue number")]
    receiver: Annotated[TwoSignatories, F1("接收人", "receivers")]
    received_at: Annotated[Instant, F1("接收时间", "received at")]
    register_no: Annotated[Identifier | None, F1("登记号", "register number")] = None
    room: Annotated[Line | None, F1("承办部门", "office in charge")] = None
    reason: Annotated[Annotated[Code, coded("clue_return_reason")], F1("退回理由", "reason")]
    note: Annotated[Paragraph, F2("退回说明", "note")]
    approved_by: Annotated[Handler, F1("批准人", "approved by")]
    repeat_of: Annotated[Identifier | None, F1("与前案重复", "repeats")] = None


class Disposition(Part):
    """What was decided on one subject of the clue."""

    subject_no: Annotated[Ordinal, F1("被反映对象序号", "subject number")]
    disposition: Annotated[Annotated[Code, coded("disposition")], F2("处置方式", "disposition")]
    discipline_kind: Annotated[DisciplineKinds, F2("违纪类别", "kind of discipline")] = ()


@event(
    "clue.disposition_decided",
    "问题线索处置意见",
    "Disposition of a clue decided",
    key="/clueid",
    flows=FLOWS,
    phase="post",
    answers=OPENINGS,
    due="clue.conclusion",
)
class DispositionDecided(Payload):
    """How the clue is dealt with, subject by subject.

    承办机关对每一被反映对象提出的处置意见。
    """

    RULES = (
        unique(
            "dispositions",
            "subject_no",
            "同一被反映对象编号只能出现一次",
            "a subject number stands twice",
            "subject_repeated",
        ),
        another(
            "merged_into",
            "clueid",
            "此处应填另一条线索的编号",
            "this names another clue, not the clue itself",
            "clue_refers_to_itself",
        ),
    )

    clueid: Annotated[Identifier, F1("线索编号", "clue number")]
    dispositions: Annotated[
        tuple[Disposition, ...],
        Field(min_length=1, max_length=100),
        F2("各对象处置意见", "dispositions"),
    ]
    decided_at: Annotated[Instant, F1("决定时间", "decided at")]
    approver_level: Annotated[Line, F1("审批层级", "level of approval")]
    merged_into: Annotated[Identifier | None, F1("并入线索", "merged into")] = None
    transferred_to: Annotated[OrgRef | None, F1("转办单位", "transferred to")] = None
    due: Annotated[Due | None, F1("办理期限", "due")] = None
    handlers: Annotated[Signatories, F1("承办人", "handlers")]


class Sanction(Part):
    """What one person was given: a Party or administrative sanction, an organizational measure."""

    RULES = (
        at_least_one(
            "party",
            "administrative",
            "organizational",
            message="须填党纪处分、政务处分、组织处理中的至少一项",
            message_en="give at least one: Party sanction, administrative sanction, measure",
            code="sanction_empty",
        ),
    )

    person: Annotated[PersonRef, F2("受处分处理人", "person")]
    party: Annotated[
        Annotated[Code, coded("party_sanction")] | None, F2("党纪处分", "Party sanction")
    ] = None
    administrative: Annotated[
        Annotated[Code, coded("administrative_sanction")] | None,
        F2("政务处分", "administrative sanction"),
    ] = None
    organizational: Annotated[
        Annotated[Code, coded("organizational_measure")] | None,
        F2("组织处理", "organizational measure"),
    ] = None


class Outcome(Part):
    """What came of one subject of the clue; `form` is the one of the four forms applied."""

    RULES = (
        forbids(
            "sanctions",
            lambda it: it.outcome.code == UNFOUNDED,
            "不属实的线索不得填写处分或处理",
            "what is unfounded has no sanction",
            "unfounded_with_sanction",
        ),
    )

    subject_no: Annotated[Ordinal, F1("被反映对象序号", "subject number"), IN_SUMMARY]
    outcome: Annotated[
        Annotated[Code, coded("clue_outcome")], F2("办结结果", "outcome"), IN_SUMMARY
    ]
    form: Annotated[
        Annotated[int, Field(ge=1, le=4)] | None, F2("四种形态", "form applied"), IN_SUMMARY
    ] = None
    sanctions: Annotated[
        tuple[Sanction, ...], Field(max_length=100), F2("处分处理情况", "sanctions")
    ] = ()
    clarified: Annotated[bool, F2("澄清正名", "cleared publicly"), IN_SUMMARY] = False


@event(
    "clue.concluded",
    "问题线索办结反馈",
    "Clue concluded",
    key="/clueid",
    flows=FLOWS,
    phase="post",
    answers=OPENINGS,
    receivers=("organization",),
    accused=("/outcomes/-/sanctions/-/person/org",),
    accused_persons=("/outcomes/-/sanctions/-/person",),
    custodians=CUSTODIANS,
)
class Concluded(Payload):
    """The end of the clue and what came of it, subject by subject.

    承办机关反馈问题线索的办结情况，按被反映对象逐一填写。
    """

    RULES = (
        unique(
            "outcomes",
            "subject_no",
            "同一被反映对象编号只能出现一次",
            "a subject number stands twice",
            "subject_repeated",
        ),
    )

    clueid: Annotated[Identifier, F1("线索编号", "clue number")]
    outcomes: Annotated[
        tuple[Outcome, ...],
        Field(min_length=1, max_length=100),
        F2("各对象办结情况", "outcomes"),
        IN_SUMMARY,
    ]
    recovered: Annotated[Money | None, F2("挽回损失", "recovered")] = None
    reply_to_reporter_done: Annotated[bool | None, F4("已答复反映人", "reporter was answered")] = (
        None
    )
    concluded_at: Annotated[Instant, F1("办结时间", "concluded at")]
    feedback_text: Annotated[Summary, F2("反馈内容", "feedback")]
    handlers: Annotated[Signatories, F1("承办人", "handlers")]
