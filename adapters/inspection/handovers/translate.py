"""A row of the batches, with its list of what lay in the bag → one hand-over."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapters.inspection.filled import events
from adapters.inspection.parts import addressees, day, misaddressed, org, repeated
from adapters.kit.convert import Wrong
from adapters.kit.named import signed
from adapters.kit.placing import places_of
from adapters.kit.port import FaultKind, RowFault, Translated
from adapters.kit.rows import Row
from adapters.kit.rowsteps import Contracts, Step, out_of_order

_NO_LIST: Final = Wrong(
    FaultKind.MISSING, "在工作表“移交清单”中没有内容", "请在“移交清单”中按同一批次号逐件填写"
)
_NO_DIGEST: Final = Wrong(
    FaultKind.MISSING, "没有填写，而载体是电子", "电子件请填 SM3 或 SHA-256 摘要值，以便接收方核对"
)


def translate(row: Row, contracts: Contracts) -> tuple[Translated | RowFault, ...]:
    """The batch of a row, but for what the kit adds; a function of the row alone."""
    return events(
        row,
        [_SENT],
        contracts,
        case=str(row.values["no"]),
        wrong=_faults(row),
        named={"to": addressees(row)},
    )


def _faults(row: Row) -> Iterator[RowFault]:
    yield from misaddressed(row)
    if not row.groups["items"]:
        yield row.wrong("no", _NO_LIST)
    yield from repeated(row.groups["items"], "item_no")
    yield from repeated(row.groups["items"], "id")
    for part in row.groups["items"]:
        if part.values["medium"] == "electronic" and "digest" not in part.values:
            yield part.wrong("digest", _NO_DIGEST)
    yield from out_of_order(row, (("at", "due"),))


def _sent(row: Row) -> Mapping[str, Any]:
    items = [_item(part) for part in row.groups["items"]]
    return {
        "no": row.text("no"),
        "roundid": row.text("roundid"),
        "reason": row.text("reason"),
        "from_org": org(row, "from_org", "from_uscc"),
        "to_org": org(row, "to_org", "to_uscc"),
        "items": items,
        "count": len(items),
        "way": row.text("way"),
        "sent_at": row.text("at"),
        "witness": row.text("witness"),
        "handlers": signed(row, "handed_by"),
        "due": day(row, "due"),
    }


def _item(part: Row) -> Mapping[str, Any]:
    digest = part.text("digest")
    return {
        "item_no": part.values["item_no"],
        "id": part.text("id"),
        "kind": part.text("kind"),
        "medium": part.text("medium"),
        "copies": part.values.get("copies"),
        "pages": part.values.get("pages"),
        "digest": digest.lower() if digest else None,
        "seal": part.text("seal"),
    }


_SENT: Final = Step(
    type="handover.sent",
    begun=("no",),
    needed=(),
    at="at",
    payload=_sent,
    places=lambda row: places_of(row.groups["items"], "/items"),
)
