"""GET /v1/subscriptions/{id}/events: pages of events, and how whatever is handed over leaves."""

from collections.abc import Mapping
from functools import partial
from typing import Final, TypedDict

from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from contracts.envelope import Attributes, Text
from contracts.lifetime import told_in_headers
from hub.delivery.accounts import Accounts
from hub.delivery.dispatch import AFTER, Page
from hub.delivery.pull import Asked, Pull, Pulled
from hub.errors import CursorExpired, CursorInvalid, NotFound
from hub.intake.forms import BATCH
from hub.web.body import number, seconds
from hub.web.callers import Callers
from hub.web.operation import (
    RETIRING,
    Answer,
    Content,
    Described,
    Header,
    Operation,
    Parameter,
    Time,
    limit,
)
from hub.web.problems import PROBLEM, Problem
from hub.web.subscriptions import ID

# Documents that are joined and sent at once: few enough to stay in the processor's cache.
PIECE: Final = 64


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


class Array(Response):
    """A page as a JSON array, sent a piece at a time: to put it together as a whole takes longer
    than to decide on it.
    """

    def __init__(self, page: Page, headers: Mapping[str, str]) -> None:
        size = page.size if page.documents else len(b"[]")
        super().__init__(None, 200, {**headers, "Content-Length": str(size)}, BATCH)
        self._documents = page.documents

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await send(_part(b"["))
        for n in range(0, len(self._documents), PIECE):
            piece = self._documents[n : n + PIECE]
            if n + PIECE < len(self._documents):
                # The comma before the next one.
                piece.append(b"")
            await send(_part(b",".join(piece)))
        await send({"type": "http.response.body", "body": b"]"})


def _part(body: bytes) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": True}


class Leaving:
    """What is done with all that is handed over: it is accounted for, and told in headers."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def answer(self, pulled: Pulled, *, token: int) -> Response:
        """The answer that a page is."""
        page = pulled.page
        self.note(pulled, token=token)
        headers = {"Guantong-Cursor": pulled.cursor, "Cache-Control": "no-store"}
        used = self._accounts.retiring(pulled, channel="pull")
        headers |= told_in_headers(contract.lifetime for contract in used)
        if parked := page.denied[AFTER]:
            headers["Guantong-Parked"] = str(parked)
        if pulled.expired:
            headers["Guantong-Expired"] = str(pulled.expired)
        return Array(page, headers)

    def note(self, pulled: Pulled, *, token: int) -> None:
        """Account for a page."""
        page = pulled.page
        self._accounts.note(
            pulled, channel="pull", token=token, delivered=page.events, views=page.views
        )


def route(
    *, pull: Pull, leaving: Leaving, callers: Callers, max_page: int, max_wait: float
) -> Described:
    """Pages of an agency's own subscriptions."""

    async def events(request: Request) -> Response:
        agency, id_ = await callers.agency_of(request), request.path_params["id"]
        limit = number(request, "limit", default=100, most=max_page)
        wait = seconds(request, "wait", most=max_wait)
        caller = await callers.of(request)
        asked = Asked(agency, caller.token, id_, request.query_params.get("cursor"), limit)
        pulled = await pull.pull(asked, wait=wait, still=partial(callers.of, request))
        return leaving.answer(pulled, token=caller.token)

    path = "/v1/subscriptions/{id}/events"
    return Described(path, events, _reading(max_page, max_wait))


EXPIRED: Final = {
    410: Answer("已超过保存期 / no longer kept", (Content((Expired,), PROBLEM),)),
}


def _reading(max_page: int, max_wait: float) -> Operation:
    seconds = {"type": "number", "minimum": 0, "maximum": max_wait, "default": 0}
    return Operation(
        "读取事件（长轮询），不提交游标 / read events (long poll), committing nothing",
        callers=("agency",),
        parameters=(
            ID,
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
            **EXPIRED,
        },
        errors=(CursorInvalid, CursorExpired, NotFound),
    )
