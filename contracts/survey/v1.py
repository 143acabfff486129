"""Surveys (调研): announced with subjects and methods, shared with what was found and advised.

Flow V08.
"""

from typing import Annotated, Final

from pydantic import Field

from contracts.classes import F1, F2
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
from contracts.rules import at_least_one, at_most_of, needs, rule, unique
from contracts.values import Count, Day, Identifier, Line, Paragraph, RegionCode, Summary

FLOWS: Final = ("V08",)

Subjects = Annotated[
    tuple[Annotated[Code, coded("inspection_work")], ...], Field(min_length=1, max_length=10)
]
Methods = Annotated[
    tuple[Annotated[Code, coded("survey_method")], ...], Field(min_length=1, max_length=10)
]


class Question(Part):
    """One thing that the survey wants to know."""

    questionno: Annotated[Identifier, F1("题目序号", "question number")]
    subject: Annotated[Annotated[Code, coded("inspection_work")], F1("所涉工作", "subject")]
    text: Annotated[Paragraph, F1("调研题目", "question")]


@event(
    "survey.announced",
    "调研通知",
    "Survey announced",
    key="/surveyid",
    flows=FLOWS,
    due="survey.findings",
)
class Announced(Payload):
    """A survey is announced: on what, by which methods, where and whom, which material it wants.

    开展调研：主题、方式、地点和对象、题目、需提供的材料及期限。
    """

    RULES = (
        at_least_one(
            "places",
            "units",
            message="须填调研地区或调研单位",
            message_en="a survey goes to regions or to units",
            code="survey_of_nobody",
        ),
        unique(
            "questions",
            "questionno",
            "同一题目序号只能出现一次",
            "a question number stands twice",
            "question_repeated",
        ),
        needs(
            "material_due",
            lambda it: it.material_wanted,
            "要求提供材料的须填期限",
            "whoever wants material says by when",
            "material_due_missing",
        ),
        rule(
            "material_after_survey",
            "material_due",
            "材料期限不得晚于调研结束日期",
            "material is due before the survey ends",
            lambda it: it.material_due is not None and it.material_due > it.period.to,
        ),
    )

    surveyid: Annotated[Identifier, F1("调研编号", "survey")]
    title: Annotated[Line, F1("调研主题", "title")]
    organiser: Annotated[OrgRef, F1("调研单位", "surveyed by")]
    subjects: Annotated[Subjects, F1("所涉工作", "subjects")]
    methods: Annotated[Methods, F1("调研方式", "methods")]
    period: Annotated[Period, F1("调研时间", "period")]
    places: Annotated[tuple[RegionCode, ...], Field(max_length=100), F1("调研地区", "regions")] = ()
    units: Annotated[tuple[OrgRef, ...], Field(max_length=200), F1("被调研单位", "units")] = ()
    questions: Annotated[
        tuple[Question, ...], Field(min_length=1, max_length=100), F1("调研题目", "questions")
    ]
    material_wanted: Annotated[
        tuple[Line, ...], Field(max_length=50), F1("需提供的材料", "material wanted")
    ] = ()
    material_due: Annotated[Day | None, F1("材料期限", "material due")] = None
    contact: Annotated[Handler, F1("联系人", "contact")]


class Sample(Part):
    """How broadly the survey asked."""

    RULES = (
        at_most_of(
            "returned",
            "sent",
            "收回问卷数不得大于发放问卷数",
            "not more questionnaires come back than were sent",
            "returned_above_sent",
        ),
        at_most_of(
            "valid",
            "returned",
            "有效问卷数不得大于收回问卷数",
            "not more questionnaires are valid than came back",
            "valid_above_returned",
        ),
    )

    symposia: Annotated[Count, F1("座谈会场次", "symposia", "单位：场")] = 0
    interviews: Annotated[Count, F1("访谈人数", "people interviewed", "单位：人")] = 0
    visits: Annotated[Count, F1("走访单位数", "units visited", "单位：个")] = 0
    sent: Annotated[Count | None, F1("发放问卷数", "questionnaires sent", "单位：份")] = None
    returned: Annotated[Count | None, F1("收回问卷数", "came back", "单位：份")] = None
    valid: Annotated[Count | None, F1("有效问卷数", "valid", "单位：份")] = None


class Finding(Part):
    """One thing that the survey found, and how widely it holds."""

    findingno: Annotated[Identifier, F1("发现序号", "finding number")]
    subject: Annotated[Annotated[Code, coded("inspection_work")], F1("所涉工作", "subject")]
    text: Annotated[Paragraph, F2("调研发现", "finding")]
    cause: Annotated[Paragraph | None, F2("原因分析", "cause")] = None
    regions: Annotated[
        tuple[RegionCode, ...], Field(max_length=100), F1("涉及地区", "regions it holds for")
    ] = ()


class Advice(Part):
    """What the survey advises, on which finding and to whom."""

    findingno: Annotated[Identifier, F1("发现序号", "finding number")]
    text: Annotated[Paragraph, F1("工作建议", "advice")]
    addressee: Annotated[OrgRef | None, F1("建议对象", "to whom")] = None


@event(
    "survey.findings_shared",
    "调研情况通报",
    "Findings of a survey shared",
    key="/surveyid",
    flows=FLOWS,
    answers=("survey.announced",),
    unasked=True,
)
class FindingsShared(Payload):
    """What a survey found and advises; by whoever held it, or by whoever was asked in writing.

    通报调研发现和工作建议；书面调研的由被调研单位答复。
    """

    RULES = (
        unique(
            "findings",
            "findingno",
            "同一发现序号只能出现一次",
            "a finding number stands twice",
            "finding_repeated",
        ),
        rule(
            "advice_without_finding",
            "advice",
            "工作建议须对应所列的调研发现",
            "advice belongs to a finding of this survey",
            lambda it: not {a.findingno for a in it.advice} <= {f.findingno for f in it.findings},
        ),
    )

    surveyid: Annotated[Identifier, F1("调研编号", "survey")]
    reporter: Annotated[OrgRef, F1("报告单位", "reported by")]
    conducted: Annotated[Period, F1("调研时间", "conducted")]
    methods: Annotated[Methods, F1("调研方式", "methods")]
    sample: Annotated[Sample | None, F1("调研规模", "sample")] = None
    findings: Annotated[
        tuple[Finding, ...], Field(min_length=1, max_length=100), F1("调研发现", "findings")
    ]
    advice: Annotated[tuple[Advice, ...], Field(max_length=100), F1("工作建议", "advice")] = ()
    overview: Annotated[Summary | None, F2("总体情况", "overview")] = None
    report: Annotated[DocRef | None, F1("调研报告", "report")] = None
