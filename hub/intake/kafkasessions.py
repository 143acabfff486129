"""Being connected to Kafka for as long as the process lasts: one session after another.

Brokers that are away, at the start or later, keep nothing but their topics from being read.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Set
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from structlog.typing import FilteringBoundLogger

from hub.intake.kafka import PATTERN
from hub.intake.kafkaconsumer import Session
from hub.intake.kafkadoor import KafkaDoor
from hub.intake.kafkawaiting import Waiting
from hub.kafka import Sessions, running
from hub.metrics import Metrics

GROUP: Final = "guantong.doors"
# Of one partition, and of all that a broker gives at once; a larger batch comes alone.
PARTITION_BYTES: Final = 256 * 1024
FETCH_BYTES: Final = 4 * 1024 * 1024
# Whoever is killed keeps its partitions for this long.
SESSION_MS: Final = 6_000
HEARTBEAT_MS: Final = 2_000
# A new topic is found within this, and so it is that the brokers are gone.
LOOK_SECONDS: Final = 5.0
ANSWER_MS: Final = 10_000


class KafkaSessions:
    """Keeps a session going. `access` is how aiokafka's clients reach the brokers; `explained` is
    asked whether an error is one that is told of the brokers themselves.
    """

    def __init__(
        self,
        access: Mapping[str, Any],
        *,
        door: KafkaDoor,
        metrics: Metrics,
        log: FilteringBoundLogger,
        explained: Callable[[BaseException], Awaitable[bool]],
        sleep: Callable[[float], Awaitable[None]],
        clock: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        self._access = access
        self._door = door
        self._metrics = metrics
        self._log = log
        self._sleep = sleep
        self._clock = clock
        self._monotonic = monotonic
        self._sessions = Sessions(
            "doors",
            found=lambda away: metrics.kafka.doors_found(away=away),
            explained=explained,
            log=log,
            sleep=sleep,
        )

    @property
    def connected(self) -> bool:
        """Whether the brokers answered when they were last asked."""
        return self._sessions.connected

    async def run(self) -> None:
        """Connect, and connect anew whenever a session ends, until cancelled."""
        await self._sessions.run(self._session)

    async def _session(self) -> None:
        async with (
            running(self._producer()) as producer,
            running(self._consumer()) as consumer,
        ):
            waiting = Waiting(metrics=self._metrics, log=self._log, monotonic=self._monotonic)
            session = Session(consumer, producer, door=self._door, waiting=waiting)
            await session.look()
            self._sessions.entered()
            self._log.info("kafka.connected")
            consumer.subscribe(pattern=PATTERN, listener=_Rebalances(self._metrics))
            async with asyncio.TaskGroup() as group:
                group.create_task(session.run())
                group.create_task(self._look_after(session, waiting))

    async def _look_after(self, session: Session, waiting: Waiting) -> None:
        """Measure what waits. Raises KafkaError or TimeoutError once the brokers are gone."""
        while True:
            count, oldest = await session.unread()
            age = 0.0 if oldest is None else max(0.0, self._clock() / 1e6 - oldest / 1e3)
            self._metrics.kafka.doors_unread(count, age=age, waiting=waiting.reasons)
            await self._sleep(LOOK_SECONDS)
            async with asyncio.timeout(ANSWER_MS / 1000):
                await session.look()

    def _producer(self) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            **self._access, acks="all", request_timeout_ms=ANSWER_MS, metadata_max_age_ms=60_000
        )

    def _consumer(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            **self._access,
            group_id=GROUP,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            # What a publisher took back was never published.
            isolation_level="read_committed",
            max_partition_fetch_bytes=PARTITION_BYTES,
            fetch_max_bytes=FETCH_BYTES,
            metadata_max_age_ms=int(LOOK_SECONDS * 1000),
            request_timeout_ms=ANSWER_MS,
            session_timeout_ms=SESSION_MS,
            heartbeat_interval_ms=HEARTBEAT_MS,
        )


class _Rebalances(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def on_partitions_revoked(self, revoked: Set[TopicPartition]) -> None:
        """As aiokafka wants it."""

    def on_partitions_assigned(self, assigned: Set[TopicPartition]) -> None:
        """As aiokafka wants it."""
        self._metrics.kafka.doors_rebalanced()
