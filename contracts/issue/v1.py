"""Issues (巡视巡察发现问题): the working paper of one, and its review.

Papers have a provisional number until the leader approves them; only their review gives them the
number that reports and feedback quote.
"""

from typing import Annotated, Final, Literal

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
    Period,
    PersonRef,
    coded,
)
from contracts.declare import event
from contracts.rules import another, forbids, needs, unique
from contracts.values import Day, Identifier, Line, Ordinal, Paragraph, Summary, Year

CONFIRMED: Final = "confirmed"
MERGED: Final = "merged"

Category = Annotated[Code, coded("issue_category")]
TwoHandlers = Annotated[tuple[Handler, ...], Field(min_length=2, max_length=20)]


class Fact(Part):
    """One fact of a paper: what happened when, how much, by whom."""

    no: Annotated[Ordinal, F1("事实序号", "number of the fact")]
    text: Annotated[Summary, F2("具体事实", "fact")]
    period: Annotated[Period | None, F2("发生期间", "when")] = None
    money: Annotated[Money | None, F2("涉及金额", "amount involved")] = None
    persons: Annotated[
        tuple[PersonRef, ...], Field(max_length=50), F2("涉及人员", "persons involved")
    ] = ()
    evidence: Annotated[tuple[DocRef, ...], Field(max_length=100), F3("佐证材料", "evidence")] = ()


class Confirmation(Part):
    """How the unit answered when it was shown the facts (事实确认单)."""

    RULES = (
        needs(
            "objection",
            lambda it: it.answer != "agreed",
            "单位有异议或者拒绝确认的，须写明情况",
            "what the unit objects to, or why it did not sign, is told",
            "objection_missing",
        ),
    )

    number: Annotated[Identifier, F1("事实确认单编号", "number of the confirmation")]
    answer: Annotated[
        Literal["agreed", "objected", "refused"],
        F1("确认情况", "answer", "agreed 确认无异议，objected 有异议，refused 拒绝确认"),
    ]
    answered_on: Annotated[Day | None, F1("确认日期", "answered on")] = None
    objection: Annotated[Paragraph | None, F2("异议情况", "objection")] = None


@event(
    "issue.drafted",
    "问题底稿",
    "Working paper of an issue drafted",
    key="/issueid",
    flows=("lifecycle",),
    phase="on",
    publishers=("inspection-team", "inspection-office"),
    receivers=("inspection-office",),
    ways=("same", "up"),
    accused=("/target", "/facts/-/persons/-/org"),
    accused_persons=("/facts/-/persons/-",),
    denied=("inspected-party",),
    due="issue.confirmation",
)
class Drafted(Payload):
    """The working paper of one issue that a team found: the facts with their evidence, signed by
    two at least, and a provisional number.

    巡视巡察组对一个问题形成的底稿：事实概述、具体事实和佐证材料，承办人不少于两人；审定前只有预编号。
    """

    RULES = (
        unique("facts", "no", "事实序号不得重复", "a fact's number stands twice", "fact_repeated"),
    )

    issueid: Annotated[Identifier, F1("问题编号", "issue")]
    provisional_no: Annotated[Identifier, F1("底稿预编号", "provisional number")]
    year: Annotated[Year, F1("年份", "year")]
    roundid: Annotated[Identifier, F1("巡视巡察轮次", "round")]
    groupid: Annotated[Identifier, F1("组别编号", "team")]
    targetid: Annotated[Identifier, F1("被巡视巡察党组织编号", "number of the inspected party")]
    target: Annotated[OrgRef, F1("被巡视巡察党组织", "inspected party")]
    areas: Annotated[
        tuple[Category, ...], Field(min_length=1, max_length=10), F1("事实领域", "areas")
    ]
    title: Annotated[Line, F2("问题名称", "title")]
    overview: Annotated[Summary, F2("事实概述", "overview")]
    facts: Annotated[tuple[Fact, ...], Field(min_length=1, max_length=100), F2("具体事实", "facts")]
    found_by: Annotated[
        tuple[Annotated[Code, coded("inspection_method")], ...],
        Field(max_length=10),
        F1("发现方式", "found by"),
    ] = ()
    confirmation: Annotated[Confirmation | None, F2("事实确认情况", "confirmation by the unit")] = (
        None
    )
    proposed_uses: Annotated[
        tuple[Annotated[Code, coded("issue_use")], ...],
        Field(max_length=10),
        F2("拟运用去向", "proposed uses"),
    ] = ()
    handlers: Annotated[TwoHandlers, F2("承办人", "handlers")]


class ProblemLine(Part):
    """Where an issue belongs, in the four steps of an issue list, and how it shows."""

    category: Annotated[Category, F1("问题类别", "category")]
    subcategory: Annotated[Category | None, F1("问题子类", "subcategory")] = None
    issue: Annotated[Line, F2("具体问题", "issue")]
    manifestation: Annotated[Summary, F2("具体表现", "how it shows")]
    track: Annotated[Annotated[Code, coded("issue_track")], F1("整改专项", "track")]
    focus: Annotated[Annotated[Code, coded("inspection_focus")], F1("监督重点", "focus")]
    key_attention: Annotated[
        tuple[Annotated[Code, coded("key_attention")], ...],
        Field(max_length=5),
        F1("重点关注情形", "why it needs attention"),
    ] = ()


@event(
    "issue.confirmed",
    "问题底稿审定",
    "Working paper of an issue reviewed",
    key="/issueid",
    flows=("lifecycle",),
    phase="on",
    answers=("issue.drafted",),
    unasked=True,
    publishers=("inspection-team", "inspection-office"),
    receivers=("inspection-office",),
    ways=("same", "up"),
    accused=("/target", "/responsible/-/org"),
    accused_persons=("/responsible/-",),
    denied=("inspected-party",),
)
class Confirmed(Payload):
    """The leader's word on a working paper: confirmed under its final number and put in its place
    among the issues, or merged, sent back, not used.

    组长对问题底稿的审定意见：审定的给予底稿编号，写明类别、具体表现和去向；未审定的写明理由。
    """

    RULES = (
        needs(
            "paper_no",
            lambda it: it.result.code == CONFIRMED,
            "审定的底稿须填底稿编号",
            "a paper that is confirmed gets its number",
            "paper_number_missing",
        ),
        forbids(
            "paper_no",
            lambda it: it.result.code != CONFIRMED,
            "未审定的底稿不得编号",
            "a paper has no number until it is confirmed",
            "paper_number_early",
        ),
        needs(
            "line",
            lambda it: it.result.code == CONFIRMED,
            "审定的底稿须填问题类别和具体表现",
            "a confirmed issue says where it belongs and how it shows",
            "issue_line_missing",
        ),
        needs(
            "merged_into",
            lambda it: it.result.code == MERGED,
            "并入其他底稿的，须填并入的问题编号",
            "a merged paper names the issue that takes it in",
            "merged_into_missing",
        ),
        another(
            "merged_into",
            "issueid",
            "此处应填另一问题的编号",
            "this names another issue, not the issue itself",
            "issue_refers_to_itself",
        ),
        needs(
            "reason",
            lambda it: it.result.code != CONFIRMED,
            "未审定的，须写明理由",
            "a paper that is not confirmed is told why",
            "reason_missing",
        ),
    )

    issueid: Annotated[Identifier, F1("问题编号", "issue")]
    roundid: Annotated[Identifier, F1("巡视巡察轮次", "round")]
    targetid: Annotated[Identifier, F1("被巡视巡察党组织编号", "number of the inspected party")]
    target: Annotated[OrgRef, F1("被巡视巡察党组织", "inspected party")]
    result: Annotated[Annotated[Code, coded("issue_review_result")], F1("审定结果", "result")]
    paper_no: Annotated[Identifier | None, F1("底稿编号", "number of the paper")] = None
    confirmation_no: Annotated[
        Identifier | None, F1("事实确认单编号", "number of the confirmation")
    ] = None
    line: Annotated[ProblemLine | None, F2("问题归类", "where it belongs")] = None
    responsible: Annotated[
        tuple[PersonRef, ...], Field(max_length=50), F2("责任人员", "persons responsible")
    ] = ()
    uses: Annotated[
        tuple[Annotated[Code, coded("issue_use")], ...],
        Field(max_length=10),
        F2("运用去向", "uses"),
    ] = ()
    merged_into: Annotated[Identifier | None, F1("并入问题编号", "merged into")] = None
    reason: Annotated[Paragraph | None, F2("未审定理由", "reason")] = None
    decided_on: Annotated[Day, F1("审定日期", "decided on")]
    approved_by: Annotated[Handler, F1("审定人", "approved by")]
