"""Dead letters of a subscription: listed, and asked for again."""

import re
from collections.abc import Callable
from functools import partial
from typing import Final, TypedDict

from starlette.requests import Request
from starlette.responses import Response

from hub.database.readers import Readers
from hub.delivery.deadletters import DeadLetter, dead_letters
from hub.delivery.pull import Pull, Redrive
from hub.errors import NotFound, Parked
from hub.event import rfc3339, shown
from hub.intake.forms import BATCH
from hub.policy.policy import Policies
from hub.web.body import number, place_after
from hub.web.callers import Callers
from hub.web.operation import (
    NUMBER,
    RETIRING,
    Answer,
    Content,
    Described,
    Header,
    Operation,
    Page,
    Time,
    after,
    found,
    in_path,
    limit,
)
from hub.web.pages import Delivered, Leaving
from hub.web.problems import FaultShown, answer, errors_of
from hub.web.subscriptions import ID

_NUMBER: Final = re.compile(r"[0-9]{1,18}", re.ASCII)


class DeadLetterShown(TypedDict):
    """An event that was not handed over, and why the last time; `n` names it in its subscription.

    `version` was published, `wanted` was pinned at the last of the `attempts`. The pointer of
    `reason` stands in the payload of `wanted`; it is "" where no more can be told.
    """

    n: int
    position: str
    type: str
    version: str
    wanted: str
    source: str
    event_id: str
    hubtime: Time
    reason: FaultShown
    attempts: int
    first: Time
    last: Time


def routes(
    *,
    pull: Pull,
    leaving: Leaving,
    readers: Readers,
    policies: Policies,
    callers: Callers,
    clock: Callable[[], int],
    max_page: int,
) -> list[Described]:
    """The dead letters of an agency's own subscriptions."""

    async def list_own(request: Request) -> Response:
        agency, id_ = await callers.agency_of(request), request.path_params["id"]
        listing = partial(
            dead_letters,
            agency=agency,
            id_=id_,
            after=place_after(request),
            most=number(request, "limit", default=100, most=max_page),
            policies=policies,
            now=clock(),
        )
        listed = await readers.run(listing)
        return answer({"items": [_shown(item) for item in listed.items], "next": listed.next})

    async def redrive(request: Request) -> Response:
        agency, id_ = await callers.agency_of(request), request.path_params["id"]
        caller, position = await callers.of(request), _position(request.path_params["n"])
        asked = Redrive(agency, caller.token, id_, position)
        pulled = await pull.redrive(asked, still=partial(callers.of, request))
        if pulled.page.parked:
            leaving.note(pulled, token=caller.token)
            raise Parked(faults=tuple(parked.reason for parked in pulled.page.parked))
        return leaving.answer(pulled, token=caller.token)

    path = "/v1/subscriptions/{id}/dead-letters"
    return [
        Described(path, list_own, _listing(max_page)),
        Described(f"{path}/{{n}}/redrive", redrive, _REDRIVE, method="POST"),
    ]


_REDRIVE: Final = Operation(
    "再取一件未能送达的事件，按现在所定版本；再次请求再次得到"
    " / a dead letter again, in the version pinned now; asked for again, it comes again",
    callers=("agency",),
    parameters=(ID, in_path("n", "列表中的 n / its `n` in the list", NUMBER)),
    answers={
        200: Answer(
            "该事件，一批一件 / the event, a batch of one",
            (Content((list[Delivered],), BATCH),),
            (Header("Guantong-Cursor", "已提交的游标，不变 / the committed one still"), *RETIRING),
        ),
    },
    errors=(NotFound, Parked),
)


def _listing(max_page: int) -> Operation:
    return Operation(
        "列出因无法转换为所定版本而未送达的事件"
        " / events that were not handed over, having no form in the pinned version",
        callers=("agency",),
        parameters=(ID, limit(max_page), after(NUMBER)),
        answers=found(Page[DeadLetterShown]),
        errors=(NotFound,),
    )


def _position(text: str) -> int:
    """What names no place in a journal is as unknown as a place where nothing is."""
    if not _NUMBER.fullmatch(text):
        raise NotFound
    return int(text)


def _shown(item: DeadLetter) -> DeadLetterShown:
    event, row = item.event, item.row
    (reason,) = errors_of([item.reason])
    return {
        "n": event.position,
        "position": shown(event.position),
        "type": event.type,
        "version": event.version,
        "wanted": row.wanted,
        "source": event.source,
        "event_id": event.id,
        "hubtime": rfc3339(event.hubtime),
        "reason": reason,
        "attempts": row.attempts,
        "first": rfc3339(row.first),
        "last": rfc3339(row.last),
    }
