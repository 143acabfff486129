"""Consultation (沟通会商): agencies ask each other's view of a matter; V08, H03."""

from typing import Annotated, Literal

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import (
    Code,
    DocRef,
    Due,
    Handler,
    OrgRef,
    Part,
    Payload,
    PersonRef,
    Signatories,
    coded,
)
from contracts.declare import event
from contracts.rules import forbids, needs, together, unique
from contracts.values import Day, Identifier, Instant, Line, Ordinal, Paragraph, Summary

DISSENT = ("agree_partly", "disagree", "not_ours")


class Point(Part):
    """One question on which a view is wanted."""

    point_no: Annotated[Ordinal, F1("问题序号", "number of the question")]
    question: Annotated[Paragraph, F2("会商问题", "question")]
    own_view: Annotated[Paragraph | None, F2("提出方初步意见", "preliminary view")] = None


class View(Part):
    """The answering agency's position on one question, with what it rests on."""

    RULES = (
        needs(
            "grounds",
            lambda it: it.position.code in DISSENT,
            "不同意、部分同意或不属于职责的，须写明依据和理由",
            "whoever does not agree, or only in part, states the grounds",
            "grounds_missing",
        ),
    )

    point_no: Annotated[Ordinal, F1("问题序号", "number of the question")]
    position: Annotated[Annotated[Code, coded("consultation_position")], F2("会商意见", "position")]
    grounds: Annotated[Paragraph | None, F2("依据和理由", "grounds")] = None
    basis: Annotated[
        tuple[Line, ...],
        Field(max_length=50),
        F1("法规政策依据", "provisions relied on"),
    ] = ()


@event(
    "consultation.requested",
    "会商请求",
    "Consultation requested",
    key="/consultationid",
    flows=("V08", "H03"),
    # What is asked about a party is closed until the feedback: its own organ never sees it.
    accused=("/target",),
    denied=("inspected-party",),
    due="consultation.answer",
)
class Requested(Payload):
    """Questions about a matter on which the view of another agency is wanted, in writing or at a
    meeting.

    就问题定性、线索、整改等事项向有关机关提出会商，逐一列明需要会商的问题。
    """

    RULES = (
        unique(
            "points",
            "point_no",
            "同一问题序号只能出现一次",
            "a question number stands twice",
            "point_repeated",
        ),
        needs(
            "meeting_at",
            lambda it: it.form == "meeting",
            "以会议形式会商的，须填会议时间",
            "a consultation at a meeting says when it is held",
            "meeting_missing",
        ),
        forbids(
            "meeting_at",
            lambda it: it.form == "written",
            "书面会商不填会议时间和地点",
            "a consultation in writing has no meeting",
            "meeting_unexpected",
        ),
        together(
            "meeting_at",
            "place",
            message="会议时间和地点须同时填写",
            message_en="time and place of the meeting go together",
            code="meeting_incomplete",
        ),
        needs(
            "clueid",
            lambda it: it.subject.code == "clue",
            "会商问题线索的，只填线索编号，须填 clueid",
            "a consultation about a clue names it by number",
            "clueid_missing",
        ),
    )

    consultationid: Annotated[Identifier, F1("会商编号", "consultation number")]
    subject: Annotated[Annotated[Code, coded("consultation_subject")], F1("会商事项", "subject")]
    title: Annotated[Line, F1("会商议题", "title")]
    roundid: Annotated[Identifier | None, F1("巡视巡察轮次", "round")] = None
    target: Annotated[OrgRef | None, F1("被巡视巡察党组织", "inspected party")] = None
    clueid: Annotated[Identifier | None, F1("线索编号", "clue number")] = None
    issueid: Annotated[Identifier | None, F1("问题编号", "issue number")] = None
    petitionid: Annotated[Identifier | None, F1("信访事项编号", "petition number")] = None
    background: Annotated[Summary, F2("基本情况", "background")]
    points: Annotated[
        tuple[Point, ...], Field(min_length=1, max_length=50), F2("会商问题", "questions")
    ]
    form: Annotated[Literal["written", "meeting"], F1("会商形式", "form")] = "written"
    meeting_at: Annotated[Instant | None, F1("会议时间", "time of the meeting")] = None
    place: Annotated[Line | None, F1("会议地点", "place of the meeting")] = None
    material: Annotated[tuple[DocRef, ...], Field(max_length=100), F2("会商材料", "documents")] = ()
    due: Annotated[Due | None, F1("答复期限", "answer due")] = None


@event(
    "consultation.answered",
    "会商答复",
    "Consultation answered",
    key="/consultationid",
    flows=("V08", "H03"),
    answers=("consultation.requested",),
)
class Answered(Payload):
    """The agency's position on each question, and what was agreed to do next.

    参加会商的机关逐一答复会商问题，并写明商定的后续安排。
    """

    RULES = (
        unique(
            "views",
            "point_no",
            "同一问题序号只能出现一次",
            "a question number stands twice",
            "point_repeated",
        ),
        together(
            "record",
            "participants",
            message="有会议纪要的，须填参加人，反之亦然",
            message_en="the record of a meeting and its participants go together",
            code="meeting_incomplete",
        ),
    )

    consultationid: Annotated[Identifier, F1("会商编号", "consultation number")]
    views: Annotated[tuple[View, ...], Field(min_length=1, max_length=50), F2("会商意见", "views")]
    answered_on: Annotated[Day, F1("答复日期", "answered on")]
    conclusion: Annotated[Paragraph | None, F2("综合意见", "conclusion")] = None
    follow_up: Annotated[Paragraph | None, F2("后续安排", "next steps")] = None
    record: Annotated[DocRef | None, F2("会议纪要", "record of the meeting")] = None
    participants: Annotated[
        tuple[PersonRef, ...], Field(max_length=50), F2("参加人", "participants")
    ] = ()
    approved_by: Annotated[Handler, F1("审定人", "approved by")]
    handlers: Annotated[Signatories, F1("承办人", "handlers")]
