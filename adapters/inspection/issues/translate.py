"""A row of the ledger of issues → the steps that it has taken, in the order of the work.

What a row says of each fact, demand and measure stands in one cell under its number. A row that
contradicts itself gives nothing.
"""

from collections.abc import Iterator
from typing import Final

from adapters.inspection.issues.payloads import (
    CONFIRMED,
    DRAFTED,
    LINE,
    ORDERED,
    REPORTED,
    STEPS,
)
from adapters.kit.bynumber import by_number, unaccompanied, unclear
from adapters.kit.convert import Wrong
from adapters.kit.named import ENCIPHERED, named_in_cipher
from adapters.kit.port import FaultKind, RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, Step, day_in, made, missing, out_of_order
from contracts.agency import AddressError, AgencyId, AgencyIdError, parse_addresses

# What goes with what, number by number.
_COMPANIONS: Final = {
    "fact_from": "fact",
    "fact_to": "fact_from",
    "fact_money": "fact",
    "fact_persons": "fact",
    "fact_unit": "fact_persons",
    "fact_post": "fact_persons",
    "fact_evidence": "fact",
    "demand_due": "demand",
    "measure_kinds": "measure",
    "measure_done": "measure",
    "measure_evidence": "measure",
}
_ORDERS: Final = (
    ("drafted_at", "decided_on"),
    ("ordered_on", "reported_on"),
)
_UNCONFIRMED: Final = Wrong(
    FaultKind.MISSING, "没有填写，而填了确认情况", "请填事实确认单编号，或清空确认情况各栏"
)
_CONFIRMED: Final = "confirmed"
_NOWHERE: Final = Wrong(
    FaultKind.MISSING, "没有填写，而审定结果是“审定”", "请补填；没有审定的，请改审定结果并写明理由"
)
# Stands for a blank cell.
_ANY: Final = "inspected-party@510100"
_NO_ADDRESS: Final = Wrong(
    FaultKind.IDENTIFIER,
    "不是贯通的机构地址",
    "请填机构编号，如 510100.inspected-party.sample，几个用空格隔开",
)
_TO_NOBODY: Final = Wrong(
    FaultKind.MISSING,
    "没有填写，而党组织编号不是贯通的机构编号",
    "立行立改通知要发给被巡视巡察单位，请填它的机构编号",
)
_MEASURES_OF_NOTHING: Final = Wrong(
    FaultKind.MISMATCH, "写了通知中没有的要求序号", "请照通知中整改要求的序号填写"
)


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The events of a row, but for what the kit adds; a function of the row alone."""
    steps = [step for step in STEPS if step.taken(row)]
    faults = tuple(_faults(row, steps, contracts))
    # Of one day, they stand in the order of the work.
    return faults or tuple(_event(row, step, contracts) for step in sorted(steps, key=day_in(row)))


def _event(row: Row, step: Step, contracts: Contracts) -> Translated:
    case = str(row.values["issueid"])
    correlation = row.text("correlation")
    if step is REPORTED:
        receipt = row.text("receipt")
        return made(row, step, contracts, case=case, correlationid=correlation, causationid=receipt)
    to, cc = (row.text("to") or _agency(row), row.text("cc")) if step is ORDERED else (None, None)
    correlation = correlation or f"issue:{case}"
    return made(row, step, contracts, case=case, correlationid=correlation, to=to, cc=cc)


def _faults(row: Row, steps: list[Step], contracts: Contracts) -> Iterator[RowFault]:
    for step in steps:
        yield from missing(row, step, contracts)
    yield from (row.wrong(field, ENCIPHERED) for field in named_in_cipher(row))
    yield from unclear(row)
    blank = {field for step in steps for field in step.needed if field not in row.values}
    for field, main in _COMPANIONS.items():
        if main not in blank:
            yield from unaccompanied(row, field, main)
    yield from out_of_order(row, _ORDERS)
    if DRAFTED in steps and "answer" in row.values and "confirmation_no" not in row.values:
        yield row.wrong("confirmation_no", _UNCONFIRMED)
    if CONFIRMED in steps and _is_confirmed(row):
        # What an order needs was said with the order.
        wanting = (field for field in LINE if field not in row.values and field not in blank)
        yield from (row.wrong(field, _NOWHERE) for field in wanting)
    if ORDERED in steps:
        yield from _misaddressed(row)
    if REPORTED in steps and "demand_nos" in row.values:
        known = {int(no) for no in (row.text("demand_nos") or "").split("、") if no.isdecimal()}
        if known and not by_number(row, "measure").keys() <= known:
            yield row.wrong("measure", _MEASURES_OF_NOTHING)


def _is_confirmed(row: Row) -> bool:
    result = row.values.get("result")
    return isinstance(result, dict) and result["code"] == _CONFIRMED


def _misaddressed(row: Row) -> Iterator[RowFault]:
    for field in ("to", "cc"):
        try:
            parse_addresses(row.text(field) or _ANY)
        except AddressError:
            yield row.wrong(field, _NO_ADDRESS)
    if "to" not in row.values and "targetid" in row.values and _agency(row) is None:
        yield row.wrong("to", _TO_NOBODY)


def _agency(row: Row) -> str | None:
    """The agency that the party's number names, for parties that the hub knows."""
    try:
        return str(AgencyId.parse(str(row.values["targetid"])))
    except AgencyIdError:
        return None
