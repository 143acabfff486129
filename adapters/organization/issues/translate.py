"""A row of the ledger of cadres' issues → the steps that it has taken, in the order of the work.

What became of each subject stands in one cell under the subject's number.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapters.kit.bynumber import by_number, unaccompanied, unclear
from adapters.kit.convert import Wrong
from adapters.kit.named import ENCIPHERED, named_in_cipher, signed
from adapters.kit.port import FaultKind, RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, Step, answered, day_in, missing, out_of_order

_COMPANIONS: Final = {
    "result_text": "result",
    "result": "result_text",
    "result_on": "result",
    "clueid": "result",
    "document": "result",
    "document_no": "document",
}
_ORDERS: Final = (
    ("received_at", "returned_at"),
    ("received_at", "handled_on"),
)
_RETURNED_THOUGH: Final = Wrong(
    FaultKind.STEP,
    "已填写，而同一行还填了办理结果",
    "已退回的不再办理；没有退回的，请清空退回各栏",
)
_NO_DAY: Final = Wrong(
    FaultKind.MISSING, "没有写明每个对象的日期", "请按同样的序号填写，如“1=2026-08-20”"
)
_NO_CLUE: Final = Wrong(
    FaultKind.MISSING,
    "没有写明移送纪检监察机关的对象的线索编号",
    "请按同样的序号填写，如“1=线索编号”",
)
_NO_DOCUMENT: Final = Wrong(
    FaultKind.MISSING, "没有写明诫勉、组织调整的文书", "请按同样的序号填写文书名称，如“1=诫勉决定”"
)
_WITH_DOCUMENT: Final = ("admonished", "adjusted")


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The events of a row, but for what the kit adds; a function of the row alone."""
    steps = [step for step in _STEPS if step.taken(row)]
    faults = tuple(_faults(row, steps, contracts))
    # Of one day, they stand in the order of the work.
    return faults or tuple(_event(row, step, contracts) for step in sorted(steps, key=day_in(row)))


def _event(row: Row, step: Step, contracts: Contracts) -> Translated:
    return answered(row, step, contracts, case=str(row.values["cadreissueid"]))


def _faults(row: Row, steps: list[Step], contracts: Contracts) -> Iterator[RowFault]:
    for step in steps:
        yield from missing(row, step, contracts)
    yield from (row.wrong(field, ENCIPHERED) for field in named_in_cipher(row))
    yield from unclear(row)
    for field, main in _COMPANIONS.items():
        yield from unaccompanied(row, field, main)
    yield from out_of_order(row, _ORDERS)
    if _RETURNED in steps and _HANDLED in steps:
        yield row.wrong("return_reason", _RETURNED_THOUGH)
    if _HANDLED in steps:
        yield from _untold(row)


def _untold(row: Row) -> Iterator[RowFault]:
    """What the results of some subjects ask for, and is not said of them."""
    codes = {number: _code(result) for number, result in by_number(row, "result").items()}
    clues = {number for number, code in codes.items() if code == "transferred"}
    papers = {number for number, code in codes.items() if code in _WITH_DOCUMENT}
    for field, wanted, wrong in (
        ("result_on", set(codes), _NO_DAY),
        ("clueid", clues, _NO_CLUE),
        ("document", papers, _NO_DOCUMENT),
    ):
        if wanted - by_number(row, field).keys():
            yield row.wrong(field, wrong)


def _code(result: Any) -> str:
    return str(result["code"])


def _received(row: Row) -> Mapping[str, Any]:
    return {
        "cadreissueid": row.text("cadreissueid"),
        "register_no": row.text("register_no"),
        "section": row.text("section"),
        "received_at": row.text("received_at"),
        "handlers": signed(row, "receiver"),
    }


def _returned(row: Row) -> Mapping[str, Any]:
    return {
        "cadreissueid": row.text("cadreissueid"),
        "reason": row.values["return_reason"],
        "note": row.text("return_note"),
        "wanted": [*row.texts("wanted")],
        "returned_at": row.text("returned_at"),
        "approved_by": {"name": row.text("return_approved_by")},
        "handlers": signed(row, "return_handlers"),
    }


def _handled(row: Row) -> Mapping[str, Any]:
    texts, days = by_number(row, "result_text"), by_number(row, "result_on")
    clues, papers = by_number(row, "clueid"), by_number(row, "document")
    numbers = by_number(row, "document_no")
    return {
        "cadreissueid": row.text("cadreissueid"),
        "results": [
            {
                "subject_no": subject,
                "result": result,
                "text": texts.get(subject),
                "on": days.get(subject),
                "clueid": clues.get(subject),
                "document": {"title": papers[subject], "docno": numbers.get(subject)}
                if subject in papers
                else None,
            }
            for subject, result in by_number(row, "result").items()
        ],
        "handled_on": row.text("handled_on"),
        "follow_up": row.text("follow_up"),
        "approved_by": {"name": row.text("approved_by")},
        "handlers": signed(row, "handlers"),
    }


_RETURNED: Final = Step(
    type="cadre.issue_returned",
    begun=("returned_at", "return_reason", "return_note", "wanted"),
    needed=(
        "returned_at",
        "return_reason",
        "return_note",
        "return_approved_by",
        "return_handlers",
    ),
    at="returned_at",
    payload=_returned,
)
_HANDLED: Final = Step(
    type="cadre.issue_handled",
    begun=("result", "result_text", "handled_on", "follow_up"),
    needed=("result", "result_text", "result_on", "handled_on", "approved_by", "handlers"),
    at="handled_on",
    payload=_handled,
)
_STEPS: Final = (
    Step(
        type="cadre.issue_received",
        begun=("received_at", "receiver", "register_no", "section"),
        needed=("received_at", "receiver", "register_no", "section"),
        at="received_at",
        payload=_received,
    ),
    _RETURNED,
    _HANDLED,
)
