"""What the writer does and the readers meet, counted and logged.

A database's own message names tables, not values.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from structlog.typing import FilteringBoundLogger

from hub.database.transactions import is_away, storage_reason
from hub.logs import places_of
from hub.metrics import Metrics


class Outage:
    """Tells once that a database on another machine is away, and once that it is back.

    Whatever asks for it meets that again and again, on any thread.
    """

    def __init__(self, *, log: FilteringBoundLogger, clock: Callable[[], float]) -> None:
        self._log = log
        self._clock = clock
        self._lock = threading.Lock()
        self._since: float | None = None
        self._missed = 0

    def explains(self, error: BaseException) -> bool:
        """Whether the error says that the database is away; then it is told, or counted, here."""
        if not is_away(error):
            return False
        with self._lock:
            self._missed += 1
            if self._since is None:
                self._since = self._clock()
                self._log.error("storage.away", reason=storage_reason(error))
        return True

    def over(self) -> None:
        """The database has done something."""
        if self._since is None:
            return
        with self._lock:
            if self._since is not None:
                seconds = round(self._clock() - self._since, 3)
                self._log.warning("storage.back", missed=self._missed, seconds=seconds)
            self._since, self._missed = None, 0


@dataclass(frozen=True, slots=True)
class WriterWatch:
    """Counts and logs what the writer does."""

    metrics: Metrics
    log: FilteringBoundLogger
    outage: Outage

    def committed(self, *, works: int, seconds: float) -> None:
        self.outage.over()
        self.metrics.committed(works=works, seconds=seconds)
        self.log.info("journal.committed", works=works, seconds=round(seconds, 6))

    def failed(self, *, works: int, error: BaseException) -> None:
        self.metrics.write_failed(works=works)
        if not self.outage.explains(error):
            self.log.error(
                "write.failed", works=works, reason=storage_reason(error), at=places_of(error)
            )


@dataclass(frozen=True, slots=True)
class ReaderWatch:
    """Logs what the readers meet; those who asked are answered 503, which is counted."""

    log: FilteringBoundLogger
    outage: Outage

    def answered(self) -> None:
        self.outage.over()

    def failed(self, error: BaseException) -> None:
        if not self.outage.explains(error):
            self.log.error("read.failed", reason=storage_reason(error), at=places_of(error))
