"""A picture inside a document: what is told of it, and never the picture itself."""

import base64
import binascii
import hashlib
import re
from typing import IO, Final, Protocol

from adapters.kit.port import CannotRun

_SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".pic")

_MARKS: Final = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF8": "image/gif",
    b"BM": "image/bmp",
}
_LONGEST_MARK: Final = 8
_MOST_BYTES: Final = 8 << 20
_CHUNK: Final = 1 << 18
_BLANK: Final = re.compile(r"\s+")


def is_picture(name: str) -> bool:
    """Whether a file is called a picture; what LRM keeps beside a form is a `.pic`."""
    return name.casefold().endswith(_SUFFIXES)


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


class Picture:
    """A picture as its bytes come by; they are not kept."""

    __slots__ = ("_digest", "_head", "_size")

    def __init__(self) -> None:
        self._digest = _sm3()
        self._head = b""
        self._size = 0

    def add(self, content: bytes) -> None:
        if len(self._head) < _LONGEST_MARK:
            self._head = (self._head + content)[:_LONGEST_MARK]
        self._size += len(content)
        if self._size <= _MOST_BYTES:
            self._digest.update(content)

    def add_file(self, content: IO[bytes]) -> None:
        """Add what a file holds; what is too large is not read to its end."""
        while self._size <= _MOST_BYTES and (chunk := content.read(_CHUNK)):
            self.add(chunk)

    def __str__(self) -> str:
        """Media type, size in bytes and SM3 digest, "" of nothing; "?" for what is no picture that
        people put into forms, or larger than 8 MiB."""
        if not self._size:
            return ""
        kind = next((kind for mark, kind in _MARKS.items() if self._head.startswith(mark)), None)
        if kind is None or self._size > _MOST_BYTES:
            return "?"
        return f"{kind} {self._size} {self._digest.hexdigest()}"


class Encoded:
    """A picture as its base64 comes by."""

    __slots__ = ("_ended", "_picture", "_rest", "_sound")

    def __init__(self) -> None:
        self._picture = Picture()
        self._rest = ""
        self._sound = True
        # Nothing follows what was filled up.
        self._ended = False

    def add(self, piece: str) -> None:
        text = self._rest + _BLANK.sub("", piece)
        whole = len(text) // 4 * 4
        self._rest = text[whole:]
        if self._ended and text:
            self._sound = False
        elif self._sound and whole:
            self._ended = text[:whole].endswith("=")
            try:
                self._picture.add(base64.b64decode(text[:whole], validate=True))
            except (binascii.Error, ValueError):
                self._sound = False

    def __str__(self) -> str:
        return str(self._picture) if self._sound and not self._rest else "?"


def _sm3() -> _Hash:
    try:
        return hashlib.new("sm3")
    except ValueError:
        raise CannotRun(
            "本机 Python 的 OpenSSL 不带 SM3，算不出照片的摘要；请换用带 SM3 的版本"
        ) from None
