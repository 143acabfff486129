"""The HTTP server: uvicorn, with the deadlines and caps that it lacks.

A connection must send a request's head and its body within their times, a head stays below 64 KiB,
an answer must be read on within the time of a body, and there are only so many connections. Who
sends is told why, as a problem, before the connection is closed.
"""

import asyncio
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from hub.errors import BadRequest, HubError, Overloaded, RequestTimeout, Stopping, TooLarge
from hub.metrics import Metrics
from hub.web.direct import Door, Whole, bytes_of
from hub.web.problems import problem

MOST_HEAD: Final = 64 * 1024
MOST_PIPELINED: Final = 16
# Of a larger body uvicorn keeps as much before anybody asks for it.
MOST_AT_ONCE: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Bounds:
    """Seconds for a request's head and body, the most connections, seconds that a stop waits."""

    head: float
    body: float
    connections: int
    of_one_address: int
    stop: float


class BoundedProtocol(HttpToolsProtocol):
    """One connection, with its deadlines."""

    bounds: Bounds
    metrics: Metrics
    # How many connections each address has open.
    addresses: Counter[str]
    # By the URL that is posted to: what answers a request that came whole.
    doors: Mapping[bytes, Door]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._head_size = 0
        self._in_head = True
        self._deadline: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        # The door of a request whose body is still to come, and what has come of that.
        self._door: Door | None = None
        self._body = b""
        # There is none where the other side is gone already.
        self._address = str((transport.get_extra_info("peername") or ("",))[0])
        self.addresses[self._address] += 1
        too_many = self.addresses[self._address] > self.bounds.of_one_address
        if too_many or len(self.connections) > self.bounds.connections:
            self._refuse(Overloaded(retry_after=1))
        else:
            self._expect_within(self.bounds.head)

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_nothing()
        self._is_read_again()
        self.addresses[self._address] -= 1
        if not self.addresses[self._address]:
            del self.addresses[self._address]
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_size += len(data)
        super().data_received(data)
        if self._in_head and not self.transport.is_closing():
            if self._head_size > MOST_HEAD:
                self._refuse(TooLarge(f"head, {MOST_HEAD} bytes"))
            elif self._deadline is None:
                # A head that comes at once, as nearly all do, needs no deadline.
                self._expect_within(self.bounds.head)
        if self._door is not None and self._deadline is None:
            self._expect_within(self.bounds.body)
        if len(self.pipeline) > MOST_PIPELINED:
            self.transport.abort()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:
            super().on_header(name, value)
        elif not self.transport.is_closing():
            # Headers behind a body (trailers) would otherwise be kept without limit.
            self._refuse(BadRequest("trailers"))

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(self.bounds.body, self.transport.abort)

    def resume_writing(self) -> None:
        self._is_read_again()
        super().resume_writing()

    def shutdown(self) -> None:
        """The server stops: who sends slowly is waited for a little, who does not read is not."""
        if self._unread is not None:
            self.transport.abort()
            return
        if self._door is not None:
            self._door = None
            self._take_up()
            super().on_body(self._body)
        if self.cycle is not None and self.cycle.more_body:
            self._expect_within(self.bounds.stop / 2, Stopping(retry_after=1))
        super().shutdown()

    def send_400_response(self, msg: str) -> None:
        self._refuse(BadRequest())

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_size = 0
        self._expect_nothing()
        self._body = b""
        self._door = self._direct_door()
        if self._door is None:
            self._take_up()

    def on_body(self, body: bytes) -> None:
        if self._door is None:
            super().on_body(body)
        else:
            self._body += body

    def on_message_complete(self) -> None:
        self._expect_nothing()
        if self._door is None:
            super().on_message_complete()
        elif not self.transport.is_closing():
            door, self._door = self._door, None
            self._answer_at(door)

    def _take_up(self) -> None:
        """Start a request whose body is read as it comes."""
        self._expect_within(self.bounds.body)
        super().on_headers_complete()

    def _direct_door(self) -> Door | None:
        """What answers the request directly: it is small, nothing is special, none is before it."""
        door = self.doors.get(self.url)
        if door is None or self.parser.get_method() != b"POST" or self.expect_100_continue:
            return None
        if self.parser.should_upgrade() or self.parser.get_http_version() != "1.1":
            return None
        if self.cycle is not None and not self.cycle.response_complete:
            return None
        given = dict(self.headers)
        # For whom a gateway speaks, uvicorn finds out on the long way.
        if b"x-forwarded-for" in given or not given.get(b"content-length", b"").isdigit():
            return None
        return door if int(given[b"content-length"]) <= MOST_AT_ONCE else None

    def _answer_at(self, door: Door) -> None:
        scope = {**self.scope, "method": "POST", "path": self.url.decode(), "query_string": b""}
        under_way = cast("set[Whole]", self.tasks)
        whole = Whole(
            door,
            scope,
            self._body,
            transport=self.transport,
            flow=self.flow,
            keep_alive=self.parser.should_keep_alive(),
            headers=self.server_state.default_headers,
            answered=self.on_response_complete,
            ended=under_way.discard,
            loop=self.loop,
        )
        self.cycle = cast(RequestResponseCycle, whole)
        under_way.add(whole)
        whole.begin()

    def _expect_within(self, seconds: float, else_: HubError | None = None) -> None:
        self._expect_nothing()
        self._deadline = self.loop.call_later(seconds, self._refuse, else_ or RequestTimeout())

    def _expect_nothing(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _is_read_again(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _refuse(self, error: HubError) -> None:
        """Tell why, and close; an answer that has begun is only broken off."""
        self.metrics.turned_away(error.code)
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(_raw(error))
        self.transport.close()


class Server(uvicorn.Server):
    """Serves until a signal; `ready` runs once it listens, `stopping` before it waits."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        doors: Mapping[bytes, Door],
        bounds: Bounds,
        ready: Callable[[int], None],
        stopping: Callable[[], None],
        stopped: Callable[[], Awaitable[None]],
        metrics: Metrics,
    ) -> None:
        kept = {"bounds": bounds, "metrics": metrics, "addresses": Counter(), "doors": doors}
        protocol = type("Protocol", (BoundedProtocol,), kept)
        config = uvicorn.Config(
            app,
            http=protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            # A gateway on this machine says for which address it speaks; nobody else is believed.
            forwarded_allow_ips=["127.0.0.1", "::1"],
            timeout_keep_alive=30,
            timeout_graceful_shutdown=max(1, int(bounds.stop)),
            backlog=1024,
        )
        super().__init__(config)
        self._ready = ready
        self._stopping = stopping
        self._stopped = stopped
        metrics.watch_connections(lambda: len(self.server_state.connections))

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """A signal asks for a graceful stop, and the process then ends by itself."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._ask_to_stop)
        yield

    async def startup(self, sockets: list[Any] | None = None) -> None:
        await super().startup(sockets)
        self._ready(self.servers[0].sockets[0].getsockname()[1])

    async def shutdown(self, sockets: list[Any] | None = None) -> None:
        self._stopping()
        await super().shutdown(sockets)
        await self._stopped()

    def _ask_to_stop(self) -> None:
        self.should_exit = True


def _raw(error: HubError) -> bytes:
    """A problem as the bytes of a whole HTTP answer, for where no request has come to the app."""
    return bytes_of(problem(error), ((b"connection", b"close"),))
