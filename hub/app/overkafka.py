"""Kafka between the doors and the journal: the parts of a process that come with it."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from faststream.kafka import KafkaBroker
from faststream.security import BaseSecurity, SASLScram512

from hub.app.beside import rest
from hub.app.brokers import Brokers, access_of, topics
from hub.app.core import Core
from hub.app.ground import Ground, microseconds_now
from hub.backbone.handover import HandOver
from hub.backbone.kafka.backbone import KafkaBackbone
from hub.backbone.kafka.consuming import FETCH_MS, Consuming
from hub.backbone.kafka.draining import LOOKS, Draining
from hub.backbone.kafka.ends import ASKING_MS, LEADERS_MS, Ends
from hub.backbone.kafka.finding import Finding
from hub.backbone.kafka.lag import Lag
from hub.backbone.kafka.producing import BATCH_BYTES, REQUEST_MS, Producing
from hub.backbone.kafka.watch import Watch
from hub.backbone.registering import Registering
from hub.backbone.stretches import Stretches
from hub.database import intake
from hub.database.glances import Glances
from hub.database.offsets import Lane
from hub.database.postgres import PostgresDatabase
from hub.database.transactions import storage_reason
from hub.errors import NeedsKafka
from hub.event import Outcome
from hub.journal import refusals
from hub.logs import places_of

# What a publisher waits for the brokers before its events go to the outbox.
PATIENCE_SECONDS = 1.0
# Rounds of registration begin so far apart, seconds. One costs as much as a hundred of its events.
APART_SECONDS = 0.01
# Between two measurements of how far registration is behind.
LAG_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Kafka:
    """The brokers, as one process meets them."""

    ground: Ground
    watch: Watch
    access: Mapping[str, Any]
    partitions: int

    def producing(self) -> Producing:
        """Its producer."""
        return Producing(
            make=partial(
                AIOKafkaProducer,
                **self.access,
                acks="all",
                enable_idempotence=True,
                max_batch_size=BATCH_BYTES,
                request_timeout_ms=REQUEST_MS,
            ),
            patience=PATIENCE_SECONDS,
            rest=rest,
            watch=self.watch,
        )

    def ends(self) -> Ends:
        """How far the topics reach."""
        return Ends(
            make=partial(
                AIOKafkaConsumer,
                **self.access,
                request_timeout_ms=ASKING_MS,
                metadata_max_age_ms=LEADERS_MS,
            ),
            lanes=self.lanes(),
            readers=self.ground.readers,
            pause=lambda: asyncio.sleep(0.02),
        )

    def lanes(self) -> list[Lane]:
        """All partitions of all topics."""
        return [Lane(topic, n) for topic in topics() for n in range(self.partitions)]

    def glances(self, database: PostgresDatabase) -> Glances:
        """What is asked of the database before an event is produced."""
        watch = self.ground.reader_watch
        return Glances(database.url, failed=watch.failed, answered=watch.answered)

    def backbone(
        self, core: Core, outbox: HandOver, producing: Producing, ends: Ends, glances: Glances
    ) -> KafkaBackbone:
        """What carries events from this door."""
        return KafkaBackbone(
            producing=producing,
            outbox=outbox,
            finding=Finding(
                ask=partial(intake.glance, glances),
                readers=self.ground.readers,
                registrar=core.registrar,
            ),
            ends=ends,
            refused=self._record,
            partitions=self.partitions,
            watch=self.watch,
        )

    def lag(self, ends: Ends) -> Lag:
        """What measures how far registration is behind, where the shard is."""
        return Lag(
            ends=ends,
            lanes=self.lanes(),
            readers=self.ground.readers,
            measured=self.ground.metrics.kafka.lagging,
            background=self.ground.background,
            rest=lambda: asyncio.sleep(LAG_SECONDS),
            monotonic=time.monotonic,
        )

    def consuming(self, core: Core) -> Consuming:
        """What registers what the brokers have."""
        log = self.ground.log
        return Consuming(
            broker=partial(
                KafkaBroker,
                # To it a text is one address.
                self.access["bootstrap_servers"].split(","),
                client_id=self.access["client_id"],
                request_timeout_ms=FETCH_MS,
                metadata_max_age_ms=LEADERS_MS,
                security=_security(self.access),
                apply_types=False,
                # What it would produce or administrate with stays open where it is not let in.
                consumer_only=True,
                allow_auto_create_topics=False,
            ),
            lanes=self.lanes(),
            writer=self.ground.writer,
            stretches=Stretches(
                registrar=core.registrar,
                failed=lambda error: log.error(
                    "registration.failed", reason=storage_reason(error), at=places_of(error)
                ),
                clock=microseconds_now,
            ),
            registered=core.registered,
            watch=self.watch,
            rest=rest,
            apart=lambda: asyncio.sleep(APART_SECONDS),
        )

    def draining(self, producing: Producing, ends: Ends, registering: Registering) -> Draining:
        """What takes batches out of the outbox."""
        return Draining(
            producing=producing,
            ends=ends,
            registering=registering,
            writer=self.ground.writer,
            readers=self.ground.readers,
            partitions=self.partitions,
            background=self.ground.background,
            rest=lambda: asyncio.sleep(LOOKS),
        )

    async def _record(self, outcomes: Sequence[Outcome], publisher: str) -> None:
        record = partial(
            refusals.record, outcomes=outcomes, caller=publisher, now=microseconds_now()
        )
        await self.ground.writer.submit(record)


def kafka_of(ground: Ground, brokers: Brokers) -> Kafka:
    """The brokers that the settings name.

    Raises NeedsKafka where they name none, and as `access_of` does.
    """
    settings = ground.settings
    if settings.kafka is None:
        raise NeedsKafka
    watch = Watch(metrics=ground.metrics.kafka, log=ground.log, explained=brokers.explains)
    return Kafka(ground, watch, access_of(settings), settings.kafka_partitions)


def _security(access: Mapping[str, Any]) -> BaseSecurity:
    """The same as FastStream wants to be told."""
    context = access.get("ssl_context")
    if "sasl_plain_username" not in access:
        return BaseSecurity(ssl_context=context, use_ssl=context is not None)
    return SASLScram512(
        username=access["sasl_plain_username"],
        password=access["sasl_plain_password"],
        ssl_context=context,
        use_ssl=context is not None,
    )
