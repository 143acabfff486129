"""The short way of a small request, once it is whole: no routing, no ASGI messages, one write.

The same function answers it that answers through the routing. What a single event costs is mostly
what lies around that function, so the door for events is reached in this way where it can be.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import Final

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
    """

    more_body = False

    def __init__(
        self,
        *,
        transport: asyncio.Transport,
        flow: FlowControl,
        keep_alive: bool,
        headers: Headers,
        answered: Callable[[], None],
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

    async def run(self, door: Door, scope: Scope, body: bytes) -> None:
        """Have a request answered, send the answer, and do what is left to do in its background.
        `door` raises nothing, nor does what it leaves.
        """

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        response = await door(Request(scope, receive))
        if self._flow.write_paused and not self.disconnected:
            await self._flow.drain()
        if not self.disconnected:
            self._send(response)
        if response.background is not None:
            await response.background()

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
