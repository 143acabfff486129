"""A process of its own for libraries that take foreign files apart: limited, and ended with ours.

What a few bytes can make a library do (any amount of memory, computing without end) then ends that
process and no adapter. It gets the file by its descriptor, which may have no name.
"""

import ctypes
import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Final

# Seconds between two looks whether to go on.
_LOOK: Final = 0.05
# However busy the machine is.
_MOST_WAITING: Final = 10
_FROM_OUTSIDE: Final = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
_DIE_WITH_PARENT: Final = 1


def run_apart(
    module: str,
    path: Path,
    out: IO[bytes],
    *,
    seconds: int,
    go_on: Callable[[], None],
    told: bytes = b"",
    more: Sequence[int] = (),
) -> int:
    """Run `python -m module FILE PARENT SECONDS MORE…`, which writes to `out` and is `told` by its
    standard input, within so many seconds of computing.

    Gives what it ended with, negative when it was ended at a limit. `go_on` is asked several times
    a second; what it raises ends the process. Raises OSError when somebody else ended it.
    """
    with path.open("rb") as given:
        file = given.fileno()
        arguments = (f"/dev/fd/{file}", os.getpid(), seconds, *more)
        child = subprocess.Popen(  # noqa: S603 (our own module, and numbers)
            [sys.executable, "-P", "-m", module, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=subprocess.DEVNULL,
            pass_fds=(file,),
            # What a terminal says to us it does not say to the file.
            start_new_session=True,
        )
    try:
        ended = _waited(child, told, _MOST_WAITING * seconds, go_on)
    finally:
        child.kill()
        child.wait()
    if -ended in _FROM_OUTSIDE:
        go_on()
        raise OSError(errno.EINTR, os.strerror(errno.EINTR))
    return ended


def _waited(
    child: subprocess.Popen[bytes], told: bytes, most: float, go_on: Callable[[], None]
) -> int:
    for _ in range(int(most / _LOOK)):
        try:
            child.communicate(told, timeout=_LOOK)
        except subprocess.TimeoutExpired:
            told = b""
            go_on()
        else:
            return child.returncode
    return -signal.SIGKILL


def limit_this_process(parent: int, *, seconds: int, memory: int, written: int) -> None:
    """For the process itself, before it looks at the file: seconds of computing, bytes of memory
    and of what it writes. It ends when its parent does, however that ends."""
    for sign in _FROM_OUTSIDE:
        # Whoever started ours may have had it ignored, as shells do in the background.
        signal.signal(sign, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_FSIZE, (written, written))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        # What it holds in memory is case data.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
