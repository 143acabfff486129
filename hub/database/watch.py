"""What the writer does and the readers meet, counted and logged.

A database's own message names tables, not values.
"""

from dataclasses import dataclass

from structlog.typing import FilteringBoundLogger

from hub.database.transactions import storage_reason
from hub.logs import places_of
from hub.metrics import Metrics


@dataclass(frozen=True, slots=True)
class WriterWatch:
    """Counts and logs what the writer does."""

    metrics: Metrics
    log: FilteringBoundLogger

    def committed(self, *, works: int, seconds: float) -> None:
        self.metrics.committed(works=works, seconds=seconds)
        self.log.info("journal.committed", works=works, seconds=round(seconds, 6))

    def failed(self, *, works: int, error: BaseException) -> None:
        self.metrics.write_failed(works=works)
        self.log.error(
            "write.failed", works=works, reason=storage_reason(error), at=places_of(error)
        )


@dataclass(frozen=True, slots=True)
class ReaderWatch:
    """Logs what the readers meet; those who asked are answered 503, which is counted."""

    log: FilteringBoundLogger

    def failed(self, error: BaseException) -> None:
        self.log.error("read.failed", reason=storage_reason(error), at=places_of(error))
