"""What a zip says that it holds, looked at before anything is unpacked, and what it calls it."""

from pathlib import Path
from typing import Final
from zipfile import BadZipFile, ZipFile, ZipInfo

from adapters.kit.port import FaultKind, RowFault, UnreadableFile
from adapters.kit.readers.limits import Limits

_END: Final = b"PK\x05\x06"
_LONGEST_END: Final = 22 + 0xFFFF
_DIRECTORY_BYTES_A_MEMBER: Final = 1 << 12
_MOST_DIRECTORY_BYTES: Final = 1 << 24
# Text compresses to a tenth, seldom to a fiftieth; small files are no danger however they do.
_MOST_RATIO: Final = 200
_SMALL: Final = 1 << 26
_UTF8_NAME: Final = 0x800


def members_of(path: Path, limits: Limits) -> list[ZipInfo]:
    """The members of a zip that keeps within the limits. Raises UnreadableFile, or OSError."""
    most = min(_MOST_DIRECTORY_BYTES, limits.members * _DIRECTORY_BYTES_A_MEMBER)
    if _directory_bytes(path) > most:
        raise _too_many(limits)
    try:
        with ZipFile(path) as archive:
            # One without a name is no folder, and `is_dir` stumbles over it.
            members = [each for each in archive.infolist() if not each.filename.endswith("/")]
    except (BadZipFile, ValueError, NotImplementedError, UnicodeDecodeError):
        raise _damaged() from None
    if any(member.header_offset < 0 for member in members):
        raise _damaged()
    if len(members) > limits.members:
        raise _too_many(limits)
    unpacked = sum(member.file_size for member in members)
    packed = path.stat().st_size
    if unpacked > limits.unpacked_bytes or unpacked > max(_SMALL, packed * _MOST_RATIO):
        reason = f"解压后过大（超过 {limits.unpacked_bytes >> 20} MiB，或压缩率异常）"
        raise _refused(reason, "请分成几个文件，或不经压缩提供")
    return members


def name_of(written: str, flags: int) -> str:
    """The name of a member; those that are not marked as UTF-8 were written in GBK or UTF-8."""
    if flags & _UTF8_NAME:
        return written
    content = written.encode("cp437", "replace")
    for encoding in ("utf-8", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return written


def _directory_bytes(path: Path) -> int:
    """How long the zip's own list of members is, by its end record."""
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, 2) - _LONGEST_END))
        tail = file.read()
    at = tail.rfind(_END)
    end = tail[at : at + 22]
    if at < 0 or len(end) < 22:
        raise _damaged()
    return int.from_bytes(end[12:16], "little")


def _too_many(limits: Limits) -> UnreadableFile:
    return _refused(f"压缩包内的文件超过 {limits.members} 个", "请分成几个压缩包")


def _damaged() -> UnreadableFile:
    return _refused("压缩格式已损坏，无法打开", "请重新导出或重新压缩，并确认传输完整")


def _refused(reason: str, advice: str) -> UnreadableFile:
    return UnreadableFile(RowFault(0, "", FaultKind.FILE, reason, advice))
