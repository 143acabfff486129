"""What a text file is before it is read: its size, encoding and number of rows.

The encoding is found the same way every time: byte order mark (UTF-8, UTF-16), then UTF-8, then
GB18030 (which reads GBK and GB 2312), each strictly. Everything is read in chunks.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Final

from adapters.kit.port import FaultKind, RowFault, UnreadableFile

_CHUNK: Final = 1 << 18
_UTF16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# GBK text does not read as this many UTF-8 characters by chance; a damaged UTF-8 file does.
_SURELY_UTF8: Final = 16
# GBK text of so few characters beyond ASCII may read as UTF-8 by chance.
_BY_CHANCE: Final = 4

_CHINESE: Final = frozenset({"gb2312", "gbk", "gb18030", "cp936", "x-gbk", "euc-cn"})

# Python's codec knows GB18030-2005; the 2022 edition moved these out of the private use area.
_MOVED: Final = {
    ord(old): new
    for old, new in zip(
        "\ue78d\ue78e\ue78f\ue790\ue791\ue792\ue793\ue794\ue795\ue796"
        "\ue81e\ue826\ue82b\ue82c\ue832\ue843\ue854\ue864",
        "\ufe10\ufe12\ufe11\ufe13\ufe14\ufe15\ufe16\ufe17\ufe18\ufe19"
        "\u9fb4\u9fb5\u9fb6\u9fb7\u9fb8\u9fb9\u9fba\u9fbb",
        strict=True,
    )
}
_ANY_MOVED: Final = re.compile(f"[{''.join(map(chr, _MOVED))}]")


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file that can be read as text. `rows` is None when its line ends could not be counted."""

    path: Path
    encoding: str
    rows: int | None


def examine(path: Path, *, largest: int, declared: str = "") -> TextFile:
    """Look a file through without keeping it. Raises UnreadableFile, or OSError.

    `declared` is the encoding that the file itself names; it decides where the bytes do not.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        if size > largest:
            raise _unreadable(f"文件超过 {largest >> 20} MiB", "请按时间段分成几个文件导出")
        file.seek(0)
        wide = file.read(2) in _UTF16_MARKS
        rows = _rows(file, wide=wide)
        encoding = _utf16(file) if wide else _encoding(file, declared)
        return TextFile(path=path, encoding=encoding, rows=rows)


def as_2022(text: str) -> str:
    """Text that Python decoded from GB18030, with the characters the 2022 edition gives it."""
    # What is moved nobody can print, and most of what is asked about can be.
    if text.isprintable() or not _ANY_MOVED.search(text):
        return text
    return text.translate(_MOVED)


def _rows(file: BinaryIO, *, wide: bool) -> int | None:
    """Line ends outside quotes, found without knowing the encoding (but for one of `wide`
    characters, whose rows are not counted). Raises UnreadableFile for what is no text."""
    rows, quoted, last = 0, 0, b"\n"
    for chunk in _chunks(file):
        if not wide and b"\0" in chunk:
            raise _unreadable("文件含有空字节，不是文本文件", "请确认导出的是 CSV，且传输完整")
        if b'"' in chunk:
            *lines, begun = chunk.split(b"\n")
            for line in lines:
                quoted ^= line.count(b'"') & 1
                rows += not quoted
            quoted ^= begun.count(b'"') & 1
        elif not quoted:
            rows += chunk.count(b"\n")
        last = chunk[-1:]
    counted = rows + (last != b"\n")
    return None if wide else counted or None


def _utf16(file: BinaryIO) -> str:
    decoded = _decoded(file, "utf-16")
    if not decoded.sound:
        raise _damaged("完好的 UTF-16", decoded.row)
    return "utf-16"


def _encoding(file: BinaryIO, declared: str) -> str:
    file.seek(0)
    marked = file.read(3) == codecs.BOM_UTF8
    utf8 = _decoded(file, "utf-8-sig")
    by_chance = declared.lower() in _CHINESE and utf8.characters < _BY_CHANCE
    if utf8.sound and (marked or not by_chance):
        return "utf-8-sig"
    if not marked and utf8.characters < _SURELY_UTF8:
        gb = _decoded(file, "gb18030")
        if gb.sound:
            return "gb18030"
        name, row = "UTF-8，也不是 GBK（GB18030）", max(utf8.row, gb.row)
    else:
        name, row = "完好的 UTF-8", utf8.row
    raise _damaged(name, row)


def _damaged(name: str, row: int) -> UnreadableFile:
    reason = f"文件不是{name}编码，第 {row} 行附近有无法识别的字节"
    return _unreadable(reason, "文件可能在传输中损坏，请重新导出，不要用文本编辑器改存")


@dataclass(frozen=True, slots=True)
class _Decoded:
    """Whether the file is sound in an encoding; its rows and its characters beyond ASCII as far
    as it is."""

    sound: bool
    row: int
    characters: int


def _decoded(file: BinaryIO, encoding: str) -> _Decoded:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    row, characters = 1, 0
    for chunk in chain(_chunks(file), (b"",)):
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            # A piece of UTF-16 lacks the mark that tells the order of its bytes.
            text = error.object[: error.start].decode(encoding, "ignore")
            return _Decoded(False, row + text.count("\n"), characters + _beyond_ascii(text))
        row += text.count("\n")
        if characters < _SURELY_UTF8:
            characters += _beyond_ascii(text)
    return _Decoded(True, row, characters)


def _beyond_ascii(text: str) -> int:
    return len(text) - len(text.encode("ascii", "ignore"))


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(_CHUNK):
        yield chunk


def _unreadable(reason: str, advice: str) -> UnreadableFile:
    return UnreadableFile(RowFault(0, "", FaultKind.FILE, reason, advice))
