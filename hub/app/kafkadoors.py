"""The doors that are topics of Kafka, for as long as a process serves; nothing of it without them.

HTTP is served whether or not the brokers can be reached.
"""

import asyncio
import time

from hub.app.beside import NOTHING_ASIDE, Aside
from hub.app.brokers import Brokers, access_of
from hub.app.ground import microseconds_now
from hub.app.parts import Hub
from hub.intake.kafkadoor import KafkaDoor
from hub.web.events import result_of


def kafka_doors(hub: Hub, brokers: Brokers) -> Aside:
    """The doors of a hub; none where no brokers are set. Raises what `access_of` does."""
    ground = hub.ground
    if ground.settings.kafka is None:
        return NOTHING_ASIDE
    # Whoever has no Kafka needs no client for it.
    from hub.intake.kafkasessions import KafkaSessions

    sessions = KafkaSessions(
        access_of(ground.settings),
        door=_door(hub),
        metrics=ground.metrics,
        log=ground.log,
        explained=brokers.explains,
        sleep=asyncio.sleep,
        clock=microseconds_now,
        monotonic=time.monotonic,
    )
    return Aside(
        works=lambda: (sessions.run(),),
        open=lambda: sessions.connected,
    )


def _door(hub: Hub) -> KafkaDoor:
    return KafkaDoor(
        intake=hub.intake,
        limits=hub.limits,
        shares=hub.shares,
        accounts=hub.accounts,
        told=result_of,
        version=lambda: hub.current.version,
        patience=hub.ground.patience,
    )
