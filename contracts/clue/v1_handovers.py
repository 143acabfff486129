"""Clues (问题线索) handed on: supplemented by the sender, reassigned or sent up by the receiver.

Each is signed for as the clue itself was.
"""

from typing import Annotated, Final

from pydantic import Field

from contracts.classes import F1, F2, F3, F4
from contracts.clue.v1 import (
    CUSTODIANS,
    FLOWS,
    DisciplineKinds,
    Handover,
    Reporter,
    Subject,
    TwoSignatories,
)
from contracts.common import Code, DocRef, Due, Handler, Money, OrgRef, Part, Payload, coded
from contracts.contract import Slip
from contracts.declare import event
from contracts.rules import another, at_least_one, in_order, needs, rule, unique
from contracts.values import Digest, Identifier, Instant, Line, Paragraph, Summary

HANDLED_ITSELF: Final = "own"
WITH_REPORT_DUE: Final = frozenset({"assigned", "supervised"})
# Those who hold a clue itself, not a summary of it.
HOLDERS: Final = ("discipline", "political-legal", "inspection-office")

Documents = Annotated[tuple[DocRef, ...], Field(max_length=200)]

SUBJECTS_ONCE: Final = unique(
    "subjects",
    "subject_no",
    "同一被反映对象编号只能出现一次",
    "a subject number stands twice",
    "subject_repeated",
)
HANDOVER_SLIP: Final = Slip(
    title="问题线索交接单",
    numbers=("/clueid", "/handover/form"),
    listed="/basis",
    signed_by=("移交人", "移交人", "接收人", "接收人"),
)


@event(
    "clue.supplemented",
    "问题线索补充移交",
    "Clue supplemented",
    key="/clueid",
    flows=FLOWS,
    phase="post",
    receivers=HOLDERS,
    accused=("/subjects/-/org", "/subjects/-/person/org"),
    accused_persons=("/subjects/-/person",),
    custodians=CUSTODIANS,
    due="clue.receipt",
    slip=HANDOVER_SLIP,
)
class Supplemented(Payload):
    """More about a clue that was transferred before: facts, documents, further subjects; handed
    over and signed for as the clue itself was.

    移交方就已移交的问题线索补充事实、材料或者被反映对象，并按移交手续交接。
    """

    RULES = (
        SUBJECTS_ONCE,
        at_least_one(
            "subjects",
            "facts",
            "basis",
            "amount",
            message="须补充被反映对象、事实、材料、涉及金额中的至少一项",
            message_en="a supplement adds subjects, facts, documents or an amount",
            code="supplement_empty",
        ),
    )

    clueid: Annotated[Identifier, F1("线索编号", "clue number")]
    supplement_no: Annotated[
        Annotated[int, Field(ge=1, le=99)], F1("第几次补充", "which supplement")
    ]
    asked_in: Annotated[
        Identifier | None, F1("补正通知的往来事项编号", "exchange that asked for it")
    ] = None
    subjects: Annotated[
        tuple[Subject, ...], Field(max_length=100), F2("增加的被反映对象", "further subjects")
    ] = ()
    facts: Annotated[Summary | None, F2("补充事实摘要", "further facts")] = None
    amount: Annotated[
        Money | None, F2("涉及金额", "amount involved", "补充后的总额（the new total）")
    ] = None
    basis: Annotated[Documents, F3("补充材料", "further documents")] = ()
    reporter: Annotated[Reporter | None, F4("反映人情况", "reporter")] = None
    handover: Annotated[Handover, F1("移交手续", "hand-over")]


@event(
    "clue.reassigned",
    "问题线索转办交办",
    "Clue reassigned",
    key="/clueid",
    flows=FLOWS,
    phase="post",
    publishers=("discipline", "political-legal"),
    receivers=HOLDERS,
    ways=("same", "down"),
    accused=("/subjects/-/org", "/subjects/-/person/org"),
    accused_persons=("/subjects/-/person",),
    custodians=CUSTODIANS,
    due="clue.receipt",
    slip=HANDOVER_SLIP,
)
class Reassigned(Payload):
    """The organ that received a clue passes it on to another one, in which mode, and says who
    answers the first sender.

    收到问题线索的机关将其转办、交办给其他机关，写明办理方式、承办单位、由谁向原移交单位反馈和报告期限。
    """

    RULES = (
        SUBJECTS_ONCE,
        another(
            "split_from",
            "clueid",
            "此处应填另一条线索的编号",
            "this names another clue, not the clue itself",
            "clue_refers_to_itself",
        ),
        rule(
            "handled_itself",
            "mode",
            "自办的线索不转办",
            "what an organ handles itself is not reassigned",
            lambda it: it.mode.code == HANDLED_ITSELF,
        ),
        needs(
            "report_by",
            lambda it: it.mode.code in WITH_REPORT_DUE,
            "交办、督办的须填报告期限",
            "what is assigned or supervised has a day for the report",
            "report_day_missing",
        ),
    )

    clueid: Annotated[Identifier, F1("线索编号", "clue number")]
    split_from: Annotated[Identifier | None, F1("分案前线索编号", "split from")] = None
    mode: Annotated[Annotated[Code, coded("clue_handling_mode")], F1("办理方式", "handling mode")]
    organ: Annotated[OrgRef, F1("承办单位", "organ in charge")]
    answered_by: Annotated[OrgRef, F1("负责反馈单位", "organ that answers the first sender")]
    first_sender: Annotated[OrgRef | None, F1("原移交单位", "first sender")] = None
    title: Annotated[Line, F1("线索名称", "title")]
    discipline_kind: Annotated[DisciplineKinds, F1("违纪类别", "kind of discipline")] = ()
    subjects: Annotated[
        tuple[Subject, ...], Field(min_length=1, max_length=100), F2("被反映对象", "subjects")
    ]
    summary: Annotated[Summary, F2("线索摘要", "summary")]
    demands: Annotated[Paragraph | None, F2("办理要求", "demands")] = None
    basis: Annotated[Documents, F3("依据材料", "supporting documents")] = ()
    reporter: Annotated[Reporter | None, F4("反映人情况", "reporter")] = None
    report_by: Annotated[Due | None, F1("报告期限", "report due")] = None
    approved_by: Annotated[Handler, F1("批准人", "approved by")]
    handover: Annotated[Handover, F1("移交手续", "hand-over")]


class Parcel(Part):
    """One sealed parcel, known by the number of its seal and the digest of what is inside."""

    RULES = (
        at_least_one(
            "sm3",
            "sha256",
            message="须填 SM3 或 SHA-256 摘要",
            message_en="give a digest: SM3 or SHA-256",
            code="digest_missing",
        ),
    )

    seal_no: Annotated[Identifier, F1("密封号", "number of the seal")]
    sm3: Annotated[Digest | None, F1("SM3 摘要", "SM3 digest")] = None
    sha256: Annotated[Digest | None, F1("SHA-256 摘要", "SHA-256 digest")] = None


@event(
    "clue.forwarded_up",
    "上级管理干部件径送",
    "Clue forwarded up",
    key="/clueid",
    flows=FLOWS,
    publishers=("discipline", "inspection-office"),
    receivers=("discipline",),
    ways=("up",),
    by_address=True,
    due="clue.receipt",
    slip=Slip(
        title="密封件交接单",
        numbers=("/clueid",),
        listed="/parcels",
        signed_by=("移交人", "移交人", "接收人", "接收人"),
    ),
)
class ForwardedUp(Payload):
    """A matter about a cadre of an upper level, or about the head of the receiving organ, goes up
    sealed: nothing of it is copied, excerpted or entered, so only numbers, digests and times stand
    here. The parcel itself travels outside the hub.

    反映上级管理干部或者本机关负责人的件密封径送上级机关，不复制、不摘抄、不录入，仅登记编号、摘要值和时间。
    """

    RULES = (
        unique("parcels", "seal_no", "密封号重复", "a seal stands twice", "seal_repeated"),
        in_order("found_at", "sealed_at", "密封时间不得早于发现时间", "sealed before it was found"),
        in_order(
            "sealed_at", "handed_over_at", "移交时间不得早于密封时间", "handed over before sealed"
        ),
    )

    clueid: Annotated[Identifier, F1("径送件编号", "number of the matter")]
    parcels: Annotated[
        tuple[Parcel, ...], Field(min_length=1, max_length=100), F1("密封件", "parcels")
    ]
    found_at: Annotated[Instant, F1("发现应径送的时间", "found at")]
    sealed_at: Annotated[Instant, F1("密封时间", "sealed at")]
    handed_over_at: Annotated[Instant, F1("移交时间", "handed over at")]
    due: Annotated[Due | None, F1("径送期限", "to be forwarded by")] = None
    handlers: Annotated[TwoSignatories, F1("承办人", "handlers")]
