"""The subscriptions that the hub writes to Kafka, for whoever sees to its topics and rights."""

from functools import partial
from typing import Final, TypedDict

from starlette.requests import Request
from starlette.responses import Response

from hub.database.readers import Readers
from hub.delivery.kafka import topic_of
from hub.journal import sql
from hub.web.body import number, place_after
from hub.web.callers import Callers
from hub.web.operation import NUMBER, Described, Operation, Page, after, found, limit
from hub.web.problems import answer

ROLES: Final = ("system", "security", "auditor")


class FeedShown(TypedDict):
    """A subscription by Kafka, and its topic."""

    agency: str
    subscription: str
    topic: str


def routes(*, readers: Readers, callers: Callers, max_page: int) -> list[Described]:
    """For whoever may see the policy."""

    async def list_all(request: Request) -> Response:
        await callers.with_role(request, *ROLES)
        most = number(request, "limit", default=100, most=max_page)
        page = partial(sql.fed_by_kafka, after=place_after(request), most=most + 1)
        rows = await readers.run(page)
        items: list[FeedShown] = [
            {"agency": row.agency, "subscription": row.id, "topic": topic_of(row.agency, row.id)}
            for row in rows[:most]
        ]
        return answer({"items": items, "next": rows[most - 1].number if len(rows) > most else None})

    return [Described("/v1/feeds", list_all, _listing(max_page))]


def _listing(max_page: int) -> Operation:
    return Operation(
        "列出经 Kafka 送达的订阅及其主题 / the subscriptions by Kafka, and their topics",
        callers=ROLES,
        parameters=(limit(max_page), after(NUMBER)),
        answers=found(Page[FeedShown]),
    )
