"""Petition (信访): cases transferred between petition bureaus and inspection offices, flow H14."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from contracts.common import (
    F1,
    F2,
    F3,
    F4,
    CitizenId,
    Code,
    Count,
    Day,
    Due,
    Identifier,
    Line,
    OrgRef,
    Part,
    Payload,
    RegionCode,
    Summary,
    coded,
    rule_broken,
)
from contracts.contract import Contract, Party, PartyRole

ACCUSATION = "3"


class NativeCodes(Part):
    """The codes of the national petition interface as the bureau's system shows them."""

    xfjbh: Annotated[Identifier, F1]
    xfxs: Annotated[Line | None, F1] = None
    xfmd: Annotated[Line | None, F1] = None
    nrfl: Annotated[Line | None, F1] = None


class Petitioner(Part):
    """The person who wrote or came; all of it sensitive."""

    name: Annotated[Line | None, F3] = None
    idno: Annotated[CitizenId | None, F3] = None
    phone: Annotated[Line | None, F3] = None
    address: Annotated[Line | None, F3] = None


class Accuser(Part):
    """The person who accuses: the petitioner's fields, protected as a source."""

    name: Annotated[Line | None, F4] = None
    idno: Annotated[CitizenId | None, F4] = None
    phone: Annotated[Line | None, F4] = None
    address: Annotated[Line | None, F4] = None


class Accused(Part):
    """Whom the matter is about (被反映人)."""

    name: Annotated[Line | None, F2] = None
    post: Annotated[Line | None, F2] = None
    rank: Annotated[Line | None, F2] = None
    unit: Annotated[OrgRef | None, F2] = None


class CaseTransferred(Payload):
    """A petition case handed to an inspection office, a team or back to the bureau (转送、交办)."""

    petitionid: Annotated[Identifier, F1]
    native: Annotated[NativeCodes | None, F1] = None
    handling: Annotated[Annotated[Code, coded("petition_handling")] | None, F1] = None
    form: Annotated[Annotated[Code, coded("petition_form")], F1]
    purpose: Annotated[Annotated[Code, coded("petition_purpose")], F1]
    content_class: Annotated[Annotated[Code, coded("petition_content")], F1]
    place: Annotated[RegionCode, F1]
    date: Annotated[Day, F1]
    people: Annotated[Count, F1]
    joint: Annotated[bool, F1] = False
    repeat: Annotated[bool, F1] = False
    threat: Annotated[bool, F1] = False
    anonymous: Annotated[bool, F1] = False
    litigation: Annotated[bool, F1] = False
    summary: Annotated[Summary, F2]
    petitioner: Annotated[Petitioner | None, F3] = None
    accuser: Annotated[Accuser | None, F4] = None
    accused: Annotated[tuple[Accused, ...], Field(max_length=50), F2] = ()
    due: Annotated[Due | None, F1] = None

    @model_validator(mode="after")
    def _protect_the_accuser(self) -> Self:
        """Who accuses stands under `accuser`, everybody else under `petitioner`."""
        accusation = self.purpose.code == ACCUSATION
        if accusation and self.petitioner is not None:
            raise rule_broken(
                "accuser_unprotected",
                "petitioner",
                "揭发控告件的反映人须填在 accuser（来源保护）中",
                "the writer of an accusation stands under accuser, not petitioner",
            )
        if not accusation and self.accuser is not None:
            raise rule_broken(
                "accuser_without_accusation",
                "accuser",
                "非揭发控告件不得使用 accuser，请填在 petitioner 中",
                "accuser is for accusations only: use petitioner",
            )
        return self


CONTRACTS = (
    Contract(
        type="petition.case_transferred",
        version="1.0",
        model=CaseTransferred,
        title="信访事项转送交办",
        title_en="Petition case transferred",
        key="/petitionid",
        publishers=frozenset({"petition", "inspection-office", "inspection-team"}),
        receivers={
            "party-committee": {"same": "masked"},
            "leading-group": {"same": "masked"},
            "inspection-office": {"same": "full", "up": "masked", "down": "masked"},
            "inspection-team": {"same": "full"},
            "discipline": {"same": "full"},
            "petition": {"same": "full"},
            "political-legal": {"same": "full"},
            "functional-dept": {"same": "full"},
            "congress": {"same": "masked"},
            "cppcc": {"same": "masked"},
        },
        parties=(Party("/accused/-/unit", PartyRole.ACCUSED),),
        accused_persons=("/accused/-",),
        denied=frozenset({"inspected-party"}),
        # The bureau that keeps the letter, beside discipline and the custodian at the office.
        custodians=frozenset({"petition", "discipline", "inspection-office"}),
        phase="any",
        due="petition.acceptance",
        flows=("H14",),
    ),
)
