"""What one record becomes: read by the field map, translated, held against the contracts."""

from dataclasses import dataclass

from adapters.kit.adapter import Adapter
from adapters.kit.port import FaultKind, Place, Record, RowFault, Translated, Unreadable
from contracts.envelope import day_of
from contracts.faults import Fault


@dataclass(frozen=True, slots=True)
class Made:
    """The events of a record that their contracts admit, in order, and everything wrong with it."""

    events: tuple[Translated, ...] = ()
    faults: tuple[RowFault, ...] = ()


def made_of(adapter: Adapter, record: Record | Unreadable) -> Made:
    """A function of the record, the adapter and its codes alone."""
    if isinstance(record, Unreadable):
        return Made(faults=record.faults)
    row = adapter.mapping.read(record, adapter.codes)
    if isinstance(row, tuple):
        return Made(faults=row)
    events: list[Translated] = []
    faults: list[RowFault] = []
    for part in adapter.translate(row, adapter.contracts):
        wrong = (part,) if isinstance(part, RowFault) else _broken(adapter, record.place, part)
        faults.extend(wrong)
        if isinstance(part, Translated) and not wrong:
            events.append(part)
    return Made(tuple(events), tuple(faults))


def _broken(adapter: Adapter, place: Place, event: Translated) -> tuple[RowFault, ...]:
    day = day_of(event.attributes["time"])
    checked = adapter.contracts[event.type].check(event.data, day, codes=adapter.codes)
    if not isinstance(checked, tuple):
        return ()
    return tuple(_broken_rule(adapter, place, event.type, fault) for fault in checked)


def _broken_rule(adapter: Adapter, place: Place, type_: str, fault: Fault) -> RowFault:
    column = adapter.mapping.column_at(fault.pointer, type_)
    advice = "请按原因改正该列后重新导出" if column else "请核对该行，或请管理员核对字段映射"
    return RowFault(place.row, column, FaultKind.CONTRACT, fault.message, advice, place.sheet)
