"""Cursors: a place in a feed as one opaque token, bound to its subscription and signed."""

import hashlib
import hmac
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

from hub.errors import CursorInvalid

_PLACE: Final = struct.Struct(">qq")
_SIGNATURE: Final = 12


class Cursors:
    """Writes and reads cursor tokens with the hub's key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def token(self, subscription: int, position: int) -> str:
        """The token of a packed position in the feed of a subscription (its number)."""
        place = _PLACE.pack(subscription, position)
        return urlsafe_b64encode(place + self._signature(place)).rstrip(b"=").decode()

    def position(self, subscription: int, token: str) -> int:
        """The packed position of a token. Raises CursorInvalid for another subscription's token."""
        try:
            raw = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
            number, position = _PLACE.unpack(raw[: _PLACE.size])
        except (ValueError, struct.error) as malformed:
            raise CursorInvalid from malformed
        # One spelling only: decoding would forgive signs that are none, and bits to spare.
        genuine = hmac.compare_digest(self.token(number, position).encode(), token.encode())
        if not genuine or number != subscription:
            raise CursorInvalid
        return int(position)

    def _signature(self, place: bytes) -> bytes:
        return hashlib.blake2b(place, key=self._key, digest_size=_SIGNATURE).digest()
