"""A row of the register of exchanges → what it says about an event that came in.

The kind of the matter decides which event it is; what it then needs stands in `payloads.py`.
"""

from collections.abc import Iterator
from typing import Final

from adapters.discipline.exchange.payloads import LISTS, STEPS
from adapters.kit.bynumber import unaccompanied, unclear
from adapters.kit.convert import Wrong
from adapters.kit.named import ENCIPHERED, named_in_cipher
from adapters.kit.port import FaultKind, RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, Step, made, missing, out_of_order
from contracts.agency import AddressError, SourceError, parse_addresses, publisher_of

_ORDERS: Final = (
    ("informed_at", "at"),
    ("destroyed_at", "at"),
    ("due_before", "until"),
)
# What stands in the register of a matter that arrived.
_ARRIVED: Final = frozenset(
    {
        "matter",
        "about_source",
        "about_id",
        "about_type",
        "about_receipt",
        "receipt",
        "correlation",
    }
)
_NO_TYPE: Final = Wrong(FaultKind.MISSING, "没有填写，而其他栏已填", "请选择这一行是什么往来")
_NO_ADDRESS: Final = Wrong(
    FaultKind.IDENTIFIER,
    "不是贯通的机构地址",
    "请填机构编号，如 510104.discipline，几个用空格隔开；发给来文的发布机构的不用填",
)
_NO_PUBLISHER: Final = Wrong(
    FaultKind.IDENTIFIER,
    "不是来文的事件来源",
    "请照台账中“来文来源”一列填写，如 /510100.inspection-office/clues",
)


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The event of a row, but for what the kit adds; a function of the row alone. A matter that
    nobody has answered yet gives nothing."""
    if row.values.keys() <= _ARRIVED:
        return ()
    if "type" not in row.values:
        return (row.wrong("type", _NO_TYPE),)
    step = STEPS[str(row.values["type"])]
    faults = tuple(_faults(row, step, contracts))
    return faults or (_event(row, step, contracts),)


def _event(row: Row, step: Step, contracts: Contracts) -> Translated:
    named = {"correlationid": row.text("correlation")}
    if contracts[step.type].answers:
        named["causationid"] = row.text("receipt")
    else:
        named["to"] = row.text("to") or _publisher(row)
    return made(row, step, contracts, case=str(row.values["matter"]), **named)


def _faults(row: Row, step: Step, contracts: Contracts) -> Iterator[RowFault]:
    yield from missing(row, step, contracts)
    yield from (row.wrong(field, ENCIPHERED) for field in named_in_cipher(row))
    yield from unclear(row)
    for field, main in LISTS.get(step.type, {}).items():
        yield from unaccompanied(row, field, main)
    yield from out_of_order(row, _ORDERS)
    if not _publisher(row):
        yield row.wrong("about_source", _NO_PUBLISHER)
    if not _is_addressed(row):
        yield row.wrong("to", _NO_ADDRESS)


def _publisher(row: Row) -> str | None:
    """The agency that published the event; None where the row names no source."""
    try:
        return str(publisher_of(row.text("about_source") or ""))
    except SourceError:
        return None


def _is_addressed(row: Row) -> bool:
    try:
        parse_addresses(row.text("to") or "")
    except AddressError:
        return "to" not in row.values
    return True
