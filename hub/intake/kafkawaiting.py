"""What of the doors' topics was fetched and is not safe yet: where each partition stands, and when
what waits there is tried again.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from structlog.typing import FilteringBoundLogger

from hub.errors import HubError
from hub.intake.kafka import Record
from hub.logs import places_of
from hub.metrics import Metrics

# Seconds; each try after the first waits twice as long, up to the longest.
FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 30.0


@dataclass(frozen=True, slots=True)
class _PutOff:
    tries: int
    until: float
    reason: str


class Waiting:
    """The partitions of a session that hold something back. `monotonic` counts seconds."""

    def __init__(
        self, *, metrics: Metrics, log: FilteringBoundLogger, monotonic: Callable[[], float]
    ) -> None:
        self._metrics = metrics
        self._log = log
        self._monotonic = monotonic
        self._held: dict[TopicPartition, Record] = {}
        self._put_off: dict[TopicPartition, _PutOff] = {}

    def hold(self, fetched: Mapping[TopicPartition, Sequence[Record]]) -> None:
        """These were fetched."""
        self._held.update((partition, records[0]) for partition, records in fetched.items())

    def first(self, partition: TopicPartition) -> int | None:
        """The offset of the first that is held of a partition."""
        held = self._held.get(partition)
        return None if held is None else held.offset

    @property
    def oldest(self) -> int | None:
        """The time of the oldest that is held and has one, milliseconds since 1970."""
        return min((held.at for held in self._held.values() if held.at > 0), default=None)

    def put_off(self, partition: TopicPartition, error: BaseException, *, after: float) -> None:
        """What was fetched of a partition was not admitted, and is tried again later, at the
        earliest after so many seconds.
        """
        known = self._put_off.get(partition)
        tries = 1 if known is None else known.tries + 1
        pause = max(min(FIRST_PAUSE * 2 ** min(tries - 1, 16), LONGEST_PAUSE), after)
        self._put_off[partition] = _PutOff(tries, self._monotonic() + pause, _reason_of(error))
        if tries == 1:
            self._tell(partition, error)

    @property
    def reasons(self) -> Counter[str]:
        """How many partitions wait, by what for."""
        return Counter(put_off.reason for put_off in self._put_off.values())

    def due(self) -> list[TopicPartition]:
        """The partitions whose time has come to be tried again."""
        now = self._monotonic()
        return [partition for partition, put_off in self._put_off.items() if put_off.until <= now]

    def settled(self, partitions: Collection[TopicPartition]) -> None:
        """What was fetched of these is safe."""
        for partition in partitions:
            self._held.pop(partition, None)
            self._put_off.pop(partition, None)

    def keep_only(self, assigned: Collection[TopicPartition]) -> None:
        """The others are another process's now."""
        self.settled((self._held.keys() | self._put_off.keys()) - set(assigned))

    def _tell(self, partition: TopicPartition, error: BaseException) -> None:
        where = {"topic": partition.topic, "partition": partition.partition}
        match error:
            case HubError(retryable=True):
                self._log.warning("records.wait", **where, reason=error.code)
            case KafkaError():
                self._log.warning("records.wait", **where, reason=type(error).__name__)
            case _:
                self._metrics.erred()
                reason = type(error).__name__
                self._log.error("records.failed", **where, reason=reason, at=places_of(error))


def _reason_of(error: BaseException) -> str:
    """One of a few: what the hub says that it waits for, `kafka`, or a fault of the hub."""
    match error:
        case HubError(retryable=True):
            return error.code
        case KafkaError():
            return "kafka"
        case _:
            return "failed"
