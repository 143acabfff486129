"""Text of tables whose writers cut strings by bytes: half a character may stand at their end."""

import re
from collections.abc import Iterator
from typing import IO, Final

from adapters.kit.port import FaultKind, RowFault, UnreadableFile
from adapters.kit.readers.encoding import as_2022

_CHUNK: Final = 1 << 18
_LONGEST: Final = 1 << 24
_DECLARED: Final = re.compile(rb"<\?xml[^>]{1,100}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_CHINESE: Final = frozenset({b"gb2312", b"gbk", b"gb18030", b"cp936"})
# A string ends at a quote or where the next tag begins, and a piece ends there too. None of these
# is a part of another character.
_ENDS: Final = rb"(?=[\"'<]|\Z)"
_HALF_UTF8: Final = re.compile(
    rb"()(?:[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2})" + _ENDS
)
# Read from the beginning, for the second byte of a character may be any letter; `++` remembers no
# way back, which would be a hundred bytes for each character.
_HALF_GB: Final = re.compile(
    rb"((?:[\x00-\x80]|[\x81-\xfe](?:[\x40-\x7e\x80-\xfe]|[0-9][\x81-\xfe][0-9]))++)"
    rb"|[\x81-\xfe]" + _ENDS
)
_HALVES: Final = {"utf-8": _HALF_UTF8, "gb18030": _HALF_GB}


class CutText:
    """The text of one table, piece by piece; `cut` counts the halves that were dropped so far."""

    def __init__(self, content: IO[bytes]) -> None:
        self._content = content
        self._encoding = ""
        self.cut = 0

    def pieces(self) -> Iterator[str]:
        """Pieces that end before a tag. Raises UnreadableFile for what is not UTF-8, GBK or
        GB18030."""
        for piece in self._before_tags():
            if not self._encoding:
                piece = piece.removeprefix(b"\xef\xbb\xbf")
                self._encoding = self._found(piece)
            yield self._decoded(piece, self._encoding)

    def _before_tags(self) -> Iterator[bytes]:
        rest = b""
        while chunk := self._content.read(_CHUNK):
            rest += chunk
            end = rest.rfind(b"<")
            if end > 0:
                yield rest[:end]
                rest = rest[end:]
            elif len(rest) > _LONGEST:
                raise _refused("表中有过长的内容", "请核对数据包是否完整")
        if rest:
            yield rest

    def _found(self, piece: bytes) -> str:
        declared = _DECLARED.search(piece[:512])
        if declared and declared[1].lower() in _CHINESE:
            return "gb18030"
        before = self.cut
        try:
            self._decoded(piece, "utf-8")
        except UnreadableFile:
            return "gb18030"
        finally:
            self.cut = before
        return "utf-8"

    def _decoded(self, piece: bytes, encoding: str) -> str:
        try:
            text = piece.decode(encoding)
        except UnicodeDecodeError:
            text = self._without_halves(piece, encoding)
        return as_2022(text) if encoding == "gb18030" else text

    def _without_halves(self, piece: bytes, encoding: str) -> str:
        found = 0

        def whole(match: re.Match[bytes]) -> bytes:
            nonlocal found
            found += not match[1]
            return match[1] or b""

        try:
            text = _HALVES[encoding].sub(whole, piece).decode(encoding)
        except UnicodeDecodeError:
            raise _refused(
                "表不是完好的 UTF-8，也不是 GBK（GB18030）编码", "数据包可能已损坏，请重新导出"
            ) from None
        self.cut += found
        return text


def _refused(reason: str, advice: str) -> UnreadableFile:
    return UnreadableFile(RowFault(0, "", FaultKind.FILE, reason, advice))
