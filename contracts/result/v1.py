"""Results (巡视巡察成果): told to those who can use them, and what they made of them.

The case is the matter whose results are told: a round, a party, or the motion or proposal of the
people's congress or the political consultative conference that asked for it (H19, H20).
"""

from typing import Annotated

from pydantic import Field

from contracts.classes import F0, F1, F2
from contracts.common import Code, DocRef, Due, OrgRef, Part, Payload, coded
from contracts.declare import event
from contracts.rules import at_least_one, in_order, needs, unique
from contracts.values import Amount, Count, Day, Identifier, Line, Ordinal, Paragraph, Summary


class Figure(Part):
    """One figure, as a decimal string."""

    code: Annotated[Identifier, F0("指标代码", "code")]
    name: Annotated[Line, F0("指标名称", "name")]
    value: Annotated[Amount, F0("指标值", "value")]
    unit: Annotated[Line, F0("计量单位", "unit")]


class Finding(Part):
    """A kind of problem that showed in several places, without names."""

    no: Annotated[Ordinal, F1("问题序号", "number of the finding")]
    category: Annotated[Annotated[Code, coded("issue_category")], F1("问题类别", "category")]
    title: Annotated[Line, F1("问题名称", "title", "不得出现单位和人员名称")]
    units: Annotated[Count | None, F1("涉及单位数", "units concerned")] = None
    text: Annotated[Summary | None, F2("问题情况", "what was found")] = None


class Suggested(Part):
    """What a receiver might do with it."""

    no: Annotated[Ordinal, F1("建议序号", "number of the suggestion")]
    to: Annotated[Annotated[Code, coded("briefing_section")] | None, F1("建议对象", "for whom")] = (
        None
    )
    use: Annotated[Annotated[Code, coded("result_use")], F1("运用方式", "use")]
    text: Annotated[Paragraph, F1("运用建议", "suggestion")]


@event(
    "result.notified",
    "巡视巡察成果通报",
    "Results notified",
    key="/matterid",
    flows=("H19", "H20", "H23", "H08"),
    phase="post",
    answers=("congress.deliberation_shared", "cppcc.proposal_shared"),
    unasked=True,
    publishers=("party-committee", "leading-group", "inspection-office"),
    concerned=("/target",),
    due="result.application",
)
class Notified(Payload):
    """What came out of inspection, told to the agencies that can use it, to the people's congress
    and to the political consultative conference: figures, findings without names, suggestions.

    向组织部门、人大、政协和有关机关通报巡视巡察成果：数据、共性问题和运用建议，不涉及人员。
    """

    RULES = (
        at_least_one(
            "figures",
            "findings",
            "text",
            message="须填数据、问题或者通报内容中的至少一项",
            message_en="give at least one: figures, findings, a text",
            code="result_empty",
        ),
        unique("findings", "no", "问题序号不得重复", "a number stands twice", "no_repeated"),
        unique("suggestions", "no", "建议序号不得重复", "a number stands twice", "no_repeated"),
        needs(
            "suggestions",
            lambda it: it.due is not None,
            "要求反馈运用情况的，须填运用建议",
            "whoever asks for an answer by a day suggests what to do",
            "suggestion_missing",
        ),
        in_order(
            "notified_on",
            "closed_until",
            "不得公开的截止日期不得早于通报日期",
            "what is closed stays so from the day it is notified",
            "closed_reversed",
        ),
    )

    matterid: Annotated[
        Identifier,
        F1("成果所属事项编号", "matter", "轮次、被巡视巡察党组织或者所答复的议案提案的编号"),
    ]
    kind: Annotated[Annotated[Code, coded("result_kind")], F1("成果种类", "kind of result")]
    title: Annotated[Line, F1("通报名称", "title")]
    roundid: Annotated[Identifier | None, F1("巡视巡察轮次", "round")] = None
    target: Annotated[OrgRef | None, F1("被巡视巡察党组织", "inspected party")] = None
    notified_on: Annotated[Day, F1("通报日期", "notified on")]
    figures: Annotated[tuple[Figure, ...], Field(max_length=500), F0("数据", "figures")] = ()
    findings: Annotated[tuple[Finding, ...], Field(max_length=200), F1("共性问题", "findings")] = ()
    text: Annotated[Summary | None, F2("通报内容", "text")] = None
    suggestions: Annotated[
        tuple[Suggested, ...], Field(max_length=100), F1("运用建议", "suggestions")
    ] = ()
    documents: Annotated[tuple[DocRef, ...], Field(max_length=20), F1("通报文件", "documents")] = ()
    closed_until: Annotated[Day | None, F1("不得公开至", "not to be published until")] = None
    due: Annotated[Due | None, F1("反馈期限", "due")] = None


class Use(Part):
    """What was done with one result."""

    RULES = (
        at_least_one(
            "text",
            "not_used_because",
            message="须填运用情况或者未运用的理由",
            message_en="say what was done, or why nothing was",
            code="use_empty",
        ),
        needs(
            "on",
            lambda it: it.text is not None,
            "已运用的须填运用日期",
            "what was used was used on a day",
            "day_missing",
        ),
    )

    no: Annotated[Ordinal, F1("运用序号", "number")]
    suggestion: Annotated[Ordinal | None, F1("所依建议序号", "suggestion followed")] = None
    use: Annotated[Annotated[Code, coded("result_use")], F1("运用方式", "use")]
    text: Annotated[Paragraph | None, F2("运用情况", "what was done")] = None
    on: Annotated[Day | None, F1("运用日期", "on")] = None
    persons: Annotated[Count | None, F1("涉及人数", "people concerned")] = None
    not_used_because: Annotated[Paragraph | None, F2("未运用的理由", "why it was not used")] = None
    documents: Annotated[tuple[DocRef, ...], Field(max_length=20), F1("文件", "documents")] = ()


@event(
    "result.applied",
    "巡视巡察成果运用",
    "Results applied",
    key="/matterid",
    flows=("H08", "H23"),
    phase="post",
    answers=("result.notified",),
)
class Applied(Payload):
    """What an agency made of the results it was told: appointments, assessments, rewards, reforms,
    rules; or why it did not use them.

    有关机关运用巡视巡察成果的情况：任免、考核、奖惩、深化改革、建章立制等；未运用的写明理由。
    """

    RULES = (unique("uses", "no", "运用序号不得重复", "a number stands twice", "no_repeated"),)

    matterid: Annotated[
        Identifier,
        F1("成果所属事项编号", "matter", "与所答复的成果通报一致"),
    ]
    reported_on: Annotated[Day, F1("反馈日期", "reported on")]
    uses: Annotated[tuple[Use, ...], Field(min_length=1, max_length=200), F1("运用情况", "uses")]
    suggestions: Annotated[
        Paragraph | None, F2("对巡视巡察工作的建议", "suggestions to the inspection office")
    ] = None
