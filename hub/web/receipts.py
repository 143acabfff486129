"""Receipts: what became of an event, told to whom it concerns."""

import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from hub.backbone.receipts import own_receipt
from hub.database.readers import Readers
from hub.errors import BackboneAway, NotFound, NotYetRegistered
from hub.web.callers import Callers
from hub.web.events import ReceiptShown, receipt_shown
from hub.web.operation import Described, Operation, found, in_path
from hub.web.problems import answer

_ID = re.compile(r"[0-9a-f]{32}")


def routes(
    *, readers: Readers, callers: Callers, passed: Callable[[], Awaitable[None]]
) -> list[Described]:
    """A publisher asks about its own events; to everybody else they are unknown."""

    async def show(request: Request) -> Response:
        agency = await callers.agency_of(request)
        id_ = request.path_params["id"]
        if not _ID.fullmatch(id_):
            raise NotFound
        own = partial(own_receipt, receipt=bytes.fromhex(id_), publisher=agency)
        told = await readers.run(own)
        if told is None or told.receipt.state == "refused":
            # It may have been accepted, since then, and be on its way.
            await passed()
            told = await readers.run(own)
        if told is None:
            raise NotFound
        return answer(receipt_shown(told.receipt, told.faults))

    return [Described("/v1/receipts/{id}", show, _SHOW)]


_SHOW: Final = Operation(
    "本机构所发事件的回执 / the receipt of an event of one's own",
    callers=("agency",),
    parameters=(in_path("id", "回执号 / the receipt's id", {"pattern": "^[0-9a-f]{32}$"}),),
    answers=found(ReceiptShown),
    errors=(NotFound, BackboneAway, NotYetRegistered),
)
