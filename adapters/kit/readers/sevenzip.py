"""Takes a 7z apart, in a process of its own.

`python -m adapters.kit.readers.sevenzip FILE PARENT SECONDS MEMBERS BYTES` reads the password from
standard input and writes a zip to standard output, which is a file. A header of a few bytes can ask
for any amount of memory, so the process is not that of an adapter, and has limits (`apart`).
"""

import lzma
import os
import re
import sys
import zlib
from pathlib import Path
from typing import IO, Final
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from py7zr import SevenZipFile
from py7zr.exceptions import ArchiveError, DecompressionBombError, PasswordRequired
from py7zr.io import Py7zIO, WriterFactory

from adapters.kit.readers.unpacking import (
    DAMAGED,
    LARGE,
    LOCKED,
    UNSAFE,
    ended_by,
    limit_taking_apart,
)

_LONGEST_NAME: Final = 400


class _Member(Py7zIO):
    """A member on its way into the zip; it can only be written."""

    def __init__(self, content: IO[bytes]) -> None:
        self._content = content
        self._size = 0

    def write(self, s: bytes | bytearray) -> int:
        self._size += len(s)
        return self._content.write(s)

    def read(self, size: int | None = None) -> bytes:
        return b""

    def seek(self, offset: int, whence: int = 0) -> int:
        return 0

    def seekable(self) -> bool:
        return False

    def flush(self) -> None:
        """The zip is flushed as a whole."""

    def size(self) -> int:
        return self._size

    def close(self) -> None:
        self._content.close()


class _Into(WriterFactory):
    """Makes members of a zip, one after the other."""

    def __init__(self, archive: ZipFile) -> None:
        self._archive = archive

    def create(self, filename: str, mode: str = "wb") -> Py7zIO:
        return _Member(self._archive.open(ZipInfo(filename), "w", force_zip64=True))


def take_apart(path: Path, password: str, members: int, unpacked: int, out: IO[bytes]) -> int:
    """Write the zip; how it ended (`unpacking`)."""
    # Names may be locked, too: then it cannot even be told whether it is.
    locked = bool(password)
    try:
        # An open file is read by one thread, member after member.
        with (
            path.open("rb") as file,
            SevenZipFile(file, password=password or None, max_extract_size=unpacked) as archive,
        ):
            locked = "7zAES" in archive.archiveinfo().method_names
            inside = archive.list()
            if len(inside) > members or sum(each.uncompressed for each in inside) > unpacked:
                return LARGE
            if any(_leads_out(each.filename) or each.is_symlink for each in inside):
                return UNSAFE
            with ZipFile(out, "w", ZIP_STORED) as into:
                archive.extractall(factory=_Into(into))
            out.flush()
    except PasswordRequired:
        return LOCKED
    except (MemoryError, DecompressionBombError):
        return LARGE
    except OSError as error:
        return ended_by(error)
    except (ArchiveError, lzma.LZMAError, zlib.error, EOFError, ValueError, TypeError, LookupError):
        # What a wrong password makes of it looks damaged.
        return LOCKED if locked else DAMAGED
    return 0


def _leads_out(name: str) -> bool:
    parts = re.split(r"[/\\]", name)
    return ".." in parts or not parts[0] or ":" in name or "\0" in name or len(name) > _LONGEST_NAME


if __name__ == "__main__":
    _parent, _seconds, _members, _unpacked = map(int, sys.argv[2:])
    limit_taking_apart(_parent, _seconds, _unpacked)
    _password = sys.stdin.buffer.read().decode()
    os._exit(take_apart(Path(sys.argv[1]), _password, _members, _unpacked, sys.stdout.buffer))
