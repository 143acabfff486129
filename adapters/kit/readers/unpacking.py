"""A 7z or a locked zip as a zip that is neither compressed nor locked.

It is taken apart by a process of its own (`sevenzip`, `lockedzip`).
"""

import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final
from zipfile import ZipFile, ZipInfo

from adapters.kit.port import CannotRun, FaultKind, RowFault, UnreadableFile
from adapters.kit.readers.apart import limit_this_process, run_apart
from adapters.kit.readers.limits import Limits

# How that process ends.
DAMAGED: Final = 3
LOCKED: Final = 4
LARGE: Final = 5
NOT_WRITTEN: Final = 6
UNSAFE: Final = 7
UNSUPPORTED: Final = 8

_Refusals = Mapping[int, tuple[str, str]]
_OF_SEVEN: Final[_Refusals] = {
    DAMAGED: ("7z 数据包已损坏，或不是 7z", "请重新导出，并确认传输完整"),
    LOCKED: (
        "7z 数据包设有密码，密码没有设置或不符",
        "请管理员在站点映射的 [document] 写明 password_file，并核对其中的密码",
    ),
    LARGE: ("7z 数据包解压后过大，或结构异常", "请分成几个数据包导出"),
    UNSAFE: ("7z 数据包中的文件名带有越界的路径", "请用导出数据包的软件重新导出"),
}
_OF_ZIP: Final[_Refusals] = {
    DAMAGED: ("压缩包已损坏", "请重新压缩，并确认传输完整"),
    LOCKED: (
        "压缩包的密码不符，或压缩包已损坏",
        "请管理员核对站点映射 [document] 的 password_file，或请重新压缩",
    ),
    LARGE: ("设有密码的压缩包解压后过大，或结构异常", "请分成几个压缩包，或改用 AES 加密"),
    UNSUPPORTED: (
        "压缩包的压缩或加密方式不受支持",
        "请用一般的 zip 方式（AES-256 或传统加密）重新压缩",
    ),
}
_NO_PASSWORD: Final = (
    "压缩包设有密码，密码没有设置",
    "请取消密码后重新压缩，或请管理员在站点映射的 [document] 写明 password_file",
)
_ENCRYPTED: Final = 0x1
# Of computing: to begin with, and for each MiB.
_SECONDS: Final = 30
_SECONDS_PER_MIB: Final = 4
_BYTES_OF_MEMORY: Final = 1 << 30


@contextmanager
def unpacked(path: Path, limits: Limits, password: str) -> Iterator[IO[bytes]]:
    """What a 7z holds, as a zip in a file that has no name.

    Raises UnreadableFile, OSError when the file is full, or CannotRun where the library that reads
    7z is not installed.
    """
    if find_spec("py7zr") is None:
        raise CannotRun("读取 7z 数据包须安装 py7zr：pip install 'guantong[seven]'")
    with _taken_apart("adapters.kit.readers.sevenzip", path, limits, password, _OF_SEVEN) as zipped:
        yield zipped


@contextmanager
def opened_zip(
    path: Path, members: Sequence[ZipInfo], limits: Limits, password: str
) -> Iterator[tuple[ZipFile, Sequence[ZipInfo]]]:
    """The zip at `path`, which has these members and keeps within the limits, and what can be read
    of it: unlocked, if it is locked. Raises UnreadableFile, or OSError when the file is full."""
    if not any(member.flag_bits & _ENCRYPTED for member in members):
        with ZipFile(path) as archive:
            yield archive, members
    elif not password:
        raise UnreadableFile(RowFault(0, "", FaultKind.FILE, *_NO_PASSWORD))
    else:
        module = "adapters.kit.readers.lockedzip"
        with (
            _taken_apart(module, path, limits, password, _OF_ZIP) as content,
            ZipFile(content) as archive,
        ):
            yield archive, archive.infolist()


@contextmanager
def _taken_apart(
    module: str, path: Path, limits: Limits, password: str, refusals: _Refusals
) -> Iterator[IO[bytes]]:
    with TemporaryFile() as out:
        ended = run_apart(
            module,
            path,
            out,
            seconds=_SECONDS + _SECONDS_PER_MIB * (path.stat().st_size >> 20),
            go_on=limits.go_on,
            told=password.encode(),
            more=(limits.members, limits.unpacked_bytes),
        )
        if ended == NOT_WRITTEN:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if ended:
            # Ended at a limit, or by what its library did not foresee.
            reason, advice = refusals.get(ended, refusals[LARGE if ended < 0 else DAMAGED])
            raise UnreadableFile(RowFault(0, "", FaultKind.FILE, reason, advice))
        out.seek(0)
        yield out


# For that process


def limit_taking_apart(parent: int, seconds: int, unpacked_bytes: int) -> None:
    """Its limits; the zip has some bytes of its own for every member."""
    written = 2 * unpacked_bytes
    limit_this_process(parent, seconds=seconds, memory=_BYTES_OF_MEMORY, written=written)


def ended_by(error: OSError) -> int:
    """What an error of the file that is read or written comes to."""
    if error.errno == errno.EFBIG:
        return LARGE
    return NOT_WRITTEN if error.errno in (errno.ENOSPC, errno.EDQUOT) else DAMAGED
