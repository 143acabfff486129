"""Logging: one JSON line a stage on standard error, ids and counts only."""

import asyncio
import faulthandler
import json
import logging
import sys
import threading
import traceback
from contextlib import suppress
from typing import Final, TextIO

import msgspec
import structlog
from structlog.typing import EventDict, FilteringBoundLogger

_STANDARD_ERROR: Final = 2


class _NamesOnly(logging.Formatter):
    """What libraries log, without messages and tracebacks, which may hold content."""

    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        line = {"event": "library", "name": record.name, "level": record.levelname.lower()}
        return json.dumps({**line, "at": places_of(error)} if error else line)


class Lines:
    """Writes lines in order. Those of one turn of an event loop are written together, at its end:
    a write costs more than what led to it. A thread without a loop writes at once. What cannot be
    written, since nobody reads it any more or the disk is full, is lost: nothing else is to be.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._waiting: list[str] = []
        self._lock = threading.Lock()

    def msg(self, line: str) -> None:
        """Have a line written after all that came before it."""
        with self._lock:
            self._waiting.append(line)
            others_wait = len(self._waiting) > 1
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._write()
        else:
            # Whoever brought the first of what waits sees to the rest.
            if not others_wait:
                loop.call_soon(self._write)

    debug = info = warning = error = critical = msg

    def _write(self) -> None:
        with self._lock:
            lines, self._waiting = self._waiting, []
            if lines:
                with suppress(OSError):
                    self._file.write("\n".join([*lines, ""]))
                    self._file.flush()


_encode = msgspec.json.Encoder(enc_hook=repr).encode


def _rendered(_logger: object, _level: str, line: EventDict) -> str:
    """A line as `json.dumps` writes it, for a quarter of its time."""
    return msgspec.json.format(_encode(line), indent=0).decode()


def places_of(error: BaseException) -> list[str]:
    """Where an error came up, without its message, which may hold content."""
    frames = traceback.extract_tb(error.__traceback__)[-5:]
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames]


def logger(*, level: int = logging.INFO) -> FilteringBoundLogger:
    """The hub's logger; what libraries log goes the same way, from warnings on.

    A process that crashes (in a library that is no Python) tells where, too: files and lines alone.
    """
    faulthandler.enable(_STANDARD_ERROR)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_NamesOnly())
    logging.basicConfig(handlers=[handler], level=logging.ERROR)
    made: FilteringBoundLogger = structlog.wrap_logger(
        Lines(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _rendered,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )
    # Bound now, else every line is first bound anew.
    return made.bind()
