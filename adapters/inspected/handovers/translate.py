"""The rows of a batch that was handed over, each checked → what the receiver signs for. A batch of
which nothing is filled in yet gives nothing."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapters.kit.convert import Wrong
from adapters.kit.named import ENCIPHERED, named_in_cipher, signed
from adapters.kit.placing import places_of
from adapters.kit.port import FaultKind, RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, Step, answered, missing

# What the batch brings with it, and of each item its list.
_SENT: Final = frozenset({"no", "count", "receipt", "correlation"})
_LISTED: Final = frozenset({"item_no", "id"})
_IN_ORDER: Final = "ok"
_ONE_HAND: Final = Wrong(FaultKind.MISMATCH, "少于两人", "移交件由两人一起核对接收，请填两名接收人")
_TWICE: Final = Wrong(FaultKind.MISMATCH, "与同一批次的另一件相同", "请照移交清单填写，一件一行")
_UNCHECKED: Final = Wrong(
    FaultKind.MISSING,
    "没有填写，而同一批次的其他各栏已填",
    "一批须逐件核对、一并签收，请填：相符、缺失、退回",
)
_NO_NOTE: Final = Wrong(
    FaultKind.MISSING, "没有填写，而核对结果不是“相符”", "请说明缺失或退回的情况"
)
_NOT_ALL: Final = Wrong(
    FaultKind.MISMATCH,
    "与这一批的行数不一致",
    "请照移交清单逐件核对，不要删行；没有收到的，核对结果填“缺失”",
)


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The signature that the rows of a batch make, but for what the kit adds."""
    items = row.groups["items"]
    if row.values.keys() <= _SENT and all(item.values.keys() <= _LISTED for item in items):
        return ()
    if faults := tuple(_faults(row, contracts)):
        return faults
    return (answered(row, _SIGNED, contracts, case=str(row.values["no"])),)


def _faults(row: Row, contracts: Contracts) -> Iterator[RowFault]:
    items = row.groups["items"]
    yield from missing(row, _SIGNED, contracts)
    yield from (row.wrong(field, ENCIPHERED) for field in named_in_cipher(row))
    if len(row.texts("signed_by")) == 1:
        yield row.wrong("signed_by", _ONE_HAND)
    if row.values.get("count", len(items)) != len(items):
        yield row.wrong("count", _NOT_ALL)
    seen = set()
    for item in items:
        number = item.values["item_no"]
        if number in seen:
            yield item.wrong("item_no", _TWICE)
        seen.add(number)
        state: Any = item.values.get("state")
        if state is None:
            yield item.wrong("state", _UNCHECKED)
        elif state["code"] != _IN_ORDER and "note" not in item.values:
            yield item.wrong("note", _NO_NOTE)


def _signed(row: Row) -> Mapping[str, Any]:
    items = [_checked(item) for item in row.groups["items"]]
    return {
        "no": row.text("no"),
        "items": items,
        "accepted": sum(item["state"]["code"] == _IN_ORDER for item in items),
        "seal_intact": row.values.get("seal_intact"),
        "register_no": row.text("register_no"),
        "signed_at": row.text("signed_at"),
        "witness": row.text("witness"),
        "handlers": signed(row, "signed_by"),
    }


def _checked(item: Row) -> dict[str, Any]:
    return {
        "item_no": item.values["item_no"],
        "id": item.text("id"),
        "state": item.values["state"],
        "discrepancies": item.values.get("discrepancies"),
        "note": item.text("note"),
    }


_SIGNED: Final = Step(
    type="handover.signed",
    begun=("signed_at",),
    needed=("signed_at", "signed_by"),
    at="signed_at",
    payload=_signed,
    places=lambda row: places_of(row.groups["items"], "/items"),
)
