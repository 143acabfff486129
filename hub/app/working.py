"""The writer: one of the processes that may register has the shard, the others stand by."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from structlog.typing import FilteringBoundLogger

from hub.app.beside import Aside, beside, rest
from hub.app.brokers import Brokers, brokers_of
from hub.app.claim import among_others, writership_of
from hub.app.core import Core, core_of
from hub.app.ground import Ground
from hub.app.joined import joined, over_kafka
from hub.app.kafkafeeds import kafka_feeds
from hub.app.neighbours import Neighbours
from hub.app.parts import Hub, assemble, registering, straight
from hub.app.routes import health_side
from hub.backbone.registering import Registering
from hub.database.news import ANYTHING, News
from hub.database.signals import Signals
from hub.journal.writership import Writership
from hub.metrics import Metrics
from hub.settings import Settings
from hub.web.edge import Edge
from hub.web.health import Role

# What doors that are no more have left is looked for so often, seconds.
LEFT_SECONDS: Final = 10.0


@asynccontextmanager
async def working(
    directory: Path, *, settings: Settings, metrics: Metrics, log: FilteringBoundLogger
) -> AsyncIterator[tuple[Hub, Edge]]:
    """A process that may write, and what it tells. The caller holds the lock of the directory."""
    async with joined(directory, settings=settings, metrics=metrics, log=log) as (ground, database):
        await among_others(ground)
        signals = Signals(database.url, rest=rest, log=log)
        writership = writership_of(ground)
        ground.metrics.watch_registering(lambda: writership.held)
        core = await core_of(ground, epoch=writership.epoch, tell=signals.tell)
        await ground.writer.submit(core.registrar.load)
        brokers = brokers_of(ground)
        hub = assemble(ground, core, straight(ground, core), examine=brokers.examine)
        intake = registering(ground, core)

        feeds = kafka_feeds(hub, brokers)
        carrying = _carrying(ground, core, intake, brokers, feeds)

        def handed(news: News) -> None:
            if news.intake or news.anything:
                carrying.wake()

        def role() -> Role:
            return "writer" if writership.held else "standby"

        neighbours = Neighbours(hub, more=handed)
        writing = _write(hub, intake, carrying, writership, told=partial(signals.tell, ANYTHING))
        works = (*brokers.works(), *carrying.works)
        async with beside(signals.run(neighbours.hear), neighbours.run(), writing, *works):
            try:
                yield hub, health_side(ground, hub, role, missing=carrying.missing)
            finally:
                hub.doctor.stop()
                await hub.uses.stop()
        await writership.give_back()


@dataclass(frozen=True)
class _Carrying:
    """What comes from the doors, and goes out by Kafka: `with_shard` goes on where and as long as
    the shard is this process's, `works` anyway. It is woken when the doors' table has news;
    `missing` is what it lacks.
    """

    with_shard: Callable[[], Iterable[Coroutine[Any, Any, None]]]
    works: Sequence[Coroutine[Any, Any, None]]
    wake: Callable[[], None]
    missing: Callable[[], Mapping[str, str]]


def _carrying(
    ground: Ground, core: Core, intake: Registering, brokers: Brokers, feeds: Aside
) -> _Carrying:
    if ground.settings.backbone == "sql":
        return _Carrying(
            with_shard=lambda: [intake.run(), *feeds.works()],
            works=[],
            wake=intake.wake,
            missing=brokers.missing(feeds.open),
        )
    kafka = over_kafka(ground, brokers)
    producing, ends = kafka.producing(), kafka.ends()
    draining, lag = kafka.draining(producing, ends, intake), kafka.lag(ends)
    consuming = kafka.consuming(core)
    return _Carrying(
        with_shard=lambda: [draining.run(), consuming.run(), lag.run(), *feeds.works()],
        works=[producing.run(), ends.run()],
        wake=draining.wake,
        missing=brokers.missing(lambda: producing.connected, feeds.open),
    )


async def _write(
    hub: Hub,
    intake: Registering,
    carrying: _Carrying,
    writership: Writership,
    *,
    told: Callable[[], None],
) -> None:
    """Do what one process does for all, whenever and as long as the shard is this one's."""
    while True:
        await writership.take()
        # The one before may have ended between a commit and telling of it.
        told()
        hub.watch.begin()
        hub.purger.start()
        async with beside(*carrying.with_shard(), _tidy(hub, intake)):
            try:
                await writership.keep()
            finally:
                await hub.purger.stop()
                await hub.watch.stop()
                await hub.filler.stop()


async def _tidy(hub: Hub, intake: Registering) -> None:
    """Go on with feeds that nobody fills, and remove answers that nobody comes for."""

    async def turn() -> bool:
        await hub.filler.resume()
        await intake.forget_left()
        return True

    background = hub.ground.background
    await background.again("look", turn, rest=lambda: asyncio.sleep(LEFT_SECONDS))
