"""How long an event is under way, from its publisher's request to its subscriber's answer."""

import asyncio
import json
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from time import perf_counter, time

import uvloop

from tests.bench.http import _answer
from tests.bench.material import event, rendered
from tests.bench.measure import report
from tests.bench.singles import quantile
from tests.running import STRUCTURED

RATE = 500
SECONDS = 4
CONNECTIONS = 32
ROUNDS = 5


@dataclass(frozen=True)
class End:
    """The door at which an agency publishes or reads, and its token there."""

    host: str
    port: int
    token: str


@dataclass
class Under:
    """When each event, by its id, was sent, answered, registered and pulled, of one clock."""

    sent: dict[str, float] = field(default_factory=dict)
    registered: dict[str, float] = field(default_factory=dict)
    answered: dict[str, float] = field(default_factory=dict)
    pulled: dict[str, float] = field(default_factory=dict)


def between(earlier: dict[str, float], later: dict[str, float], share: float) -> float:
    """What this share of events took at most, µs; who pulls may be told before who sent."""
    return quantile([max(later[id_] - at, 0.0) for id_, at in earlier.items()], share) * 1e6


async def under_way(publisher: End, subscriber: End, series: str) -> Under:
    """Publish single events at a steady rate while the subscriber waits in long polls."""
    made = [event(n, series=series) for n in range(RATE * SECONDS)]
    ids = [str(e["id"]) for e in made]
    under = Under()
    cursor = await _last(subscriber)
    pulling = asyncio.create_task(_pull(subscriber, cursor, len(ids), under))
    start = perf_counter()
    work = list(zip(range(len(ids)), ids, rendered(made), strict=True))
    await asyncio.gather(
        *(_publish(publisher, work[n::CONNECTIONS], start, under) for n in range(CONNECTIONS))
    )
    await pulling
    return under


async def _publish(at: End, work: list[tuple[int, str, bytes]], start: float, under: Under) -> None:
    reader, writer = await asyncio.open_connection(at.host, at.port)
    for number, id_, body in work:
        head = (
            f"POST /v1/events HTTP/1.1\r\nHost: {at.host}\r\nAuthorization: Bearer {at.token}\r\n"
            f"Content-Type: {STRUCTURED}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        await asyncio.sleep(max(start + number / RATE - perf_counter(), 0))
        under.sent[id_] = perf_counter()
        writer.write(head.encode() + body)
        await _answer(reader)
        under.answered[id_] = perf_counter()
    writer.close()


async def _last(at: End) -> str:
    """The cursor after all that is there."""
    under, cursor = Under(), ""
    while (after := await _page(at, cursor, 0, under)) != cursor:
        cursor = after
    return cursor


async def _pull(at: End, cursor: str, most: int, under: Under) -> None:
    while len(under.pulled) < most:
        cursor = await _page(at, cursor, 10, under)


async def _page(at: End, cursor: str, wait: int, under: Under) -> str:
    reader, writer = await asyncio.open_connection(at.host, at.port, limit=8 * 1024 * 1024)
    after = f"&cursor={cursor}" if cursor else ""
    head = (
        f"GET /v1/subscriptions/all/events?limit=1000&wait={wait}{after} HTTP/1.1\r\n"
        f"Host: {at.host}\r\nAuthorization: Bearer {at.token}\r\n\r\n"
    )
    writer.write(head.encode())
    headers, body = await _answer(reader)
    now, ahead = perf_counter(), time() - perf_counter()
    writer.close()
    for pulled in json.loads(body):
        under.pulled[pulled["id"]] = now
        registered = datetime.fromisoformat(pulled["hubtime"]).timestamp()
        under.registered[pulled["id"]] = registered - ahead
    return headers["guantong-cursor"]


def told(publisher: End, subscriber: End, *, through: str) -> bool:
    """Report how soon what was answered is pulled, at a steady 500 events a second, and beside it
    the whole way and its parts.
    """
    rounds = [uvloop.run(under_way(publisher, subscriber, f"l{n}")) for n in range(ROUNDS + 1)][1:]
    beside = {
        f"{part} {name}": round(median(between(*span, share) for span in spans))
        for part, spans in (
            ("sent until answered", [(u.sent, u.answered) for u in rounds]),
            ("answered until registered", [(u.answered, u.registered) for u in rounds]),
            ("registered until pulled", [(u.registered, u.pulled) for u in rounds]),
            ("sent until pulled", [(u.sent, u.pulled) for u in rounds]),
        )
        for name, share in (("p50", 0.5), ("p99", 0.99))
    }
    waits = [(u.answered, u.pulled) for u in rounds]
    return report(
        f"single events through {through}, 500 a second, answered until pulled: 50 ms / p99",
        ours=[50_000.0] * ROUNDS,
        reference=[between(*span, 0.99) for span in waits],
        goal=1.0,
        unit="µs",
        p50=round(median(between(*span, 0.5) for span in waits)),
        **beside,
    )
