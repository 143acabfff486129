"""Regulations (制度): rules, procedures and templates sent down, and how each place adopts them.

Flow V23.
"""

from typing import Annotated, Final, Literal

from pydantic import Field

from contracts.classes import F1
from contracts.common import Code, DocRef, MeetingRef, OrgRef, Part, Payload, coded
from contracts.declare import event
from contracts.rules import another, in_order, needs, rule, unique
from contracts.values import Count, Day, Identifier, Line, Paragraph

FLOWS: Final = ("V23", "P05")
NOT_APPLICABLE: Final = "not_applicable"


class Provision(Part):
    """An article that matters to the work, and at which stage of it."""

    article: Annotated[Line, F1("条款", "article")]
    gist: Annotated[Paragraph, F1("要点", "gist")]
    stage: Annotated[
        Annotated[Code, coded("inspection_stage")] | None, F1("所涉环节", "stage of the work")
    ] = None


class Repealed(Part):
    """A regulation that the new one sets aside."""

    docno: Annotated[Line | None, F1("文号", "document number")] = None
    title: Annotated[Line, F1("制度名称", "title")]


@event(
    "regulation.published",
    "制度印发",
    "Regulation published",
    key="/regulationid",
    flows=FLOWS,
    ways=("same", "down"),
    due="regulation.adoption",
)
class Published(Payload):
    """A regulation, procedure or template is issued: for whom, from when, what it sets aside.

    印发制度、流程或文书模板，明确适用层级、施行日期、废止文件和落实要求。
    """

    RULES = (
        in_order(
            "published_on",
            "effective_on",
            "施行日期不得早于印发日期",
            "a regulation is not in force before it was published",
            "effective_before_publication",
        ),
        in_order(
            "effective_on",
            "valid_until",
            "有效期截止不得早于施行日期",
            "a regulation does not end before it is in force",
        ),
        needs(
            "valid_until",
            lambda it: it.trial,
            "试行制度须填有效期",
            "a regulation on trial says until when",
            "valid_until_missing",
        ),
        another(
            "amends",
            "regulationid",
            "此处应填被修订的原制度编号",
            "this names the regulation that is amended, not the regulation itself",
            "regulation_refers_to_itself",
        ),
    )

    regulationid: Annotated[Identifier, F1("制度编号", "regulation")]
    kind: Annotated[Annotated[Code, coded("regulation_kind")], F1("制度种类", "kind")]
    title: Annotated[Line, F1("制度名称", "title")]
    issuers: Annotated[
        tuple[OrgRef, ...], Field(min_length=1, max_length=10), F1("印发机关", "issued by")
    ]
    meeting: Annotated[MeetingRef | None, F1("审议会议", "deliberated at")] = None
    published_on: Annotated[Day, F1("印发日期", "published on")]
    effective_on: Annotated[Day, F1("施行日期", "in force from")]
    trial: Annotated[bool, F1("试行", "on trial")] = False
    valid_until: Annotated[Day | None, F1("有效期至", "valid until")] = None
    applies_to: Annotated[
        tuple[Literal["province", "city", "county", "township"], ...],
        Field(min_length=1, max_length=4),
        F1("适用层级", "levels it applies to"),
    ]
    provisions: Annotated[
        tuple[Provision, ...], Field(max_length=100), F1("主要条款", "main provisions")
    ] = ()
    amends: Annotated[Identifier | None, F1("修订的原制度", "amends")] = None
    repeals: Annotated[tuple[Repealed, ...], Field(max_length=50), F1("废止文件", "repeals")] = ()
    adoption: Annotated[Paragraph | None, F1("落实要求", "how it is to be adopted")] = None
    adopt_by: Annotated[Day | None, F1("落实报告期限", "adoption due")] = None
    document: Annotated[DocRef, F1("制度文本", "text of the regulation")]


class Gap(Part):
    """An article that is hard to carry out in one place, and what would help."""

    article: Annotated[Line, F1("条款", "article")]
    obstacle: Annotated[Paragraph, F1("执行中的困难", "obstacle")]
    suggestion: Annotated[Paragraph | None, F1("修改建议", "suggestion")] = None


@event(
    "regulation.adoption_reported",
    "制度落实情况",
    "Adoption of a regulation reported",
    key="/regulationid",
    flows=FLOWS,
    answers=("regulation.published",),
)
class AdoptionReported(Payload):
    """How one place adopted a regulation: by own rules or as it stands, who was told, what is hard.

    下级报告制度落实情况：落实方式、配套文件、学习培训和执行中的困难。
    """

    RULES = (
        needs(
            "documents",
            lambda it: it.form.code in ("detailed", "revised"),
            "制定细则或修订制度的须附文件",
            "own rules come with their document",
            "documents_missing",
        ),
        needs(
            "explanation",
            lambda it: it.form.code == NOT_APPLICABLE,
            "不适用的须说明理由",
            "whoever calls it not applicable says why",
            "explanation_missing",
        ),
        rule(
            "planned_after_adoption",
            "adopted_on",
            "列入计划的尚无落实日期",
            "what is only planned has not been adopted yet",
            lambda it: it.form.code == "planned" and it.adopted_on is not None,
        ),
        unique(
            "gaps", "article", "同一条款只能出现一次", "an article stands twice", "article_repeated"
        ),
    )

    regulationid: Annotated[Identifier, F1("制度编号", "regulation")]
    reporter: Annotated[OrgRef, F1("报告机构", "reported by")]
    form: Annotated[Annotated[Code, coded("regulation_adoption")], F1("落实方式", "how")]
    adopted_on: Annotated[Day | None, F1("落实日期", "adopted on")] = None
    documents: Annotated[
        tuple[DocRef, ...], Field(max_length=20), F1("配套文件", "own documents")
    ] = ()
    explanation: Annotated[Paragraph | None, F1("情况说明", "explanation")] = None
    people_trained: Annotated[Count | None, F1("学习培训人数", "people trained", "单位：人")] = None
    gaps: Annotated[tuple[Gap, ...], Field(max_length=50), F1("执行中的困难", "gaps")] = ()
