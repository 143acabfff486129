"""Recommendations (巡视巡察建议): what an office asks of the department in charge; flow H12."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import Code, DocRef, Due, Handler, OrgRef, Part, Payload, coded
from contracts.contract import Slip
from contracts.declare import event
from contracts.rules import needs, rule, unique
from contracts.values import Count, Day, Identifier, Line, Paragraph, Summary

FLOWS: Final = ("H12",)
DONE: Final = "2"
AskNumber = Annotated[int, Field(ge=1, le=99)]


class Problem(Part):
    """A problem of the field, found at several bodies."""

    category: Annotated[
        Annotated[Code, coded("issue_category")] | None, F1("问题类别", "category")
    ] = None
    text: Annotated[Paragraph, F2("问题表现", "problem")]
    bodies: Annotated[Count, F1("涉及单位数", "number of bodies")]
    issueids: Annotated[
        tuple[Identifier, ...], Field(max_length=200), F1("有关问题编号", "issues")
    ] = ()


class Ask(Part):
    """One thing that is recommended, by a number that the response repeats."""

    no: Annotated[AskNumber, F1("序号", "number")]
    text: Annotated[Paragraph, F1("建议内容", "recommendation")]
    due: Annotated[Day | None, F1("完成期限", "due")] = None


@event(
    "recommendation.issued",
    "巡视巡察建议",
    "Recommendation issued",
    key="/recommendationid",
    flows=FLOWS,
    phase="post",
    publishers=("inspection-office",),
    concerned=("/addressee", "/bodies/-"),
    due="recommendation.response",
    slip=Slip(
        title="巡视巡察建议签收单",
        numbers=("/recommendationid", "/letter/docno"),
        listed="/asks",
        signed_by=("送达人", "签收人"),
    ),
)
class Issued(Payload):
    """What an inspection office recommends to the department in charge of a field, after it found
    the same there at several bodies: problems, what to do, by when to answer.

    巡视巡察机构就普遍性、行业性问题向主管部门提出建议：问题表现、建议内容和反馈期限。
    """

    RULES = (
        unique("asks", "no", "同一序号只能出现一次", "a number stands twice", "number_repeated"),
        rule(
            "ask_after_due",
            "asks",
            "各项建议的完成期限不得早于成文日期",
            "a recommendation falls due before it is issued",
            lambda it: any(ask.due is not None and ask.due < it.issued_on for ask in it.asks),
        ),
    )

    recommendationid: Annotated[Identifier, F1("建议书编号", "recommendation")]
    kind: Annotated[Annotated[Code, coded("recommendation_kind")], F1("建议种类", "kind")]
    roundid: Annotated[Identifier, F1("巡视巡察轮次", "round")]
    addressee: Annotated[OrgRef, F1("主管部门", "department in charge")]
    field: Annotated[Line, F1("行业领域", "field")]
    issued_on: Annotated[Day, F1("成文日期", "issued on")]
    reason: Annotated[Summary, F2("建议理由", "reasons")]
    problems: Annotated[
        tuple[Problem, ...], Field(min_length=1, max_length=100), F1("问题表现", "problems")
    ]
    bodies: Annotated[
        tuple[OrgRef, ...], Field(max_length=200), F1("涉及单位", "bodies concerned")
    ] = ()
    asks: Annotated[
        tuple[Ask, ...], Field(min_length=1, max_length=99), F1("建议内容", "recommendations")
    ]
    approved_by: Annotated[Handler | None, F1("批准人", "approved by")] = None
    attached: Annotated[
        tuple[DocRef, ...], Field(max_length=50), F1("附件", "attached documents")
    ] = ()
    due: Annotated[Due | None, F1("反馈期限", "response due")] = None


class Answered(Part):
    """What the department does about one thing that was recommended."""

    RULES = (
        needs(
            "reason",
            lambda it: it.adopted == "no",
            "不采纳的须说明理由",
            "what is not adopted says why",
            "reason_missing",
        ),
        needs(
            "measures",
            lambda it: it.adopted != "no",
            "采纳的须填落实措施",
            "what is adopted says how",
            "measures_missing",
        ),
        needs(
            "planned_for",
            lambda it: it.adopted != "no" and (it.completion is None or it.completion.code != DONE),
            "采纳而未完成的须填计划完成日期",
            "what is not completed says by when it will be",
            "planned_for_missing",
        ),
    )

    no: Annotated[AskNumber, F1("序号", "number")]
    adopted: Annotated[
        Literal["yes", "partly", "no"],
        F1("采纳情况", "adopted", "yes 采纳，partly 部分采纳，no 不采纳"),
    ]
    measures: Annotated[
        tuple[Paragraph, ...], Field(max_length=50), F1("落实措施", "measures")
    ] = ()
    completion: Annotated[
        Annotated[Code, coded("rectification_completion")] | None, F1("完成情况", "completion")
    ] = None
    planned_for: Annotated[Day | None, F1("计划完成日期", "planned for")] = None
    reason: Annotated[Paragraph | None, F2("不采纳理由", "reason")] = None


def _rectified_exceeds(it: Any) -> bool:
    return (it.problems_rectified or 0) > (it.problems_found or 0)


@event(
    "recommendation.responded",
    "巡视巡察建议办理反馈",
    "Recommendation responded to",
    key="/recommendationid",
    flows=FLOWS,
    phase="post",
    answers=("recommendation.issued",),
    concerned=("/responder",),
)
class Responded(Payload):
    """What the department in charge did about each recommendation, and what it found in its field.

    主管部门逐项反馈建议的采纳和落实情况，以及在本行业排查整改的情况。
    """

    RULES = (
        unique("answers", "no", "同一序号只能出现一次", "a number stands twice", "number_repeated"),
        rule(
            "rectified_exceeds",
            "problems_rectified",
            "已整改问题数不得大于发现问题数",
            "more is rectified than was found",
            _rectified_exceeds,
        ),
    )

    recommendationid: Annotated[Identifier, F1("建议书编号", "recommendation")]
    responder: Annotated[OrgRef, F1("主管部门", "department in charge")]
    answers: Annotated[
        tuple[Answered, ...], Field(min_length=1, max_length=99), F1("逐项办理情况", "answers")
    ]
    bodies_checked: Annotated[Count | None, F1("排查单位数", "bodies checked")] = None
    problems_found: Annotated[Count | None, F1("发现问题数", "problems found")] = None
    problems_rectified: Annotated[Count | None, F1("已整改问题数", "problems rectified")] = None
    rules_made: Annotated[
        tuple[DocRef, ...], Field(max_length=50), F1("建章立制", "rules made")
    ] = ()
    campaignid: Annotated[Identifier | None, F1("专项整治编号", "campaign")] = None
    responded_on: Annotated[Day, F1("反馈日期", "responded on")]
