"""The objects that payloads are made of (domain: common objects), and what they all build on."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, ClassVar, Final, Literal, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationInfo,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from pydantic_core.core_schema import (
    no_info_after_validator_function,
    with_info_after_validator_function,
)

from contracts.classes import F0, F1, F2, F3
from contracts.inforce import always_members, member_in_force
from contracts.rules import RULES_KEYWORD, Rule, forbids, in_order, keep, needs, rule_broken
from contracts.values import (
    Amount,
    Authority,
    CitizenId,
    Classification,
    Count,
    Day,
    Digest,
    Identifier,
    Instant,
    Line,
    Medium,
    OrganisationCode,
    Paragraph,
    Percent,
    RegionCode,
    Uscc,
    YearMonth,
    text,
)

LIST_KEYWORD: Final = "x-guantong-codelist"


class Part(BaseModel):
    """An object inside a payload: strict, closed, immutable. `RULES` join its fields."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        validate_default=False,
        defer_build=True,
    )

    RULES: ClassVar[tuple[Rule, ...]] = ()

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[BaseModel], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        schema = handler(source)
        if not cls.RULES:
            return schema
        # The name stands for model and rules: a second use of the part refers to it by name.
        model = cast("CoreSchema", {k: v for k, v in schema.items() if k != "ref"})
        return no_info_after_validator_function(
            partial(keep, cls.RULES), model, ref=cast("str", schema["ref"])
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        schema = handler(core_schema)
        if cls.RULES:
            target = handler.resolve_ref_schema(schema)
            target[RULES_KEYWORD] = sorted({rule.code for rule in cls.RULES})
        return schema


class Code(Part):
    """A member of a named code list. `label` is what the sender's system showed beside it."""

    code: Annotated[str, text(32), F0("代码", "code")]
    label: Annotated[Line | None, F0("名称", "label")] = None
    list: Annotated[Identifier | None, F0("代码表", "code list")] = None
    version: Annotated[Identifier | None, F0("代码表版本", "version of the list")] = None


@dataclass(frozen=True, slots=True)
class _FromList:
    """Checks a `Code` against a list, and names the list in the schema."""

    name: str

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        name, always = self.name, always_members(self.name)

        def verify(value: Code, info: ValidationInfo) -> Code:
            if value.list is not None and value.list != name:
                raise rule_broken(
                    "code_list_wrong", "list", f"应使用代码表 {name}", f"use code list {name}"
                )
            if value.code not in always:
                member_in_force(name, value.code, info, labelled=value.label is not None)
            return value

        return with_info_after_validator_function(verify, handler(source))

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(core_schema), LIST_KEYWORD: self.name}


def coded(name: str) -> _FromList:
    """A `Code` of the list `name`: closed lists refuse unknown members, open ones want a label."""
    return _FromList(name)


class OrgRef(Part):
    """An organisation, by as many of its numbers as the sender knows."""

    orgid: Annotated[
        Identifier | None, F1("机构内部编号", "internal number of the organisation")
    ] = None
    name: Annotated[Line, F1("单位名称", "name of the organisation")]
    uscc: Annotated[Uscc | None, F1("统一社会信用代码", "unified social credit code")] = None
    orgcode: Annotated[OrganisationCode | None, F1("组织机构代码", "organisation code")] = None
    region: Annotated[RegionCode | None, F0("行政区划", "region")] = None
    level: Annotated[
        Literal["central", "province", "city", "county", "township"] | None, F0("层级", "level")
    ] = None
    parent: Annotated[
        Identifier | None, F1("上级单位编号", "number of the parent organisation")
    ] = None


class PersonRef(Part):
    """A person; only contracts that need them carry the F3 fields."""

    personkey: Annotated[Identifier | None, F2("人员编号", "person key")] = None
    name: Annotated[Line, F2("姓名", "name")]
    idno: Annotated[CitizenId | None, F3("公民身份号码", "citizen number")] = None
    gender: Annotated[Literal["0", "1", "2", "9"] | None, F2("性别", "gender")] = None
    birth: Annotated[YearMonth | None, F2("出生年月", "year and month of birth")] = None
    org: Annotated[OrgRef | None, F2("所在单位", "organisation")] = None
    post: Annotated[Line | None, F2("职务", "post")] = None
    rank: Annotated[Annotated[Code, coded("cadre_rank")] | None, F2("职务层次", "rank")] = None
    authority: Annotated[Authority | None, F2("干部管理权限", "level that manages the cadre")] = (
        None
    )
    political: Annotated[
        Annotated[Code, coded("political_status")] | None, F2("政治面貌", "political status")
    ] = None


class DocRef(Part):
    """A document kept elsewhere: what it is, its digest and size, where the original lies."""

    docno: Annotated[Line | None, F1("文号", "document number")] = None
    title: Annotated[Line, F1("文件名称", "title")]
    kind: Annotated[Line | None, F1("文种", "kind of document")] = None
    date: Annotated[Day | None, F1("成文日期", "date")] = None
    classification: Annotated[Classification | None, F0("密级", "classification")] = None
    sm3: Annotated[Digest | None, F1("SM3 摘要", "SM3 digest")] = None
    sha256: Annotated[Digest | None, F1("SHA-256 摘要", "SHA-256 digest")] = None
    size: Annotated[Count | None, F1("字节数", "size")] = None
    stored_at: Annotated[Line | None, F1("存放位置", "where it is kept")] = None
    original: Annotated[Medium | None, F1("载体", "medium")] = None
    pages: Annotated[Count | None, F1("页数", "pages")] = None
    copyno: Annotated[Line | None, F1("份号", "copy number")] = None
    custodian: Annotated[Line | None, F1("保管人", "custodian")] = None


class Money(Part):
    """An amount as a decimal string in the unit that the source used."""

    amount: Annotated[Amount, F1("金额", "amount")]
    unit: Annotated[Literal["元", "万元"], F1("金额单位", "unit")]
    currency: Annotated[Literal["CNY"], F1("币种", "currency")] = "CNY"


class Handler(Part):
    """Who handled a step, and when they signed it (承办人)."""

    name: Annotated[Line, F2("承办人", "handler")]
    org: Annotated[OrgRef | None, F1("承办单位", "organisation of the handler")] = None
    signed_at: Annotated[Instant | None, F1("签字时间", "signed at")] = None


Signatories = Annotated[tuple[Handler, ...], Field(min_length=1, max_length=20)]
TwoSignatories = Annotated[tuple[Handler, ...], Field(min_length=2, max_length=20)]


class Extension(Part):
    """A due date moved, with the reason and who approved it."""

    until: Annotated[Day, F1("延长至", "extended until")]
    reason: Annotated[Line, F1("延期理由", "reason")]
    approved_by: Annotated[Handler, F1("批准人", "approved by")]


class Due(Part):
    """A date by which an answer is owed, and the extensions it was given."""

    rule: Annotated[Identifier | None, F1("期限规则", "deadline rule")] = None
    start: Annotated[Day | None, F1("起算日期", "start")] = None
    date: Annotated[Day, F1("截止日期", "due date")]
    extended: Annotated[
        tuple[Extension, ...], Field(max_length=20), F1("延期情况", "extensions")
    ] = ()


class Period(Part):
    """A span of days, both included."""

    RULES = (
        in_order("from_", "to", "截止日期不得早于起始日期", "the period ends before it begins"),
    )

    from_: Annotated[Day, Field(alias="from"), F1("起始日期", "from")]
    to: Annotated[Day, F1("截止日期", "to")]


class Refusal(Part):
    """Why an agency does not do what it was asked, who decided so, and who could help instead."""

    reason: Annotated[Annotated[Code, coded("refusal_reason")], F1("理由", "reason")]
    note: Annotated[Paragraph, F2("情况说明", "explanation")]
    approved_by: Annotated[Handler, F1("批准人", "approved by")]
    alternative: Annotated[Line | None, F1("建议途径", "another way")] = None


class MeetingRef(Part):
    """The meeting that decided on a matter."""

    kind: Annotated[Annotated[Code, coded("meeting_kind")], F1("会议种类", "kind of meeting")]
    held_on: Annotated[Day, F1("会议日期", "date of the meeting")]
    session: Annotated[Line | None, F1("会议届次", "session")] = None


class Target(Part):
    """A Party organisation that is to be inspected, or was."""

    targetid: Annotated[Identifier, F1("被巡视巡察党组织编号", "number of the inspected party")]
    org: Annotated[OrgRef, F1("被巡视巡察党组织", "inspected party")]
    kind: Annotated[
        Annotated[Code, coded("inspected_unit_kind")] | None, F1("单位类型", "kind of unit")
    ] = None


class TaskProgress(Part):
    """How far one task of a list has come."""

    RULES = (
        needs(
            "done_on",
            lambda it: it.state.code == "done",
            "已完成的任务须填完成日期",
            "a task that is done has the day it was done",
            "done_on_missing",
        ),
        forbids(
            "done_on",
            lambda it: it.state.code != "done",
            "未完成的任务不得填写完成日期",
            "a task that is not done has no day it was done",
            "done_on_unexpected",
        ),
        needs(
            "obstacle",
            lambda it: it.state.code == "blocked",
            "受阻的任务须写明困难和问题",
            "a task that is blocked names the obstacle",
            "obstacle_missing",
        ),
    )

    taskno: Annotated[Identifier, F1("任务序号", "task number")]
    state: Annotated[Annotated[Code, coded("task_state")], F1("任务状态", "state of the task")]
    percent: Annotated[Percent | None, F1("完成进度", "share done", "百分比，0 至 100")] = None
    progress: Annotated[Paragraph, F1("进展情况", "progress")]
    done_on: Annotated[Day | None, F1("完成日期", "done on")] = None
    results: Annotated[tuple[DocRef, ...], Field(max_length=50), F1("成果材料", "results")] = ()
    obstacle: Annotated[Paragraph | None, F1("困难和问题", "obstacle")] = None


class SiteWork(Part):
    """What a team did on site in a span of time (巡视巡察现场工作量)."""

    talks: Annotated[Count, F1("谈话人数", "people talked to")]
    documents: Annotated[Count, F1("查阅文档数", "documents read")]
    letters: Annotated[Count, F1("信访数量", "letters, visits and calls taken")]
    visits: Annotated[Count, F1("走访数量", "visits made")]


class Letter(Part):
    """The official letter that an event stands for; names after GB/T 33480."""

    docno: Annotated[Line | None, F1("发文字号", "document number")] = None
    kind: Annotated[Line | None, F1("文种", "kind of document")] = None
    copyno: Annotated[Line | None, F1("份号", "copy number")] = None
    classification_period: Annotated[
        Line | None, F1("密级和保密期限", "classification and period")
    ] = None
    urgency: Annotated[Literal["特急", "加急"] | None, F1("紧急程度", "urgency")] = None
    signer: Annotated[Line | None, F2("签发人", "signer")] = None
    issuers: Annotated[
        tuple[Line, ...], Field(max_length=20), F1("发文机关", "issuing organs")
    ] = ()
    main_to: Annotated[
        tuple[Line, ...], Field(max_length=100), F1("主送机关", "main addressees")
    ] = ()
    contact: Annotated[Line | None, F2("联系人", "contact")] = None
    issued_on: Annotated[Day | None, F1("成文日期", "date of issue")] = None


class Alias(Part):
    """A number that some system gave to the same matter."""

    system: Annotated[Line, F1("系统名称", "system")]
    number: Annotated[Identifier, F1("在该系统中的编号", "number in that system")]


class Payload(Part):
    """What every event may carry beside its own fields."""

    letter: Annotated[Letter | None, F1("公文", "official letter")] = None
    handlers: Annotated[tuple[Handler, ...], Field(max_length=20), F1("承办人", "handlers")] = ()
    aliases: Annotated[
        tuple[Alias, ...], Field(max_length=20), F1("其他编号", "other numbers")
    ] = ()
    original: Annotated[Medium | None, F1("原件载体", "medium of the original")] = None
