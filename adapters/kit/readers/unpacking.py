"""A 7z as a zip that is not compressed: taken apart by a process of its own (`sevenzip`)."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

from adapters.kit.port import CannotRun, FaultKind, RowFault, UnreadableFile
from adapters.kit.readers.limits import Limits

# How that process ends.
DAMAGED: Final = 3
LOCKED: Final = 4
LARGE: Final = 5
NOT_WRITTEN: Final = 6
UNSAFE: Final = 7

_REFUSALS: Final = {
    DAMAGED: ("7z 数据包已损坏，或不是 7z", "请重新导出，并确认传输完整"),
    LOCKED: (
        "7z 数据包设有密码，密码没有设置或不符",
        "请管理员在站点映射的 [document] 写明 password_file，并核对其中的密码",
    ),
    LARGE: ("7z 数据包解压后过大，或结构异常", "请分成几个数据包导出"),
    UNSAFE: ("7z 数据包中的文件名带有越界的路径", "请用导出数据包的软件重新导出"),
}
# Of computing: to begin with, and for each MiB.
_SECONDS: Final = 30
_SECONDS_PER_MIB: Final = 4
_MOST_WAITING: Final = 10


@contextmanager
def unpacked(path: Path, limits: Limits, password: str) -> Iterator[IO[bytes]]:
    """What a 7z holds, as a zip in a file that has no name.

    Raises UnreadableFile, OSError when the file is full, or CannotRun where the library that reads
    7z is not installed.
    """
    if find_spec("py7zr") is None:
        raise CannotRun("读取 7z 数据包须安装 py7zr：pip install 'guantong[seven]'")
    with TemporaryFile() as out:
        ended = _taken_apart(path, out, limits, password)
        if ended == NOT_WRITTEN:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if ended:
            # Killed at a limit, or by what its library did not foresee.
            reason, advice = _REFUSALS.get(ended, _REFUSALS[LARGE if ended < 0 else DAMAGED])
            raise UnreadableFile(RowFault(0, "", FaultKind.FILE, reason, advice))
        out.seek(0)
        yield out


def _taken_apart(path: Path, out: IO[bytes], limits: Limits, password: str) -> int:
    seconds = _SECONDS + _SECONDS_PER_MIB * (path.stat().st_size >> 20)
    sizes = (seconds, limits.members, limits.unpacked_bytes)
    module = "adapters.kit.readers.sevenzip"
    command = [sys.executable, "-P", "-m", module, str(path.absolute()), *map(str, sizes)]
    try:
        return subprocess.run(  # noqa: S603 (our own module, and a path that we gave)
            command,
            input=password.encode(),
            stdout=out,
            stderr=subprocess.DEVNULL,
            timeout=_MOST_WAITING * seconds,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired:
        return LARGE
