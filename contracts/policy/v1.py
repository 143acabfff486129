"""Policy advice (政策咨询): a department says how rules of its field are to be read; H10.

A question is put in the abstract: neither a party nor a person stands in it.
"""

from typing import Annotated

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import (
    DocRef,
    Due,
    Handler,
    Part,
    Payload,
    Period,
    Signatories,
)
from contracts.declare import event
from contracts.rules import at_least_one, forbids, in_order, needs, unique
from contracts.values import Day, Identifier, Line, Ordinal, Paragraph, RegionCode

DEPARTMENTS = (
    "discipline",
    "organization",
    "audit",
    "petition",
    "publicity",
    "political-legal",
    "finance",
    "statistics",
    "functional-dept",
)


class Question(Part):
    """One question of reading, for the time and place whose rules are meant."""

    question_no: Annotated[Ordinal, F1("问题序号", "number of the question")]
    question: Annotated[Paragraph, F1("咨询问题", "question")]
    facts: Annotated[
        Paragraph | None,
        F2("情形描述", "circumstances", "隐去单位和人员名称 / names of units and persons left out"),
    ] = None
    period: Annotated[Period | None, F1("行为发生期间", "when it happened")] = None
    place: Annotated[RegionCode | None, F1("适用地域", "where it happened")] = None


class Provision(Part):
    """A rule that was relied on, and for how long it was in force."""

    RULES = (
        in_order(
            "in_force_from",
            "in_force_until",
            "失效日期不得早于施行日期",
            "a rule does not end before it begins",
            "validity_reversed",
        ),
    )

    document: Annotated[DocRef, F1("依据文件", "document")]
    article: Annotated[Line | None, F1("条款", "article")] = None
    text: Annotated[Paragraph | None, F1("条文内容", "wording")] = None
    in_force_from: Annotated[Day | None, F1("施行日期", "in force from")] = None
    in_force_until: Annotated[Day | None, F1("失效日期", "in force until")] = None


class Advice(Part):
    """The department's reading for one question, or why it has none."""

    RULES = (
        at_least_one(
            "reading",
            "no_reading_because",
            message="须填解释意见，或说明不能答复的理由",
            message_en="give a reading, or say why there is none",
            code="reading_missing",
        ),
        forbids(
            "no_reading_because",
            lambda it: it.reading is not None,
            "已有解释意见的，不填不能答复的理由",
            "whoever gives a reading gives no reason against one",
            "reading_contradicted",
        ),
        needs(
            "provisions",
            lambda it: it.reading is not None,
            "解释意见须列出所依据的文件条款",
            "a reading names the provisions it rests on",
            "provisions_missing",
        ),
    )

    question_no: Annotated[Ordinal, F1("问题序号", "number of the question")]
    reading: Annotated[Paragraph | None, F1("解释意见", "reading")] = None
    no_reading_because: Annotated[
        Paragraph | None, F1("不能答复的理由", "why there is no reading")
    ] = None
    provisions: Annotated[
        tuple[Provision, ...], Field(max_length=50), F1("依据条款", "provisions")
    ] = ()
    boundary: Annotated[Paragraph | None, F1("适用界限", "limits of the reading")] = None


@event(
    "policy.consulted",
    "政策咨询",
    "Policy advice asked for",
    key="/inquiryid",
    flows=("H10",),
    phase="on",
    publishers=("inspection-office", "inspection-team"),
    receivers=("inspection-office", *DEPARTMENTS),
    due="policy.answer",
)
class Consulted(Payload):
    """Questions to a department on how the rules of its field are to be read.

    就有关领域政策规定的理解和适用向主管部门咨询，不涉及具体单位和人员。
    """

    RULES = (
        unique(
            "questions",
            "question_no",
            "同一问题序号只能出现一次",
            "a question number stands twice",
            "question_repeated",
        ),
    )

    inquiryid: Annotated[Identifier, F1("咨询编号", "inquiry number")]
    field: Annotated[Line, F1("政策领域", "field of policy")]
    roundid: Annotated[Identifier | None, F1("巡视巡察轮次", "round")] = None
    questions: Annotated[
        tuple[Question, ...], Field(min_length=1, max_length=50), F1("咨询问题", "questions")
    ]
    due: Annotated[Due | None, F1("答复期限", "answer due")] = None


@event(
    "policy.answered",
    "政策咨询答复",
    "Policy advice given",
    key="/inquiryid",
    flows=("H10",),
    phase="on",
    answers=("policy.consulted",),
)
class Answered(Payload):
    """How the rules are to be read, question by question, with the provisions relied on.

    主管部门逐一答复咨询问题，列出所依据的文件条款和适用界限。
    """

    RULES = (
        unique(
            "advice",
            "question_no",
            "同一问题序号只能出现一次",
            "a question number stands twice",
            "question_repeated",
        ),
    )

    inquiryid: Annotated[Identifier, F1("咨询编号", "inquiry number")]
    advice: Annotated[
        tuple[Advice, ...], Field(min_length=1, max_length=50), F1("答复意见", "advice")
    ]
    answered_on: Annotated[Day, F1("答复日期", "answered on")]
    approved_by: Annotated[Handler, F1("审定人", "approved by")]
    contact: Annotated[Line | None, F2("联系人", "contact")] = None
    handlers: Annotated[Signatories, F1("承办人", "handlers")]
