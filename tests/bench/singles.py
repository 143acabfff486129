"""Single events over 64 connections: the hub against a door that only validates; and its tail.

The same load tells what publishers notice while a policy of 10,000 grants is applied.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter

from tests.bench.http import _answer
from tests.bench.material import event, rendered
from tests.running import STRUCTURED

CONNECTIONS = 64
REQUESTS = 40
ROUNDS = 7


@dataclass(frozen=True)
class Told:
    """What a load found: requests a second, and how long each took."""

    rate: float
    seconds: list[float]

    def quantile(self, share: float) -> float:
        return sorted(self.seconds)[int(len(self.seconds) * share)]


async def load(port: int, token: str, series: str, requests: int = REQUESTS) -> Told:
    """Publish single events, one after the other on each connection."""
    made = rendered([event(n, series=series) for n in range(CONNECTIONS * requests)])
    seconds: list[float] = []
    started = perf_counter()
    await asyncio.gather(
        *(_publish(port, token, made[n::CONNECTIONS], seconds) for n in range(CONNECTIONS))
    )
    return Told(len(made) / (perf_counter() - started), seconds)


async def _publish(port: int, token: str, bodies: list[bytes], seconds: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for body in bodies:
        head = (
            f"POST /v1/events HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: {STRUCTURED}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        sent = perf_counter()
        writer.write(head.encode() + body)
        await _answer(reader)
        seconds.append(perf_counter() - sent)
    writer.close()


@contextmanager
def validating() -> Iterator[int]:
    """A door that only validates, in its own process; its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.validating"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
