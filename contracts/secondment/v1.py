"""Secondment (抽调): people lent to an inspection, and their appraisal when they go home.

H02, H06, H11 and, between levels, V14. One number runs from the request to the last return.
"""

from typing import Annotated

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import (
    Code,
    Due,
    Handler,
    OrgRef,
    Part,
    Payload,
    Period,
    PersonRef,
    Refusal,
    Signatories,
    coded,
)
from contracts.declare import event
from contracts.rules import forbids, needs, rule, unique
from contracts.values import Count, Day, Identifier, Line, Ordinal, Paragraph

FLOWS = ("H02", "H06", "H11", "V14")
BAD_ENDS = ("unfit", "misconduct")


class Slot(Part):
    """How many people of one skill are wanted, in which role and for how long."""

    slot_no: Annotated[Ordinal, F1("岗位序号", "slot number")]
    count: Annotated[
        Annotated[Count, Field(ge=1, le=999)], F1("人数", "number of people", "人 / persons")
    ]
    skill: Annotated[Annotated[Code, coded("secondment_skill")], F1("专业", "skill")]
    role: Annotated[Annotated[Code, coded("team_role")] | None, F1("组内职务", "role")] = None
    rank: Annotated[Annotated[Code, coded("cadre_rank")] | None, F1("职务层次", "rank")] = None
    period: Annotated[Period, F1("抽调期间", "period")]
    full_time: Annotated[bool, F1("脱产", "full time")] = True


class Lent(Part):
    """One person who will come, for which slot and when; asked about reasons for recusal."""

    RULES = (
        needs(
            "recusalid",
            lambda it: it.recusal_declared,
            "有回避情形的，须填回避申报编号",
            "a reason for recusal is declared under its own number",
            "recusalid_missing",
        ),
    )

    slot_no: Annotated[Ordinal, F1("岗位序号", "slot number")]
    person: Annotated[PersonRef, F2("抽调人员", "person")]
    period: Annotated[Period, F1("抽调期间", "period")]
    recusal_declared: Annotated[
        bool,
        F1("有回避情形", "recusal declared", "征询后如实填写 / as they said when they were asked"),
    ]
    recusalid: Annotated[Identifier | None, F1("回避编号", "recusal number")] = None
    skill_level: Annotated[Line | None, F2("专业资格", "qualification")] = None


class Appraisal(Part):
    """How the person worked, for the home unit's yearly assessment (抽调鉴定)."""

    grade: Annotated[Annotated[Code, coded("evaluation_grade")], F2("鉴定等次", "grade")]
    text: Annotated[Paragraph, F2("鉴定意见", "appraisal")]
    tasks: Annotated[Paragraph | None, F2("承担工作", "work done")] = None
    commended: Annotated[bool, F2("受到表扬", "commended")] = False
    appraised_by: Annotated[Handler, F1("鉴定人", "appraised by")]


class Return(Part):
    """One person's return: when, why, and the appraisal."""

    RULES = (
        needs(
            "appraisal",
            lambda it: it.reason.code == "completed",
            "任务完成返回的，须填抽调鉴定",
            "whoever goes home with the task done is appraised",
            "appraisal_missing",
        ),
        needs(
            "note",
            lambda it: it.reason.code in BAD_ENDS,
            "因不适合或违纪结束抽调的，须说明情况",
            "whoever is sent home as unfit or for a breach is told about",
            "note_missing",
        ),
    )

    person: Annotated[PersonRef, F2("抽调人员", "person")]
    period: Annotated[Period, F1("实际抽调期间", "period served")]
    reason: Annotated[Annotated[Code, coded("secondment_end_reason")], F2("结束原因", "reason")]
    note: Annotated[Paragraph | None, F2("情况说明", "explanation")] = None
    appraisal: Annotated[Appraisal | None, F2("抽调鉴定", "appraisal")] = None


@event(
    "secondment.requested",
    "抽调请求",
    "Secondment requested",
    key="/secondmentid",
    flows=FLOWS,
    phase="pre",
    publishers=("inspection-office", "discipline", "organization"),
    due="secondment.confirmation",
)
class Requested(Payload):
    """People wanted for an inspection: how many of which skill, for how long, under which rules of
    recusal.

    商请抽调人员参加巡视巡察，列明各岗位人数、专业、期间以及条件和回避要求。
    """

    RULES = (
        unique(
            "slots",
            "slot_no",
            "同一岗位序号只能出现一次",
            "a slot number stands twice",
            "slot_repeated",
        ),
        rule(
            "count_differs",
            "total",
            "总人数须等于各岗位人数之和",
            "the total is the sum of the slots",
            lambda it: it.total != sum(slot.count for slot in it.slots),
        ),
    )

    secondmentid: Annotated[Identifier, F1("抽调编号", "secondment number")]
    roundid: Annotated[Identifier | None, F1("巡视巡察轮次", "round")] = None
    purpose: Annotated[Line, F1("抽调事由", "purpose")]
    slots: Annotated[tuple[Slot, ...], Field(min_length=1, max_length=100), F1("需求岗位", "slots")]
    total: Annotated[Count, F1("总人数", "people in all", "人 / persons")]
    conditions: Annotated[tuple[Line, ...], Field(max_length=50), F1("人选条件", "conditions")] = ()
    recusal_rules: Annotated[
        tuple[Line, ...], Field(max_length=50), F1("回避要求", "rules of recusal")
    ] = ()
    report_to: Annotated[Line | None, F1("报到地点", "where to report")] = None
    contact: Annotated[Line, F2("联系人", "contact")]
    due: Annotated[Due | None, F1("答复期限", "answer due")] = None


@event(
    "secondment.confirmed",
    "抽调确认",
    "Secondment confirmed",
    key="/secondmentid",
    flows=FLOWS,
    phase="pre",
    answers=("secondment.requested",),
)
class Confirmed(Payload):
    """Who comes, for which slot and when, and whether each has a reason for recusal.

    派出单位确认抽调人员、对应岗位和期间，并逐人说明有无回避情形。
    """

    RULES = (
        needs(
            "shortfall_note",
            lambda it: it.shortfall > 0,
            "未能足额派出的，须说明原因",
            "whoever sends fewer people than wanted says why",
            "shortfall_unexplained",
        ),
    )

    secondmentid: Annotated[Identifier, F1("抽调编号", "secondment number")]
    home: Annotated[OrgRef, F1("派出单位", "home unit")]
    persons: Annotated[
        tuple[Lent, ...], Field(min_length=1, max_length=200), F2("抽调人员", "people")
    ]
    shortfall: Annotated[Count, F1("未能派出人数", "people not sent", "人 / persons")] = 0
    shortfall_note: Annotated[Paragraph | None, F1("未足额说明", "why fewer")] = None
    contact: Annotated[Line, F2("派出单位联系人", "contact at the home unit")]
    approved_by: Annotated[Handler, F1("批准人", "approved by")]


@event(
    "secondment.declined",
    "抽调不予派出",
    "Secondment declined",
    key="/secondmentid",
    flows=FLOWS,
    phase="pre",
    answers=("secondment.requested",),
)
class Declined(Payload):
    """Why the unit sends nobody.

    有关单位不能派出人员的理由。
    """

    secondmentid: Annotated[Identifier, F1("抽调编号", "secondment number")]
    refusal: Annotated[Refusal, F1("不予派出情况", "refusal")]


@event(
    "secondment.ended",
    "抽调结束",
    "Secondment ended",
    key="/secondmentid",
    flows=FLOWS,
    phase="post",
)
class Ended(Payload):
    """The end of people's secondment, told to the home unit with their appraisal; a home unit that
    calls somebody back says so with it too.

    抽调结束，向派出单位反馈返回情况和抽调鉴定；派出单位召回人员的，也以此告知。
    """

    RULES = (
        forbids(
            "remaining",
            lambda it: it.closed,
            "抽调全部结束的，不应有在组人数",
            "nobody remains when the secondment is over",
            "remaining_contradicted",
        ),
    )

    secondmentid: Annotated[Identifier, F1("抽调编号", "secondment number")]
    roundid: Annotated[Identifier | None, F1("巡视巡察轮次", "round")] = None
    home: Annotated[OrgRef, F1("派出单位", "home unit")]
    returns: Annotated[
        tuple[Return, ...], Field(min_length=1, max_length=200), F2("返回人员", "returns")
    ]
    closed: Annotated[bool, F1("抽调全部结束", "all returned")]
    remaining: Annotated[Count | None, F1("仍在组人数", "still seconded", "人 / persons")] = None
    ended_on: Annotated[Day, F1("结束日期", "ended on")]
    handlers: Annotated[Signatories, F1("承办人", "handlers")]
