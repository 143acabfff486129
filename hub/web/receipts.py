"""Receipts: what became of an event, told to whom it concerns."""

import re
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.database.readers import Readers
from hub.errors import NotFound
from hub.journal.openings import record_of
from hub.journal.register import receipt_of_record
from hub.web.callers import Callers
from hub.web.events import receipt_shown
from hub.web.problems import answer

_ID = re.compile(r"[0-9a-f]{32}")


def routes(*, readers: Readers, callers: Callers) -> list[Route]:
    """A publisher asks about its own events; to everybody else they are unknown."""

    async def show(request: Request) -> Response:
        agency = await callers.agency_of(request)
        id_ = request.path_params["id"]
        if not _ID.fullmatch(id_):
            raise NotFound
        record = await readers.run(partial(record_of, receipt=bytes.fromhex(id_)))
        if record is None or record.publisher != agency:
            raise NotFound
        return answer(receipt_shown(receipt_of_record(record)))

    return [Route("/v1/receipts/{id}", show)]
