"""Training (教育培训): announced with quotas and courses, reported with who attended and passed.

Flow V22.
"""

from typing import Annotated, Any, Final, Literal

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
    PersonRef,
    coded,
)
from contracts.declare import event
from contracts.rules import adds_up, at_most_of, needs, rule
from contracts.values import Amount, Count, Day, Identifier, Line, Paragraph, Percent

FLOWS: Final = ("V22",)

Hours = Annotated[int, Field(ge=1, le=1_000)]


class Course(Part):
    """One course: on what, how long, who teaches."""

    title: Annotated[Line, F1("课程名称", "title")]
    subject: Annotated[
        Annotated[Code, coded("inspection_work")] | None, F1("所涉工作", "subject")
    ] = None
    hours: Annotated[Hours, F1("学时", "hours", "单位：学时")]
    lecturer: Annotated[PersonRef | None, F2("授课人", "lecturer")] = None


class Quota(Part):
    """How many an organisation may send."""

    org: Annotated[OrgRef, F1("选派单位", "organisation")]
    places: Annotated[Count, F1("名额", "places", "单位：人")]


@event(
    "training.announced",
    "培训通知",
    "Training announced",
    key="/trainingid",
    flows=FLOWS,
    ways=("same", "down"),
    due="training.result",
)
class Announced(Payload):
    """A training is announced: of what kind, for whom, when and where, which courses, how many.

    举办培训或安排以干代训：对象、时间、地点、课程、名额和报名期限。
    """

    RULES = (
        rule(
            "enrolment_after_start",
            "enrol_by",
            "报名期限不得晚于培训开始日期",
            "enrolment ends before the training begins",
            lambda it: it.enrol_by is not None and it.enrol_by > it.period.from_,
        ),
        adds_up(
            "hours",
            "courses",
            "hours",
            "总学时须等于各课程之和",
            "the total of hours is the sum of the courses",
            "hours_wrong",
        ),
        adds_up(
            "places",
            "quotas",
            "places",
            "总名额须等于各单位之和",
            "the total of places is the sum of the quotas",
            "places_wrong",
        ),
        needs(
            "place",
            lambda it: it.form == "on-site",
            "现场培训须填地点",
            "a training on site has a place",
            "place_missing",
        ),
    )

    trainingid: Annotated[Identifier, F1("培训编号", "training")]
    kind: Annotated[Annotated[Code, coded("training_kind")], F1("培训种类", "kind")]
    title: Annotated[Line, F1("培训名称", "title")]
    organiser: Annotated[OrgRef, F1("主办单位", "organised by")]
    roundid: Annotated[Identifier | None, F1("所涉轮次", "round concerned")] = None
    form: Annotated[Literal["on-site", "online", "on-the-job"], F1("培训形式", "form")]
    period: Annotated[Period, F1("培训时间", "period")]
    place: Annotated[Line | None, F1("地点", "place")] = None
    audience: Annotated[Line, F1("培训对象", "for whom")]
    courses: Annotated[tuple[Course, ...], Field(max_length=100), F1("课程", "courses")] = ()
    hours: Annotated[Hours, F1("总学时", "hours", "单位：学时")]
    quotas: Annotated[tuple[Quota, ...], Field(max_length=300), F1("名额分配", "quotas")] = ()
    places: Annotated[Count, F1("总名额", "places", "单位：人")]
    enrol_by: Annotated[Day | None, F1("报名期限", "enrol by")] = None
    examined: Annotated[bool, F1("组织考试", "with an examination")] = False
    contact: Annotated[Handler | None, F1("联系人", "contact")] = None
    document: Annotated[DocRef | None, F1("培训通知", "notice")] = None


class Trainee(Part):
    """One person's training: hours, completed or not, score."""

    person: Annotated[PersonRef, F2("学员", "trainee")]
    hours: Annotated[Count, F1("完成学时", "hours done", "单位：学时")]
    completed: Annotated[bool, F1("结业", "completed")]
    score: Annotated[Percent | None, F2("成绩", "score", "百分制，0 至 100")] = None


def _completed(it: Any) -> int:
    return sum(trainee.completed for trainee in it.trainees)


@event(
    "training.result_reported",
    "培训结果",
    "Training result reported",
    key="/trainingid",
    flows=FLOWS,
    ways=("same", "up"),
    # Scores of persons are for those who train and those who manage them.
    receivers=("party-committee", "leading-group", "inspection-office", "organization"),
    answers=("training.announced",),
    unasked=True,
)
class ResultReported(Payload):
    """Who attended a training and with what result; a training of one's own is reported as well.

    报告参训、结业、考试情况；自行组织的培训亦可单独报告。
    """

    RULES = (
        at_most_of(
            "completed",
            "attended",
            "结业人数不得大于参训人数",
            "not more complete than attend",
            "completed_above_attended",
        ),
        at_most_of(
            "passed",
            "examined",
            "合格人数不得大于参考人数",
            "not more pass than are examined",
            "passed_above_examined",
        ),
        at_most_of(
            "examined",
            "attended",
            "参考人数不得大于参训人数",
            "not more are examined than attend",
            "examined_above_attended",
        ),
        rule(
            "trainees_miscounted",
            "trainees",
            "学员名单人数须与参训人数一致",
            "who lists the trainees lists all who attended",
            lambda it: it.trainees and len(it.trainees) != it.attended,
        ),
        rule(
            "completed_miscounted",
            "completed",
            "结业人数须与学员名单一致",
            "the number who completed agrees with the list",
            lambda it: it.trainees and _completed(it) != it.completed,
        ),
    )

    trainingid: Annotated[Identifier, F1("培训编号", "training")]
    reporter: Annotated[OrgRef, F1("报告单位", "reported by")]
    title: Annotated[Line | None, F1("培训名称", "title", "自行组织的培训填写")] = None
    kind: Annotated[
        Annotated[Code, coded("training_kind")] | None,
        F1("培训种类", "kind", "自行组织的培训填写"),
    ] = None
    period: Annotated[Period, F1("培训时间", "period")]
    attended: Annotated[Count, F1("参训人数", "attended", "单位：人")]
    completed: Annotated[Count, F1("结业人数", "completed", "单位：人")]
    hours: Annotated[Hours, F1("学时", "hours", "单位：学时")]
    examined: Annotated[Count | None, F1("参考人数", "examined", "单位：人")] = None
    passed: Annotated[Count | None, F1("合格人数", "passed", "单位：人")] = None
    average: Annotated[Amount | None, F1("平均成绩", "average score", "百分制")] = None
    trainees: Annotated[tuple[Trainee, ...], Field(max_length=500), F1("学员名单", "trainees")] = ()
    absence: Annotated[Paragraph | None, F2("缺训说明", "who was absent and why")] = None
    suggestions: Annotated[
        tuple[Paragraph, ...], Field(max_length=10), F1("意见建议", "suggestions")
    ] = ()
