"""Unlocks a zip (AES as WinZip writes it, or the traditional way), in a process of its own.

`python -m adapters.kit.readers.lockedzip FILE PARENT SECONDS MEMBERS BYTES` reads the password from
standard input and writes a zip to standard output, which is a file. The traditional way is computed
byte by byte, which takes a second for each MiB or two: that is bounded here (`apart`).
"""

import lzma
import os
import struct
import sys
import zlib
from pathlib import Path
from shutil import copyfileobj
from typing import IO, Final
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from pyzipper import AESZipFile, BadZipFile

from adapters.kit.readers.unpacking import (
    DAMAGED,
    LARGE,
    LOCKED,
    UNSUPPORTED,
    ended_by,
    limit_taking_apart,
)
from adapters.kit.readers.zipped import name_of

_CHUNK: Final = 1 << 18
# In which programs write passwords that are not ASCII.
_ENCODINGS: Final = ("utf-8", "gb18030")


def unlock(path: Path, password: str, members: int, unpacked: int, out: IO[bytes]) -> int:
    """Write the zip; how it ended (`unpacking`)."""
    ended = LOCKED
    for said in dict.fromkeys(password.encode(encoding) for encoding in _ENCODINGS):
        out.seek(0)
        out.truncate()
        ended = _unlock(path, said, members, unpacked, out)
        if ended != LOCKED:
            break
    return ended


def _unlock(path: Path, password: bytes, members: int, unpacked: int, out: IO[bytes]) -> int:
    try:
        with AESZipFile(path) as archive:
            inside = [each for each in archive.infolist() if not each.filename.endswith("/")]
            if len(inside) > members or sum(each.file_size for each in inside) > unpacked:
                return LARGE
            archive.setpassword(password)
            with ZipFile(out, "w", ZIP_STORED) as into:
                for each in inside:
                    copy = ZipInfo(name_of(each.filename, each.flag_bits))
                    copy.external_attr = each.external_attr
                    with (
                        archive.open(each) as content,
                        into.open(copy, "w", force_zip64=True) as member,
                    ):
                        copyfileobj(content, member, _CHUNK)
            out.flush()
    except NotImplementedError:
        return UNSUPPORTED
    except MemoryError:
        return LARGE
    except OSError as error:
        return ended_by(error)
    except (RuntimeError, BadZipFile, zlib.error, lzma.LZMAError, EOFError):
        # Of the traditional way one of 256 wrong passwords is found out by what it makes alone.
        return LOCKED
    except (ValueError, TypeError, LookupError, struct.error):
        return DAMAGED
    return 0


if __name__ == "__main__":
    _parent, _seconds, _members, _unpacked = map(int, sys.argv[2:])
    limit_taking_apart(_parent, _seconds, _unpacked)
    _password = sys.stdin.buffer.read().decode()
    os._exit(unlock(Path(sys.argv[1]), _password, _members, _unpacked, sys.stdout.buffer))
