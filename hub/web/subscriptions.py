"""Subscriptions, their pages and cursors."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from structlog.typing import FilteringBoundLogger

from contracts.catalogue import Catalogue
from contracts.envelope import is_time, moment_of
from contracts.region import Regions
from hub.database.readers import Readers
from hub.database.writer import Writer
from hub.delivery.pull import Asked, Pull
from hub.errors import BadRequest, NotFound
from hub.event import microseconds, rfc3339
from hub.intake.http import BATCH
from hub.journal import sql, subscribing
from hub.journal.cursors import Cursors
from hub.journal.filling import Filler
from hub.journal.subscriptions import Subscription, from_row
from hub.metrics import Metrics
from hub.policy.current import CurrentPolicy
from hub.web.body import number, read_body, seconds
from hub.web.callers import Callers
from hub.web.problems import answer


def _checked_time(value: str) -> str:
    if not is_time(value):
        raise ValueError("not an RFC 3339 time")
    return value


class _Commit(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    cursor: Annotated[str, StringConstraints(min_length=1, max_length=1024)]


class _Replay(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    since: Annotated[str, AfterValidator(_checked_time)]


_MOVE: Final[TypeAdapter[_Commit | _Replay]] = TypeAdapter(_Commit | _Replay)


def routes(
    *,
    pull: Pull,
    cursors: Cursors,
    writer: Writer,
    readers: Readers,
    filler: Filler,
    catalogue: Catalogue,
    regions: Regions,
    callers: Callers,
    current: CurrentPolicy,
    metrics: Metrics,
    log: FilteringBoundLogger,
    clock: Callable[[], int],
    max_page: int,
    max_wait: float,
    max_subscriptions: int,
) -> list[Route]:
    """The routes of an agency's own subscriptions; nobody sees another's."""

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
            by=member,
            now=clock(),
            most=max_subscriptions,
        )
        subscription, new = await writer.submit(make)
        filler.begin(subscription)
        log.info("subscription.made", caller=agency, subscription=subscription.id, new=new)
        return answer(_shown(subscription, cursors), 201 if new else 200)

    async def list_own(request: Request) -> Response:
        agency = await callers.agency_of(request)
        most = number(request, "limit", default=100, most=max_page)
        after = request.query_params.get("after", "")
        page = partial(sql.subscriptions_of, agency=agency, after=after, most=most + 1)
        rows = await readers.run(page)
        items = [_shown(from_row(row), cursors) for row in rows[:most]]
        return answer({"items": items, "next": items[-1]["id"] if len(rows) > most else None})

    async def show(request: Request) -> Response:
        agency, id_ = await callers.agency_of(request), request.path_params["id"]
        row = await readers.run(partial(sql.subscription, agency=agency, id_=id_))
        if row is None:
            raise NotFound
        return answer(_shown(from_row(row), cursors))

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
        subscription = await writer.submit(work)
        log.info("subscription.changed", caller=member.name, subscription=id_)
        return answer(_shown(subscription, cursors))

    async def end(request: Request) -> Response:
        member, id_ = await callers.member(request), request.path_params["id"]
        work = partial(subscribing.end, agency=member.name, id_=id_, by=member, now=clock())
        pull.wake(await writer.submit(work))
        log.info("subscription.ended", caller=member.name, subscription=id_)
        return Response(status_code=204)

    async def events(request: Request) -> Response:
        agency, id_ = await callers.agency_of(request), request.path_params["id"]
        limit = number(request, "limit", default=100, most=max_page)
        wait = seconds(request, "wait", most=max_wait)
        caller = await callers.of(request)
        asked = Asked(agency, caller.token, id_, request.query_params.get("cursor"), limit)
        pulled = await pull.pull(asked, wait=wait)
        # The token may have been revoked, or have expired, while the poll waited. And what leaves
        # after a change of the policy was acknowledged must be read under it.
        await callers.of(request)
        while pulled.page.policy < current.version:
            pulled = await pull.pull(asked, wait=0)
            await callers.of(request)
        page = pulled.page
        metrics.pulled(
            agency=agency,
            delivered=len(page.events),
            views=page.views,
            denied=page.denied,
            seconds=pulled.seconds,
        )
        if page.events or page.denied:
            log.info(
                "events.delivered",
                caller=agency,
                subscription=id_,
                delivered=len(page.events),
                views=page.views,
                denied=dict(page.denied),
                policy=page.policy,
                token=caller.token,
                seconds=round(pulled.seconds, 6),
            )
        headers = {"Guantong-Cursor": pulled.cursor, "Cache-Control": "no-store"}
        if pulled.expired:
            headers["Guantong-Expired"] = str(pulled.expired)
        return Response(b"[%b]" % b",".join(page.events), 200, headers, BATCH)

    async def move(request: Request) -> Response:
        agency, id_ = await callers.agency_of(request), request.path_params["id"]
        try:
            asked = _MOVE.validate_json(await read_body(request))
        except ValidationError as error:
            raise BadRequest('{"cursor": "…"} | {"since": "2026-11-01T00:00:00+08:00"}') from error
        if isinstance(asked, _Replay):
            since = microseconds(moment_of(asked.since))
            replay = partial(subscribing.replay, agency=agency, id_=id_, since=since)
            subscription = await writer.submit(replay)
            log.info("cursor.replayed", caller=agency, subscription=id_, since=asked.since)
            return answer(_shown(subscription, cursors))
        row = await readers.run(partial(sql.subscription, agency=agency, id_=id_))
        if row is None:
            raise NotFound
        position = cursors.position(row.number, asked.cursor)
        work = partial(
            subscribing.commit, agency=agency, id_=id_, number=row.number, position=position
        )
        return answer(_shown(await writer.submit(work), cursors))

    one = "/v1/subscriptions/{id}"
    return [
        Route("/v1/subscriptions", create, methods=["POST"]),
        Route("/v1/subscriptions", list_own, methods=["GET"]),
        Route(one, show, methods=["GET"]),
        Route(one, change, methods=["PATCH"]),
        Route(one, end, methods=["DELETE"]),
        Route(f"{one}/events", events, methods=["GET"]),
        Route(f"{one}/cursor", move, methods=["POST"]),
    ]


def _shown(subscription: Subscription, cursors: Cursors) -> dict[str, Any]:
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
