"""A record as events that the contracts admit, or what is wrong with it: nothing is kept here."""

from msgspec import Struct

from adapters.kit.adapter import Adapter
from adapters.kit.placing import place_at
from adapters.kit.port import FaultKind, Record, RowFault, Translated, Unreadable
from adapters.kit.rows import Deleted
from contracts.contract import Contract
from contracts.envelope import day_of
from contracts.faults import Fault


class Made(Struct, frozen=True):
    """An event of a record, and the case that its payload names."""

    event: Translated
    contract: Contract
    case: str


class FromRecord(Struct, frozen=True):
    """Everything that a record gives: events in order, what is wrong with it, or that it is gone
    (the native number of what the agency's system has deleted)."""

    events: tuple[Made, ...] = ()
    faults: tuple[RowFault, ...] = ()
    deleted: str | None = None


def make(adapter: Adapter, record: Record | Unreadable) -> FromRecord:
    """Field map → translation → contract."""
    if isinstance(record, Unreadable):
        return FromRecord(faults=record.faults)
    row = adapter.rows.read(record)
    if isinstance(row, tuple):
        return FromRecord(faults=row)
    if isinstance(row, Deleted):
        return FromRecord(deleted=row.native)
    events: list[Made] = []
    faults: list[RowFault] = []
    for made in adapter.translate(row, adapter.contracts):
        if isinstance(made, RowFault):
            faults.append(made)
            continue
        contract = adapter.contracts[made.type]
        day = day_of(made.attributes["time"])
        checked = contract.check(made.data, day, codes=adapter.codes)
        if isinstance(checked, tuple):
            faults.extend(_broken_rule(adapter, record, made, fault) for fault in checked)
        else:
            events.append(Made(made, contract, contract.case_of(checked)))
    return FromRecord(events=tuple(events), faults=tuple(faults))


def _broken_rule(adapter: Adapter, record: Record, made: Translated, fault: Fault) -> RowFault:
    column = adapter.mapping.column_at(fault.pointer, made.type)
    advice = "请按原因改正该列后重新导出" if column else "请核对该行，或请管理员核对字段映射"
    place = place_at(fault.pointer, made.places) or record.place
    return RowFault(place.row, column, FaultKind.CONTRACT, fault.message, advice, place.sheet)
