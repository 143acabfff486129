"""A step that a row which grows may have taken, and the event that it gives."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from adapters.kit.convert import Wrong
from adapters.kit.event import contract_attributes, payload_bytes
from adapters.kit.port import FaultKind, Place, RowFault, Translated
from adapters.kit.rows import Row
from contracts.contract import Contract

Contracts = Mapping[str, Contract]


@dataclass(frozen=True, slots=True)
class Step:
    """It is taken once any field of `begun` is filled in, and then none of `needed` is blank. What
    systems fill by default (a flag, a count, an amount) begins nothing.

    `at`: the field that says when. `payload`: the event's data but for the case, from a row in
    which nothing is missing. `again`: the field that tells one such step of a case from the next;
    without one, a step that reads otherwise than before is a correction of it. `places`: which
    parts of the data have rows of their own (`Translated.places`).
    """

    type: str
    begun: tuple[str, ...]
    needed: tuple[str, ...]
    at: str
    payload: Callable[[Row], Mapping[str, Any]]
    again: str | None = None
    places: Callable[[Row], Mapping[str, Place]] = lambda row: {}

    def taken(self, row: Row) -> bool:
        """Whether the row has begun the step."""
        return any(field in row.values for field in self.begun)


def missing(row: Row, step: Step, contracts: Contracts) -> Iterator[RowFault]:
    """The blank cells of a step that was begun."""
    title = contracts[step.type].title
    wrong = Wrong(
        FaultKind.MISSING,
        f"没有填写，而填报“{title}”须有此项",
        "请补填；还没有办到这一步的，请清空这一步的各栏",
    )
    return (row.wrong(field, wrong) for field in step.needed if field not in row.values)


def made(
    row: Row, step: Step, contracts: Contracts, *, case: str, **named: str | None
) -> Translated:
    """The event of a step, without lists in which nothing stands; `named` are attributes, without
    those that are None."""
    contract = contracts[step.type]
    payload = {name: value for name, value in step.payload(row).items() if value != []}
    again = row.values.get(step.again) if step.again else None
    return Translated(
        native=case if again is None else f"{case}/{again}",
        attributes=contract_attributes(contract)
        | {"time": moment(str(row.values[step.at]))}
        | {name: value for name, value in named.items() if value is not None},
        data=payload_bytes(contract, payload),
        places=step.places(row),
    )


def answered(row: Row, step: Step, contracts: Contracts, *, case: str) -> Translated:
    """The event of a step that answers what a ledger brought: its receipt and its matter stand in
    the row, or are found by the case when it is sent."""
    receipt, correlation = row.text("receipt"), row.text("correlation")
    return made(row, step, contracts, case=case, causationid=receipt, correlationid=correlation)


def day_in(row: Row) -> Callable[[Step], str]:
    """The day of a step in a row in which nothing is missing."""
    return lambda step: str(row.values[step.at])[:_DAY]


def moment(when: str) -> str:
    """A day or a time as a time: a day begins at midnight in Beijing."""
    return when if "T" in when else f"{when}{_MIDNIGHT}"


def out_of_order(row: Row, orders: tuple[tuple[str, str], ...]) -> Iterator[RowFault]:
    """The later of two dates or times where it lies on a day before the earlier one."""
    for earlier, later in orders:
        before, after = row.text(earlier), row.text(later)
        if before and after and after[:_DAY] < before[:_DAY]:
            title = row.fields[earlier].title
            yield row.wrong(
                later, Wrong(FaultKind.STEP, f"早于{title}", f"请核对本栏和“{title}”的日期")
            )


_MIDNIGHT: Final = "T00:00:00+08:00"
_DAY: Final = len("2026-11-01")
