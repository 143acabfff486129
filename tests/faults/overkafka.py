"""The same hub over Kafka: three brokers, and an agency that publishes by them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.kafka import KafkaCluster, running
from tests.cluster import until
from tests.faults.brokers import PARTITIONS, Agency, Brokers, agency
from tests.faults.field import Field, field
from tests.faults.parcels import Parcel


@dataclass(frozen=True)
class KafkaField(Field):
    """All of it."""

    kafka: KafkaCluster
    brokers: Brokers
    agency: Agency

    @property
    def producers(self) -> Sequence[Callable[[Parcel], None]]:
        """The agency's."""
        return (self.agency.send,)

    def told(self) -> set[str]:
        """The refusals that the agency was told."""
        return self.agency.refused()

    def outbox(self) -> int:
        """How many batches wait in the outbox."""
        ((count,),) = self.ask("SELECT count(*) FROM intake")
        return int(count)

    def await_whole(self) -> None:
        """Return once the brokers are whole too, and all that they and the outbox have is
        registered.
        """
        until(self.brokers.are_whole)
        super().await_whole()
        until(self.brokers.have_admitted)
        until(lambda: self.outbox() == 0)
        until(self._is_registered)

    def _is_registered(self) -> bool:
        found = self.ask("SELECT topic, partition, next FROM offsets")
        registered = {(topic, partition): next_ for topic, partition, next_ in found}
        return all(registered.get(lane, 0) >= end for lane, end in self.brokers.ends().items())


@contextmanager
def field_over_kafka(folder: Path) -> Iterator[KafkaField]:
    """Start all of it in a folder; it ends with the block."""
    with running(folder / "kafka", brokers=3) as kafka:
        brokers = Brokers(kafka)
        brokers.make_topics()
        settings = {
            "backbone": "kafka",
            "kafka": kafka.bootstrap,
            "kafka_partitions": str(PARTITIONS),
        }
        with (
            field(folder, settings=settings) as plain,
            closing(agency(kafka)) as own,
        ):
            made = KafkaField(**vars(plain), kafka=kafka, brokers=brokers, agency=own)
            made.await_whole()
            yield made
