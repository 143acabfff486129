"""Files that a kill leaves whole, directories that are held, names that are shown."""

import fcntl
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from adapters.kit.port import CannotRun

# Leaves room in the 255 bytes of a file's name for what answers add to it.
_NAME_BYTES: Final = 200
_FORBIDDEN: Final = re.compile(r'[/\\:*?"<>|]')
_SECRET_BYTES: Final = 65_536
_SUFFIXES: Final = {
    "application/json": ".json",
    "application/x-ndjson": ".ndjson",
    "application/xml": ".xml",
    "text/xml": ".xml",
    "text/csv": ".csv",
    "application/zip": ".zip",
}


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A file for its owner alone, whole and on the disk under its name when the block ends.

    When the block fails there is none, and none under another name.
    """
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync(path.parent)


def sync(*directories: Path) -> None:
    """Have the names in directories on the disk when this returns."""
    for directory in directories:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def held(directory: Path, *, wait: bool) -> Iterator[int]:
    """Hold a directory, open under this descriptor, against other processes.

    The lock goes with the process. Raises BlockingIOError while another holds it, unless it is to
    wait.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield descriptor
    finally:
        os.close(descriptor)


def shown(name: str) -> str:
    """A file's name as people can read it and every system can keep it, at most 200 bytes.

    What cannot be printed, or is no part of a name on some system, becomes "_".
    """
    seen = "".join(c if c.isprintable() else "_" for c in name)
    plain = _FORBIDDEN.sub("_", seen).strip(" ")
    plain = re.sub(r"^[-.~]|\.$", "_", plain) or "_"
    stem, dot, suffix = plain.rpartition(".")
    if not dot or len(suffix.encode()) > 20:
        stem, suffix = plain, ""
    else:
        suffix = f".{suffix}"
    room = _NAME_BYTES - len(suffix.encode())
    return stem.encode()[:room].decode(errors="ignore") + suffix


def suffix_of(content_type: str) -> str:
    """What the names of such files end with, "" where nobody knows."""
    return _SUFFIXES.get(content_type.partition(";")[0].strip().lower(), "")


def secret(path: Path) -> str:
    """What a file says that only its owner may read: a token, a password.

    Raises CannotRun when others may read it, or when there is nothing in it.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise CannotRun(f"无法读取文件 {path}：{error.strerror}") from None
    with os.fdopen(descriptor, "rb") as file:
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
            raise CannotRun(f"文件 {path} 内有口令，只许属主读写，请执行 chmod 600")
        written = file.read(_SECRET_BYTES).decode("utf-8", errors="replace").strip()
    if not written or not written.isprintable():
        raise CannotRun(f"文件 {path} 应只有一行口令，请核对其内容")
    return written
