"""A row of the ledger of feedback that arrived → what the party signs for, accepts or objects to.
Feedback of which nothing is filled in yet gives nothing."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapters.kit.bynumber import by_number, unaccompanied, unclear
from adapters.kit.convert import Wrong
from adapters.kit.named import ENCIPHERED, named_in_cipher, signed
from adapters.kit.port import FaultKind, RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, Step, answered, missing

# What the feedback brings with it.
_FED_BACK: Final = frozenset({"roundid", "targetid", "issueids", "receipt", "correlation"})
# As a ledger sets the parts of a list apart.
_BETWEEN: Final = "、"
_CONTRADICTED: Final = Wrong(
    FaultKind.MISMATCH,
    "是“是”，而异议各栏已填",
    "认领全部问题的，请清空异议各栏；有异议的，请填“否”",
)
_NO_OBJECTION: Final = Wrong(
    FaultKind.MISSING,
    "没有填写，而认领全部问题是“否”",
    "请填有异议的问题编号和异议理由；没有异议的，认领全部问题请填“是”",
)
_NO_REASON: Final = Wrong(
    FaultKind.MISSING, "没有逐项写明", "请按“异议问题编号”的序号写明理由，如“1=理由；2=理由”"
)
_NOT_FED_BACK: Final = Wrong(
    FaultKind.MISMATCH,
    "不是这次反馈的问题编号",
    "请照“问题编号”一栏填写，几个的写成“1=编号；2=编号”",
)
_TWICE: Final = Wrong(FaultKind.MISMATCH, "同一问题写了两次", "请把一个问题的异议写在同一序号")


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The event of a row, but for what the kit adds; a function of the row alone."""
    if row.values.keys() <= _FED_BACK:
        return ()
    if faults := tuple(_faults(row, contracts)):
        return faults
    return (
        answered(
            row, _ACKNOWLEDGED, contracts, case=f"{row.values['roundid']}/{row.values['targetid']}"
        ),
    )


def _faults(row: Row, contracts: Contracts) -> Iterator[RowFault]:
    yield from missing(row, _ACKNOWLEDGED, contracts)
    yield from unclear(row)
    yield from (row.wrong(field, ENCIPHERED) for field in named_in_cipher(row))
    yield from unaccompanied(row, "discrepancy_notes", "discrepancies")
    yield from unaccompanied(row, "reasons", "objected")
    yield from unaccompanied(row, "evidence", "objected")
    yield from _objecting(row)


def _objecting(row: Row) -> Iterator[RowFault]:
    objected, accepted = by_number(row, "objected"), row.values.get("accepted")
    if accepted is True and objected:
        yield row.wrong("accepted", _CONTRADICTED)
    if accepted is False and not objected:
        yield row.wrong("objected", _NO_OBJECTION)
    if not objected.keys() <= by_number(row, "reasons").keys():
        yield row.wrong("reasons", _NO_REASON)
    fed_back = (row.text("issueids") or "").split(_BETWEEN)
    if row.text("issueids") and not set(objected.values()) <= set(fed_back):
        yield row.wrong("objected", _NOT_FED_BACK)
    if len(set(objected.values())) < len(objected):
        yield row.wrong("objected", _TWICE)


def _acknowledged(row: Row) -> Mapping[str, Any]:
    notes, reasons = by_number(row, "discrepancy_notes"), by_number(row, "reasons")
    evidence = by_number(row, "evidence")
    return {
        "roundid": row.text("roundid"),
        "targetid": row.text("targetid"),
        "received_at": row.text("received_at"),
        "received_by": signed(row, "received_by"),
        "register_no": row.text("register_no"),
        "items_received": row.values["items_received"],
        "discrepancies": [
            {"kind": kind, "note": notes.get(no)}
            for no, kind in by_number(row, "discrepancies").items()
        ],
        "accepted": row.values["accepted"],
        "objections": [
            {
                "issueid": issue,
                "reason": reasons[no],
                "evidence": [{"title": evidence[no]}] if no in evidence else None,
            }
            for no, issue in by_number(row, "objected").items()
        ],
        "led_by": row.text("led_by"),
        "contact": row.text("contact"),
    }


_ACKNOWLEDGED: Final = Step(
    type="feedback.acknowledged",
    begun=("received_at",),
    needed=("received_at", "received_by", "items_received", "accepted", "led_by"),
    at="received_at",
    payload=_acknowledged,
)
