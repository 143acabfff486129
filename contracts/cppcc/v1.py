"""Political consultative conference (政协民主监督): its proposals and supervision; flow H20."""

from typing import Annotated, Final

from pydantic import Field

from contracts.classes import F0, F1, F2
from contracts.common import Code, DocRef, OrgRef, Part, Payload, coded
from contracts.congress.parts import Handling, Reply
from contracts.declare import event
from contracts.rules import forbids, needs, rule
from contracts.values import Count, Day, Identifier, Line, Paragraph, Summary

PROPOSALS: Final = ("individual", "joint", "party", "sector", "committee")
NOT_FILED: Final = "not_filed"


class Proposers(Part):
    """Who proposed: how many, for which party, sector or committee; the first of them by name."""

    count: Annotated[Count, F1("提案人数", "number of proposers")]
    body: Annotated[Line | None, F1("党派、界别或专门委员会", "party, sector or committee")] = None
    first: Annotated[Line | None, F2("第一提案人", "first proposer")] = None


@event(
    "cppcc.proposal_shared",
    "政协提案与民主监督情况通报",
    "CPPCC proposal shared",
    key="/proposalid",
    flows=("H20",),
    concerned=("/concerning/-", "/handling/lead"),
)
class ProposalShared(Payload):
    """A proposal, a piece of public opinion or a supervision of the conference: what it is about,
    whether it was filed, who handles it and what was answered.

    政协通报提案、社情民意信息和民主监督情况：案由、立案情况、承办单位、办理答复和满意度。
    """

    RULES = (
        needs(
            "filed",
            lambda it: it.kind.code in PROPOSALS,
            "提案须填立案情况",
            "a proposal says whether it was filed",
            "filed_missing",
        ),
        needs(
            "handling",
            lambda it: it.filed is not None and it.filed.code == "filed",
            "已立案的提案须填承办单位",
            "a filed proposal says who handles it",
            "handling_missing",
        ),
        forbids(
            "reply",
            lambda it: it.filed is not None and it.filed.code == NOT_FILED,
            "不立案的提案不得填写办理答复",
            "what was not filed is not answered",
            "reply_unexpected",
        ),
        rule(
            "joint_needs_several",
            "proposers",
            "联名提案的提案人不得少于 2 人",
            "a joint proposal has two proposers or more",
            lambda it: it.kind.code == "joint" and (it.proposers is None or it.proposers.count < 2),
        ),
    )

    proposalid: Annotated[Identifier, F1("提案编号", "proposal")]
    kind: Annotated[Annotated[Code, coded("cppcc_proposal_kind")], F0("类型", "kind")]
    session: Annotated[Line, F0("届次", "session", "如政协第八届第四次会议")]
    title: Annotated[Line, F1("案由", "title")]
    submitted_on: Annotated[Day, F1("提出日期", "submitted on")]
    proposers: Annotated[Proposers | None, F1("提案人", "proposers")] = None
    digest: Annotated[Summary, F2("主要内容", "digest")]
    suggestions: Annotated[
        tuple[Paragraph, ...], Field(max_length=50), F2("意见建议", "suggestions")
    ] = ()
    concerning: Annotated[
        tuple[OrgRef, ...], Field(max_length=50), F1("涉及单位", "bodies concerned")
    ] = ()
    filed: Annotated[Annotated[Code, coded("proposal_filing")] | None, F1("立案情况", "filing")] = (
        None
    )
    handling: Annotated[Handling | None, F1("承办单位", "handling")] = None
    reply: Annotated[Reply | None, F1("办理答复", "reply")] = None
    document: Annotated[DocRef | None, F1("提案或报告文本", "document")] = None
    published: Annotated[bool, F0("已公开", "published")] = False
