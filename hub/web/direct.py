"""The short way of a small request, once it is whole: no routing, no ASGI messages, one write.

The same function answers it that answers through the routing. What a single event costs is mostly
what lies around that function, so the door for events is reached in this way where it can be.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import Any, Final, cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Scope
from uvicorn.protocols.http.flow_control import FlowControl

Door = Callable[[Request], Awaitable[Response]]
Headers = Iterable[tuple[bytes, bytes]]

_STATUS: Final = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}


class Whole:
    """A request that is whole, and its answer, in the place of what uvicorn calls a cycle.

    The protocol reads and sets on it what it does on a cycle: how far the answer is, whether the
    other side is gone, whether the connection is kept.

    It goes from step to step by itself, as a task would, for less than half of what a task costs.
    """

    more_body = False

    def __init__(
        self,
        door: Door,
        scope: Scope,
        body: bytes,
        *,
        transport: asyncio.Transport,
        flow: FlowControl,
        keep_alive: bool,
        headers: Headers,
        answered: Callable[[], None],
        ended: Callable[["Whole"], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.keep_alive = keep_alive
        self.disconnected = False
        self.response_started = False
        self.response_complete = False
        self.message_event = asyncio.Event()
        self._transport = transport
        self._flow = flow
        self._headers = headers
        self._answered = answered
        self._ended = ended
        self._loop = loop
        self._steps = self._run(door, scope, body)
        self._awaited: asyncio.Future[Any] | None = None

    def begin(self) -> None:
        """Have the request answered from the next turn of the loop on; its door raises nothing."""
        self._loop.call_soon(self._go_on)

    def cancel(self, msg: str | None = None) -> None:
        """End what is waited for, and with it the request."""
        if self._awaited is not None:
            self._awaited.cancel(msg)

    def _go_on(self, _awaited: object = None) -> None:
        """Run until there is something to wait for; a bare `yield` waits for the next turn."""
        self._awaited = None
        try:
            # What a coroutine yields to whoever runs it is not part of its type.
            self._awaited = cast("asyncio.Future[Any] | None", self._steps.send(None))
        except (StopIteration, asyncio.CancelledError):
            return
        if self._awaited is None:
            self._loop.call_soon(self._go_on)
        else:
            self._awaited.add_done_callback(self._go_on)

    async def _run(self, door: Door, scope: Scope, body: bytes) -> None:
        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        try:
            response = await door(Request(scope, receive))
            if self._flow.write_paused and not self.disconnected:
                await self._flow.drain()
            if not self.disconnected:
                self._send(response)
        finally:
            self._ended(self)

    def _send(self, response: Response) -> None:
        self.response_started = self.response_complete = True
        closing = () if self.keep_alive else ((b"connection", b"close"),)
        self._transport.write(bytes_of(response, (*self._headers, *closing)))
        if not self.keep_alive:
            self._transport.close()
        self._answered()


def bytes_of(response: Response, headers: Headers = ()) -> bytes:
    """An answer as it goes over the wire; `headers` come before its own."""
    parts = [_STATUS[response.status_code]]
    for name, value in (*headers, *response.raw_headers):
        parts += (name, b": ", value, b"\r\n")
    return b"".join((*parts, b"\r\n", response.body))
