"""Comments (评点) of the level above on what an office reported, and the answers; flow V09."""

from typing import Annotated, Any, Final

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import Code, Handler, OrgRef, Part, Payload, coded
from contracts.declare import event
from contracts.rules import at_least_one, needs, unique
from contracts.values import Day, Identifier, Line, Paragraph, text

FLOWS: Final = ("V09",)
ADOPTED: Final = "adopted"


class Reported(Part):
    """The report that is commented on: its event, and its number where it has one."""

    source: Annotated[Annotated[str, text(256)], F1("来源", "source of the event")]
    id: Annotated[Identifier, F1("事件编号", "id of the event")]
    docno: Annotated[Line | None, F1("文号", "document number")] = None


class Comment(Part):
    """One remark, on which part of the work, and whether an answer is wanted."""

    commentno: Annotated[Identifier, F1("意见序号", "comment number")]
    subject: Annotated[Annotated[Code, coded("inspection_work")], F1("所涉工作", "subject")]
    remark: Annotated[Paragraph, F2("评点内容", "remark")]
    suggestion: Annotated[Paragraph | None, F1("工作建议", "suggestion")] = None
    answer_wanted: Annotated[bool, F1("须回复", "an answer is wanted")] = True


def _answers_wanted(it: Any) -> bool:
    return any(comment.answer_wanted for comment in it.comments)


# An opening, though it comes back on progress.reported (V09): it is answered itself, by a date, and
# so has a case of its own; and the work of a round or a team may be commented on without a report.
@event(
    "guidance.comment_issued",
    "评点意见",
    "Comment issued",
    key="/commentid",
    flows=FLOWS,
    phase="on",
    ways=("same", "down"),
    receivers=(
        "party-committee",
        "leading-group",
        "inspection-office",
        "inspection-team",
        "guidance-team",
    ),
    due="guidance.comment",
)
class CommentIssued(Payload):
    """The level above comments on what an office or a team reported of its work.

    上级对下级机构或巡视巡察组报告的工作情况提出评点意见和建议。
    """

    RULES = (
        unique(
            "comments",
            "commentno",
            "同一意见序号只能出现一次",
            "a comment number stands twice",
            "comment_repeated",
        ),
        needs(
            "answer_by",
            _answers_wanted,
            "有须回复的意见时须填回复期限",
            "whoever wants an answer says by when",
            "answer_by_missing",
        ),
        at_least_one(
            "report",
            "roundid",
            message="须填所评点的报告或所涉轮次",
            message_en="a comment says on which report or on which round it is",
            code="comment_on_nothing",
        ),
    )

    commentid: Annotated[Identifier, F1("评点编号", "comment")]
    report: Annotated[Reported | None, F1("所评点的报告", "report commented on")] = None
    roundid: Annotated[Identifier | None, F1("所涉轮次", "round concerned")] = None
    groupid: Annotated[Identifier | None, F1("所涉组别", "team concerned")] = None
    addressee: Annotated[OrgRef, F1("评点对象", "whose work is commented on")]
    issued_on: Annotated[Day, F1("评点日期", "issued on")]
    grade: Annotated[Annotated[Code, coded("evaluation_grade")] | None, F1("总体评价", "grade")] = (
        None
    )
    comments: Annotated[
        tuple[Comment, ...], Field(min_length=1, max_length=50), F1("评点意见", "comments")
    ]
    answer_by: Annotated[Day | None, F1("回复期限", "answer due")] = None


class Answer(Part):
    """Whether one comment was adopted, what was done, or why not."""

    RULES = (
        needs(
            "reason",
            lambda it: it.adoption.code != ADOPTED,
            "部分采纳或未采纳的须写明理由",
            "what is not or only partly adopted has a reason",
            "reason_missing",
        ),
        needs(
            "action",
            lambda it: it.adoption.code != "not_adopted",
            "采纳的意见须写明落实情况",
            "what is adopted says what was done",
            "action_missing",
        ),
    )

    commentno: Annotated[Identifier, F1("意见序号", "comment number")]
    adoption: Annotated[Annotated[Code, coded("adoption_result")], F1("采纳情况", "adopted")]
    action: Annotated[Paragraph | None, F1("落实情况", "what was done")] = None
    done_on: Annotated[Day | None, F1("落实日期", "done on")] = None
    reason: Annotated[Paragraph | None, F2("未采纳理由", "reason")] = None


@event(
    "guidance.comment_answered",
    "评点意见回复",
    "Comment answered",
    key="/commentid",
    flows=FLOWS,
    phase="on",
    answers=("guidance.comment_issued",),
)
class CommentAnswered(Payload):
    """The office says of each comment whether it adopts it and what it did.

    下级机构逐条回复评点意见的采纳和落实情况。
    """

    RULES = (
        unique(
            "answers",
            "commentno",
            "同一意见序号只能出现一次",
            "a comment number stands twice",
            "comment_repeated",
        ),
    )

    commentid: Annotated[Identifier, F1("评点编号", "comment")]
    reporter: Annotated[OrgRef, F1("回复机构", "answered by")]
    answered_on: Annotated[Day, F1("回复日期", "answered on")]
    answers: Annotated[
        tuple[Answer, ...], Field(min_length=1, max_length=50), F1("逐条回复", "answers")
    ]
    approved_by: Annotated[Handler | None, F1("审定人", "approved by")] = None
