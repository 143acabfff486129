"""Subscriptions: making, looking at, changing and ending them."""

from collections.abc import Callable, Collection
from functools import partial
from typing import Any, Final, TypedDict

from starlette.requests import Request
from starlette.responses import Response
from structlog.typing import FilteringBoundLogger

from contracts.catalogue import Catalogue
from contracts.region import Regions
from hub.database.readers import Readers
from hub.database.writer import Writer
from hub.errors import Conflict, Invalid, NotFound
from hub.event import rfc3339
from hub.journal import sql, subscribing
from hub.journal.cursors import Cursors
from hub.journal.filling import Filler
from hub.journal.subscriptions import Body, Change, Channel, Subscription, from_row
from hub.web.body import number, read_body
from hub.web.callers import Callers
from hub.web.operation import (
    Answer,
    Described,
    Operation,
    Page,
    Time,
    after,
    found,
    in_json,
    in_path,
    limit,
)
from hub.web.problems import answer


class SubscriptionShown(TypedDict):
    """A subscription as it stands; `ready`: past events are in its feed.

    `expired`: events that were purged before it read them.
    """

    id: str
    agency: str
    types: list[str]
    region: str | None
    start: str
    filters: list[dict[str, Any]]
    versions: dict[str, str]
    delivery: dict[str, Any]
    cursor: str
    ready: bool
    expired: int
    created: Time


def routes(
    *,
    wake: Callable[[int], None],
    cursors: Cursors,
    writer: Writer,
    readers: Readers,
    filler: Filler,
    catalogue: Catalogue,
    regions: Regions,
    channels: Collection[Channel],
    callers: Callers,
    log: FilteringBoundLogger,
    clock: Callable[[], int],
    max_page: int,
    max_subscriptions: int,
) -> list[Described]:
    """The routes of an agency's own subscriptions; nobody sees another's.

    `wake` lets those look again who wait for a subscription's events; `channels` are those that
    this hub has.
    """

    async def create(request: Request) -> Response:
        member = await callers.member(request)
        agency = member.name
        body = subscribing.parse(await read_body(request))
        make = partial(
            subscribing.create,
            agency=agency,
            body=body,
            catalogue=catalogue,
            regions=regions,
            channels=channels,
            by=member,
            now=clock(),
            most=max_subscriptions,
        )
        subscription, new = await writer.submit(make, locks=subscribing.CHANGING)
        filler.begin(subscription)
        log.info("subscription.made", caller=agency, subscription=subscription.id, new=new)
        return answer(shown(subscription, cursors), 201 if new else 200)

    async def list_own(request: Request) -> Response:
        agency = await callers.agency_of(request)
        most = number(request, "limit", default=100, most=max_page)
        after = request.query_params.get("after", "")
        page = partial(sql.subscriptions_of, agency=agency, after=after, most=most + 1)
        rows = await readers.run(page)
        items = [shown(from_row(row), cursors) for row in rows[:most]]
        return answer({"items": items, "next": items[-1]["id"] if len(rows) > most else None})

    async def show(request: Request) -> Response:
        agency, id_ = await callers.agency_of(request), request.path_params["id"]
        row = await readers.run(partial(sql.subscription, agency=agency, id_=id_))
        if row is None:
            raise NotFound
        return answer(shown(from_row(row), cursors))

    async def change(request: Request) -> Response:
        member, id_ = await callers.member(request), request.path_params["id"]
        asked = subscribing.parse_change(await read_body(request))
        work = partial(
            subscribing.change,
            agency=member.name,
            id_=id_,
            change=asked,
            catalogue=catalogue,
            regions=regions,
            by=member,
            now=clock(),
        )
        subscription = await writer.submit(work, locks=subscribing.CHANGING)
        log.info("subscription.changed", caller=member.name, subscription=id_)
        return answer(shown(subscription, cursors))

    async def end(request: Request) -> Response:
        member, id_ = await callers.member(request), request.path_params["id"]
        work = partial(subscribing.end, agency=member.name, id_=id_, by=member, now=clock())
        wake(await writer.submit(work, locks=subscribing.CHANGING))
        log.info("subscription.ended", caller=member.name, subscription=id_)
        return Response(status_code=204)

    one = "/v1/subscriptions/{id}"
    return [
        Described("/v1/subscriptions", create, _CREATE, method="POST"),
        Described("/v1/subscriptions", list_own, _listing(max_page)),
        Described(one, show, _SHOW),
        Described(one, change, _CHANGE, method="PATCH"),
        Described(one, end, _END, method="DELETE"),
    ]


ID: Final = in_path("id", "订阅编号 / the subscription's id", {"type": "string"})
_CREATE: Final = Operation(
    "建立订阅；同编号同内容再次提交得 200 / make a subscription; the same again is a 200",
    callers=("agency",),
    body=in_json(Body),
    answers={
        200: Answer("已有相同的订阅 / it stands already", in_json(SubscriptionShown)),
        201: Answer("已建立 / made", in_json(SubscriptionShown)),
    },
    errors=(Conflict, Invalid),
)
_SHOW: Final = Operation(
    "查看订阅 / one subscription",
    callers=("agency",),
    parameters=(ID,),
    answers=found(SubscriptionShown),
    errors=(NotFound,),
)
_CHANGE: Final = Operation(
    "变更订阅，自下一事件起 / change a subscription, from the next event on",
    callers=("agency",),
    parameters=(ID,),
    body=in_json(Change),
    answers={200: Answer("变更之后 / as it stands now", in_json(SubscriptionShown))},
    errors=(NotFound, Invalid),
)
_END: Final = Operation(
    "终止订阅及其游标 / end a subscription and its cursor",
    callers=("agency",),
    parameters=(ID,),
    answers={204: Answer("已终止 / ended")},
    errors=(NotFound,),
)


def _listing(max_page: int) -> Operation:
    return Operation(
        "列出本机构的订阅 / the agency's own subscriptions",
        callers=("agency",),
        parameters=(limit(max_page), after({"type": "string"})),
        answers=found(Page[SubscriptionShown]),
    )


def shown(subscription: Subscription, cursors: Cursors) -> SubscriptionShown:
    """A subscription as the outside has it."""
    body = subscription.body
    return {
        "id": subscription.id,
        "agency": subscription.agency,
        "types": list(body.types),
        "region": subscription.region,
        "start": body.start,
        "filters": [f.model_dump(mode="json") for f in body.filters],
        "versions": dict(subscription.pins),
        "delivery": body.delivery.model_dump(mode="json"),
        "cursor": cursors.token(subscription.number, subscription.committed),
        "ready": not subscription.filling,
        "created": rfc3339(subscription.created_at),
        "expired": subscription.expired,
    }
