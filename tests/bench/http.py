"""Batches of 100 over 16 connections with everything on, against the same path without HTTP."""

import asyncio
import itertools
import re
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter

import uvloop

from hub.app.embedded import embedded
from hub.app.ground import metrics_here
from hub.app.parts import Hub
from hub.database.patience import Patience
from hub.event import Accepted
from hub.intake.http import read_events
from hub.intake.limits import Limits
from hub.policy.tokens import Caller
from hub.settings import Settings
from tests.bench.material import bench_policy, event, log_to_nowhere, rendered
from tests.bench.measure import report
from tests.running import BATCH, RunningHub, running_hub
from tests.sample import CITY, DISCIPLINE, PETITION

CONNECTIONS = 16
EVENTS = 100
REQUESTS = 10
ROUNDS = 7
READERS = 4
MOST_BYTES = 9 * 1024 * 1024
HEAD_ENDS = b"\r\n\r\n"
CALLER = Caller(token=1, agency=PETITION, roles=frozenset())


def bodies(series: str) -> list[list[bytes]]:
    """For each connection its requests' bodies."""
    made = rendered([event(n, series=series) for n in range(CONNECTIONS * REQUESTS * EVENTS)])
    batches = [b"[" + b",".join(made[n : n + EVENTS]) + b"]" for n in range(0, len(made), EVENTS)]
    return [batches[n::CONNECTIONS] for n in range(CONNECTIONS)]


async def over_http(token: str, series: str, *doors: tuple[str, int]) -> float:
    """Events a second through the doors, at which the connections are in turn."""
    work = bodies(series)
    started = perf_counter()
    clients = zip(itertools.cycle(doors), work, strict=False)
    await asyncio.gather(*(_client(*door, token, requests) for door, requests in clients))
    return CONNECTIONS * REQUESTS * EVENTS / (perf_counter() - started)


async def pulled(token: str, *doors: tuple[str, int]) -> float:
    """Events a second that readers, at the doors in turn, get, each from the start to the end."""
    started = perf_counter()
    at = itertools.islice(itertools.cycle(doors), READERS)
    read = await asyncio.gather(*(_reader(*door, token) for door in at))
    return sum(read) / (perf_counter() - started)


class Pages(asyncio.BufferedProtocol):
    """A connection on which pages are asked for one after another, and counted where they arrive:
    whoever loads a hub on the same cores must not copy what it reads.
    """

    def __init__(self) -> None:
        self._bytes = bytearray(MOST_BYTES)
        self._view = memoryview(self._bytes)
        self._filled = 0
        self._end: int | None = None
        self._answered: asyncio.Future[None]

    def get_buffer(self, _sizehint: int) -> memoryview:
        return self._view[self._filled :]

    def buffer_updated(self, nbytes: int) -> None:
        self._filled += nbytes
        if self._end is None and (head := self._bytes.find(HEAD_ENDS, 0, self._filled)) >= 0:
            length = int(self._header(b"Content-Length", head))
            self._end = head + len(HEAD_ENDS) + length
        if self._filled == self._end:
            self._answered.set_result(None)

    async def answered(self) -> tuple[int, str]:
        """How many events the page has that is asked for now, and the cursor behind it."""
        self._answered = asyncio.get_running_loop().create_future()
        await self._answered
        assert self._bytes.startswith(b"HTTP/1.1 200"), self._bytes[:200]
        head = self._bytes.find(HEAD_ENDS)
        # Counted, not parsed: reading JSON is the subscriber's own work.
        events = self._bytes.count(b'"hubreceipt":', head, self._filled)
        cursor = self._header(b"Guantong-Cursor", head).decode()
        self._filled, self._end = 0, None
        return events, cursor

    def _header(self, name: bytes, head: int) -> bytes:
        found = re.search(rb"\r\n%b: ([^\r]*)" % name, self._bytes[:head], re.IGNORECASE)
        assert found is not None
        return found[1]


async def _reader(host: str, port: int, token: str) -> int:
    wire, pages = await asyncio.get_running_loop().create_connection(Pages, host, port)
    cursor, read, events = "", 0, 1
    while events:
        query = f"limit=1000&cursor={cursor}" if cursor else "limit=1000"
        head = (
            f"GET /v1/subscriptions/all/events?{query} HTTP/1.1\r\nHost: {host}\r\n"
            f"Authorization: Bearer {token}\r\n\r\n"
        )
        wire.write(head.encode())
        events, cursor = await pages.answered()
        read += events
    wire.close()
    return read


async def _answer(reader: asyncio.StreamReader) -> tuple[dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    assert head.startswith("HTTP/1.1 200"), head
    lines = [line.partition(": ") for line in head.split("\r\n")[1:]]
    headers = {name.lower(): value for name, _, value in lines}
    return headers, await reader.readexactly(int(headers["content-length"]))


async def _client(host: str, port: int, token: str, requests: Sequence[bytes]) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    for body in requests:
        head = (
            f"POST /v1/events HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: {BATCH}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        await _answer(reader)
    writer.close()


async def without_http(hub: Hub, series: str) -> float:
    """Events a second from the same bytes to the same outcomes, in this process."""
    headers = [(b"content-type", BATCH.encode())]
    limits = Limits()

    async def publish(requests: Sequence[bytes]) -> None:
        for body in requests:
            submitted = read_events(headers, body, limits)
            outcomes = await hub.intake.accept(
                submitted, mode="each", caller=CALLER, patience=Patience(None)
            )
            assert isinstance(outcomes[-1], Accepted)

    work = bodies(series)
    started = perf_counter()
    await asyncio.gather(*(publish(requests) for requests in work))
    return CONNECTIONS * REQUESTS * EVENTS / (perf_counter() - started)


def prepare(hub: RunningHub) -> None:
    """A policy, and two subscriptions that everything matches."""
    hub.apply(bench_policy())
    hub.agency(CITY).subscribe()
    hub.agency(DISCIPLINE).subscribe()


async def measure(hub: RunningHub, folder: Path) -> bool:
    publisher, whole, views = (hub.token(a) for a in (PETITION, CITY, DISCIPLINE))
    log = log_to_nowhere()
    rounds: list[tuple[float, ...]] = []
    metrics = metrics_here()
    async with embedded(folder, settings=Settings(), metrics=metrics, log=log) as (
        inside,
        _web,
    ):
        for n in range(ROUNDS + 1):
            figures = (
                await over_http(publisher, f"h{n}", hub.address),
                await without_http(inside, f"p{n}"),
                await pulled(whole, hub.address),
                await pulled(views, hub.address),
            )
            rounds.append(figures)
    # The first round warms up.
    published, reference, wholes, seen = map(list, zip(*rounds[1:], strict=True))
    return all(
        [
            report(
                "HTTP batches of 100, 16 connections, everything on / the same without HTTP",
                ours=published,
                reference=reference,
                goal=0.85,
                unit="events/s",
            ),
            report(
                "pull of whole events, pages of 1,000 / the write rate through the same door",
                ours=wholes,
                reference=published,
                goal=10.0,
                unit="events/s",
            ),
            report(
                "pull of views, pages of 1,000 / the write rate through the same door",
                ours=seen,
                reference=published,
                goal=2.0,
                unit="events/s",
            ),
        ]
    )


def run() -> bool:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        # The same data, policy and subscription on both sides.
        with running_hub(folder / "inside") as first:
            prepare(first)
            first.stop()
        hub = stack.enter_context(running_hub(folder / "hub"))
        prepare(hub)
        return uvloop.run(measure(hub, folder / "inside"))
