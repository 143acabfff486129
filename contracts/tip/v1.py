"""Tips (来信来访来电): what people report to an inspection on the spot; H21.

Who reported, whom they accuse and their own words are source-protected. The original stays with its
custodian; what follows from it is a clue or a petition of its own.
"""

from typing import Annotated, Literal

from pydantic import Field

from contracts.classes import F1, F2, F4
from contracts.common import (
    Code,
    DocRef,
    Due,
    OrgRef,
    Part,
    Payload,
    PersonRef,
    Signatories,
    coded,
)
from contracts.declare import event
from contracts.rules import another, exactly_one, forbids, needs, rule
from contracts.values import (
    Authority,
    CitizenId,
    Count,
    Day,
    Identifier,
    Instant,
    Line,
    RegionCode,
    Summary,
)

CUSTODIANS = ("discipline", "inspection-office")
OPENINGS = ("tip.received",)


class Person(Part):
    """One person who reported."""

    name: Annotated[Line, F4("姓名", "name")]
    idno: Annotated[CitizenId | None, F4("公民身份号码", "citizen number")] = None
    phone: Annotated[Line | None, F4("电话", "telephone")] = None
    address: Annotated[Line | None, F4("住址", "address")] = None
    unit: Annotated[Line | None, F4("工作单位", "place of work")] = None


class Reporter(Part):
    """Whether and by whom the report is signed, and how to reach them without exposing them."""

    RULES = (
        rule(
            "reporter_unnamed",
            "persons",
            "实名反映须填至少一名反映人",
            "a real-name report names at least one person",
            lambda it: it.kind == "real-name" and not it.persons,
        ),
        forbids(
            "persons",
            lambda it: it.kind == "anonymous",
            "匿名反映不得填写反映人",
            "an anonymous report names nobody",
            "anonymous_named",
        ),
        rule(
            "count_differs",
            "people",
            "反映人数不得少于所列人数；联名反映至少 2 人",
            "there are no fewer reporters than are named, and two or more in a joint report",
            lambda it: it.people < max(len(it.persons), 2 if it.joint else 0),
        ),
    )

    kind: Annotated[Literal["real-name", "anonymous"], F4("署名情况", "kind of report")]
    joint: Annotated[bool, F4("联名", "joint")] = False
    people: Annotated[Count, F4("反映人数", "number of reporters", "人 / persons")]
    persons: Annotated[tuple[Person, ...], Field(max_length=200), F4("反映人", "persons")] = ()
    contact_wish: Annotated[Line | None, F4("联系要求", "how to reach them")] = None


class Accused(Part):
    """One person or organisation that is accused."""

    RULES = (
        exactly_one(
            "person",
            "org",
            message="每个被反映对象须填 person（人）或 org（单位）之一，且只填其一",
            message_en="who is accused is either a person or an organisation: give exactly one",
            code="accused_not_one",
        ),
    )

    person: Annotated[PersonRef | None, F4("被反映人", "person")] = None
    org: Annotated[OrgRef | None, F4("被反映单位", "organisation")] = None
    authority: Annotated[Authority, F4("干部管理权限", "level that manages the cadre")]


class Told(Part):
    """Whether a real-name reporter was told, when, and by when it is owed."""

    RULES = (
        needs(
            "on",
            lambda it: it.told,
            "已告知的，须填告知日期",
            "whoever told the reporter says when",
            "told_on_missing",
        ),
        forbids(
            "unreachable",
            lambda it: it.told,
            "已告知的，不填无法联系",
            "a reporter who was told was reached",
            "told_contradicted",
        ),
    )

    told: Annotated[bool, F4("已告知", "told")]
    on: Annotated[Day | None, F4("告知日期", "told on")] = None
    unreachable: Annotated[Literal[True] | None, F4("无法联系", "could not be reached")] = None
    due: Annotated[Due | None, F4("告知期限", "to be told by")] = None


@event(
    "tip.received",
    "来信来访受理登记",
    "Tip received",
    key="/tipid",
    flows=("H21",),
    phase="on",
    accused=("/accused/-/org", "/accused/-/person/org"),
    accused_persons=("/accused/-/person",),
    denied=("inspected-party",),
    custodians=CUSTODIANS,
    due="tip.triage",
)
class Received(Payload):
    """A letter, visit, call or message registered by its custodian, with a summary in the
    custodian's own words.

    巡视巡察期间收到的来信来访来电和网络反映的登记；内容摘要由保管人另写，原件不随件流转。
    """

    RULES = (
        needs(
            "earlier",
            lambda it: it.repeat,
            "重复反映的，须填已有登记编号",
            "a repeated report names the earlier one",
            "earlier_missing",
        ),
        another(
            "earlier",
            "tipid",
            "此处应填另一件的登记编号",
            "this names another report, not the report itself",
            "tip_refers_to_itself",
        ),
        needs(
            "original_at",
            lambda it: it.form.code == "1",
            "来信须填原件及其保管人",
            "a letter says where its original lies",
            "original_missing",
        ),
    )

    tipid: Annotated[Identifier, F1("登记编号", "register number")]
    roundid: Annotated[Identifier | None, F1("巡视巡察轮次", "round")] = None
    form: Annotated[Annotated[Code, coded("tip_form")], F1("反映方式", "form")]
    received_at: Annotated[Instant, F1("收到时间", "received at")]
    urgent: Annotated[bool, F1("紧急", "urgent")] = False
    repeat: Annotated[bool, F2("重复反映", "repeated")] = False
    earlier: Annotated[Identifier | None, F2("已有登记编号", "earlier report")] = None
    bypassed: Annotated[bool, F2("越级反映", "a level was passed over")] = False
    abroad: Annotated[bool, F2("涉外及港澳台", "concerns abroad, Hong Kong, Macao or Taiwan")] = (
        False
    )
    place: Annotated[RegionCode | None, F2("问题属地", "place of the matter")] = None
    discipline_kind: Annotated[
        tuple[Annotated[Code, coded("discipline_kind")], ...],
        Field(max_length=20),
        F2("问题类别", "kind of discipline"),
    ] = ()
    reporter: Annotated[Reporter, F4("反映人情况", "reporter")]
    accused: Annotated[tuple[Accused, ...], Field(max_length=50), F4("被反映对象", "accused")] = ()
    summary: Annotated[Summary, F4("内容摘要", "summary")]
    original_at: Annotated[DocRef | None, F4("原件及保管", "where the original lies")] = None
    handlers: Annotated[Signatories, F1("登记人", "registered by")]


@event(
    "tip.acknowledged",
    "来信来访分流",
    "Tip acknowledged",
    key="/tipid",
    flows=("H21",),
    phase="on",
    answers=OPENINGS,
    custodians=CUSTODIANS,
    due="tip.answer",
)
class Acknowledged(Payload):
    """Where the report went, by number alone, and whether a real-name reporter was told.

    登记件的分流去向，只填编号；实名反映的，只填是否已告知受理。
    """

    RULES = (
        needs(
            "clueid",
            lambda it: it.triage.code == "clue",
            "作为问题线索移交的，须填线索编号",
            "what became a clue names it",
            "clueid_missing",
        ),
        needs(
            "petitionid",
            lambda it: it.triage.code == "petition",
            "转信访部门的，须填信访事项编号",
            "what went to the petition office names the petition",
            "petitionid_missing",
        ),
        needs(
            "passed_to",
            lambda it: it.triage.code in ("superior", "other_organ"),
            "径送上级或转其他机关的，须填去向单位",
            "what was passed on says to whom",
            "passed_to_missing",
        ),
        needs(
            "merged_into",
            lambda it: it.triage.code == "merged",
            "合并办理的，须填并入的登记编号",
            "what was merged names the report it went into",
            "merged_into_missing",
        ),
        another(
            "merged_into",
            "tipid",
            "此处应填另一件的登记编号",
            "this names another report, not the report itself",
            "tip_refers_to_itself",
        ),
    )

    tipid: Annotated[Identifier, F1("登记编号", "register number")]
    triage: Annotated[Annotated[Code, coded("tip_triage")], F1("分流去向", "triage")]
    triaged_on: Annotated[Day, F1("分流日期", "triaged on")]
    clueid: Annotated[Identifier | None, F2("线索编号", "clue number")] = None
    petitionid: Annotated[Identifier | None, F2("信访事项编号", "petition number")] = None
    passed_to: Annotated[OrgRef | None, F2("去向单位", "passed to")] = None
    merged_into: Annotated[Identifier | None, F2("并入登记编号", "merged into")] = None
    acceptance: Annotated[Told | None, F4("受理告知", "acceptance told")] = None
    handlers: Annotated[Signatories, F1("承办人", "handlers")]


@event(
    "tip.answered",
    "来信来访结果反馈",
    "Tip answered",
    key="/tipid",
    flows=("H21",),
    phase="post",
    answers=OPENINGS,
    custodians=CUSTODIANS,
)
class Answered(Payload):
    """That the report is closed, and whether a real-name reporter was told the result; never what
    the result was.

    登记件已办结，实名反映的只填是否已反馈结果，不填结果内容。
    """

    RULES = (
        rule(
            "objection_untold",
            "objected",
            "未反馈结果的，不能填有异议",
            "nobody objects to a result they were not told",
            lambda it: it.objected and not (it.result and it.result.told),
        ),
    )

    tipid: Annotated[Identifier, F1("登记编号", "register number")]
    closed_on: Annotated[Day, F1("办结日期", "closed on")]
    result: Annotated[Told | None, F4("结果反馈", "result told")] = None
    objected: Annotated[bool | None, F4("反映人有异议", "reporter objects")] = None
    handlers: Annotated[Signatories, F1("承办人", "handlers")]
