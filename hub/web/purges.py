"""The record of what was purged."""

from functools import partial
from typing import TypedDict

from starlette.requests import Request
from starlette.responses import Response

from hub.database.readers import Readers
from hub.event import rfc3339, shown
from hub.journal.retention import sql
from hub.journal.retention.sql import PurgeRow
from hub.web.body import number, place_after
from hub.web.callers import Callers
from hub.web.operation import NUMBER, Described, Operation, Page, Time, after, found, limit
from hub.web.problems import answer


class PurgeShown(TypedDict):
    """What was purged of a contract's events at once; `digest`: SHA-256 of the receipts' bytes."""

    number: int
    at: Time
    type: str
    version: str
    events: int
    first: str
    last: str
    from_hubtime: Time
    to_hubtime: Time
    digest: str


def routes(*, readers: Readers, callers: Callers, max_page: int) -> list[Described]:
    """For the role auditor: an event that is gone is nowhere else."""

    async def list_all(request: Request) -> Response:
        await callers.with_role(request, "auditor")
        most = number(request, "limit", default=100, most=max_page)
        page = partial(sql.purges_after, number=place_after(request), most=most + 1)
        rows = await readers.run(page)
        items = [_shown(row) for row in rows[:most]]
        return answer({"items": items, "next": items[-1]["number"] if len(rows) > most else None})

    return [Described("/v1/purges", list_all, _listing(max_page))]


def _listing(max_page: int) -> Operation:
    return Operation(
        "已超过保存期并被清除的事件的记录 / the record of events that expired and were purged",
        callers=("auditor",),
        parameters=(limit(max_page), after(NUMBER)),
        answers=found(Page[PurgeShown]),
    )


def _shown(row: PurgeRow) -> PurgeShown:
    return {
        "number": row.number,
        "at": rfc3339(row.at),
        "type": row.type,
        "version": row.version,
        "events": row.events,
        "first": shown(row.first),
        "last": shown(row.last),
        "from_hubtime": rfc3339(row.from_hubtime),
        "to_hubtime": rfc3339(row.to_hubtime),
        "digest": row.digest.hex(),
    }
