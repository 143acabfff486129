"""What a hub holds in memory after a million events, against after the first hundred thousand.

Takes minutes, so it runs with `FULL=1` only.
"""

import asyncio
import os
import tempfile
from pathlib import Path

import uvloop

from tests.bench.http import _client
from tests.bench.material import bench_policy, event, rendered
from tests.bench.measure import report
from tests.running import RunningHub, running_hub
from tests.sample import CITY, PETITION

BATCH, CONNECTIONS = 1_000, 4
FIRST, ALL = 100_000, 1_000_000


async def publish(hub: RunningHub, token: str, numbers: range) -> None:
    """Publish these events in batches, over a few connections."""
    host, port = hub.address

    async def part(mine: range) -> None:
        for first in mine:
            made = rendered([event(n, series="m") for n in range(first, first + BATCH)])
            await _client(host, port, token, [b"[" + b",".join(made) + b"]"])

    firsts = range(numbers.start, numbers.stop, BATCH)
    await asyncio.gather(*(part(firsts[n::CONNECTIONS]) for n in range(CONNECTIONS)))


def resident(hub: RunningHub) -> float:
    """The hub's resident memory, KiB."""
    lines = Path(f"/proc/{hub.process.pid}/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmRSS:"))
    return float(line.split()[1])


def run() -> bool:
    if os.environ.get("FULL") != "1":
        return True
    with tempfile.TemporaryDirectory() as folder, running_hub(Path(folder) / "hub") as hub:
        hub.apply(bench_policy())
        hub.agency(CITY).subscribe()
        token = hub.token(PETITION)
        uvloop.run(publish(hub, token, range(FIRST)))
        first = resident(hub)
        uvloop.run(publish(hub, token, range(FIRST, ALL)))
        return report(
            "resident memory after 100,000 events / after 1,000,000",
            ours=[first],
            reference=[resident(hub)],
            goal=0.833,
            unit="KiB",
        )
