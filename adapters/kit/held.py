"""The events of the spool, as they stand in its rows: some that were put together, in one row."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from msgspec.msgpack import Decoder, Encoder

from adapters.kit.port import Place, Translated


class Waiting(Struct, frozen=True, array_like=True):
    """An event in the spool: the number of its row there and its own among all events, where it
    came from, and what it replaces."""

    number: int
    entry: int
    document: int
    place: Place
    case: str
    event: str
    made: Translated
    supersedes: str | None = None


_ENCODER: Final = Encoder()
_DECODER: Final = Decoder(list[Waiting])


def held(events: Sequence[Waiting]) -> bytes:
    """Events as one value."""
    return _ENCODER.encode(events)


def waiting(held: bytes) -> list[Waiting]:
    """The events of a value, in order."""
    return _DECODER.decode(held)
