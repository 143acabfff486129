"""A row of the ledger of items that were assigned → the item taken on, or disputed. An item of
which nothing is filled in yet gives nothing."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapters.kit.bynumber import by_number, unaccompanied, unclear
from adapters.kit.convert import Wrong
from adapters.kit.named import ENCIPHERED, named_in_cipher, org
from adapters.kit.port import FaultKind, RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, Step, answered, day_in, missing

_OUT_OF_REMIT: Final = "out_of_remit"
# Of those who carry a measure out the item's leader alone has another kind.
_OTHER: Final = {"code": "other"}
_NO_PROPOSAL: Final = Wrong(
    FaultKind.MISSING, "没有填写，而异议理由是“不属本单位职责”", "请填建议的责任单位"
)
_NOT_WHOLE: Final = Wrong(
    FaultKind.MISSING,
    "没有逐项写明",
    "每项措施须有编号、内容、类型、责任人和完成时限，各栏用同一个序号；没有措施的都不填",
)
_LATE: Final = Wrong(FaultKind.STEP, "晚于承诺完成时间", "措施的完成时限不得晚于承诺完成时间")


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The events of a row, but for what the kit adds; a function of the row alone."""
    steps = [step for step in _STEPS if step.taken(row)]
    if faults := tuple(_faults(row, steps, contracts)):
        return faults
    return tuple(
        answered(row, step, contracts, case=str(row.values["itemid"]))
        for step in sorted(steps, key=day_in(row))
    )


def _faults(row: Row, steps: list[Step], contracts: Contracts) -> Iterator[RowFault]:
    for step in steps:
        yield from missing(row, step, contracts)
    yield from unclear(row)
    yield from (row.wrong(field, ENCIPHERED) for field in named_in_cipher(row))
    yield from _of_measures(row)
    reason: Any = row.values.get("reason")
    if reason and reason["code"] == _OUT_OF_REMIT and "proposed_unit" not in row.values:
        yield row.wrong("proposed_unit", _NO_PROPOSAL)


def _of_measures(row: Row) -> Iterator[RowFault]:
    numbers = by_number(row, "measureids").keys()
    for field in _OF_A_MEASURE:
        yield from unaccompanied(row, field, "measureids")
        if not numbers <= by_number(row, field).keys():
            yield row.wrong(field, _NOT_WHOLE)
    last = row.text("promised")
    if last and any(str(day) > last for day in by_number(row, "measures_due").values()):
        yield row.wrong("measures_due", _LATE)


def _of_item(row: Row) -> dict[str, Any]:
    return {
        "itemid": row.text("itemid"),
        "unit": {"name": row.text("unit"), "uscc": row.text("unit_uscc")},
    }


def _accepted(row: Row) -> Mapping[str, Any]:
    owner = {
        "name": row.text("owner"),
        "post": row.text("owner_post"),
        "kind": row.values["owner_kind"],
    }
    return _of_item(row) | {
        "accepted_on": row.text("accepted_on"),
        "register_no": row.text("register_no"),
        "owner": owner,
        "measures": [_measure(row, no, owner) for no in by_number(row, "measureids")],
        "due": row.text("promised"),
        "contact": row.text("contact"),
    }


def _measure(row: Row, no: int, owner: Mapping[str, Any]) -> dict[str, Any]:
    names: Any = by_number(row, "responsible")[no]
    return {
        "measureid": by_number(row, "measureids")[no],
        "text": by_number(row, "measures")[no],
        "kinds": by_number(row, "kinds")[no],
        "responsible": [
            owner if name == owner["name"] else {"name": name, "kind": _OTHER} for name in names
        ],
        "due": by_number(row, "measures_due")[no],
    }


def _disputed(row: Row) -> Mapping[str, Any]:
    return _of_item(row) | {
        "disputed_on": row.text("disputed_on"),
        "reason": row.values["reason"],
        "text": row.text("text"),
        "proposed_unit": org(row.text("proposed_unit")),
        "evidence": [{"title": title} for title in row.texts("evidence")],
        "approved_by": {"name": row.text("approved_by")},
    }


_OF_A_MEASURE: Final = ("measures", "kinds", "responsible", "measures_due")
_STEPS: Final = (
    Step(
        type="rectification.item_accepted",
        begun=("accepted_on", "owner", "promised", "measureids", *_OF_A_MEASURE),
        needed=("accepted_on", "owner", "owner_kind", "promised"),
        at="accepted_on",
        payload=_accepted,
    ),
    Step(
        type="rectification.item_disputed",
        begun=("disputed_on", "reason", "text", "proposed_unit", "approved_by"),
        needed=("disputed_on", "reason", "text", "approved_by"),
        at="disputed_on",
        payload=_disputed,
    ),
)
