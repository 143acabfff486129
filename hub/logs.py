"""Logging: one JSON line a stage on standard error, ids and counts only."""

import json
import logging
import sys
import traceback

import structlog
from structlog.typing import FilteringBoundLogger


class _NamesOnly(logging.Formatter):
    """What libraries log, without messages and tracebacks, which may hold content."""

    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        line = {"event": "library", "name": record.name, "level": record.levelname.lower()}
        return json.dumps({**line, "at": places_of(error)} if error else line)


def places_of(error: BaseException) -> list[str]:
    """Where an error came up, without its message, which may hold content."""
    frames = traceback.extract_tb(error.__traceback__)[-5:]
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames]


def logger(*, level: int = logging.INFO) -> FilteringBoundLogger:
    """The hub's logger; what libraries log goes the same way, from warnings on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_NamesOnly())
    logging.basicConfig(handlers=[handler], level=logging.ERROR)
    made: FilteringBoundLogger = structlog.wrap_logger(
        structlog.WriteLogger(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )
    # Bound now, else every line is first bound anew.
    return made.bind()
