"""A row of the clue ledger → the steps that it has taken, in the order of the work.

A row is a clue with all its subjects, for the events are: what is said of each subject stands in
one cell under the subject's number. A row that contradicts itself gives nothing.
"""

from collections.abc import Iterator
from typing import Any, Final

from adapters.discipline.clues.payloads import ADDITION, RECEIVED, RETURNED, SANCTIONS, STEPS
from adapters.kit.bynumber import by_number, each, unaccompanied, unclear
from adapters.kit.convert import Wrong
from adapters.kit.named import ENCIPHERED, named_in_cipher
from adapters.kit.port import FaultKind, RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, Step, day_in, made, missing, out_of_order

_OF_SANCTIONED: Final = ("sanctioned_unit", "sanctioned_post", *SANCTIONS)
_OF_PEOPLE: Final = ("sanctioned", *_OF_SANCTIONED)
# What goes with what, subject by subject.
_COMPANIONS: Final = {
    "decided_kind": "disposition",
    "inquiry_round": "stage",
    "split_organ": "split_clueid",
    "split_clueid": "split_organ",
    "split_authority": "split_clueid",
    "form": "outcome",
    "clarified": "outcome",
    "sanctioned": "outcome",
}
_ORDERS: Final = (
    ("received_at", "decided_at"),
    ("received_at", "extension_approved_at"),
    ("received_at", "as_of"),
    ("received_at", "split_on"),
    ("received_at", "merged_on"),
    ("received_at", "concluded_at"),
    ("received_at", "supplement_at"),
    ("decided_at", "concluded_at"),
    ("as_of", "concluded_at"),
    ("as_of", "merged_on"),
)
_INQUIRY: Final = "talk_inquiry"
_RETURNED_THOUGH: Final = Wrong(
    FaultKind.STEP,
    "已填写，而同一行还填了后面的办理步骤",
    "已退回的线索不再办理；没有退回的，请清空退回各栏",
)
_ANOTHER_ADDITION: Final = Wrong(
    FaultKind.STEP,
    "不是台账所示的补充件",
    "又有补充件到了：请改为最近一次的次序，并重新填写补充件签收各栏",
)
_NO_INQUIRY: Final = Wrong(
    FaultKind.STEP, "写给了不在谈话函询的对象", "只有办理状态是“谈话函询中”的对象填写次数"
)
_UNNAMED: Final = Wrong(
    FaultKind.MISMATCH, "没有写明处分处理给谁", "请按同样的序号填写受处分人，如“1=姓名”"
)
_ONE_ORGAN: Final = Wrong(
    FaultKind.MISMATCH, "对分到同一条线索的对象写得不同", "分到同一条线索的对象由同一单位承办"
)


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The events of a row, but for what the kit adds; a function of the row alone."""
    steps = [step for step in STEPS if step.taken(row)]
    if RETURNED in steps and RECEIVED in steps:
        steps.remove(RECEIVED)
    faults = tuple(_faults(row, steps, contracts))
    # Of one day, they stand in the order of the work.
    return faults or tuple(_event(row, step, contracts) for step in sorted(steps, key=day_in(row)))


def _event(row: Row, step: Step, contracts: Contracts) -> Translated:
    named = {"correlationid": row.text("correlation")}
    if contracts[step.type].answers:
        named["causationid"] = row.text("addition_receipt" if step is ADDITION else "receipt")
    return made(row, step, contracts, case=str(row.values["clueid"]), **named)


def _faults(row: Row, steps: list[Step], contracts: Contracts) -> Iterator[RowFault]:
    for step in steps:
        yield from missing(row, step, contracts)
    yield from (row.wrong(field, ENCIPHERED) for field in named_in_cipher(row))
    yield from unclear(row, people=_OF_PEOPLE)
    for field, main in _COMPANIONS.items():
        yield from unaccompanied(row, field, main)
    # What went before in other rows and files, the steps of the mapping tell.
    if "disposition" in row.values:
        yield from unaccompanied(row, "outcome", "disposition", FaultKind.STEP)
    yield from out_of_order(row, _ORDERS)
    if RETURNED in steps and len(steps) > 1:
        yield row.wrong("return_reason", _RETURNED_THOUGH)
    if ADDITION in steps:
        yield from _of_an_earlier_addition(row)
    yield from _inquiries(row)
    yield from _sanctions_of_nobody(row)
    yield from _parts_of_two_organs(row)


def _of_an_earlier_addition(row: Row) -> Iterator[RowFault]:
    """What was written of one addition would be signed for the next, which the ledger shows now."""
    shown = row.values.get("addition_no")
    if shown is not None and row.values.get("addition_signed_no") != shown:
        yield row.wrong("addition_signed_no", _ANOTHER_ADDITION)


def _inquiries(row: Row) -> Iterator[RowFault]:
    stages = by_number(row, "stage")
    if any(_code(stages.get(subject)) != _INQUIRY for subject in by_number(row, "inquiry_round")):
        yield row.wrong("inquiry_round", _NO_INQUIRY)


def _sanctions_of_nobody(row: Row) -> Iterator[RowFault]:
    named = each(row, "sanctioned").keys()
    for field in _OF_SANCTIONED:
        if each(row, field).keys() - named:
            yield row.wrong(field, _UNNAMED)


def _parts_of_two_organs(row: Row) -> Iterator[RowFault]:
    parts = by_number(row, "split_clueid")
    for field in ("split_organ", "split_authority"):
        said = by_number(row, field)
        pairs = {(part, said.get(subject)) for subject, part in parts.items()}
        if len(pairs) > len(set(parts.values())):
            yield row.wrong(field, _ONE_ORGAN)


def _code(value: Any) -> str | None:
    return value["code"] if isinstance(value, dict) else None
