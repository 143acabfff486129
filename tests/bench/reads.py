"""Pages of 1,000 to 16 readers with every reading kept, against the same without keeping it."""

import asyncio
import tempfile
import time
from functools import partial
from pathlib import Path
from time import perf_counter

import uvloop

from hub.app.embedded import embedded
from hub.app.ground import metrics_here, microseconds_now
from hub.app.parts import Hub
from hub.delivery.pull import Asked, Pull
from hub.evidence.reads import Reading
from hub.settings import Settings
from tests.bench.http import prepare, without_http
from tests.bench.material import log_to_nowhere
from tests.bench.measure import report
from tests.running import running_hub
from tests.sample import CITY, DISCIPLINE

READERS = 16
PAGE = 1_000
PAGES = 5
ROUNDS = 7


async def pulled_from(pull: Pull, agency: str, id_: str) -> float:
    """Events a second that all readers get, five pages each from the start."""

    async def read() -> int:
        asked, read = Asked(agency=agency, token=1, id=id_, cursor=None, limit=PAGE), 0
        for _ in range(PAGES):
            page = await pull.pull(asked, wait=0, still=_nothing)
            read += page.page.events
            asked = Asked(agency=agency, token=1, id=id_, cursor=page.cursor, limit=PAGE)
        return read

    started = perf_counter()
    read_by = await asyncio.gather(*(read() for _ in range(READERS)))
    assert read_by == [PAGES * PAGE] * READERS
    return sum(read_by) / (perf_counter() - started)


async def _nothing() -> None: ...


async def _forget(_reading: Reading) -> bool:
    return True


def forgetful(hub: Hub) -> Pull:
    """As the hub's own, but its readings are not kept."""
    return Pull(
        readers=hub.pull._readers,
        policies=hub.policies,
        newest=lambda: 0,
        cursors=hub.cursors,
        arrivals=hub.arrivals,
        keep=_forget,
        recent=hub.pull._recent,
        clock=microseconds_now,
        monotonic=time.monotonic,
    )


async def measure(folder: Path) -> bool:
    log = log_to_nowhere()
    metrics = metrics_here()
    async with embedded(folder, settings=Settings(), metrics=metrics, log=log) as (
        hub,
        _web,
    ):
        await without_http(hub, "r")
        bare = forgetful(hub)
        holds = []
        for what, agency in (("whole events", CITY), ("views", DISCIPLINE)):
            kept: list[float] = []
            unkept: list[float] = []
            for n in range(ROUNDS + 1):
                turns = [partial(pulled_from, pull, agency, "all") for pull in (hub.pull, bare)]
                rates = [await turns[n % 2](), await turns[1 - n % 2]()]
                kept.append(rates[n % 2])
                unkept.append(rates[1 - n % 2])
            holds.append(
                report(
                    f"pull of {what}, 16 readers, readings kept / the same, not kept",
                    ours=kept[1:],
                    reference=unkept[1:],
                    goal=0.9,
                    unit="events/s",
                )
            )
        return all(holds)


def run() -> bool:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "hub"
        with running_hub(folder) as hub:
            prepare(hub)
            hub.stop()
        return uvloop.run(measure(folder))
