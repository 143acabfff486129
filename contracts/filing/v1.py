"""Filings (报备): what an office puts on record with the level above.

Flow V07. Being put on record is no approval.
"""

from typing import Annotated, Final

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
    PersonRef,
    coded,
)
from contracts.contract import Slip
from contracts.declare import event
from contracts.rules import another, at_least_one, in_order, needs, rule
from contracts.values import Day, Identifier, Line, Paragraph, Summary

FLOWS: Final = ("V07",)
OPENINGS: Final = ("filing.submitted",)
OF_PERSONS: Final = frozenset({"authorization", "staff"})
OF_A_ROUND: Final = frozenset({"scheme", "authorization", "round_report"})


class Appointment(Part):
    """A person who is authorized or appointed, as what, for which round."""

    person: Annotated[PersonRef, F2("人员", "person")]
    role: Annotated[Annotated[Code, coded("team_role")], F1("职务", "role")]
    groupid: Annotated[Identifier | None, F1("组别编号", "team")] = None
    reserve: Annotated[bool, F1("组长库人选", "from the pool of team heads")] = False


class Elsewhere(Part):
    """Marked matter that does not travel with the event: number, keeper, way of hand-over."""

    docno: Annotated[Line, F1("文号", "document number")]
    custodian: Annotated[Line, F2("保管人联系方式", "custodian")]
    way: Annotated[Line, F1("交接方式", "way of hand-over")]


@event(
    "filing.submitted",
    "报备",
    "Filing submitted",
    key="/filingid",
    flows=FLOWS,
    ways=("same", "up"),
    publishers=("inspection-office",),
    due="filing.decision",
    slip=Slip(
        title="报备件签收单",
        numbers=("/filingid",),
        listed="/documents",
        signed_by=("报备机构经办人", "签收人"),
    ),
)
class Submitted(Payload):
    """An office files a plan, a regulation, authorized team heads, a round's report or the like.
    Marked documents stay out: `elsewhere` says how they are handed over.

    巡视巡察机构向上级报备方案、规划、制度、组长授权、人员、综合报告等；涉密件不随文，只填文号和交接方式。
    """

    RULES = (
        at_least_one(
            "documents",
            "elsewhere",
            message="须附报备文件，或填另行交接的涉密件",
            message_en="a filing has documents, or says how marked ones are handed over",
            code="filing_empty",
        ),
        needs(
            "appointments",
            lambda it: it.kind.code in OF_PERSONS,
            "组长授权和人员报备须列出人员",
            "a filing of authorizations or staff names the persons",
            "appointments_missing",
        ),
        needs(
            "roundid",
            lambda it: it.kind.code in OF_A_ROUND,
            "方案、组长授权和每轮报告报备须填轮次",
            "what is filed of a round names the round",
            "roundid_missing",
        ),
        another(
            "replaces",
            "filingid",
            "此处应填被替代的原报备编号",
            "this names the filing that is replaced, not the filing itself",
            "filing_refers_to_itself",
        ),
        in_order(
            "adopted_on",
            "effective_on",
            "生效日期不得早于议定日期",
            "what is filed is not in force before it was adopted",
            "effective_before_adoption",
        ),
    )

    filingid: Annotated[Identifier, F1("报备编号", "filing")]
    kind: Annotated[Annotated[Code, coded("filing_kind")], F1("报备事项", "kind")]
    title: Annotated[Line, F1("报备名称", "title")]
    office: Annotated[OrgRef, F1("报备机构", "filed by")]
    roundid: Annotated[Identifier | None, F1("轮次编号", "round")] = None
    meeting: Annotated[MeetingRef | None, F1("议定会议", "decided at")] = None
    adopted_on: Annotated[Day, F1("议定（印发）日期", "adopted on")]
    effective_on: Annotated[Day | None, F1("生效日期", "in force from")] = None
    abstract: Annotated[Summary | None, F2("内容摘要", "abstract")] = None
    appointments: Annotated[
        tuple[Appointment, ...], Field(max_length=300), F1("人员名单", "persons")
    ] = ()
    documents: Annotated[
        tuple[DocRef, ...], Field(max_length=100), F1("报备文件", "documents")
    ] = ()
    elsewhere: Annotated[
        tuple[Elsewhere, ...], Field(max_length=50), F1("另行交接的涉密件", "handed over elsewhere")
    ] = ()
    replaces: Annotated[Identifier | None, F1("替代的原报备", "replaces")] = None


@event(
    "filing.recorded",
    "备案",
    "Filing recorded",
    key="/filingid",
    flows=FLOWS,
    answers=OPENINGS,
)
class Recorded(Payload):
    """The level above has put a filing on record. That is no approval; remarks may go with it.

    上级机构予以备案登记；备案不等于批准，可附提示意见。
    """

    filingid: Annotated[Identifier, F1("报备编号", "filing")]
    record_no: Annotated[Identifier, F1("备案号", "record number")]
    recorded_on: Annotated[Day, F1("备案日期", "recorded on")]
    recorded_by: Annotated[Handler, F1("备案经办人", "recorded by")]
    remarks: Annotated[tuple[Paragraph, ...], Field(max_length=20), F1("提示意见", "remarks")] = ()
    originals_received: Annotated[
        tuple[Line, ...], Field(max_length=100), F1("已收原件文号", "originals received")
    ] = ()


@event(
    "filing.returned",
    "报备退回",
    "Filing returned",
    key="/filingid",
    flows=FLOWS,
    answers=OPENINGS,
)
class Returned(Payload):
    """The level above does not record a filing: why, what is missing, and by when it comes again.

    上级机构不予备案并退回，写明理由、欠缺材料和重报期限。
    """

    RULES = (
        needs(
            "missing",
            lambda it: any(reason.code == "incomplete" for reason in it.reasons),
            "材料不全的须列出欠缺材料",
            "whoever calls a filing incomplete lists what is missing",
            "missing_not_listed",
        ),
        rule(
            "resubmission_before_return",
            "resubmit_by",
            "重报期限不得早于退回日期",
            "a filing cannot be due again before it was returned",
            lambda it: it.resubmit_by is not None and it.resubmit_by < it.returned_on,
        ),
    )

    filingid: Annotated[Identifier, F1("报备编号", "filing")]
    returned_on: Annotated[Day, F1("退回日期", "returned on")]
    reasons: Annotated[
        tuple[Annotated[Code, coded("return_reason")], ...],
        Field(min_length=1, max_length=10),
        F1("退回理由", "reasons"),
    ]
    missing: Annotated[
        tuple[Line, ...], Field(max_length=50), F1("欠缺材料", "what is missing")
    ] = ()
    note: Annotated[Paragraph, F1("退回说明", "note")]
    resubmit_by: Annotated[Day | None, F1("重报期限", "due again")] = None
    returned_by: Annotated[Handler, F1("退回经办人", "returned by")]
    approved_by: Annotated[Handler, F1("批准人", "approved by")]
