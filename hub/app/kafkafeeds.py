"""The feeds that are topics of Kafka, for as long as a process has the shard."""

import asyncio
import time
from functools import partial

from contracts.catalogue import load_catalogue
from hub.app.beside import NOTHING_ASIDE, Aside
from hub.app.brokers import Brokers, access_of
from hub.app.parts import Hub, keep_reading


def kafka_feeds(hub: Hub, brokers: Brokers) -> Aside:
    """The feeds of a hub; none where no brokers are set. Raises what `access_of` does."""
    ground = hub.ground
    if ground.settings.kafka is None:
        return NOTHING_ASIDE
    # Whoever has no Kafka needs no client for it.
    from hub.delivery.feeding import Feeding
    from hub.delivery.kafkafeeds import KafkaFeeds

    feeds = KafkaFeeds(
        access_of(ground.settings),
        feeding=Feeding(
            pull=hub.pull,
            keep=partial(keep_reading, ground),
            writer=ground.writer,
            catalogue=load_catalogue(),
            accounts=hub.delivered,
        ),
        arrivals=hub.arrivals,
        readers=ground.readers,
        metrics=ground.metrics,
        log=ground.log,
        explained=brokers.explains,
        sleep=asyncio.sleep,
        monotonic=time.monotonic,
    )
    return Aside(works=lambda: (feeds.run(),), open=lambda: not feeds.away)
