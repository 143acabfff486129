"""How much a publisher may send at once."""

import re
from dataclasses import dataclass
from typing import Final

# Possessive, and an unterminated string takes the rest: else hostile bytes cost their square.
_STRINGS: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_TOKENS: Final = re.compile(_STRINGS.pattern + rb"|[\[{]|[\]}]|,", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, but `batch` in events, `depth` in nested arrays and objects, and `values`
    in members and items of a payload, each of which may be a fault to be told. `share_bytes` and
    `share_requests` are what one publisher may have under way."""

    body: int = 8 * 1024 * 1024
    batch: int = 1_000
    event: int = 320 * 1024
    data: int = 256 * 1024
    depth: int = 32
    values: int = 20_000
    share_bytes: int = 16 * 1024 * 1024
    share_requests: int = 128


def is_deeper(document: bytes, limit: int) -> bool:
    """Whether JSON nests deeper than `limit`; costs two counts where it opens no more than that."""
    if document.count(b"{") + document.count(b"[") <= limit:
        return False
    depth = 0
    for token in _TOKENS.finditer(document):
        sign = token[0][:1]
        if sign in b"[{":
            depth += 1
            if depth > limit:
                return True
        elif sign in b"]}":
            depth -= 1
    return False


def has_more_values(document: bytes, limit: int) -> bool:
    """Whether JSON holds more members and items than `limit`: each has its colon or comma."""
    if len(document) <= limit or document.count(b":") + document.count(b",") <= limit:
        return False
    bare = _STRINGS.sub(b"", document)
    return bare.count(b":") + bare.count(b",") > limit


def items_of(array: bytes) -> list[bytes] | None:
    """The items of a JSON array by its brackets and commas alone; None where they do not add up.

    For an array that a parser refuses: so that what is wrong in one item is told of that item.
    """
    body = array.strip()
    items: list[bytes] = []
    depth, start = 0, 1
    for token in _TOKENS.finditer(body):
        sign = token[0][:1]
        if sign in b"[{":
            depth += 1
        elif sign in b"]}":
            depth -= 1
        if depth == 1 and sign == b",":
            items.append(body[start : token.start()].strip())
            start = token.end()
        if depth == 0:
            closed = token.end() == len(body) and body[:1] == b"[" and sign == b"]"
            items.append(body[start : token.start()].strip())
            return items if closed and all(items) else None
    return None
