"""Single events over 64 connections: the hub against a door that only validates; and its tail.

The same load tells what publishers notice while a policy of 10,000 grants is applied.
"""

import asyncio
import gc
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import uvloop

from tests.bench.http import _answer
from tests.bench.material import bench_policy, crowd, event, rendered
from tests.bench.measure import report
from tests.running import STRUCTURED, RunningHub, running_hub
from tests.sample import CITY, PETITION

CONNECTIONS = 64
REQUESTS = 40
ROUNDS = 7


@dataclass(frozen=True)
class Told:
    """What a load found: requests a second; when each was answered, and how long it took."""

    rate: float
    answers: list[tuple[float, float]]

    @property
    def seconds(self) -> list[float]:
        return [took for _, took in self.answers]


@dataclass(frozen=True)
class Change:
    """How long a change of policy took, and what 99 of 100 publishers waited at most."""

    seconds: float
    before: float
    meanwhile: float


def quantile(seconds: list[float], share: float) -> float:
    """What this share of requests took at most."""
    return sorted(seconds)[int(len(seconds) * share)]


async def load(port: int, token: str, series: str, requests: int = REQUESTS) -> Told:
    """Publish single events, one after the other on each connection."""
    made = rendered([event(n, series=series) for n in range(CONNECTIONS * requests)])
    answers: list[tuple[float, float]] = []
    started = perf_counter()
    await asyncio.gather(
        *(_publish(port, token, made[n::CONNECTIONS], answers) for n in range(CONNECTIONS))
    )
    return Told(len(made) / (perf_counter() - started), answers)


async def _publish(
    port: int, token: str, bodies: list[bytes], answers: list[tuple[float, float]]
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for body in bodies:
        head = (
            f"POST /v1/events HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: {STRUCTURED}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        sent = perf_counter()
        writer.write(head.encode() + body)
        await _answer(reader)
        answered = perf_counter()
        answers.append((answered, answered - sent))
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


async def during_a_change(hub: RunningHub, token: str, policy: bytes, series: str) -> Change:
    """Apply a policy while others publish, and tell how they fared before and meanwhile."""
    admin = (hub.directory / "admin.token").read_text().strip()
    _, port = hub.address
    # Long enough to last, whatever the machine; what comes after the change is not counted.
    loading = asyncio.create_task(load(port, token, series, REQUESTS * 3))
    await asyncio.sleep(1)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = (
        f"PUT /v1/policy HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer {admin}\r\n"
        f"If-Match: *\r\nContent-Length: {len(policy)}\r\n\r\n"
    )
    started = perf_counter()
    writer.write(head.encode() + policy)
    await _answer(reader)
    ended = perf_counter()
    writer.close()
    told = await loading
    before = [took for at, took in told.answers if at < started]
    meanwhile = [took for at, took in told.answers if at >= started and at - took <= ended]
    return Change(ended - started, quantile(before, 0.99), quantile(meanwhile, 0.99))


def changed(hub: RunningHub, token: str) -> bool:
    """A policy of 10,000 grants is applied quickly, and publishers hardly notice."""
    base = bench_policy()
    changes: list[Change] = []
    for n in range(ROUNDS + 1):
        crowded = crowd(agencies=3_000, grants=10_000)
        document = {
            "agencies": base["agencies"] + crowded["agencies"],
            "grants": base["grants"] + crowded["grants"],
            "reason": f"bench {n}",
        }
        policy = json.dumps(document, ensure_ascii=False).encode()
        # The load generator is not to be held up by its own collector.
        gc.collect()
        gc.freeze()
        changes.append(uvloop.run(during_a_change(hub, token, policy, f"c{n}")))
    quick = report(
        "a policy of 10,000 grants and 3,000 agencies applied: two seconds / the time it took",
        ours=[2_000.0] * ROUNDS,
        reference=[change.seconds * 1000 for change in changes[1:]],
        goal=1.0,
        unit="ms",
    )
    unnoticed = report(
        "single events while that policy is applied: p99 before / p99 meanwhile",
        ours=[change.before * 1e6 for change in changes[1:]],
        reference=[change.meanwhile * 1e6 for change in changes[1:]],
        goal=0.33,
        unit="µs",
    )
    return quick and unnoticed


def run() -> bool:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        hub = stack.enter_context(running_hub(folder / "hub"))
        hub.apply(bench_policy())
        hub.agency(CITY).subscribe()
        token, (_, port) = hub.token(PETITION), hub.address
        other = stack.enter_context(validating())
        rounds = [
            (uvloop.run(load(port, token, f"s{n}")), uvloop.run(load(other, token, f"s{n}")))
            for n in range(ROUNDS + 1)
        ][1:]
        rate = report(
            "single events over 64 connections / the same only validated",
            ours=[hub_told.rate for hub_told, _ in rounds],
            reference=[reference.rate for _, reference in rounds],
            goal=0.6,
            unit="events/s",
        )
        tail = report(
            "single events over 64 connections: p50 / p99",
            ours=[quantile(told.seconds, 0.5) * 1e6 for told, _ in rounds],
            reference=[quantile(told.seconds, 0.99) * 1e6 for told, _ in rounds],
            goal=0.33,
            unit="µs",
        )
        return all([rate, tail, changed(hub, token)])
