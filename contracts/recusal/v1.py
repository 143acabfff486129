"""Recusal (回避): who may not take part in a matter, and what was decided; H06."""

from typing import Annotated, Literal

from pydantic import Field

from contracts.classes import F1, F2, F3
from contracts.common import (
    Code,
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
from contracts.rules import at_least_one, forbids, in_order, needs
from contracts.values import Day, Identifier, Line, Paragraph


class Relation(Part):
    """To whom the person stands in which relation; family is sensitive."""

    RULES = (
        at_least_one(
            "relation",
            "other",
            message="须填亲属关系或其他关系",
            message_en="say what the relation is",
            code="relation_missing",
        ),
        at_least_one(
            "to",
            "to_org",
            message="须填关系人或关联单位",
            message_en="say to whom or to what organisation",
            code="related_missing",
        ),
        in_order(
            "from_", "until", "截止日期不得早于起始日期", "the relation ends before it begins"
        ),
    )

    relation: Annotated[
        Annotated[Code, coded("family_relation")] | None, F3("亲属关系", "family relation")
    ] = None
    other: Annotated[Line | None, F3("其他关系", "other relation")] = None
    to: Annotated[PersonRef | None, F3("关系人", "related person")] = None
    to_org: Annotated[OrgRef | None, F3("关联单位", "related organisation")] = None
    from_: Annotated[Day | None, Field(alias="from"), F3("起始日期", "from")] = None
    until: Annotated[Day | None, F3("截止日期", "until")] = None


@event(
    "recusal.declared",
    "回避申报",
    "Recusal declared",
    key="/recusalid",
    flows=("H06",),
    receivers=(
        "party-committee",
        "leading-group",
        "inspection-office",
        "discipline",
        "organization",
    ),
    due="recusal.decision",
)
class Declared(Payload):
    """A reason why somebody should not take part in an inspection or a case, told by themselves or
    by others.

    有关人员本人申请、他人要求或组织发现的回避情形，报巡视巡察机构决定。
    """

    RULES = (
        at_least_one(
            "roundid",
            "target",
            "cases",
            message="须填涉及的轮次、被巡视巡察党组织或事项",
            message_en="say from which round, party or cases",
            code="matter_missing",
        ),
        needs(
            "relations",
            lambda it: it.reason.code == "relative",
            "近亲属关系须填关系人",
            "a close relative is named",
            "relations_missing",
        ),
        needs(
            "raised_by",
            lambda it: it.way == "requested",
            "他人要求回避的，须填要求人或单位",
            "whoever asks for somebody else's recusal is named",
            "raised_by_missing",
        ),
    )

    recusalid: Annotated[Identifier, F1("回避编号", "recusal number")]
    person: Annotated[PersonRef, F2("申报人员", "person")]
    duty: Annotated[Annotated[Code, coded("team_role")], F1("承担工作", "duty")]
    way: Annotated[
        Literal["own", "requested", "found"],
        F1(
            "提出方式",
            "how it arose",
            "own 本人申请，requested 他人要求，found 组织发现 / by oneself, others, the organ",
        ),
    ]
    raised_by: Annotated[Line | None, F2("要求人或单位", "asked for by")] = None
    reason: Annotated[Annotated[Code, coded("recusal_reason")], F2("回避事由", "reason")]
    relations: Annotated[
        tuple[Relation, ...], Field(max_length=20), F3("关系情况", "relations")
    ] = ()
    explanation: Annotated[Paragraph | None, F2("情况说明", "explanation")] = None
    roundid: Annotated[Identifier | None, F1("巡视巡察轮次", "round")] = None
    target: Annotated[OrgRef | None, F1("涉及的被巡视巡察党组织", "inspected party")] = None
    cases: Annotated[
        tuple[Line, ...],
        Field(max_length=50),
        F1("涉及事项", "cases", "事项主键，如 clue:线索编号 / keys of events"),
    ] = ()
    declared_on: Annotated[Day, F1("申报日期", "declared on")]
    suspended: Annotated[bool, F1("决定前已暂停参与", "kept out until decided")] = False
    due: Annotated[Due | None, F1("决定期限", "decision due")] = None


@event(
    "recusal.decided",
    "回避决定",
    "Recusal decided",
    key="/recusalid",
    flows=("H06",),
    answers=("recusal.declared",),
)
class Decided(Payload):
    """Whether and from what the person is kept out, since when, and who stands in.

    巡视巡察机构对回避情形的决定，写明回避范围、起止日期和接替人员。
    """

    RULES = (
        needs(
            "from_",
            lambda it: it.result.code != "not_required",
            "决定回避的，须填起始日期",
            "a recusal says from when it holds",
            "from_missing",
        ),
        needs(
            "scope",
            lambda it: it.result.code == "partly",
            "部分事项回避的，须写明回避范围",
            "a recusal from part of the matter says from which",
            "scope_missing",
        ),
        forbids(
            "replaced_by",
            lambda it: it.result.code == "not_required",
            "不需回避的，不填接替人员",
            "nobody stands in for a person who stays",
            "replacement_unexpected",
        ),
        in_order("from_", "until", "截止日期不得早于起始日期", "the recusal ends before it begins"),
    )

    recusalid: Annotated[Identifier, F1("回避编号", "recusal number")]
    result: Annotated[Annotated[Code, coded("recusal_result")], F2("回避决定", "decision")]
    scope: Annotated[Paragraph | None, F2("回避范围", "scope")] = None
    from_: Annotated[Day | None, Field(alias="from"), F1("起始日期", "from")] = None
    until: Annotated[Day | None, F1("截止日期", "until")] = None
    replaced_by: Annotated[PersonRef | None, F2("接替人员", "stand-in")] = None
    grounds: Annotated[Paragraph, F2("决定理由", "grounds")]
    decided_on: Annotated[Day, F1("决定日期", "decided on")]
    decided_by: Annotated[Handler, F1("决定人", "decided by")]
    handlers: Annotated[Signatories, F1("承办人", "handlers")]
