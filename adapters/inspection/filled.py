"""A row that is filled in step by step, and the events of the steps that it has taken."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from adapters.kit.port import RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, Step, day_in, made, missing


def taken(row: Row, steps: Sequence[Step]) -> list[Step]:
    """The steps that a row has begun, in the order of the work."""
    return [step for step in steps if step.taken(row)]


def events(
    row: Row,
    steps: Sequence[Step],
    contracts: Contracts,
    *,
    case: str,
    wrong: Iterable[RowFault] = (),
    named: Mapping[str, str | None] = {},
    receipts: Mapping[str, str] = {},
) -> tuple[Translated | RowFault, ...]:
    """The events of these steps in the order of their days, or everything that is wrong: blank
    cells of a step, and `wrong`. `named` are attributes of the events that answer nothing; of one
    that does, `receipts` tells by its type in which field its opening may be named."""
    blank = chain.from_iterable(missing(row, step, contracts) for step in steps)
    faults = (*blank, *wrong)
    if faults:
        return faults
    return tuple(
        made(
            row,
            step,
            contracts,
            case=case,
            **(_opening(row, receipts[step.type]) if step.type in receipts else named),
        )
        for step in sorted(steps, key=day_in(row))
    )


def _opening(row: Row, field: str) -> Mapping[str, str | None]:
    return {"causationid": row.text(field)}
