"""Staffing (队伍建设): the posts and people of an office and its teams, in figures without names.

Flow V22. The case is the office: report follows report.
"""

from typing import Annotated

from pydantic import Field

from contracts.classes import F1
from contracts.common import Code, OrgRef, Part, Payload, Period, coded
from contracts.declare import event
from contracts.rules import adds_up, at_most_of, rule, unique
from contracts.values import Count, Day, Identifier, Line, Paragraph


class AgeCount(Part):
    """How many people of one age band."""

    band: Annotated[Annotated[Code, coded("age_band")], F1("年龄段", "age band")]
    people: Annotated[Count, F1("人数", "people", "单位：人")]


class EducationCount(Part):
    """How many people of one level of education."""

    level: Annotated[Annotated[Code, coded("education_level")], F1("学历", "education")]
    people: Annotated[Count, F1("人数", "people", "单位：人")]


class SkillCount(Part):
    """How many people with one professional background; a person may have several."""

    skill: Annotated[Annotated[Code, coded("secondment_skill")], F1("专业背景", "background")]
    people: Annotated[Count, F1("人数", "people", "单位：人")]


class Body(Part):
    """An office or a standing team: its posts, and who fills them."""

    name: Annotated[Line, F1("机构名称", "name")]
    posts: Annotated[Count, F1("编制数", "posts", "单位：名")]
    staff: Annotated[Count, F1("实有人数", "staff", "单位：人")]
    heads: Annotated[Count, F1("领导职数", "leading posts", "单位：名")] = 0


class Flow(Part):
    """Who came, left and was lent within the period."""

    joined: Annotated[Count, F1("调入人数", "joined", "单位：人")] = 0
    left: Annotated[Count, F1("调出人数", "left", "单位：人")] = 0
    promoted: Annotated[Count, F1("提拔交流人数", "promoted", "单位：人")] = 0
    borrowed: Annotated[Count, F1("抽调人次", "borrowed for rounds", "单位：人次")] = 0
    lent: Annotated[Count, F1("外派人次", "lent to others", "单位：人次")] = 0
    disciplined: Annotated[Count, F1("受处理人数", "disciplined", "单位：人")] = 0


@event(
    "staffing.reported",
    "队伍建设情况",
    "Staffing reported",
    key="/officeid",
    flows=("V22",),
    ways=("same", "up"),
)
class Reported(Payload):
    """The posts and people of an office at one day: by body, age, education and background.

    报告巡视巡察机构编制、实有人数、结构、人才库和人员变动情况；只报数，不报姓名。
    """

    RULES = (
        adds_up(
            "posts",
            "bodies",
            "posts",
            "编制总数须等于各机构之和",
            "the total of posts is the sum of the bodies",
            "posts_wrong",
        ),
        adds_up(
            "staff",
            "bodies",
            "staff",
            "实有总数须等于各机构之和",
            "the total of staff is the sum of the bodies",
            "staff_wrong",
        ),
        adds_up(
            "staff",
            "ages",
            "people",
            "实有总数须等于各年龄段之和",
            "the total of staff is the sum of the age bands",
            "ages_wrong",
        ),
        adds_up(
            "staff",
            "education",
            "people",
            "实有总数须等于各学历之和",
            "the total of staff is the sum of the levels of education",
            "education_wrong",
        ),
        at_most_of(
            "party_members",
            "staff",
            "党员人数不得大于实有总数",
            "not more are Party members than there are people",
            "members_above_staff",
        ),
        rule(
            "skill_above_staff",
            "skills",
            "某一专业背景的人数不得大于实有总数",
            "not more have one background than there are people",
            lambda it: any(skill.people > it.staff for skill in it.skills),
        ),
        unique("ages", "band", "同一年龄段只能出现一次", "a band stands twice", "band_repeated"),
        unique(
            "skills", "skill", "同一专业背景只能出现一次", "a skill stands twice", "skill_repeated"
        ),
        rule(
            "period_after_day",
            "period",
            "变动期间不得晚于统计日期",
            "the period ends by the day of the figures",
            lambda it: it.period is not None and it.period.to > it.as_of,
        ),
    )

    officeid: Annotated[Identifier, F1("巡视巡察机构编号", "inspection office")]
    office: Annotated[OrgRef, F1("巡视巡察机构", "inspection office in full")]
    as_of: Annotated[Day, F1("统计日期", "as of")]
    posts: Annotated[Count, F1("编制总数", "posts", "单位：名")]
    staff: Annotated[Count, F1("实有总数", "staff", "单位：人")]
    party_members: Annotated[Count | None, F1("党员人数", "Party members", "单位：人")] = None
    bodies: Annotated[
        tuple[Body, ...], Field(min_length=1, max_length=50), F1("各机构情况", "bodies")
    ]
    ages: Annotated[tuple[AgeCount, ...], Field(max_length=4), F1("年龄结构", "ages")] = ()
    education: Annotated[
        tuple[EducationCount, ...], Field(max_length=20), F1("学历结构", "education")
    ] = ()
    skills: Annotated[
        tuple[SkillCount, ...], Field(max_length=20), F1("专业结构", "professional backgrounds")
    ] = ()
    pool_heads: Annotated[Count | None, F1("组长库人数", "pool of team heads", "单位：人")] = None
    pool_people: Annotated[Count | None, F1("人才库人数", "pool of people", "单位：人")] = None
    period: Annotated[Period | None, F1("变动统计期间", "period of the changes")] = None
    changes: Annotated[Flow | None, F1("人员变动", "changes")] = None
    difficulties: Annotated[
        tuple[Paragraph, ...], Field(max_length=10), F1("存在困难", "difficulties")
    ] = ()
