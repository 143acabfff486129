"""People's congress (人大监督): what its supervision brought up; flow H19."""

from typing import Annotated, Final

from pydantic import Field

from contracts.classes import F0, F1, F2
from contracts.common import Code, DocRef, OrgRef, Part, Payload, coded
from contracts.congress.parts import Handling, Reply
from contracts.declare import event
from contracts.rules import in_order, needs, rule, unique
from contracts.values import Count, Day, Identifier, Line, Paragraph

ADVICE: Final = ("bill", "suggestion")


class Rating(Part):
    """The vote on how satisfied the meeting is (满意度测评)."""

    RULES = (
        rule(
            "votes_differ",
            "present",
            "各项票数之和不得大于出席人数",
            "more votes than were present",
            lambda it: it.satisfied + it.basically + it.unsatisfied > it.present,
        ),
    )

    present: Annotated[Count, F0("出席人数", "present")]
    satisfied: Annotated[Count, F0("满意票", "satisfied")]
    basically: Annotated[Count, F0("基本满意票", "basically satisfied")]
    unsatisfied: Annotated[Count, F0("不满意票", "unsatisfied")]


class Opinion(Part):
    """One opinion of the meeting (审议意见), by its number."""

    no: Annotated[int, Field(ge=1, le=99), F1("序号", "number")]
    text: Annotated[Paragraph, F2("意见内容", "opinion")]
    addressed_to: Annotated[OrgRef | None, F1("办理单位", "addressed to")] = None


@event(
    "congress.deliberation_shared",
    "人大监督情况通报",
    "Congress deliberation shared",
    key="/deliberationid",
    flows=("H19",),
    concerned=("/examined/-", "/handling/lead"),
)
class DeliberationShared(Payload):
    """What a people's congress deliberated, checked or suggested: at which session, of whom, its
    opinions and votes, and how they are handled.

    人大常委会通报监督情况：会议或检查、监督对象、审议意见、满意度测评，议案建议的办理和答复。
    """

    RULES = (
        unique(
            "opinions", "no", "同一序号只能出现一次", "a number stands twice", "number_repeated"
        ),
        needs(
            "handling",
            lambda it: it.kind.code in ADVICE,
            "议案和代表建议须填主办单位",
            "a bill or suggestion says who handles it",
            "handling_missing",
        ),
        needs(
            "opinions",
            lambda it: it.kind.code not in ADVICE and it.kind.code != "other",
            "审议、检查等监督事项须填意见",
            "a deliberation or check says its opinions",
            "opinions_missing",
        ),
        in_order(
            "held_on",
            "reply_by",
            "报告办理情况的期限不得早于会议日期",
            "the report is due before the meeting",
            "reply_due_too_early",
        ),
    )

    deliberationid: Annotated[Identifier, F1("监督事项编号", "deliberation")]
    kind: Annotated[
        Annotated[Code, coded("congress_deliberation_kind")], F0("监督事项类型", "kind")
    ]
    title: Annotated[Line, F0("监督事项名称", "title")]
    session: Annotated[Line, F0("届次会议", "session", "如第七届人大常委会第三十次会议")]
    held_on: Annotated[Day, F0("会议或检查日期", "held on")]
    examined: Annotated[
        tuple[OrgRef, ...], Field(max_length=50), F1("监督对象", "bodies examined")
    ] = ()
    proposers: Annotated[Count | None, F1("提出代表人数", "delegates who proposed")] = None
    opinions: Annotated[tuple[Opinion, ...], Field(max_length=99), F1("审议意见", "opinions")] = ()
    rating: Annotated[Rating | None, F1("满意度测评", "rating")] = None
    handling: Annotated[Handling | None, F1("办理单位", "handling")] = None
    reply: Annotated[Reply | None, F1("办理答复", "reply")] = None
    reply_by: Annotated[Day | None, F1("报告办理情况期限", "report due")] = None
    document: Annotated[DocRef | None, F1("审议意见书或报告", "document")] = None
    published: Annotated[bool, F0("已向社会公布", "published")] = False
