"""Legal cases (政法通报) of Party members, officials and bodies under inspection; H18."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from contracts.classes import F1, F2
from contracts.common import (
    Code,
    DocRef,
    Handler,
    Money,
    OrgRef,
    Part,
    Payload,
    PersonRef,
    Signatories,
    coded,
)
from contracts.declare import event
from contracts.rules import Rule, exactly_one, in_order, needs, unique
from contracts.values import Count, Day, Identifier, Line, Ordinal, Paragraph, Summary

CRIMINAL = "criminal"

PARTY_NOT_ONE = exactly_one(
    "person",
    "org",
    message="每个当事人须填 person（人）或 org（单位）之一，且只填其一",
    message_en="a party is either a person or an organisation: give exactly one",
    code="party_not_one",
)


class Measure(Part):
    """A compulsory measure, by whom and since when."""

    kind: Annotated[Annotated[Code, coded("compulsory_measure")], F2("措施种类", "measure")]
    on: Annotated[Day, F2("采取日期", "since")]
    organ: Annotated[Line | None, F1("决定机关", "decided by")] = None


class CaseParty(Part):
    """One person or organisation against whom the case runs."""

    RULES = (PARTY_NOT_ONE,)

    party_no: Annotated[Ordinal, F1("当事人序号", "number of the party")]
    person: Annotated[PersonRef | None, F2("当事人", "person")] = None
    org: Annotated[OrgRef | None, F2("当事单位", "organisation")] = None
    role: Annotated[
        Literal["犯罪嫌疑人", "被告人", "被执行人", "被告", "违法行为人", "其他当事人"],
        F2("诉讼地位", "role"),
    ]
    charge: Annotated[Line | None, F2("涉嫌罪名或案由", "charge or cause")] = None
    public_official: Annotated[
        bool | None, F2("监察对象", "public official", "是否公职人员 / under supervision law")
    ] = None
    measures: Annotated[
        tuple[Measure, ...], Field(max_length=20), F2("强制措施", "compulsory measures")
    ] = ()


class Result(Part):
    """What came of the case for one person or organisation."""

    RULES = (
        PARTY_NOT_ONE,
        needs(
            "charge",
            lambda it: it.result.code == "convicted",
            "有罪判决须填罪名",
            "a conviction names the crime",
            "charge_missing",
        ),
        needs(
            "effective_on",
            lambda it: it.effective,
            "已生效的，须填生效日期",
            "what is final says since when",
            "effective_on_missing",
        ),
    )

    party_no: Annotated[Ordinal, F1("当事人序号", "number of the party")]
    person: Annotated[PersonRef | None, F2("当事人", "person")] = None
    org: Annotated[OrgRef | None, F2("当事单位", "organisation")] = None
    result: Annotated[Annotated[Code, coded("legal_result_kind")], F2("处理结果", "result")]
    charge: Annotated[Line | None, F2("罪名或案由", "charge or cause")] = None
    penalty: Annotated[Paragraph | None, F2("刑罚或处罚", "penalty")] = None
    fine: Annotated[Money | None, F2("罚金罚款", "fine")] = None
    confiscated: Annotated[Money | None, F2("没收追缴", "confiscated or recovered")] = None
    decided_on: Annotated[Day, F1("作出日期", "decided on")]
    effective: Annotated[bool, F1("已生效", "final")]
    effective_on: Annotated[Day | None, F1("生效日期", "final since")] = None
    document: Annotated[DocRef | None, F2("法律文书", "document")] = None


def _measures_before_filing(it: Any) -> Iterator[str]:
    for p, party in enumerate(it.parties):
        for m, measure in enumerate(party.measures):
            if it.filed_on is not None and measure.on < it.filed_on:
                yield f"parties/{p}/measures/{m}/on"


def _uncharged(it: Any) -> Iterator[str]:
    if it.kind.code == CRIMINAL:
        yield from (f"parties/{p}/charge" for p, one in enumerate(it.parties) if not one.charge)


def _final_before_decided(it: Any) -> Iterator[str]:
    for place, one in enumerate(it.results):
        if one.effective_on is not None and one.effective_on < one.decided_on:
            yield f"results/{place}/effective_on"


@event(
    "legal.case_notified",
    "涉案情况通报",
    "Legal case notified",
    key="/legalcaseid",
    flows=("H18",),
    accused=("/parties/-/org", "/parties/-/person/org"),
    accused_persons=("/parties/-/person",),
    denied=("inspected-party",),
    due="legal.result",
)
class CaseNotified(Payload):
    """A case of a Party member, an official or a body, told by whoever handles it: what kind, how
    far it has come, against whom.

    政法机关与纪检监察机关相互通报党员、公职人员和有关单位涉案情况，写明案件类别、阶段和当事人。
    """

    RULES = (
        unique(
            "parties",
            "party_no",
            "同一当事人序号只能出现一次",
            "a party's number stands twice",
            "party_repeated",
        ),
        Rule(
            "measure_before_filing",
            "采取强制措施的日期不得早于立案日期",
            "a measure is not taken before the case is filed",
            _measures_before_filing,
        ),
        Rule(
            "charge_missing",
            "刑事案件须填各当事人涉嫌罪名",
            "a criminal case states each party's charge",
            _uncharged,
        ),
        in_order(
            "accepted_on",
            "filed_on",
            "立案日期不得早于受案日期",
            "a case is not filed before it was accepted",
            "filed_before_accepted",
        ),
        needs(
            "filed_on",
            lambda it: it.stage.code != "acceptance",
            "立案以后各阶段须填立案日期",
            "a case past acceptance says when it was filed",
            "filed_on_missing",
        ),
    )

    legalcaseid: Annotated[Identifier, F1("案件编号", "case number")]
    kind: Annotated[Annotated[Code, coded("legal_case_kind")], F1("案件类别", "kind of case")]
    stage: Annotated[Annotated[Code, coded("legal_stage")], F1("案件阶段", "stage")]
    title: Annotated[Line, F2("案件名称", "title")]
    organ: Annotated[OrgRef, F1("办案机关", "organ that handles it")]
    accepted_on: Annotated[Day, F1("受案日期", "accepted on")]
    filed_on: Annotated[Day | None, F1("立案日期", "filed on")] = None
    parties: Annotated[
        tuple[CaseParty, ...], Field(min_length=1, max_length=200), F2("当事人", "parties")
    ]
    facts: Annotated[Summary, F2("基本案情", "facts")]
    amount: Annotated[Money | None, F2("涉案金额", "amount involved")] = None
    roundid: Annotated[Identifier | None, F1("巡视巡察轮次", "round")] = None
    clueid: Annotated[Identifier | None, F1("相关线索编号", "clue number")] = None
    hand_over_within: Annotated[
        Count | None, F1("移交时限", "to be handed over within", "小时 / hours")
    ] = None
    documents: Annotated[
        tuple[DocRef, ...], Field(max_length=100), F2("法律文书", "documents")
    ] = ()
    approved_by: Annotated[Handler | None, F1("批准人", "approved by")] = None
    handlers: Annotated[Signatories, F1("承办人", "handlers")]


@event(
    "legal.result_notified",
    "案件处理结果通报",
    "Result of a legal case notified",
    key="/legalcaseid",
    flows=("H18",),
    answers=("legal.case_notified",),
    unasked=True,
    accused=("/results/-/org", "/results/-/person/org"),
    accused_persons=("/results/-/person",),
    denied=("inspected-party",),
)
class ResultNotified(Payload):
    """What came of a case for each person or body, and whether that is final.

    案件对各当事人的处理结果，写明作出日期、是否生效和法律文书。
    """

    RULES = (
        unique(
            "results",
            "party_no",
            "同一当事人序号只能出现一次",
            "a party's number stands twice",
            "party_repeated",
        ),
        Rule(
            "final_before_decided",
            "生效日期不得早于作出日期",
            "a result is not final before it was decided",
            _final_before_decided,
        ),
    )

    legalcaseid: Annotated[Identifier, F1("案件编号", "case number")]
    kind: Annotated[Annotated[Code, coded("legal_case_kind")], F1("案件类别", "kind of case")]
    stage: Annotated[Annotated[Code, coded("legal_stage")], F1("案件阶段", "stage")]
    organ: Annotated[OrgRef, F1("办案机关", "organ that handled it")]
    results: Annotated[
        tuple[Result, ...], Field(min_length=1, max_length=200), F2("处理结果", "results")
    ]
    advice: Annotated[
        Paragraph | None, F2("司法（检察）建议", "advice of the court or procuratorate")
    ] = None
    handlers: Annotated[Signatories, F1("承办人", "handlers")]
