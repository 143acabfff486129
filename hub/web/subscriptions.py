"""Subscriptions, their pages and cursors."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Final, TypedDict

from msgspec import UNSET
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)
from starlette.requests import Request
from starlette.responses import Response
from structlog.typing import FilteringBoundLogger

from contracts.catalogue import Catalogue
from contracts.envelope import Attributes, Text, is_time, moment_of
from contracts.lifetime import told_in_headers
from contracts.region import Regions
from hub.database.readers import Readers
from hub.database.writer import Writer
from hub.delivery.dispatch import AFTER
from hub.delivery.pull import Asked, Pull, Pulled
from hub.errors import BadRequest, Conflict, CursorExpired, CursorInvalid, Invalid, NotFound
from hub.event import microseconds, rfc3339
from hub.intake.http import BATCH
from hub.journal import sql, subscribing
from hub.journal.cursors import Cursors
from hub.journal.filling import Filler
from hub.journal.subscriptions import Body, Change, Subscription, from_row
from hub.metrics import Metrics
from hub.web.body import number, read_body, seconds
from hub.web.callers import Callers
from hub.web.operation import (
    RETIRING,
    Answer,
    Content,
    Described,
    Header,
    Operation,
    Page,
    Parameter,
    Time,
    after,
    found,
    in_json,
    in_path,
    limit,
)
from hub.web.problems import PROBLEM, Problem, answer


def _checked_time(value: str) -> str:
    if not is_time(value):
        raise ValueError("not an RFC 3339 time")
    return value


class Commit(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    cursor: Annotated[str, StringConstraints(min_length=1, max_length=1024)]


class Replay(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    since: Annotated[
        str, AfterValidator(_checked_time), Field(json_schema_extra={"format": "date-time"})
    ]


_MOVE: Final[TypeAdapter[Commit | Replay]] = TypeAdapter(Commit | Replay)


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


class Delivered(Attributes, kw_only=True):
    """An event as a subscriber gets it; `hubwithheld`: JSON Pointers of what was left out."""

    hubreceipt: str
    hubtime: Time
    hubposition: str
    hubwithheld: Text = UNSET


Available = TypedDict("Available", {"from": Time, "to": Time})


class Expired(Problem):
    """What the cursor points at is no longer kept; between which hubtimes there is something."""

    available: Available


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
    metrics: Metrics,
    log: FilteringBoundLogger,
    clock: Callable[[], int],
    max_page: int,
    max_wait: float,
    max_subscriptions: int,
) -> list[Described]:
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
        pulled = await pull.pull(asked, wait=wait, still=partial(callers.of, request))
        page = pulled.page
        metrics.pulled(
            agency=agency,
            delivered=page.events,
            views=page.views,
            denied=page.denied,
            seconds=pulled.seconds,
        )
        if page.events or page.denied:
            log.info(
                "events.delivered",
                caller=agency,
                subscription=id_,
                delivered=page.events,
                views=page.views,
                denied=dict(page.denied),
                policy=page.policy,
                token=caller.token,
                seconds=round(pulled.seconds, 6),
            )
        headers = {"Guantong-Cursor": pulled.cursor, "Cache-Control": "no-store"}
        headers |= retiring(pulled)
        if page.denied[AFTER]:
            headers["Guantong-Parked"] = str(page.denied[AFTER])
        if pulled.expired:
            headers["Guantong-Expired"] = str(pulled.expired)
        return Response(page.body, 200, headers, BATCH)

    def retiring(pulled: Pulled) -> dict[str, str]:
        """Count the reading of pinned versions that are to be retired; headers that say so."""
        pins, agency = pulled.subscription.pins, pulled.subscription.agency
        used = [c for c in catalogue.retiring.values() if pins.get(c.type) == c.version]
        if pulled.page.events:
            for c in used:
                metrics.used_retiring(agency=agency, type_=c.type, version=c.version, use="pull")
        return told_in_headers(c.lifetime for c in used)

    async def move(request: Request) -> Response:
        agency, id_ = await callers.agency_of(request), request.path_params["id"]
        try:
            asked = _MOVE.validate_json(await read_body(request))
        except ValidationError as error:
            raise BadRequest('{"cursor": "…"} | {"since": "2026-11-01T00:00:00+08:00"}') from error
        if isinstance(asked, Replay):
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
        Described("/v1/subscriptions", create, _CREATE, method="POST"),
        Described("/v1/subscriptions", list_own, _listing(max_page)),
        Described(one, show, _SHOW),
        Described(one, change, _CHANGE, method="PATCH"),
        Described(one, end, _END, method="DELETE"),
        Described(f"{one}/events", events, _reading(max_page, max_wait)),
        Described(f"{one}/cursor", move, _MOVE_TO, method="POST"),
    ]


_ID: Final = in_path("id", "订阅编号 / the subscription's id", {"type": "string"})
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
    parameters=(_ID,),
    answers=found(SubscriptionShown),
    errors=(NotFound,),
)
_CHANGE: Final = Operation(
    "变更订阅，自下一事件起 / change a subscription, from the next event on",
    callers=("agency",),
    parameters=(_ID,),
    body=in_json(Change),
    answers={200: Answer("变更之后 / as it stands now", in_json(SubscriptionShown))},
    errors=(NotFound, Invalid),
)
_END: Final = Operation(
    "终止订阅及其游标 / end a subscription and its cursor",
    callers=("agency",),
    parameters=(_ID,),
    answers={204: Answer("已终止 / ended")},
    errors=(NotFound,),
)
_EXPIRED: Final = {
    410: Answer("已超过保存期 / no longer kept", (Content((Expired,), PROBLEM),)),
}
_MOVE_TO: Final = Operation(
    "提交游标（较旧的不改变什么），或自某时重新读取"
    " / commit a cursor (an older one changes nothing), or read anew from a time",
    callers=("agency",),
    parameters=(_ID,),
    body=in_json(Commit, Replay),
    answers={200: Answer("此后 / as it stands now", in_json(SubscriptionShown)), **_EXPIRED},
    errors=(CursorInvalid, CursorExpired, NotFound),
)


def _listing(max_page: int) -> Operation:
    return Operation(
        "列出本机构的订阅 / the agency's own subscriptions",
        callers=("agency",),
        parameters=(limit(max_page), after({"type": "string"})),
        answers=found(Page[SubscriptionShown]),
    )


def _reading(max_page: int, max_wait: float) -> Operation:
    seconds = {"type": "number", "minimum": 0, "maximum": max_wait, "default": 0}
    return Operation(
        "读取事件（长轮询），不提交游标 / read events (long poll), committing nothing",
        callers=("agency",),
        parameters=(
            _ID,
            limit(max_page),
            Parameter("wait", "无事件时至多等待几秒 / wait so long for an event", seconds),
            Parameter(
                "cursor",
                "从此处起读，缺省为已提交处 / from here, else from the committed one",
                {"type": "string"},
            ),
        ),
        answers={
            200: Answer(
                "一页，可以为空 / a page, may be empty",
                (Content((list[Delivered],), BATCH),),
                (
                    Header("Guantong-Cursor", "这一页之后的游标 / the cursor behind this page"),
                    Header("Guantong-Expired", "未读而过期的件数 / expired unread", always=False),
                    Header("Guantong-Parked", "无法转换而留下 / inconvertible", always=False),
                    *RETIRING,
                ),
            ),
            **_EXPIRED,
        },
        errors=(CursorInvalid, CursorExpired, NotFound),
    )


def _shown(subscription: Subscription, cursors: Cursors) -> SubscriptionShown:
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
