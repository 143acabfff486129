"""Cursors: a place in a feed as one opaque token, bound to its subscription and signed."""

import hashlib
import hmac
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
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
        except (Error, UnicodeEncodeError, ValueError) as malformed:
            raise CursorInvalid from malformed
        place, signature = raw[: _PLACE.size], raw[_PLACE.size :]
        if not hmac.compare_digest(self._signature(place), signature):
            raise CursorInvalid
        number, position = _PLACE.unpack(place)
        if number != subscription:
            raise CursorInvalid
        return int(position)

    def _signature(self, place: bytes) -> bytes:
        return hashlib.blake2b(place, key=self._key, digest_size=_SIGNATURE).digest()
