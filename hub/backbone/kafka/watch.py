"""What the backbone's clients of Kafka meet, counted and logged."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from structlog.typing import FilteringBoundLogger

from hub.backbone.records import family_of
from hub.backbone.stretches import Stretch, Stretched
from hub.database.offsets import Lane
from hub.kafkametrics import Client, Detour, KafkaMetrics
from hub.logs import places_of

_BEGUN: Final[dict[Client, str]] = {"producer": "kafka.producing", "registrar": "kafka.consuming"}


class Watch:
    """Tells the log once what keeps a client from the brokers. `explained` is asked whether an
    error is one that is told of the brokers themselves.
    """

    def __init__(
        self,
        *,
        metrics: KafkaMetrics,
        log: FilteringBoundLogger,
        explained: Callable[[BaseException], Awaitable[bool]],
    ) -> None:
        self._metrics = metrics
        self._log = log
        self._explained = explained
        self._told: dict[Client, str] = {}

    def begun(self, client: Client) -> None:
        """The brokers have let a client in."""
        self._told.pop(client, None)
        self._metrics.session(client)
        self._log.info(_BEGUN[client])

    async def ended(self, client: Client, error: BaseException) -> None:
        """A client has failed, or was not let in."""
        reason = type(error).__name__
        if not await self._explained(error) and self._told.get(client) != reason:
            self._told[client] = reason
            self._log.warning("kafka.client_failed", client=client, reason=reason)

    def produced(self, topic: str, records: int) -> None:
        """Records of a topic were acknowledged."""
        self._metrics.produced(family_of(topic), records)

    def unacknowledged(self, records: int, *, reasons: Sequence[str]) -> None:
        """A request was not acknowledged, the first after others that were; with no reason, not in
        time.
        """
        self._log.warning("kafka.unacknowledged", records=records, reasons=reasons)

    def went_round(self, detour: Detour) -> None:
        """A request went to the outbox."""
        self._metrics.went_round(detour)

    def replaced(self, error: BaseException) -> None:
        """A producer is given up."""
        self._metrics.replaced()
        self._log.warning("kafka.producer_failed", reason=type(error).__name__)

    def behind(self) -> None:
        """Others had registered what the registrar was about to."""
        self._metrics.behind()

    def failed(self, error: Exception) -> None:
        """What the registrar read is not registered, for a fault of the hub."""
        self._log.error("kafka.failed", reason=type(error).__name__, at=places_of(error))

    def lost(self, lane: Lane, records: int, *, first: int) -> None:
        """Records are gone that nobody has registered."""
        name = f"{lane.topic}-{lane.partition}"
        self._log.error("kafka.records_lost", lane=name, records=records, first=first)

    def settled(self, stretches: Sequence[Stretch], done: Stretched) -> None:
        """It was committed what became of stretches."""
        for each in stretches:
            passed = done.next[each.lane] - each.next
            self._metrics.registered(family_of(each.lane.topic), passed)
        for unread in done.unread:
            lane = f"{unread.topic}-{unread.partition}"
            self._log.error(
                "kafka.record_unread", lane=lane, offset=unread.place, reason=unread.reason
            )
