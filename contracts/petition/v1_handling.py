"""Petition (信访): what becomes of a case that was transferred; H14.

Accepted, not accepted or objected to; answered, closed; reviewed and reviewed again.
"""

from typing import Annotated, ClassVar, Final

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import Code, Due, Handler, Money, OrgRef, Part, Payload, coded
from contracts.declare import event
from contracts.petition.v1 import ACCUSATION
from contracts.rules import Rule, another, forbids, in_order, needs, rule, together, unique
from contracts.values import Day, Identifier, Line, Paragraph, Summary

CASE: Final = ("petition.case_transferred",)
FLOWS: Final = ("H14",)
KEY: Final = "/petitionid"
OUT_OF_REMIT: Final = "out_of_remit"


@event(
    "petition.accepted",
    "信访事项受理",
    "Petition accepted",
    key=KEY,
    flows=FLOWS,
    answers=CASE,
    due="petition.conclusion",
)
class Accepted(Payload):
    """The case is accepted and registered; who handles it, by when, and how the writer was told.

    有权处理的机关受理信访事项，登记并确定承办单位和办结期限，按规定告知信访人。
    """

    RULES = (
        needs(
            "notified_on",
            lambda it: it.notice_no is not None,
            "已出具受理告知书的须填告知日期",
            "a notice has the day on which it was given",
            "notice_day_missing",
        ),
        in_order(
            "accepted_on", "notified_on", "告知日期不得早于受理日期", "told before it was accepted"
        ),
        rule(
            "due_before_acceptance",
            "due/date",
            "办结期限须晚于受理日期",
            "it is due before it was accepted",
            lambda it: it.due.date <= it.accepted_on,
        ),
    )

    petitionid: Annotated[Identifier, F1("信访事项编号", "petition number")]
    accepted_on: Annotated[Day, F1("受理日期", "accepted on")]
    register_no: Annotated[Identifier, F1("受理登记号", "register number")]
    organ: Annotated[OrgRef, F1("受理机关", "accepting organ")]
    responsible: Annotated[OrgRef | None, F1("承办单位", "responsible unit")] = None
    notice_no: Annotated[Line | None, F1("受理告知书文号", "number of the notice")] = None
    notified_on: Annotated[Day | None, F1("告知日期", "told on")] = None
    due: Annotated[Due, F1("办结期限", "due")]


@event(
    "petition.rejected",
    "信访事项不予受理",
    "Petition not accepted",
    key=KEY,
    flows=FLOWS,
    answers=CASE,
)
class Rejected(Payload):
    """The case is not accepted (不予受理、不再受理): why, and where the writer was shown instead.

    不予受理或者不再受理信访事项，写明理由、依据和应当提出的机关或途径，按规定告知信访人。
    """

    RULES = (
        needs(
            "proper_channel",
            lambda it: it.reason.code in {OUT_OF_REMIT, "litigation"},
            "不属于职权范围或应通过诉讼等途径解决的，须填应当提出的机关或途径",
            "what belongs elsewhere says where",
            "proper_channel_missing",
        ),
        needs(
            "concluded_by",
            lambda it: it.reason.code == "concluded",
            "已经复核终结的须填复核意见书文号",
            "what a re-review concluded names its number",
            "conclusion_missing",
        ),
        in_order(
            "decided_on", "notified_on", "告知日期不得早于决定日期", "told before it was decided"
        ),
    )

    petitionid: Annotated[Identifier, F1("信访事项编号", "petition number")]
    decided_on: Annotated[Day, F1("决定日期", "decided on")]
    organ: Annotated[OrgRef, F1("决定机关", "deciding organ")]
    reason: Annotated[Annotated[Code, coded("petition_rejection_reason")], F1("理由", "reason")]
    explanation: Annotated[Paragraph | None, F2("理由说明", "explanation")] = None
    basis: Annotated[tuple[Line, ...], Field(max_length=20), F1("依据条款", "provisions")] = ()
    proper_channel: Annotated[
        Line | None, F1("应当提出的机关或途径", "organ or way that is right")
    ] = None
    concluded_by: Annotated[Line | None, F1("复核意见书文号", "number of the re-review")] = None
    notice_no: Annotated[Line | None, F1("告知书文号", "number of the notice")] = None
    notified_on: Annotated[Day | None, F1("告知日期", "told on")] = None
    approved_by: Annotated[Handler, F1("批准人", "approved by")]


@event(
    "petition.objected",
    "信访转送异议",
    "Transfer of a petition objected to",
    key=KEY,
    flows=FLOWS,
    answers=CASE,
    due="petition.objection_decision",
)
class Objected(Payload):
    """The receiving organ objects to the transfer, between the organs; the writer is told nothing.

    收到转送、交办的机关认为不应由其办理，经批准向转送机关提出异议，并建议责任单位。
    """

    RULES = (
        in_order(
            "received_on", "objected_on", "异议日期不得早于收到日期", "objected before it came"
        ),
        needs(
            "proper_organ",
            lambda it: it.reason.code == OUT_OF_REMIT,
            "不属于受理范围的须填建议的责任单位",
            "who is not responsible names the organ that is",
            "proper_organ_missing",
        ),
        needs(
            "repeats",
            lambda it: it.reason.code == "duplicate",
            "重复转送的须填此前的信访事项编号",
            "what came before names its number",
            "earlier_petition_missing",
        ),
        another(
            "repeats",
            "petitionid",
            "此处应填另一信访事项的编号",
            "this names another petition, not the petition itself",
            "petition_refers_to_itself",
        ),
    )

    petitionid: Annotated[Identifier, F1("信访事项编号", "petition number")]
    received_on: Annotated[Day, F1("收到日期", "received on")]
    objected_on: Annotated[Day, F1("异议日期", "objected on")]
    organ: Annotated[OrgRef, F1("提出异议机关", "objecting organ")]
    reason: Annotated[Annotated[Code, coded("return_reason")], F1("异议理由", "reason")]
    explanation: Annotated[Paragraph, F2("理由说明", "explanation")]
    basis: Annotated[tuple[Line, ...], Field(max_length=20), F1("职责依据", "provisions")] = ()
    proper_organ: Annotated[OrgRef | None, F1("建议责任单位", "organ proposed instead")] = None
    repeats: Annotated[Identifier | None, F1("此前信访事项编号", "repeats")] = None
    approved_by: Annotated[Handler, F1("批准人", "approved by")]


@event(
    "petition.objection_decided",
    "信访异议裁定",
    "Objection to a transfer decided",
    key=KEY,
    flows=FLOWS,
    answers=("petition.objected",),
)
class ObjectionDecided(Payload):
    """Who handles the case after all, and from when its term runs.

    转送机关对异议作出裁定：异议成立的改定责任单位，不成立的由原单位按期办理。
    """

    RULES = (
        needs(
            "assigned_to",
            lambda it: it.result.code != "dismissed",
            "异议成立或部分成立的须填改定的责任单位",
            "an objection that is upheld names the unit responsible now",
            "assignment_missing",
        ),
        forbids(
            "assigned_to",
            lambda it: it.result.code == "dismissed",
            "异议不成立的由原单位办理，不填改定的责任单位",
            "an objection that is dismissed assigns the case to nobody else",
            "assignment_unexpected",
        ),
        rule(
            "due_before_decision",
            "due/date",
            "重新确定的办理期限须晚于裁定日期",
            "it is due before the decision",
            lambda it: it.due.date <= it.decided_on,
        ),
    )

    petitionid: Annotated[Identifier, F1("信访事项编号", "petition number")]
    result: Annotated[Annotated[Code, coded("objection_result")], F1("裁定结果", "result")]
    decided_on: Annotated[Day, F1("裁定日期", "decided on")]
    assigned_to: Annotated[
        tuple[OrgRef, ...], Field(max_length=20), F1("改定的责任单位", "assigned to")
    ] = ()
    explanation: Annotated[Paragraph | None, F2("裁定说明", "explanation")] = None
    due: Annotated[Due, F1("办理期限", "due")]
    decided_by: Annotated[Handler, F1("裁定人", "decided by")]


class Duty(Part):
    """What one unit is to do so that the answer is kept."""

    no: Annotated[Annotated[int, Field(ge=1, le=99)], F1("落实事项序号", "number")]
    unit: Annotated[OrgRef, F1("落实单位", "unit")]
    task: Annotated[Paragraph, F2("落实事项", "task")]
    by: Annotated[Day, F1("落实期限", "by")]


@event(
    "petition.replied",
    "信访事项答复",
    "Petition answered",
    key=KEY,
    flows=FLOWS,
    answers=CASE,
    receivers=("inspected-party",),
    concerned=("/duties/-/unit",),
)
class Replied(Payload):
    """The written answer (处理意见书) to a request, appeal or suggestion: what was found and
    decided, who is to do what by when, where a review may be asked for. Accusations get none:
    whoever may read summaries of answers must not learn that there was one.

    对申诉、求决、意见建议等信访事项作出书面答复：查明事实、处理意见、落实单位和期限、复查途径；揭发控告件不适用。
    """

    RULES = (
        rule(
            "accusation_answered",
            "purpose",
            "揭发控告件不出具处理意见书，办结情况请用 petition.closed",
            "an accusation gets no written answer: use petition.closed",
            lambda it: it.purpose.code == ACCUSATION,
        ),
        in_order(
            "replied_on", "served_on", "送达日期不得早于答复日期", "served before it was made"
        ),
        together(
            "review_organ",
            "review_until",
            message="复查机关和申请复查的截止日期须同时填写",
            message_en="a way of review has its organ and its day",
            code="review_torn",
        ),
        in_order(
            "replied_on",
            "review_until",
            "申请复查的截止日期不得早于答复日期",
            "the time for a review ends before the answer",
        ),
        unique("duties", "no", "落实事项序号重复", "a number stands twice", "item_repeated"),
    )

    petitionid: Annotated[Identifier, F1("信访事项编号", "petition number")]
    purpose: Annotated[Annotated[Code, coded("petition_purpose")], F1("信访目的", "purpose")]
    reply_no: Annotated[Line, F1("处理意见书文号", "number of the answer")]
    organ: Annotated[OrgRef, F1("答复机关", "answering organ")]
    replied_on: Annotated[Day, F1("答复日期", "answered on")]
    served_on: Annotated[Day | None, F1("送达日期", "served on")] = None
    facts: Annotated[Summary, F2("查明事实", "facts found")]
    opinion: Annotated[Annotated[Code, coded("petition_opinion")], F2("处理意见", "opinion")]
    explanation: Annotated[Paragraph | None, F2("意见说明", "explanation")] = None
    basis: Annotated[tuple[Line, ...], Field(max_length=20), F1("依据条款", "provisions")] = ()
    duties: Annotated[tuple[Duty, ...], Field(max_length=50), F1("落实事项", "duties")] = ()
    review_organ: Annotated[OrgRef | None, F1("复查机关", "organ of review")] = None
    review_until: Annotated[Day | None, F1("申请复查截止日期", "review until")] = None


@event(
    "petition.closed",
    "信访事项办结",
    "Petition closed",
    key=KEY,
    flows=("H14", "H21"),
    answers=CASE,
)
class Closed(Payload):
    """The case is closed: how it ended, whether the writer was answered and is content.

    信访事项办结：办结原因、处理结果、是否答复信访人及其满意度。
    """

    RULES = (
        needs(
            "merged_into",
            lambda it: it.reason.code == "merged",
            "因并案办结的须填并入的信访事项编号",
            "what was merged names the petition that goes on",
            "merger_missing",
        ),
        another(
            "merged_into",
            "petitionid",
            "此处应填另一信访事项的编号",
            "this names another petition, not the petition itself",
            "petition_refers_to_itself",
        ),
        needs(
            "decision_no",
            lambda it: it.reason.code == "concluded",
            "复查复核终结的须填复核意见书文号",
            "what a re-review concluded names its number",
            "conclusion_missing",
        ),
        in_order(
            "answered_on", "closed_on", "办结日期不得早于答复日期", "closed before it was answered"
        ),
    )

    petitionid: Annotated[Identifier, F1("信访事项编号", "petition number")]
    closed_on: Annotated[Day, F1("办结日期", "closed on")]
    organ: Annotated[OrgRef, F1("办结机关", "closing organ")]
    reason: Annotated[
        Annotated[Code, coded("petition_close_reason")], F1("办结原因", "how it ended")
    ]
    result: Annotated[Summary, F2("处理结果", "result")]
    decision_no: Annotated[Line | None, F1("意见书文号", "number of the decision")] = None
    answered_on: Annotated[Day | None, F1("答复信访人日期", "writer answered on")] = None
    satisfaction: Annotated[
        Annotated[Code, coded("satisfaction")] | None, F2("满意度", "satisfaction")
    ] = None
    paid: Annotated[Money | None, F2("兑付金额", "paid out")] = None
    merged_into: Annotated[Identifier | None, F1("并入信访事项", "merged into")] = None


class Review(Payload):
    """A decision about an earlier decision: of which, by whom, with what result."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        in_order(
            "asked_on", "decided_on", "决定日期不得早于申请日期", "decided before it was asked for"
        ),
        in_order(
            "decided_on", "served_on", "送达日期不得早于决定日期", "served before it was made"
        ),
        needs(
            "changed_to",
            lambda it: it.result.code == "changed",
            "变更原意见的须填变更后的意见",
            "a changed decision says into what",
            "change_missing",
        ),
        needs(
            "again_by",
            lambda it: it.result.code == "remanded",
            "责令重新处理的须填重新处理期限",
            "what is to be handled again says by when",
            "term_missing",
        ),
    )

    petitionid: Annotated[Identifier, F1("信访事项编号", "petition number")]
    decision_no: Annotated[Line, F1("意见书文号", "number of the decision")]
    reviewed_no: Annotated[Line, F1("原意见书文号", "number of the decision reviewed")]
    reviewed_organ: Annotated[OrgRef, F1("原办理机关", "organ reviewed")]
    organ: Annotated[OrgRef, F1("作出机关", "deciding organ")]
    asked_on: Annotated[Day, F1("申请日期", "asked for on")]
    decided_on: Annotated[Day, F1("决定日期", "decided on")]
    hearing_on: Annotated[Day | None, F1("听证日期", "hearing on")] = None
    result: Annotated[Annotated[Code, coded("petition_review_result")], F1("结果", "result")]
    facts: Annotated[Summary, F2("查明事实", "facts found")]
    opinion: Annotated[Paragraph, F2("意见", "opinion")]
    changed_to: Annotated[Paragraph | None, F2("变更后的意见", "changed to")] = None
    again_by: Annotated[Due | None, F1("重新处理期限", "to be handled again by")] = None
    served_on: Annotated[Day | None, F1("送达日期", "served on")] = None


# The organ above reviews a case that it was never sent, so its decision also comes by itself.
REVIEWERS: Final = ("petition", "functional-dept", "political-legal")
TOLD: Final = ("petition", "inspection-office", "inspection-team", "discipline")


@event(
    "petition.review_decided",
    "信访复查意见",
    "Review of a petition decided",
    key=KEY,
    flows=FLOWS,
    answers=CASE,
    unasked=True,
    publishers=REVIEWERS,
    receivers=TOLD,
)
class ReviewDecided(Review):
    """The organ above reviewed the answer on request (复查); where a re-review may be asked for.

    原办理机关的上一级机关应申请作出复查意见，并告知申请复核的机关和期限。
    """

    RULES = (
        *Review.RULES,
        together(
            "rereview_organ",
            "rereview_until",
            message="复核机关和申请复核的截止日期须同时填写",
            message_en="a way of re-review has its organ and its day",
            code="review_torn",
        ),
    )

    rereview_organ: Annotated[OrgRef | None, F1("复核机关", "organ of re-review")] = None
    rereview_until: Annotated[Day | None, F1("申请复核截止日期", "re-review until")] = None


@event(
    "petition.rereview_decided",
    "信访复核意见",
    "Re-review of a petition decided",
    key=KEY,
    flows=FLOWS,
    answers=CASE,
    unasked=True,
    publishers=REVIEWERS,
    receivers=TOLD,
)
class RereviewDecided(Review):
    """The review was itself reviewed (复核); with that the petition has come to its end.

    复查机关的上一级机关应申请作出复核意见；信访人就同一事实和理由再提出的，不再受理。
    """

    final_told_on: Annotated[Day | None, F1("告知终结日期", "told on that this is final")] = None
