"""Doors and delivery: one of as many processes as are wanted, which hand over to the writer's."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from secrets import randbits
from typing import Any

from structlog.typing import FilteringBoundLogger

from hub.app.beside import beside, rest
from hub.app.brokers import Brokers, brokers_of
from hub.app.claim import among_others
from hub.app.core import Core, core_of
from hub.app.ground import Ground, microseconds_now
from hub.app.joined import joined, over_kafka
from hub.app.kafkadoors import kafka_doors
from hub.app.neighbours import Neighbours
from hub.app.parts import Hub, assemble
from hub.app.routes import web_side
from hub.backbone.handover import HandOver
from hub.backbone.port import Backbone
from hub.database.news import News
from hub.database.postgres import PostgresDatabase
from hub.database.signals import Signals
from hub.journal.register import ALONE
from hub.metrics import Metrics
from hub.settings import Settings
from hub.upkeep.admin import first_admin_token
from hub.web.edge import Edge


@asynccontextmanager
async def serving(
    directory: Path, *, settings: Settings, metrics: Metrics, log: FilteringBoundLogger
) -> AsyncIterator[tuple[Hub, Edge]]:
    """The doors of this process. The caller holds the lock of the directory."""
    async with joined(directory, settings=settings, metrics=metrics, log=log) as (ground, database):
        await among_others(ground)
        signals = Signals(database.url, rest=rest, log=log)
        # It registers nothing, and so needs no epoch.
        core = await core_of(ground, epoch=lambda: ALONE, tell=signals.tell)
        door = randbits(62)
        handover = _handover(ground, core, door)
        brokers = brokers_of(ground)
        backbone, works, carries = _carried(ground, core, handover, brokers, database)
        hub = assemble(ground, core, backbone, examine=brokers.examine)
        doors = kafka_doors(hub, brokers)

        def settled(news: News) -> None:
            if door in news.settled:
                handover.settled(news.settled[door])
            if news.anything or door in news.look:
                handover.look()

        neighbours = Neighbours(hub, more=settled)
        async with beside(
            signals.run(neighbours.hear),
            neighbours.run(),
            handover.run(),
            ground.background.again("look", handover.weigh, rest=rest),
            *brokers.works(),
            *works,
        ):
            await first_admin_token(directory, hub.writer, now=microseconds_now())
            await hub.known.load(now=microseconds_now())
            try:
                async with beside(*doors.works()):
                    yield hub, web_side(ground, hub, missing=brokers.missing(doors.open, carries))
            finally:
                hub.doctor.stop()
                await hub.uses.stop()


def _carried(
    ground: Ground, core: Core, handover: HandOver, brokers: Brokers, database: PostgresDatabase
) -> tuple[Backbone, list[Coroutine[Any, Any, None]], Callable[[], bool]]:
    """What carries events from this door, what goes on beside for that, whether it does."""
    if ground.settings.backbone == "sql":
        return handover, [], lambda: True
    kafka = over_kafka(ground, brokers)
    producing, ends, glances = kafka.producing(), kafka.ends(), kafka.glances(database)
    backbone = kafka.backbone(core, handover, producing, ends, glances)
    works = [producing.run(), ends.run(), glances.run()]
    return backbone, works, lambda: not producing.away


def _handover(ground: Ground, core: Core, door: int) -> HandOver:
    return HandOver(
        door=door,
        writer=ground.writer,
        readers=ground.readers,
        registrar=core.registrar,
        handed=lambda: core.tell(News(intake=True)),
        weighed=ground.metrics.intake_weighed,
        background=ground.background,
        clock=microseconds_now,
    )
