"""Copying what lies in a drop folder: whole, and not while somebody writes it."""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from adapters.kit.sources.files import new_file

_CHUNK: Final = 1 << 20


class Copied:
    """The document is whole and on the disk."""


class Changing:
    """Somebody is still writing the file."""


class Gone:
    """Somebody has taken the file away."""


@dataclass(frozen=True, slots=True)
class Refused:
    """No document can be made of the file; in Chinese, why and what to do."""

    reason: str


Result = Copied | Changing | Refused | Gone

# What a file is called, what it holds, and its size and time of change when it was opened.
_Original = tuple[str, IO[bytes], tuple[int, int]]


class _Ended(Exception):
    """There is no copy, and why."""

    def __init__(self, result: Changing | Refused | Gone) -> None:
        self.result = result


def copied(files: Sequence[Path], into: Path, largest: int) -> Result:
    """Copy a file that nobody is writing; several together, as a zip that is the same every time.

    Raises OSError. Unless `Copied` is given there is no copy.
    """
    try:
        with ExitStack() as stack:
            originals = [stack.enter_context(_opened(file, largest)) for file in files]
            with new_file(into) as copy:
                _copy(originals, copy)
                if any(_state(original) != before for _, original, before in originals):
                    raise _Ended(Changing())
    except _Ended as ended:
        return ended.result
    return Copied()


@contextmanager
def _opened(file: Path, largest: int) -> Iterator[_Original]:
    """A file, open, and its size and time of change."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise _Ended(Gone()) from None
    except PermissionError:
        raise _Ended(Refused("没有读取该文件的权限，请改正其权限后重新放入")) from None
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENXIO):
            raise
        raise _Ended(Refused("不是普通文件，请放入文件本身")) from None
    with os.fdopen(descriptor, "rb") as original:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _Ended(Refused("不是普通文件，请放入文件本身"))
        before = _state(original)
        if before[0] > largest:
            raise _Ended(Refused(f"文件超过 {largest:,} 字节的上限，请拆分后重新放入"))
        yield file.name, original, before


def _state(original: IO[bytes]) -> tuple[int, int]:
    status = os.fstat(original.fileno())
    return status.st_size, status.st_mtime_ns


def _copy(originals: Sequence[_Original], copy: IO[bytes]) -> None:
    if len(originals) == 1:
        _copy_one(originals[0], copy)
        return
    with ZipFile(copy, "w", ZIP_STORED) as archive:
        for original in originals:
            with archive.open(ZipInfo(original[0]), "w", force_zip64=True) as member:
                _copy_one(original, member)


def _copy_one(original: _Original, copy: IO[bytes]) -> None:
    _, content, (size, _) = original
    # Not more, however fast it grows.
    for _ in range(0, size + 1, _CHUNK):
        copy.write(content.read(_CHUNK))
