"""Accountability (约谈、问责): V18 and V19.

A talk is notified to the unit of those who are called, so it is concerned. A proposal to hold
somebody to account speaks against them: neither it nor what is decided reaches their side.
"""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field

from contracts.classes import F1, F2, F3
from contracts.common import (
    Code,
    DocRef,
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
from contracts.rules import (
    Rule,
    at_least_one,
    exactly_one,
    forbids,
    in_order,
    needs,
    unique,
)
from contracts.values import Day, Identifier, Instant, Line, Ordinal, Paragraph, Summary

Number = Annotated[int, Field(ge=1, le=99)]


class Matter(Part):
    """The work that is at issue: by the numbers it already has."""

    roundid: Annotated[Identifier | None, F1("巡视巡察轮次", "round")] = None
    targetid: Annotated[
        Identifier | None, F1("被巡视巡察党组织编号", "number of the inspected party")
    ] = None
    itemids: Annotated[
        tuple[Identifier, ...], Field(max_length=200), F1("整改事项编号", "rectification items")
    ] = ()


@event(
    "accountability.talk_notified",
    "约谈通知",
    "Talk notified",
    key="/talkid",
    flows=("V18",),
    publishers=("party-committee", "leading-group", "inspection-office", "discipline"),
    receivers=(
        "party-committee",
        "leading-group",
        "inspection-office",
        "discipline",
        "inspected-party",
    ),
    ways=("same", "down"),
    concerned=("/unit",),
    due="accountability.record",
    slip=Slip(
        title="约谈通知书签收单",
        numbers=("/talkid",),
        listed="/persons",
        signed_by=("送达人", "送达人", "签收人"),
    ),
)
class TalkNotified(Payload):
    """Those who answer for work of low quality, or that has gone astray, are called to a talk.

    对工作质量不高、有明显偏差等情形的责任人进行约谈的通知：事由、时间、地点和须准备的材料。
    """

    RULES = (
        in_order(
            "notified_at",
            "to_be_held_at",
            "约谈时间不得早于通知时间",
            "a talk is held after it is notified",
        ),
    )

    talkid: Annotated[Identifier, F1("约谈编号", "talk")]
    unit: Annotated[OrgRef, F1("被约谈单位", "unit")]
    persons: Annotated[
        tuple[PersonRef, ...], Field(min_length=1, max_length=20), F2("被约谈人", "persons called")
    ]
    reasons: Annotated[
        tuple[Annotated[Code, coded("talk_reason")], ...],
        Field(min_length=1, max_length=6),
        F1("约谈事由", "reasons"),
    ]
    text: Annotated[Paragraph, F2("具体情况", "what it is about")]
    matter: Annotated[Matter | None, F1("涉及工作", "work at issue")] = None
    notified_at: Annotated[Instant, F1("通知时间", "notified at")]
    to_be_held_at: Annotated[Instant, F1("约谈时间", "to be held at")]
    place: Annotated[Line, F1("约谈地点", "place")]
    talkers: Annotated[
        tuple[PersonRef, ...], Field(min_length=1, max_length=10), F2("约谈人", "who talks")
    ]
    to_bring: Annotated[
        tuple[Line, ...], Field(max_length=20), F1("须准备的材料", "material to bring")
    ] = ()
    approved_by: Annotated[Handler, F1("批准人", "approved by")]


class Undertaking(Part):
    """What those who were talked to undertook to do."""

    no: Annotated[Number, F1("承诺序号", "number of the undertaking")]
    text: Annotated[Paragraph, F2("整改承诺", "undertaking")]
    due: Annotated[Day, F1("完成期限", "due")]


class Absentee(Part):
    """Who did not come, and why."""

    person: Annotated[PersonRef, F2("缺席人员", "absent person")]
    reason: Annotated[Line, F2("缺席原因", "reason")]


def _undertaken_before(it: Any) -> Iterator[str]:
    for place, undertaking in enumerate(it.undertakings):
        if undertaking.due < it.held_at.date():
            yield f"undertakings/{place}/due"


@event(
    "accountability.talk_recorded",
    "约谈记录",
    "Talk recorded",
    key="/talkid",
    flows=("V18",),
    answers=("accountability.talk_notified",),
    concerned=("/unit",),
)
class TalkRecorded(Payload):
    """What was said in a talk and what was undertaken, with the signatures of those present.

    约谈记录：谈话要点、被约谈人的说明和整改承诺，由在场人员签字。
    """

    RULES = (
        unique(
            "undertakings",
            "no",
            "承诺序号不得重复",
            "an undertaking's number stands twice",
            "no_repeated",
        ),
        Rule(
            "undertaking_before_talk",
            "承诺的完成期限不得早于约谈日期",
            "what is undertaken is due after the talk",
            _undertaken_before,
        ),
    )

    talkid: Annotated[Identifier, F1("约谈编号", "talk")]
    unit: Annotated[OrgRef | None, F1("被约谈单位", "unit")] = None
    held_at: Annotated[Instant, F1("约谈时间", "held at")]
    present: Annotated[
        tuple[PersonRef, ...],
        Field(min_length=1, max_length=20),
        F2("到场的被约谈人", "persons who came"),
    ]
    absent: Annotated[tuple[Absentee, ...], Field(max_length=20), F2("缺席情况", "absentees")] = ()
    pointed_out: Annotated[Summary, F2("指出的问题", "what was pointed out")]
    explained: Annotated[Summary | None, F2("被约谈人说明", "what they explained")] = None
    undertakings: Annotated[
        tuple[Undertaking, ...],
        Field(min_length=1, max_length=50),
        F2("整改承诺", "undertakings"),
    ]
    handlers: Annotated[
        tuple[Handler, ...], Field(min_length=2, max_length=20), F2("签字人", "signed by")
    ]


class Subject(Part):
    """Who is to be held to account, and for which share of the responsibility."""

    RULES = (
        exactly_one(
            "person",
            "org",
            message="每个问责对象须填 person（人）或 org（党组织）之一，且只填其一",
            message_en="a subject is either a person or an organisation: give exactly one",
            code="subject_not_one",
        ),
    )

    subject_no: Annotated[Ordinal, F1("问责对象序号", "subject number")]
    person: Annotated[PersonRef | None, F2("问责对象（人）", "person")] = None
    org: Annotated[OrgRef | None, F2("问责对象（党组织）", "organisation")] = None
    responsibility: Annotated[
        Annotated[Code, coded("leadership_responsibility")], F2("责任类型", "responsibility")
    ]
    suggested: Annotated[
        Annotated[Code, coded("accountability_form")] | None, F2("建议问责方式", "suggested form")
    ] = None


@event(
    "accountability.proposed",
    "问责建议",
    "Accountability proposed",
    key="/proposalid",
    flows=("V19",),
    phase="post",
    publishers=("party-committee", "leading-group", "inspection-office", "discipline"),
    receivers=(
        "party-committee",
        "leading-group",
        "inspection-office",
        "discipline",
        "organization",
    ),
    accused=("/subjects/-/org", "/subjects/-/person/org"),
    accused_persons=("/subjects/-/person",),
    denied=("inspected-party",),
    due="accountability.decision",
    slip=Slip(
        title="问责建议移交单",
        numbers=("/proposalid",),
        listed="/evidence",
        signed_by=("移交人", "移交人", "接收人", "接收人"),
    ),
)
class Proposed(Payload):
    """That somebody be held to account: rectification for show, grave consequences, duties not met;
    with the facts and each subject's responsibility.

    对整改走过场、造成严重后果等情形提出的问责建议：事实、依据和各对象应负的责任。
    """

    RULES = (
        unique(
            "subjects",
            "subject_no",
            "同一问责对象编号只能出现一次",
            "a subject number stands twice",
            "subject_repeated",
        ),
    )

    proposalid: Annotated[Identifier, F1("问责建议编号", "proposal")]
    matter: Annotated[Matter, F1("涉及工作", "work at issue")]
    grounds: Annotated[
        tuple[Annotated[Code, coded("accountability_ground")], ...],
        Field(min_length=1, max_length=9),
        F2("问责情形", "grounds"),
    ]
    subjects: Annotated[
        tuple[Subject, ...], Field(min_length=1, max_length=50), F2("问责对象", "subjects")
    ]
    facts: Annotated[Summary, F2("事实情况", "facts")]
    consequences: Annotated[Paragraph | None, F2("造成的后果", "consequences")] = None
    loss: Annotated[Money | None, F2("造成的损失", "loss")] = None
    basis: Annotated[
        tuple[Line, ...], Field(min_length=1, max_length=20), F1("依据的规定", "rules relied on")
    ]
    evidence: Annotated[tuple[DocRef, ...], Field(max_length=100), F3("证明材料", "evidence")] = ()
    proposed_on: Annotated[Day, F1("建议日期", "proposed on")]
    approved_by: Annotated[Handler, F1("批准人", "approved by")]


class SubjectDecision(Part):
    """What was decided on one subject."""

    RULES = (
        at_least_one(
            "form",
            "reason",
            message="予以问责的须填问责方式，不予问责的须写明理由",
            message_en="say in which form, or why not",
            code="decision_missing",
        ),
        forbids(
            "reason",
            lambda it: it.form is not None,
            "予以问责的不填不予问责理由",
            "whoever is held to account has no reason why not",
            "reason_unexpected",
        ),
        needs(
            "form",
            lambda it: it.party or it.administrative or it.organizational,
            "给予处分处理的须填问责方式",
            "a sanction belongs to a form of accountability",
            "form_missing",
        ),
        needs(
            "effective_on",
            lambda it: it.form is not None,
            "予以问责的须填生效日期",
            "whoever is held to account is told from when",
            "effective_missing",
        ),
    )

    subject_no: Annotated[Ordinal, F1("问责对象序号", "subject number")]
    form: Annotated[
        Annotated[Code, coded("accountability_form")] | None, F2("问责方式", "form")
    ] = None
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
    effective_on: Annotated[Day | None, F1("生效日期", "effective on")] = None
    reason: Annotated[Paragraph | None, F2("不予问责理由", "why not")] = None


@event(
    "accountability.decided",
    "问责决定",
    "Accountability decided",
    key="/proposalid",
    flows=("V19",),
    phase="post",
    answers=("accountability.proposed",),
    receivers=("organization",),
    denied=("inspected-party",),
)
class Decided(Payload):
    """What was decided on a proposal, subject by subject: in which form each is held to account,
    or why not.

    有权机关对问责建议的决定，按问责对象逐一写明问责方式；不予问责的写明理由。
    """

    RULES = (
        unique(
            "subjects",
            "subject_no",
            "同一问责对象编号只能出现一次",
            "a subject number stands twice",
            "subject_repeated",
        ),
    )

    proposalid: Annotated[Identifier, F1("问责建议编号", "proposal")]
    decided_by: Annotated[OrgRef, F1("决定机关", "deciding body")]
    decided_on: Annotated[Day, F1("决定日期", "decided on")]
    docno: Annotated[Line | None, F1("决定文号", "number of the decision")] = None
    subjects: Annotated[
        tuple[SubjectDecision, ...],
        Field(min_length=1, max_length=50),
        F2("各对象决定", "by subject"),
    ]
    circulated: Annotated[bool, F1("是否通报曝光", "circulated as a warning")] = False
    approved_by: Annotated[Handler, F1("批准人", "approved by")]
