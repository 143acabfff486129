"""The faults of a hub over Kafka. Another is another function, and a line at the end."""

from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from time import perf_counter
from typing import Final

from deploy.local.kafka import Broker
from tests.cluster import until
from tests.faults.brokers import PARTITIONS
from tests.faults.cases import (
    Case,
    killed_door,
    killed_writer,
    last,
    paused_door,
    paused_writer,
    restart,
    stopped_writer,
)
from tests.faults.load import Load
from tests.faults.overkafka import KafkaField


def leader(field: KafkaField, dice: Random) -> tuple[Broker, int]:
    """A broker, and a partition that it leads."""
    partition, witness = dice.randrange(PARTITIONS), field.kafka.brokers[0]
    return until(lambda: field.brokers.leader(partition, told_by=witness)), partition


def await_election(
    field: KafkaField, load: Load, lost: Broker, partition: int, *, began: float
) -> None:
    """Return once another leads a partition than the one lost, which was left when it `began`."""
    witness = field.brokers.others(lost)[0]
    until(lambda: field.brokers.leader(partition, told_by=witness) not in (None, lost))
    load.election = max(load.election, perf_counter() - began)


def without_leader(
    field: KafkaField,
    load: Load,
    dice: Random,
    *,
    leave: Callable[[Broker], None],
    come_back: Callable[[Broker], None],
) -> None:
    """A broker that leads a partition is away until another does and what was sent is seen."""
    broker, partition = leader(field, dice)
    began = perf_counter()
    leave(broker)
    try:
        await_election(field, load, broker, partition, began=began)
        load.await_seen()
    finally:
        come_back(broker)


def killed_leader(field: KafkaField, load: Load, dice: Random) -> None:
    """kill -9 of a broker that leads a partition."""
    without_leader(field, load, dice, leave=Broker.kill, come_back=Broker.start)
    load.await_answers(20)


def silent_broker(field: KafkaField, load: Load, dice: Random) -> None:
    """SIGSTOP of one: its connections stay, and nobody is answered; then it goes on."""
    without_leader(field, load, dice, leave=Broker.pause, come_back=Broker.resume)
    until(field.brokers.are_whole)
    load.await_answers(20)


def rolled(field: KafkaField, load: Load, dice: Random) -> None:
    """One broker after the other stops and starts, each once all are well again."""
    for broker in dice.sample(field.kafka.brokers, len(field.kafka.brokers)):
        until(field.brokers.are_whole)
        broker.stop()
        try:
            load.await_seen()
        finally:
            broker.start()
    load.await_answers(20)


def all_away(field: KafkaField, load: Load, dice: Random) -> None:
    """kill -9 of all brokers; what is published meanwhile waits in the outbox."""
    field.kafka.kill()
    try:
        until(lambda: field.outbox() > 0)
        last(dice.uniform(2, 5), partial(load.await_answers, 1))
    finally:
        field.kafka.start()
    until(lambda: field.outbox() == 0)
    load.await_seen()


CASES: Final[Sequence[Case[KafkaField]]] = (
    Case("Kafka: leader kill -9", killed_leader),
    Case("Kafka: a broker silent", silent_broker),
    Case("Kafka: all brokers rolled", rolled),
    Case("Kafka: all brokers away", all_away),
    Case("Kafka: registrar kill -9", killed_writer),
    Case("Kafka: registrar SIGTERM", stopped_writer),
    Case("Kafka: registrar SIGSTOP, SIGCONT", paused_writer),
    Case("Kafka: door kill -9", killed_door),
    Case("Kafka: door SIGSTOP, SIGCONT", paused_door),
    Case("Kafka: PostgreSQL restart fast", partial(restart, how="fast")),
    Case("Kafka: PostgreSQL restart immediate", partial(restart, how="immediate")),
)
