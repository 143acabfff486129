"""Clues (问题线索): handed over, received or returned, decided on, concluded; H04, H13, H18.

The opening is `clue.transferred`; the other four answer it and speak of its subjects by number.
"""

from collections.abc import Iterable, Iterator
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from contracts.common import (
    F1,
    F2,
    F3,
    F4,
    IN_SUMMARY,
    Authority,
    Code,
    Count,
    Day,
    DocRef,
    Due,
    Handler,
    Identifier,
    Instant,
    Line,
    Money,
    OrgRef,
    Paragraph,
    Part,
    Payload,
    PersonRef,
    Summary,
    coded,
    refuse,
    rule_broken,
)
from contracts.contract import Contract, Party, PartyRole

FROM_INSPECTION: Final = "inspection"
UNFOUNDED: Final = "unfounded"

SubjectNumber = Annotated[int, Field(ge=1, le=999)]
Signatories = Annotated[tuple[Handler, ...], Field(min_length=1, max_length=20)]
TwoSignatories = Annotated[tuple[Handler, ...], Field(min_length=2, max_length=20)]
DisciplineKinds = Annotated[
    tuple[Annotated[Code, coded("discipline_kind")], ...], Field(max_length=20)
]


class Subject(Part):
    """Whom the clue is about: one person or one organisation, under whose cadre authority.

    `subject_no` is the sender's; dispositions and outcomes are stated by it.
    """

    subject_no: Annotated[SubjectNumber, F1]
    person: Annotated[PersonRef | None, F2] = None
    org: Annotated[OrgRef | None, F2] = None
    role: Annotated[Literal["被反映人", "其他涉及人"], F2] = "被反映人"
    authority: Annotated[Authority, F2]

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.person is None) == (self.org is None):
            raise rule_broken(
                "subject_not_one",
                "",
                "每个被反映对象须填 person（人）或 org（单位）之一，且只填其一",
                "a subject is either a person or an organisation: give exactly one",
            )
        return self


class FoundIn(Part):
    """The round, the inspected party and the team in whose work the clue came up."""

    roundid: Annotated[Identifier, F1]
    targetid: Annotated[Identifier, F1]
    groupid: Annotated[Identifier, F1]


class Reporter(Part):
    """That somebody reported, never who: the identity stays sealed with its custodian."""

    kind: Annotated[Literal["real-name", "anonymous", "none"], F4]
    count: Annotated[Count, F4]
    sealed_ref: Annotated[Identifier | None, F4] = None

    @model_validator(mode="after")
    def _count_fits_the_kind(self) -> Self:
        if self.kind == "real-name" and self.count == 0:
            raise rule_broken(
                "reporter_count",
                "count",
                "实名反映的人数至少为 1",
                "a real-name report has at least one reporter",
            )
        if self.kind == "none" and (self.count > 0 or self.sealed_ref is not None):
            raise rule_broken(
                "reporter_unexpected",
                "kind",
                "无反映人时人数应为 0，且不填密封件号",
                "without a reporter the count is 0 and there is no sealed reference",
            )
        return self


class Handover(Part):
    """The hand-over slip (交接单): its number, the two who hand over, when."""

    form: Annotated[Line, F1]
    from_: Annotated[TwoSignatories, Field(alias="from"), F1]
    at: Annotated[Instant, F1]


class Transferred(Payload):
    """A clue handed over for verification, with a summary that its custodian wrote (线索移交)."""

    clueid: Annotated[Identifier, F1]
    native_no: Annotated[Line | None, F1] = None
    title: Annotated[Line, F1]
    source: Annotated[Annotated[Code, coded("clue_source")], F1]
    discipline_kind: Annotated[DisciplineKinds, Field(min_length=1), F1]
    subjects: Annotated[tuple[Subject, ...], Field(min_length=1, max_length=100), F2]
    summary: Annotated[Summary, F2]
    amount: Annotated[Money | None, F2] = None
    period_from: Annotated[Day | None, F2] = None
    period_to: Annotated[Day | None, F2] = None
    found_in: Annotated[FoundIn | None, F1] = None
    basis: Annotated[tuple[DocRef, ...], Field(max_length=200), F3] = ()
    reporter: Annotated[Reporter | None, F4] = None
    confidentiality: Annotated[Literal["normal", "high"], F1] = "normal"
    urgency: Annotated[Literal["normal", "urgent"], F1] = "normal"
    handover: Annotated[Handover, F1]
    suggested_disposition: Annotated[Annotated[Code, coded("disposition")] | None, F2] = None
    disclosure_embargo_until: Annotated[Day | None, F1] = None
    repeat_of: Annotated[Identifier | None, F1] = None

    @model_validator(mode="after")
    def _keeps_the_rules(self) -> Self:
        refuse(self._broken())
        return self

    def _broken(self) -> Iterator[PydanticCustomError]:
        if self.period_from and self.period_to and self.period_to < self.period_from:
            yield rule_broken(
                "period_reversed",
                "period_to",
                "问题发生的截止日期不得早于起始日期",
                "the period ends before it begins",
            )
        if self.source.code == FROM_INSPECTION and self.found_in is None:
            yield rule_broken(
                "found_in_missing",
                "found_in",
                "巡视巡察中发现的线索须填轮次、被巡视巡察党组织和组别",
                "a clue found in an inspection names its round, target and team",
            )
        yield from _repeated_subjects(self.subjects, "subjects")
        yield from _self_reference(self.clueid, self.repeat_of, "repeat_of")


class Received(Payload):
    """The receiver has signed for the clue and registered it (签收)."""

    clueid: Annotated[Identifier, F1]
    receiver: Annotated[TwoSignatories, F1]
    received_at: Annotated[Instant, F1]
    register_no: Annotated[Identifier, F1]
    room: Annotated[Line | None, F1] = None


class Returned(Payload):
    """The receiver gives the clue back, with a reason and somebody's approval (退回)."""

    clueid: Annotated[Identifier, F1]
    receiver: Annotated[TwoSignatories, F1]
    received_at: Annotated[Instant, F1]
    register_no: Annotated[Identifier | None, F1] = None
    room: Annotated[Line | None, F1] = None
    reason: Annotated[Annotated[Code, coded("clue_return_reason")], F1]
    note: Annotated[Paragraph, F2]
    approved_by: Annotated[Handler, F1]
    repeat_of: Annotated[Identifier | None, F1] = None

    @model_validator(mode="after")
    def _keeps_the_rules(self) -> Self:
        refuse(_self_reference(self.clueid, self.repeat_of, "repeat_of"))
        return self


class Disposition(Part):
    """What was decided on one subject of the clue."""

    subject_no: Annotated[SubjectNumber, F1]
    disposition: Annotated[Annotated[Code, coded("disposition")], F2]
    discipline_kind: Annotated[DisciplineKinds, F2] = ()


class DispositionDecided(Payload):
    """How the clue is dealt with, subject by subject (处置意见)."""

    clueid: Annotated[Identifier, F1]
    dispositions: Annotated[tuple[Disposition, ...], Field(min_length=1, max_length=100), F2]
    decided_at: Annotated[Instant, F1]
    approver_level: Annotated[Line, F1]
    merged_into: Annotated[Identifier | None, F1] = None
    transferred_to: Annotated[OrgRef | None, F1] = None
    due: Annotated[Due | None, F1] = None
    handlers: Annotated[Signatories, F1]

    @model_validator(mode="after")
    def _keeps_the_rules(self) -> Self:
        refuse(self._broken())
        return self

    def _broken(self) -> Iterator[PydanticCustomError]:
        yield from _repeated_subjects(self.dispositions, "dispositions")
        yield from _self_reference(self.clueid, self.merged_into, "merged_into")


class Sanction(Part):
    """What one person was given: a Party or administrative sanction, an organizational measure."""

    person: Annotated[PersonRef, F2]
    party: Annotated[Annotated[Code, coded("party_sanction")] | None, F2] = None
    administrative: Annotated[Annotated[Code, coded("administrative_sanction")] | None, F2] = None
    organizational: Annotated[Annotated[Code, coded("organizational_measure")] | None, F2] = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if self.party is None and self.administrative is None and self.organizational is None:
            raise rule_broken(
                "sanction_empty",
                "",
                "须填党纪处分、政务处分、组织处理中的至少一项",
                "give at least one: Party sanction, administrative sanction, measure",
            )
        return self


class Outcome(Part):
    """What came of one subject of the clue; `form` is the one of the four forms applied."""

    subject_no: Annotated[SubjectNumber, F1, IN_SUMMARY]
    outcome: Annotated[Annotated[Code, coded("clue_outcome")], F2, IN_SUMMARY]
    form: Annotated[Annotated[int, Field(ge=1, le=4)] | None, F2, IN_SUMMARY] = None
    sanctions: Annotated[tuple[Sanction, ...], Field(max_length=100), F2] = ()
    clarified: Annotated[bool, F2, IN_SUMMARY] = False

    @model_validator(mode="after")
    def _unfounded_has_no_sanction(self) -> Self:
        if self.outcome.code == UNFOUNDED and self.sanctions:
            raise rule_broken(
                "unfounded_with_sanction",
                "sanctions",
                "不属实的线索不得填写处分或处理",
                "what is unfounded has no sanction",
            )
        return self


class Concluded(Payload):
    """The end of the clue and what came of it, subject by subject (办结反馈)."""

    clueid: Annotated[Identifier, F1]
    outcomes: Annotated[tuple[Outcome, ...], Field(min_length=1, max_length=100), F2, IN_SUMMARY]
    recovered: Annotated[Money | None, F2] = None
    reply_to_reporter_done: Annotated[bool | None, F4] = None
    concluded_at: Annotated[Instant, F1]
    feedback_text: Annotated[Summary, F2]
    handlers: Annotated[Signatories, F1]

    @model_validator(mode="after")
    def _keeps_the_rules(self) -> Self:
        refuse(_repeated_subjects(self.outcomes, "outcomes"))
        return self


def _repeated_subjects(
    entries: Iterable[Subject | Disposition | Outcome], field: str
) -> Iterator[PydanticCustomError]:
    seen: set[int] = set()
    for place, entry in enumerate(entries):
        if entry.subject_no in seen:
            yield rule_broken(
                "subject_repeated",
                f"{field}/{place}/subject_no",
                "同一被反映对象编号只能出现一次",
                "a subject number stands twice",
            )
        seen.add(entry.subject_no)


def _self_reference(clueid: str, other: str | None, field: str) -> Iterator[PydanticCustomError]:
    if clueid == other:
        yield rule_broken(
            "clue_refers_to_itself",
            field,
            "此处应填另一条线索的编号",
            "this names another clue, not the clue itself",
        )


NEVER: Final = frozenset({"inspected-party"})
# Who reported is known to discipline and to the custodian at the office only.
CUSTODIANS: Final = frozenset({"discipline", "inspection-office"})
REPLIERS: Final = frozenset({"discipline", "political-legal"})
OPENINGS: Final = ("clue.transferred",)
FLOWS: Final = ("H04", "H13", "H18")

CONTRACTS = (
    Contract(
        type="clue.transferred",
        version="1.0",
        model=Transferred,
        title="问题线索移交",
        title_en="Clue transferred",
        key="/clueid",
        publishers=frozenset(
            {
                "inspection-office",
                "inspection-team",
                "discipline",
                "political-legal",
                "audit",
                "petition",
                "finance",
                "statistics",
                "functional-dept",
            }
        ),
        receivers={
            "party-committee": {"same": "masked"},
            "leading-group": {"same": "masked"},
            "inspection-office": {"same": "full", "up": "masked", "down": "masked"},
            "discipline": {"same": "full"},
            "organization": {"same": "masked"},
            "publicity": {"same": "masked"},
            "political-legal": {"same": "full"},
        },
        parties=(
            Party("/subjects/-/org", PartyRole.ACCUSED),
            Party("/subjects/-/person/org", PartyRole.ACCUSED),
        ),
        accused_persons=("/subjects/-/person",),
        denied=NEVER,
        custodians=CUSTODIANS,
        due="clue.receipt",
        flows=FLOWS,
    ),
    Contract(
        type="clue.received",
        version="1.0",
        model=Received,
        title="问题线索签收",
        title_en="Clue received",
        key="/clueid",
        publishers=REPLIERS,
        receivers={},
        denied=NEVER,
        answers=OPENINGS,
        flows=FLOWS,
    ),
    Contract(
        type="clue.returned",
        version="1.0",
        model=Returned,
        title="问题线索退回",
        title_en="Clue returned",
        key="/clueid",
        publishers=REPLIERS,
        receivers={},
        denied=NEVER,
        answers=OPENINGS,
        flows=FLOWS,
    ),
    Contract(
        type="clue.disposition_decided",
        version="1.0",
        model=DispositionDecided,
        title="问题线索处置意见",
        title_en="Disposition of a clue decided",
        key="/clueid",
        publishers=REPLIERS,
        receivers={},
        denied=NEVER,
        answers=OPENINGS,
        flows=FLOWS,
    ),
    Contract(
        type="clue.concluded",
        version="1.0",
        model=Concluded,
        title="问题线索办结反馈",
        title_en="Clue concluded",
        key="/clueid",
        publishers=REPLIERS,
        receivers={"organization": {"same": "masked"}},
        parties=(Party("/outcomes/-/sanctions/-/person/org", PartyRole.ACCUSED),),
        accused_persons=("/outcomes/-/sanctions/-/person",),
        denied=NEVER,
        custodians=CUSTODIANS,
        answers=OPENINGS,
        flows=FLOWS,
    ),
)
