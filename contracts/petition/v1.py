"""Petition (信访): cases transferred between petition bureaus and inspection offices, flow H14."""

from typing import Annotated, Final

from pydantic import Field

from contracts.classes import F1, F2, F3, F4
from contracts.common import Code, Due, OrgRef, Part, Payload, coded
from contracts.declare import event
from contracts.rules import forbids
from contracts.values import CitizenId, Count, Day, Identifier, Line, RegionCode, Summary

ACCUSATION: Final = "3"


class NativeCodes(Part):
    """The codes of the national petition interface as the bureau's system shows them."""

    xfjbh: Annotated[Identifier, F1("信访件编号", "petition number")]
    xfxs: Annotated[Line | None, F1("信访形式代码", "form")] = None
    xfmd: Annotated[Line | None, F1("信访目的代码", "purpose")] = None
    nrfl: Annotated[Line | None, F1("内容分类代码", "content class")] = None


class Petitioner(Part):
    """The person who wrote or came; all of it sensitive."""

    name: Annotated[Line | None, F3("姓名", "name")] = None
    idno: Annotated[CitizenId | None, F3("公民身份号码", "citizen number")] = None
    phone: Annotated[Line | None, F3("电话", "telephone")] = None
    address: Annotated[Line | None, F3("住址", "address")] = None


class Accuser(Part):
    """The person who accuses: the petitioner's fields, protected as a source."""

    name: Annotated[Line | None, F4("姓名", "name")] = None
    idno: Annotated[CitizenId | None, F4("公民身份号码", "citizen number")] = None
    phone: Annotated[Line | None, F4("电话", "telephone")] = None
    address: Annotated[Line | None, F4("住址", "address")] = None


class Accused(Part):
    """Whom the matter is about (被反映人)."""

    name: Annotated[Line | None, F2("姓名", "name")] = None
    post: Annotated[Line | None, F2("职务", "post")] = None
    rank: Annotated[Line | None, F2("级别", "rank")] = None
    unit: Annotated[OrgRef | None, F2("单位", "organisation")] = None


@event(
    "petition.case_transferred",
    "信访事项转送交办",
    "Petition case transferred",
    key="/petitionid",
    flows=("H14",),
    publishers=("petition", "inspection-office", "inspection-team"),
    accused=("/accused/-/unit",),
    accused_persons=("/accused/-",),
    denied=("inspected-party",),
    # The bureau that keeps the letter, beside discipline and the custodian at the office.
    custodians=("petition", "discipline", "inspection-office"),
    due="petition.acceptance",
)
class CaseTransferred(Payload):
    """A petition case handed to an inspection office, a team or back to the bureau.

    信访部门与巡视巡察机构之间转送、交办信访事项；揭发控告件的反映人按来源保护。
    """

    RULES = (
        forbids(
            "petitioner",
            lambda it: it.purpose.code == ACCUSATION,
            "揭发控告件的反映人须填在 accuser（来源保护）中",
            "the writer of an accusation stands under accuser, not petitioner",
            "accuser_unprotected",
        ),
        forbids(
            "accuser",
            lambda it: it.purpose.code != ACCUSATION,
            "非揭发控告件不得使用 accuser，请填在 petitioner 中",
            "accuser is for accusations only: use petitioner",
            "accuser_without_accusation",
        ),
    )

    petitionid: Annotated[Identifier, F1("信访事项编号", "petition number")]
    native: Annotated[NativeCodes | None, F1("原接口代码", "codes of the national interface")] = (
        None
    )
    handling: Annotated[
        Annotated[Code, coded("petition_handling")] | None, F1("办理方式", "handling")
    ] = None
    form: Annotated[Annotated[Code, coded("petition_form")], F1("信访形式", "form")]
    purpose: Annotated[Annotated[Code, coded("petition_purpose")], F1("信访目的", "purpose")]
    content_class: Annotated[
        Annotated[Code, coded("petition_content")], F1("内容分类", "content class")
    ]
    place: Annotated[RegionCode, F1("问题属地", "place of the matter")]
    date: Annotated[Day, F1("信访日期", "date")]
    people: Annotated[Count, F1("信访人数", "number of people")]
    joint: Annotated[bool, F1("联名", "joint")] = False
    repeat: Annotated[bool, F1("重复", "repeated")] = False
    threat: Annotated[bool, F1("扬言", "threat")] = False
    anonymous: Annotated[bool, F1("匿名", "anonymous")] = False
    litigation: Annotated[bool, F1("涉法涉诉", "litigation")] = False
    summary: Annotated[Summary, F2("概况", "summary")]
    petitioner: Annotated[Petitioner | None, F3("信访人", "petitioner")] = None
    accuser: Annotated[Accuser | None, F4("揭发控告人", "accuser")] = None
    accused: Annotated[tuple[Accused, ...], Field(max_length=50), F2("被反映人", "accused")] = ()
    due: Annotated[Due | None, F1("办理期限", "due")] = None
