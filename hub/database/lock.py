"""The lock of a data directory: one process at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.errors import DataDirectoryInUse

LOCK = "hub.lock"


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the data directory for this process; the lock goes with the process, however it ends.

    Raises DataDirectoryInUse.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as busy:
        os.close(descriptor)
        raise DataDirectoryInUse(str(directory)) from busy
    try:
        yield
    finally:
        os.close(descriptor)


def is_locked(directory: Path) -> bool:
    """Whether a process holds the data directory."""
    try:
        with locked(directory):
            return False
    except DataDirectoryInUse:
        return True
