"""A child process that is killed just before the n-th thing it does to disks and networks, and
one whose disk is full.
"""

import os
import resource
import signal
import socket
import sqlite3
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

_POSIX = {"fsync", "replace", "unlink", "open", "fchmod", "mkdir"}
_SQLITE = {"execute", "executemany", "executescript", "commit"}
_SOCKET = {"send", "sendall", "recv"}
# Of SQLAlchemy, whatever the driver.
_DIALECT = {"do_execute", "do_executemany", "do_commit", "do_begin"}


def acts(work: Callable[[], None], *, killed_before: int = 0) -> int:
    """Do the work in a child, killed with SIGKILL before that act; how many acts it did if not."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        _work(work, killed_before, write)
    os.close(write)
    with os.fdopen(read, "rb") as told:
        text = told.read()
    _, status = os.waitpid(child, 0)
    if killed_before:
        assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        return killed_before
    assert os.waitstatus_to_exitcode(status) == 0
    return int(text)


def without_room(work: Callable[[], None], room: int) -> None:
    """Do the work in a child in which no file can grow beyond so many bytes, as far as it goes."""
    child = os.fork()
    if child == 0:
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
            work()
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def _work(work: Callable[[], None], killed_before: int, told: int) -> None:
    done = 0

    def watch(frame: FrameType, happened: str, arg: Any) -> None:
        nonlocal done
        if _is_act(frame, happened, arg):
            done += 1
            if done == killed_before:
                os.kill(os.getpid(), signal.SIGKILL)

    code = 1
    try:
        sys.setprofile(watch)
        work()
        sys.setprofile(None)
        os.write(told, str(done).encode())
        code = 0
    finally:
        os._exit(code)


def _is_act(frame: FrameType, happened: str, arg: Any) -> bool:
    if happened == "call":
        return frame.f_code.co_name in _DIALECT
    if happened != "c_call":
        return False
    owner = arg.__self__
    return (
        (getattr(owner, "__name__", "") == "posix" and arg.__name__ in _POSIX)
        or (isinstance(owner, sqlite3.Connection) and arg.__name__ in _SQLITE)
        or (isinstance(owner, socket.socket) and arg.__name__ in _SOCKET)
    )
