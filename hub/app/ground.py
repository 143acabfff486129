"""What all parts of a hub stand on: storage, time, the log, the metrics."""

import time
from dataclasses import dataclass
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from contracts.owncodes import Codes
from hub.database.background import Background
from hub.database.readers import Readers
from hub.database.transactions import Database
from hub.database.writer import Writer
from hub.journal.retention.terms import Terms
from hub.metrics import Metrics
from hub.settings import Settings


def microseconds_now() -> int:
    """The time of day, microseconds UTC."""
    return time.time_ns() // 1000


@dataclass(frozen=True, slots=True)
class Ground:
    """Made first, and ended last."""

    directory: Path
    settings: Settings
    codes: Codes
    terms: Terms
    log: FilteringBoundLogger
    metrics: Metrics
    background: Background
    database: Database
    writer: Writer
    readers: Readers
    pages: Readers
    examinations: Readers
    lookups: Readers
