"""Meetings (会议): called together with an agenda; what they concluded and judged.

Flow V08.
"""

from typing import Annotated, Final, Literal

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import (
    Code,
    DocRef,
    Handler,
    OrgRef,
    Part,
    Payload,
    PersonRef,
    coded,
)
from contracts.declare import event
from contracts.rules import at_least_one, in_order, needs, rule, unique
from contracts.values import Count, Day, Identifier, Instant, Line, Paragraph

FLOWS: Final = ("V08",)


class AgendaItem(Part):
    """One item of the agenda: on what, presented by whom, with which papers."""

    itemno: Annotated[Identifier, F1("议题序号", "item number")]
    subject: Annotated[
        Annotated[Code, coded("consultation_subject")] | None, F1("议题类别", "subject")
    ] = None
    title: Annotated[Line, F1("议题", "title")]
    presenter: Annotated[OrgRef | None, F1("汇报单位", "presented by")] = None
    minutes: Annotated[Count | None, F1("预计用时", "time planned", "单位：分钟")] = None
    documents: Annotated[tuple[DocRef, ...], Field(max_length=20), F1("会议材料", "papers")] = ()


class Invitation(Part):
    """Who is invited, in which capacity, and as how many."""

    org: Annotated[OrgRef, F1("参会单位", "organisation")]
    capacity: Annotated[Literal["attends", "sits-in"], F1("参会方式", "capacity")] = "attends"
    post: Annotated[Line | None, F1("参会人员职务要求", "post wanted")] = None
    people: Annotated[Count, F1("参会人数", "people", "单位：人")] = 1


@event(
    "meeting.convened",
    "会议通知",
    "Meeting convened",
    key="/meetingid",
    flows=FLOWS,
    due="meeting.conclusion",
)
class Convened(Payload):
    """A meeting is called: of what kind, when and where, on which items, with whom.

    召集会商会、研判会、联席会议、座谈会等：时间、地点、议题、材料和参会单位。
    """

    RULES = (
        in_order(
            "starts_at",
            "ends_at",
            "会议结束时间不得早于开始时间",
            "the meeting ends before it begins",
        ),
        in_order(
            "reply_by",
            "starts_at",
            "会议开始时间不得早于回执期限",
            "replies are due before the meeting begins",
            "reply_after_start",
        ),
        unique(
            "agenda",
            "itemno",
            "同一议题序号只能出现一次",
            "an item number stands twice",
            "item_repeated",
        ),
        needs(
            "place",
            lambda it: it.form == "on-site",
            "现场会议须填地点",
            "a meeting on site has a place",
            "place_missing",
        ),
    )

    meetingid: Annotated[Identifier, F1("会议编号", "meeting")]
    kind: Annotated[Annotated[Code, coded("meeting_kind")], F1("会议种类", "kind of meeting")]
    title: Annotated[Line, F1("会议名称", "title")]
    roundid: Annotated[Identifier | None, F1("所涉轮次", "round concerned")] = None
    targetid: Annotated[Identifier | None, F1("所涉党组织", "inspected party concerned")] = None
    form: Annotated[Literal["on-site", "video", "written"], F1("会议形式", "form")] = "on-site"
    starts_at: Annotated[Instant, F1("开始时间", "starts at")]
    ends_at: Annotated[Instant | None, F1("结束时间", "ends at")] = None
    place: Annotated[Line | None, F1("地点", "place")] = None
    convener: Annotated[OrgRef, F1("召集单位", "convened by")]
    chair: Annotated[PersonRef | None, F2("主持人", "chair")] = None
    agenda: Annotated[
        tuple[AgendaItem, ...], Field(min_length=1, max_length=50), F1("议程", "agenda")
    ]
    invited: Annotated[
        tuple[Invitation, ...], Field(min_length=1, max_length=200), F1("参会单位", "invited")
    ]
    reply_by: Annotated[Instant | None, F1("回执期限", "reply by")] = None
    contact: Annotated[Handler, F1("联系人", "contact")]


class Conclusion(Part):
    """What the meeting settled on one item, who sees to it and by when."""

    itemno: Annotated[Identifier, F1("议题序号", "item number")]
    text: Annotated[Paragraph, F2("议定事项", "what was settled")]
    owner: Annotated[OrgRef | None, F1("责任单位", "who sees to it")] = None
    partners: Annotated[tuple[OrgRef, ...], Field(max_length=20), F1("配合单位", "partners")] = ()
    due: Annotated[Day | None, F1("完成期限", "due")] = None


class Judgement(Part):
    """How the meeting judges one matter (研判), on which facts, and what it advises."""

    RULES = (
        rule(
            "dissent_contradicted",
            "dissent",
            "意见一致时不得填写不同意见",
            "where all agree there is no dissent",
            lambda it: it.unanimous and it.dissent is not None,
        ),
        needs(
            "dissent",
            lambda it: not it.unanimous,
            "意见不一致时须如实记录不同意见",
            "where not all agree the other opinions are on record",
            "dissent_missing",
        ),
    )

    judgementno: Annotated[Identifier, F1("研判序号", "judgement number")]
    subject: Annotated[
        Annotated[Code, coded("consultation_subject")], F1("研判事项类别", "subject")
    ]
    matter: Annotated[Paragraph, F2("研判事项", "matter")]
    facts: Annotated[Paragraph | None, F2("事实依据", "facts")] = None
    opinion: Annotated[Paragraph, F2("研判意见", "judgement")]
    unanimous: Annotated[bool, F1("意见一致", "all agree")]
    dissent: Annotated[Paragraph | None, F2("不同意见", "other opinions")] = None
    advice: Annotated[Paragraph, F2("处理建议", "advice")]
    owner: Annotated[OrgRef | None, F1("承办单位", "who sees to it")] = None
    due: Annotated[Day | None, F1("办理期限", "due")] = None


@event(
    "meeting.conclusion_recorded",
    "会议议定事项",
    "Conclusion of a meeting recorded",
    key="/meetingid",
    flows=FLOWS,
    answers=("meeting.convened",),
    unasked=True,
)
class ConclusionRecorded(Payload):
    """What a meeting settled, and how it judged the matters before it, with other opinions on
    record.

    会议议定事项和研判意见：责任单位、期限、不同意见，由召集单位整理分送。
    """

    RULES = (
        at_least_one(
            "conclusions",
            "judgements",
            message="须填议定事项或研判意见",
            message_en="a meeting has conclusions or judgements",
            code="conclusion_empty",
        ),
        unique(
            "judgements",
            "judgementno",
            "同一研判序号只能出现一次",
            "a judgement number stands twice",
            "judgement_repeated",
        ),
    )

    meetingid: Annotated[Identifier, F1("会议编号", "meeting")]
    kind: Annotated[Annotated[Code, coded("meeting_kind")], F1("会议种类", "kind of meeting")]
    held_on: Annotated[Day, F1("会议日期", "held on")]
    chair: Annotated[PersonRef | None, F2("主持人", "chair")] = None
    attended: Annotated[
        tuple[OrgRef, ...], Field(min_length=1, max_length=200), F1("到会单位", "attended")
    ]
    absent: Annotated[tuple[OrgRef, ...], Field(max_length=200), F1("缺席单位", "absent")] = ()
    conclusions: Annotated[
        tuple[Conclusion, ...], Field(max_length=100), F1("议定事项", "conclusions")
    ] = ()
    judgements: Annotated[
        tuple[Judgement, ...], Field(max_length=50), F1("研判意见", "judgements")
    ] = ()
    recorder: Annotated[Handler | None, F1("记录人", "recorded by")] = None
    minutes: Annotated[DocRef | None, F1("会议纪要", "minutes")] = None
