"""Cursors: a place in a feed as one opaque token, bound to its subscription and signed."""

import hashlib
import hmac
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Final

from hub.errors import CursorInvalid

_PLACE: Final = struct.Struct(">qq")
_SIGNATURE: Final = 12


class Cursors:
    """Writes and reads cursor tokens with the hub's key.

    A `retired` key is good up to a position: what the hub signed with it beyond was lost when it
    was restored from a backup, and those positions are now of other events.
    """

    def __init__(self, key: bytes, *, retired: Mapping[bytes, int]) -> None:
        self._key = key
        self._retired = retired

    def token(self, subscription: int, position: int) -> str:
        """The token of a packed position in the feed of a subscription (its number)."""
        return _token(self._key, subscription, position)

    def position(self, subscription: int, token: str) -> int:
        """The packed position of a token. Raises CursorInvalid for another subscription's token."""
        try:
            raw = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
            number, position = _PLACE.unpack(raw[: _PLACE.size])
        except (ValueError, struct.error) as malformed:
            raise CursorInvalid from malformed
        keys = [self._key, *(key for key, until in self._retired.items() if position <= until)]
        # One spelling only: decoding would forgive signs that are none, and bits to spare.
        genuine = any(
            hmac.compare_digest(_token(key, number, position).encode(), token.encode())
            for key in keys
        )
        if not genuine or number != subscription:
            raise CursorInvalid
        return int(position)


def _token(key: bytes, subscription: int, position: int) -> str:
    place = _PLACE.pack(subscription, position)
    signature = hashlib.blake2b(place, key=key, digest_size=_SIGNATURE).digest()
    return urlsafe_b64encode(place + signature).rstrip(b"=").decode()
