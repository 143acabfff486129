"""Cadres (干部): profiles that the organization department gives, and joint opinions; H07, H08.

A profile carries what an appointment form (干部任免审批表) does. Joint opinions go to many agencies
at once; each answers for the persons of the batch by number. Issues of cadres: `v1_issues`.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from contracts.classes import F1, F2, F3
from contracts.common import (
    Code,
    DocRef,
    Due,
    Handler,
    Part,
    Payload,
    PersonRef,
    Signatories,
    coded,
)
from contracts.declare import event
from contracts.rules import at_least_one, forbids, in_order, needs, rule, unique
from contracts.values import (
    Day,
    Digest,
    Identifier,
    Line,
    Ordinal,
    Paragraph,
    Summary,
    Year,
    YearMonth,
)

WITH_DETAIL = ("objection", "pending_case")


class Education(Part):
    """One course of study, full-time or beside the job."""

    RULES = (
        at_least_one(
            "level",
            "degree",
            message="须填学历或学位",
            message_en="give the level of education or the degree",
            code="education_empty",
        ),
    )

    way: Annotated[
        Literal["full_time", "in_service"],
        F2("教育类型", "way", "full_time 全日制教育，in_service 在职教育 / full time, in service"),
    ]
    level: Annotated[
        Annotated[Code, coded("education_level")] | None, F2("学历", "level of education")
    ] = None
    degree: Annotated[Annotated[Code, coded("academic_degree")] | None, F2("学位", "degree")] = None
    school: Annotated[Line | None, F2("毕业院校系", "school")] = None
    major: Annotated[Line | None, F2("专业", "major")] = None
    graduated: Annotated[YearMonth | None, F2("毕业年月", "graduated")] = None


class Stage(Part):
    """One line of the resume; the present one has no end."""

    RULES = (
        in_order("from_", "to", "截止年月不得早于起始年月", "the stage ends before it begins"),
    )

    from_: Annotated[YearMonth, Field(alias="from"), F2("起始年月", "from")]
    to: Annotated[YearMonth | None, F2("截止年月", "to")] = None
    text: Annotated[Line, F2("学习工作经历", "study or work")]


class Assessment(Part):
    """The result of one yearly assessment."""

    year: Annotated[Year, F2("考核年度", "year")]
    grade: Annotated[Annotated[Code, coded("assessment_grade")], F2("考核结果", "grade")]


class Relative(Part):
    """A member of the family or an important relation, as the form lists them."""

    relation: Annotated[Annotated[Code, coded("family_relation")], F3("称谓", "relation")]
    name: Annotated[Line, F3("姓名", "name")]
    birth: Annotated[YearMonth | None, F3("出生年月", "year and month of birth")] = None
    political: Annotated[
        Annotated[Code, coded("political_status")] | None, F3("政治面貌", "political status")
    ] = None
    org_post: Annotated[Line | None, F3("工作单位及职务", "organisation and post")] = None


class Proposed(Part):
    """What is proposed for the person: an appointment, a dismissal, and why."""

    RULES = (
        at_least_one(
            "post",
            "dismiss",
            message="须填拟任职务或拟免职务",
            message_en="give the post proposed or the one to be left",
            code="proposal_empty",
        ),
    )

    post: Annotated[Line | None, F2("拟任职务", "post proposed")] = None
    dismiss: Annotated[Line | None, F2("拟免职务", "post to be left")] = None
    reason: Annotated[Paragraph | None, F2("任免理由", "reason")] = None


class MattersChecked(Part):
    """Whether a year's report of personal matters was checked, and agreed with what was found."""

    year: Annotated[Year, F3("报告年度", "year")]
    way: Annotated[
        Literal["random", "key"],
        F3("查核方式", "way", "random 随机抽查，key 重点查核 / at random, for a reason"),
    ]
    result: Annotated[
        Literal["consistent", "omitted", "concealed"],
        F3(
            "查核结论",
            "result",
            "consistent 基本一致，omitted 漏报，concealed 瞒报 / agrees, left out, concealed",
        ),
    ]
    checked_on: Annotated[Day | None, F3("查核日期", "checked on")] = None


def _began_before_birth(it: Any) -> bool:
    birth, began = it.person.birth, it.work_began
    return birth is not None and began is not None and bool(began <= birth)


@event(
    "cadre.profile_provided",
    "干部基本情况",
    "Cadre profile provided",
    key="/profileid",
    flows=("H07",),
    publishers=("organization",),
    concerned=("/person/org",),
)
class ProfileProvided(Payload):
    """One cadre's appointment form, as the organization department keeps it.

    组织部门提供的干部任免审批表内容，含学历、简历、奖惩、考核、家庭成员和拟任免情况。
    """

    RULES = (
        rule(
            "post_missing",
            "person/post",
            "须填现任职务",
            "the person's present post is stated",
            lambda it: it.person.post is None,
        ),
        rule(
            "work_before_birth",
            "work_began",
            "参加工作年月须晚于出生年月",
            "nobody began to work before they were born",
            _began_before_birth,
        ),
        unique(
            "assessments",
            "year",
            "同一年度考核结果只能出现一次",
            "a year is assessed twice",
            "year_repeated",
        ),
        needs(
            "source_file",
            lambda it: it.photo_sm3 is not None,
            "有照片的，须填所在的原始文件",
            "a photograph names the file that it lies in",
            "source_file_missing",
        ),
    )

    profileid: Annotated[
        Identifier,
        F1(
            "任免表编号",
            "profile number",
            "每名干部一个编号，不用身份证号 / one for each cadre, never the citizen number",
        ),
    ]
    person: Annotated[PersonRef, F2("干部", "person")]
    native_format: Annotated[
        Annotated[Code, coded("cadre_profile_format")], F1("原始格式", "format of the source")
    ]
    source_version: Annotated[Line | None, F1("原始格式版本", "version of the source")] = None
    source_file: Annotated[DocRef | None, F1("原始文件", "source file")] = None
    ethnic: Annotated[Annotated[Code, coded("ethnic_group")] | None, F2("民族", "ethnic group")] = (
        None
    )
    native_place: Annotated[Line | None, F2("籍贯", "native place")] = None
    birthplace: Annotated[Line | None, F2("出生地", "birthplace")] = None
    joined_party: Annotated[
        Line | None, F2("入党时间", "joined the Party", "按任免表原样填写 / as the form has it")
    ] = None
    work_began: Annotated[YearMonth | None, F2("参加工作时间", "began to work")] = None
    health: Annotated[Line | None, F3("健康状况", "health")] = None
    technical_post: Annotated[Line | None, F2("专业技术职务", "technical post")] = None
    expertise: Annotated[Line | None, F2("熟悉专业有何专长", "expertise")] = None
    education: Annotated[
        tuple[Education, ...], Field(max_length=20), F2("学历学位", "education")
    ] = ()
    resume: Annotated[tuple[Stage, ...], Field(max_length=100), F2("简历", "resume")] = ()
    rewards: Annotated[Summary | None, F2("奖惩情况", "rewards and penalties")] = None
    assessments: Annotated[
        tuple[Assessment, ...], Field(max_length=20), F2("年度考核结果", "assessments")
    ] = ()
    family: Annotated[tuple[Relative, ...], Field(max_length=50), F3("家庭主要成员", "family")] = ()
    matters_checked: Annotated[
        tuple[MattersChecked, ...],
        Field(max_length=20),
        F3("个人有关事项查核", "personal matters checked"),
    ] = ()
    proposed: Annotated[Proposed | None, F2("拟任免情况", "proposal")] = None
    photo_sm3: Annotated[Digest | None, F2("照片 SM3 摘要", "digest of the photograph")] = None
    ages_as_of: Annotated[Day | None, F1("计算年龄时间", "ages as of")] = None
    filled_by: Annotated[Line | None, F2("填表人", "filled in by")] = None
    filled_on: Annotated[Day, F1("填表时间", "filled in on")]


class Candidate(Part):
    """One person of the batch, for the agencies to look up."""

    person_no: Annotated[Ordinal, F1("人员序号", "number of the person")]
    person: Annotated[PersonRef, F2("人选", "person")]
    proposed: Annotated[Line | None, F2("拟任职务或称号", "post or title proposed")] = None


class Opinion(Part):
    """One agency's result for one person; details never travel, only where they can be asked."""

    RULES = (
        needs(
            "detail_ref",
            lambda it: it.result.code in WITH_DETAIL,
            "有不同意见或未办结事项的，须填详情件号",
            "an objection or a pending case names the file with the details",
            "detail_ref_missing",
        ),
        forbids(
            "detail_ref",
            lambda it: it.result.code not in WITH_DETAIL,
            "无不同意见或无记录的，不填详情件号",
            "without an objection there is no file with details",
            "detail_ref_unexpected",
        ),
    )

    person_no: Annotated[Ordinal, F1("人员序号", "number of the person")]
    result: Annotated[Annotated[Code, coded("opinion_result")], F2("意见", "result")]
    detail_ref: Annotated[
        Identifier | None, F2("详情件号", "file with the details", "只填件号 / the number alone")
    ] = None


@event(
    "cadre.opinion_requested",
    "征求干部意见",
    "Opinions on cadres requested",
    key="/batchid",
    flows=("H08",),
    concerned=("/persons/-/person/org",),
    due="cadre.opinion",
)
class OpinionRequested(Payload):
    """A batch of persons on whom many agencies are asked at once, and for what purpose.

    组织部门就提拔、评先等人选同时向有关机关征求意见，列明人选、事由和征求单位。
    """

    RULES = (
        unique(
            "persons",
            "person_no",
            "同一人员序号只能出现一次",
            "a person's number stands twice",
            "person_repeated",
        ),
    )

    batchid: Annotated[Identifier, F1("批次编号", "batch number")]
    purpose: Annotated[Annotated[Code, coded("opinion_purpose")], F1("征求意见事由", "purpose")]
    purpose_note: Annotated[Line | None, F1("事由说明", "about the purpose")] = None
    persons: Annotated[
        tuple[Candidate, ...], Field(min_length=1, max_length=500), F2("人选名单", "persons")
    ]
    agencies: Annotated[
        tuple[Annotated[Code, coded("opinion_agency")], ...],
        Field(min_length=1, max_length=50),
        F1("征求意见单位", "agencies asked"),
    ]
    records_from: Annotated[Day | None, F1("核查起始日期", "records since")] = None
    contact: Annotated[Line, F2("联系人", "contact")]
    due: Annotated[Due | None, F1("回复期限", "answer due")] = None


@event(
    "cadre.opinion_given",
    "干部意见回复",
    "Opinion on cadres given",
    key="/batchid",
    flows=("H08",),
    answers=("cadre.opinion_requested",),
)
class OpinionGiven(Payload):
    """One agency's results for the persons of the batch.

    一个单位对批次内各人选的意见；详情只留件号和保管人，不随件报送。
    """

    RULES = (
        unique(
            "opinions",
            "person_no",
            "同一人员序号只能出现一次",
            "a person's number stands twice",
            "person_repeated",
        ),
        rule(
            "custodian_missing",
            "custodian",
            "有详情件的，须填保管人联系方式",
            "whoever names a file with details names its custodian",
            lambda it: it.custodian is None and any(one.detail_ref for one in it.opinions),
        ),
    )

    batchid: Annotated[Identifier, F1("批次编号", "batch number")]
    agency: Annotated[Annotated[Code, coded("opinion_agency")], F1("回复单位", "agency")]
    opinions: Annotated[
        tuple[Opinion, ...], Field(min_length=1, max_length=500), F2("各人选意见", "opinions")
    ]
    records_as_of: Annotated[Day, F1("核查截止日期", "records as of")]
    custodian: Annotated[Line | None, F2("保管人联系方式", "custodian")] = None
    approved_by: Annotated[Handler, F1("审定人", "approved by")]
    handlers: Annotated[Signatories, F1("承办人", "handlers")]
