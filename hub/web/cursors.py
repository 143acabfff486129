"""POST /v1/subscriptions/{id}/cursor: committing a cursor, or going back."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Final

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

from contracts.envelope import is_time, moment_of
from hub.database.readers import Readers
from hub.database.writer import Writer
from hub.errors import BadRequest, Conflict, CursorExpired, CursorInvalid, NotFound
from hub.event import microseconds
from hub.journal import sql, subscribing
from hub.journal.cursors import Cursors
from hub.web.body import read_body
from hub.web.callers import Callers
from hub.web.operation import Answer, Described, Operation, in_json
from hub.web.pages import EXPIRED
from hub.web.problems import answer
from hub.web.subscriptions import ID, SubscriptionShown, shown


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


def route(
    *,
    wake: Callable[[int], None],
    cursors: Cursors,
    writer: Writer,
    readers: Readers,
    callers: Callers,
    log: FilteringBoundLogger,
) -> Described:
    """The cursors of an agency's own subscriptions.

    `wake` lets those look again who wait for a subscription's events.
    """

    async def move(request: Request) -> Response:
        agency, id_ = await callers.agency_of(request), request.path_params["id"]
        try:
            asked = _MOVE.validate_json(await read_body(request))
        except ValidationError as error:
            raise BadRequest('{"cursor": "…"} | {"since": "2026-11-01T00:00:00+08:00"}') from error
        if isinstance(asked, Replay):
            since = microseconds(moment_of(asked.since))
            replay = partial(subscribing.replay, agency=agency, id_=id_, since=since)
            subscription = await writer.submit(replay, locks=subscribing.MOVING)
            wake(subscription.number)
            log.info("cursor.replayed", caller=agency, subscription=id_, since=asked.since)
            return answer(shown(subscription, cursors))
        row = await readers.run(partial(sql.subscription, agency=agency, id_=id_))
        if row is None:
            raise NotFound
        position = cursors.position(row.number, asked.cursor)
        work = partial(
            subscribing.commit, agency=agency, id_=id_, number=row.number, position=position
        )
        moved = await writer.submit(work, locks=subscribing.MOVING)
        return answer(shown(moved, cursors))

    return Described("/v1/subscriptions/{id}/cursor", move, _MOVE_TO, method="POST")


_MOVE_TO: Final = Operation(
    "提交游标（较旧的不改变什么），或自某时重新读取"
    " / commit a cursor (an older one changes nothing), or read anew from a time",
    callers=("agency",),
    parameters=(ID,),
    body=in_json(Commit, Replay),
    answers={200: Answer("此后 / as it stands now", in_json(SubscriptionShown)), **EXPIRED},
    errors=(Conflict, CursorInvalid, CursorExpired, NotFound),
)
