"""A row of the ledger of letters that arrived → what was done about each thing asked, or why
nothing can be. A letter that nobody has answered yet gives nothing."""

import re
from collections.abc import Iterator
from typing import Any, Final

from adapters.kit.bynumber import by_number, unaccompanied, unclear
from adapters.kit.convert import Wrong
from adapters.kit.event import contract_attributes, payload_bytes
from adapters.kit.named import ENCIPHERED, named_in_cipher, signed
from adapters.kit.port import FaultKind, RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, moment

# What a letter brings with it.
_ASKED: Final = frozenset({"requestid", "asked_nos", "receipt", "correlation"})
_UNTOLD: Final = Wrong(
    FaultKind.MISSING, "没有填写", "答复须填办理结果和答复日期；还没有办的，请清空答复各栏"
)
_NOT_ASKED: Final = Wrong(FaultKind.MISMATCH, "写了来函没有的事项序号", "请按来函的事项序号填写")
_UNANSWERED: Final = Wrong(
    FaultKind.MISMATCH,
    "没有逐项写明",
    "请按来函的事项序号写成“1=内容；2=内容”，没有办的也写明情况",
)
_NOT_DONE: Final = Wrong(
    FaultKind.MISSING,
    "没有对每一项写明",
    "请写成“1=是；2=否”；办理结果是“全部办理”的可以不填",
)


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The event of a row, but for what the kit adds; a function of the row alone."""
    if row.values.keys() <= _ASKED:
        return ()
    if faults := tuple(_faults(row)):
        return faults
    contract = contracts["audit.assistance_answered"]
    named = {"causationid": row.text("receipt"), "correlationid": row.text("correlation")}
    event = Translated(
        native=str(row.values["requestid"]),
        attributes=contract_attributes(contract)
        | {"time": moment(str(row.values["answered_on"]))}
        | {name: value for name, value in named.items() if value is not None},
        data=payload_bytes(contract, _payload(row)),
    )
    return (event,)


def _faults(row: Row) -> Iterator[RowFault]:
    for field in ("result", "answered_on"):
        if field not in row.values:
            yield row.wrong(field, _UNTOLD)
    yield from unclear(row)
    yield from (row.wrong(field, ENCIPHERED) for field in named_in_cipher(row))
    yield from unaccompanied(row, "done", "given")
    asked = {int(no) for no in re.findall("[0-9]{1,2}", row.text("asked_nos") or "")}
    answered, declined = by_number(row, "given").keys(), row.text("result") == "declined"
    if asked and not answered <= asked:
        yield row.wrong("given", _NOT_ASKED)
    elif not declined and not answered >= (asked or {1}):
        yield row.wrong("given", _UNANSWERED)
    if row.text("result") == "partly" and not by_number(row, "done").keys() >= answered:
        yield row.wrong("done", _NOT_DONE)


def _payload(row: Row) -> dict[str, Any]:
    docno, done = row.text("docno"), by_number(row, "done")
    return {
        "letter": {"docno": docno} if docno else None,
        "handlers": signed(row, "handlers") or None,
        "requestid": row.text("requestid"),
        "result": row.text("result"),
        "given": [
            {"no": no, "done": done.get(no, row.text("result") == "provided"), "text": text}
            for no, text in by_number(row, "given").items()
        ]
        or None,
        "reason": row.values.get("reason"),
        "note": row.text("note"),
        "answered_on": row.text("answered_on"),
        "attached": [{"title": title} for title in row.texts("attached")] or None,
    }
