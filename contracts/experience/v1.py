"""Experience (经验): what worked in one place, sent up, and made known to the others.

Flow V21.
"""

from typing import Annotated, Final, Literal

from pydantic import Field

from contracts.classes import F1
from contracts.common import (
    Code,
    DocRef,
    Handler,
    OrgRef,
    Part,
    Payload,
    Period,
    coded,
)
from contracts.declare import event
from contracts.rules import needs, rule, unique
from contracts.values import Amount, Day, Identifier, Line, Paragraph, Summary

FLOWS: Final = ("V21",)

Subjects = Annotated[
    tuple[Annotated[Code, coded("inspection_work")], ...], Field(min_length=1, max_length=10)
]


class Practice(Part):
    """One way of working that others can take over."""

    title: Annotated[Line, F1("做法名称", "title")]
    steps: Annotated[
        tuple[Paragraph, ...], Field(min_length=1, max_length=20), F1("主要做法", "steps")
    ]


class Effect(Part):
    """One figure that shows what the practice brought, before and after."""

    name: Annotated[Line, F1("成效指标", "figure")]
    unit: Annotated[Line, F1("计量单位", "unit")]
    before: Annotated[Amount | None, F1("实施前", "before")] = None
    after: Annotated[Amount, F1("实施后", "after")]


@event(
    "experience.submitted",
    "经验做法报送",
    "Experience submitted",
    key="/experienceid",
    flows=FLOWS,
    ways=("same", "up"),
)
class Submitted(Payload):
    """An office sends up what worked: the practice step by step, what it brought, where it fits.

    下级机构报送经验做法：具体步骤、成效数据和适用条件，供上级总结推广。
    """

    RULES = (
        unique(
            "effects",
            "name",
            "同一成效指标只能出现一次",
            "a figure stands twice",
            "effect_repeated",
        ),
        rule(
            "submitted_before_practice",
            "submitted_on",
            "报送日期不得早于实施起始日期",
            "a practice is not submitted before it began",
            lambda it: it.submitted_on < it.practised.from_,
        ),
    )

    experienceid: Annotated[Identifier, F1("经验编号", "experience")]
    title: Annotated[Line, F1("标题", "title")]
    origin: Annotated[OrgRef, F1("报送单位", "submitted by")]
    submitted_on: Annotated[Day, F1("报送日期", "submitted on")]
    subjects: Annotated[Subjects, F1("所涉工作", "subjects")]
    practised: Annotated[Period, F1("实施期间", "practised")]
    background: Annotated[Paragraph | None, F1("背景和问题", "background")] = None
    practices: Annotated[
        tuple[Practice, ...], Field(min_length=1, max_length=10), F1("经验做法", "practices")
    ]
    effects: Annotated[tuple[Effect, ...], Field(max_length=20), F1("成效数据", "effects")] = ()
    conditions: Annotated[
        tuple[Paragraph, ...], Field(max_length=10), F1("适用条件", "where it fits")
    ] = ()
    documents: Annotated[tuple[DocRef, ...], Field(max_length=20), F1("材料", "documents")] = ()
    approved_by: Annotated[Handler, F1("审定人", "approved by")]


@event(
    "experience.published",
    "经验做法推广",
    "Experience published",
    key="/experienceid",
    flows=FLOWS,
    ways=("same", "down"),
    answers=("experience.submitted",),
    unasked=True,
)
class Published(Payload):
    """The level above makes a practice known: where it comes from, what others are to take over.

    上级总结推广经验做法，注明来源、推广方式和学习借鉴要求。
    """

    RULES = (
        needs(
            "issue_no",
            lambda it: it.channel.code == "document",
            "以文件、简报印发的须填期号或文号",
            "what is issued as a document has a number",
            "issue_no_missing",
        ),
        needs(
            "requirements",
            lambda it: it.weight == "adopt",
            "要求推广的须写明推广要求",
            "where others are to adopt it, it says what they do",
            "requirements_missing",
        ),
    )

    experienceid: Annotated[Identifier, F1("经验编号", "experience")]
    title: Annotated[Line, F1("标题", "title")]
    origins: Annotated[
        tuple[OrgRef, ...], Field(min_length=1, max_length=20), F1("来源单位", "where it is from")
    ]
    subjects: Annotated[Subjects, F1("所涉工作", "subjects")]
    published_on: Annotated[Day, F1("推广日期", "published on")]
    channel: Annotated[Annotated[Code, coded("disclosure_channel")], F1("推广方式", "channel")]
    issue_no: Annotated[Line | None, F1("期号或文号", "issue or document number")] = None
    digest: Annotated[Summary, F1("做法摘要", "digest")]
    weight: Annotated[Literal["learn", "adopt"], F1("推广力度", "for study or to adopt")] = "learn"
    requirements: Annotated[
        tuple[Paragraph, ...], Field(max_length=10), F1("推广要求", "what others are to do")
    ] = ()
    document: Annotated[DocRef | None, F1("文件", "document")] = None
