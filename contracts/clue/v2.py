"""`clue.transferred` 2.0: each subject with its own breaches, amounts in yuan and by kind."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from contracts.classes import F1, F2, F3, F4
from contracts.clue.v1 import (
    CUSTODIANS,
    FLOWS,
    TRANSFER_RULES,
    DisciplineKinds,
    FoundIn,
    Handover,
    Reporter,
)
from contracts.common import Code, DocRef, OrgRef, Part, Payload, PersonRef, coded
from contracts.contract import Slip
from contracts.declare import event
from contracts.rules import Rule, at_least_one, needs, rule
from contracts.values import Authority, Count, Day, Identifier, Line, Ordinal, Summary, Yuan

MOST_SUBJECTS: Final = 100
MOST_KINDS: Final = 20

Role = Literal["被反映人", "其他涉及人"]


class Person(Part):
    """A person whom the clue is about: under whose authority, for which breaches, by whom."""

    subject_no: Annotated[Ordinal, F1("被反映对象序号", "subject number")]
    person: Annotated[PersonRef, F2("被反映人", "person")]
    role: Annotated[Role, F2("角色", "role")] = "被反映人"
    authority: Annotated[Authority, F2("干部管理权限", "level that manages the cadre")]
    discipline_kind: Annotated[DisciplineKinds, F2("该对象违纪类别", "breaches of this one")] = ()
    lead: Annotated[OrgRef | None, F2("主办机关", "organ in charge")] = None


class Organisation(Part):
    """An organisation that the clue is about: under whose authority, for which breaches."""

    subject_no: Annotated[Ordinal, F1("被反映对象序号", "subject number")]
    org: Annotated[OrgRef, F2("被反映单位", "organisation")]
    role: Annotated[Role, F2("角色", "role")] = "被反映人"
    authority: Annotated[Authority, F2("管理权限", "level that manages it")]
    discipline_kind: Annotated[DisciplineKinds, F2("该对象违纪类别", "breaches of this one")] = ()
    lead: Annotated[OrgRef | None, F2("主办机关", "organ in charge")] = None


class AmountOfKind(Part):
    """How much of the amount involved is of one kind; the same money may be of several."""

    kind: Annotated[Annotated[Code, coded("clue_amount_kind")], F2("金额类别", "kind")]
    yuan: Annotated[Yuan, F2("金额（元）", "amount in yuan")]


def _subjects(it: Any) -> Iterator[tuple[str, Any]]:
    for name in ("persons", "organisations"):
        for place, subject in enumerate(getattr(it, name)):
            yield f"{name}/{place}", subject


def _repeated_subjects(it: Any) -> Iterator[str]:
    seen = set()
    for at, subject in _subjects(it):
        if subject.subject_no in seen:
            yield f"{at}/subject_no"
        seen.add(subject.subject_no)


def _without_lead(it: Any) -> Iterator[str]:
    if any(subject.lead is not None for _, subject in _subjects(it)):
        for at, subject in _subjects(it):
            if subject.lead is None:
                yield f"{at}/lead"


def _repeated_kinds(it: Any) -> Iterator[str]:
    codes = [amount.kind.code for amount in it.amounts]
    for place, code in enumerate(codes):
        if code in codes[:place]:
            yield f"amounts/{place}/kind"


def _beyond_total(it: Any) -> Iterator[str]:
    if it.amount_yuan is not None:
        for place, amount in enumerate(it.amounts):
            if Decimal(amount.yuan) > Decimal(it.amount_yuan):
                yield f"amounts/{place}/yuan"


def _unlisted_kinds(it: Any) -> Iterator[str]:
    listed = {kind.code for kind in it.discipline_kind}
    for at, subject in _subjects(it):
        for place, kind in enumerate(subject.discipline_kind):
            if kind.code not in listed:
                yield f"{at}/discipline_kind/{place}/code"


@event(
    "clue.transferred",
    "问题线索移交",
    "Clue transferred",
    version="2.0",
    key="/clueid",
    flows=FLOWS,
    phase="post",
    accused=("/organisations/-/org", "/persons/-/person/org"),
    accused_persons=("/persons/-/person",),
    custodians=CUSTODIANS,
    due="clue.receipt",
    slip=Slip(
        title="问题线索移交交接单",
        numbers=("/clueid", "/native_no", "/batch_no", "/handover/form"),
        listed="/basis",
        signed_by=("移交人", "移交人", "接收人", "接收人"),
    ),
)
class Transferred(Payload):
    """A clue handed over for verification. Unlike version 1 it says of each person and organisation
    which breaches are told of it: a disposition is decided subject by subject, and an organ that
    takes over some of them must not read the others' breaches into them. Amounts are in yuan and by
    kind: sums over clues in 元 and 万元 had gone wrong by four digits.

    移交方将问题线索移交有管辖权的机关。与 1.x 版不同：违纪类别落到每一对象，便于逐一处置和分案；
    金额一律以元计并按类别分列，避免元与万元混用造成汇总差错。
    """

    RULES = (
        at_least_one(
            "persons",
            "organisations",
            message="须填被反映人或被反映单位",
            message_en="give a person or an organisation that the clue is about",
            code="subject_missing",
        ),
        Rule(
            "subject_repeated",
            "同一被反映对象编号只能出现一次",
            "a subject number stands twice",
            _repeated_subjects,
        ),
        rule(
            "subjects_too_many",
            "organisations",
            f"被反映人与被反映单位合计不得超过 {MOST_SUBJECTS} 个",
            f"more than {MOST_SUBJECTS} subjects",
            lambda it: len(it.persons) + len(it.organisations) > MOST_SUBJECTS,
        ),
        Rule(
            "lead_missing",
            "填写主办机关的，须对每一被反映对象填写",
            "where one subject has an organ in charge, all of them have",
            _without_lead,
        ),
        Rule(
            "discipline_kind_unlisted",
            "各对象的违纪类别须列入整条线索的违纪类别",
            "what is told of a subject stands among the kinds of breaches of the clue",
            _unlisted_kinds,
        ),
        needs(
            "amount_yuan",
            lambda it: it.amounts,
            "按类别填写金额的，须填涉及金额合计",
            "amounts by kind need the amount involved",
            "amount_missing",
        ),
        Rule("amount_repeated", "金额类别重复", "a kind of amount stands twice", _repeated_kinds),
        Rule(
            "amount_exceeds_total",
            "分类金额不得大于涉及金额合计",
            "an amount of one kind is more than the amount involved",
            _beyond_total,
        ),
        *TRANSFER_RULES,
    )

    clueid: Annotated[Identifier, F1("线索编号", "clue number")]
    native_no: Annotated[Line | None, F1("原系统编号", "number in the sender's system")] = None
    batch_no: Annotated[Identifier | None, F1("移交批次号", "batch")] = None
    copies: Annotated[Count | None, F1("移交份数", "copies handed over")] = None
    title: Annotated[Line, F1("线索名称", "title")]
    source: Annotated[Annotated[Code, coded("clue_source")], F1("线索来源", "source of the clue")]
    persons: Annotated[
        tuple[Person, ...], Field(max_length=MOST_SUBJECTS), F2("被反映人", "persons")
    ] = ()
    organisations: Annotated[
        tuple[Organisation, ...],
        Field(max_length=MOST_SUBJECTS),
        F2("被反映单位", "organisations"),
    ] = ()
    discipline_kind: Annotated[
        DisciplineKinds, Field(min_length=1), F1("全部违纪类别", "all kinds of breaches")
    ]
    summary: Annotated[Summary, F2("线索摘要", "summary")]
    amount_yuan: Annotated[Yuan | None, F2("涉及金额合计（元）", "amount involved in yuan")] = None
    amounts: Annotated[
        tuple[AmountOfKind, ...], Field(max_length=20), F2("分类金额", "amounts by kind")
    ] = ()
    period_from: Annotated[Day | None, F2("问题发生起始日期", "from")] = None
    period_to: Annotated[Day | None, F2("问题发生截止日期", "to")] = None
    found_in: Annotated[FoundIn | None, F1("发现环节", "found in")] = None
    basis: Annotated[
        tuple[DocRef, ...], Field(max_length=200), F3("依据材料", "supporting documents")
    ] = ()
    reporter: Annotated[Reporter | None, F4("反映人情况", "reporter")] = None
    confidentiality: Annotated[Literal["normal", "high"], F1("保密要求", "confidentiality")] = (
        "normal"
    )
    urgency: Annotated[Literal["normal", "urgent"], F1("紧急程度", "urgency")] = "normal"
    handover: Annotated[Handover, F1("移交手续", "hand-over")]
    suggested_disposition: Annotated[
        Annotated[Code, coded("disposition")] | None, F2("建议处置方式", "suggested disposition")
    ] = None
    disclosure_embargo_until: Annotated[
        Day | None, F1("不得公开至", "not to be disclosed until")
    ] = None
    repeat_of: Annotated[Identifier | None, F1("与前案重复", "repeats")] = None
