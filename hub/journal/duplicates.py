"""Whether two events with one (source, id) are the same event.

Same: equal attributes but for the incidental ones, and equal JSON values; the payloads are only
compared when their digests differ.
"""

import json
from decimal import Decimal
from typing import Any

import msgspec

from contracts.envelope import INCIDENTAL
from hub.event import Caveat, Event, Record, Sent


def is_same(event: Event | Sent, known: Event | Record) -> bool:
    """Whether `event` is what was registered, or came earlier in the batch, as `known`."""
    if _attributes(event.attributes) != _attributes(known.attributes):
        return False
    if event.digest == known.digest:
        return True
    # Of a sealed event only the digest was kept.
    return not event.caveats & Caveat.sealed and _equal(_values(event.data), _values(known.data))


def _attributes(encoded: bytes) -> dict[str, str]:
    """The attributes in their string form, in which every binding can carry them."""
    members = msgspec.json.decode(encoded, type=dict[str, str | bool | int])
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in members.items()
        if name not in INCIDENTAL
    }


def _values(data: bytes) -> Any:
    return json.loads(data, parse_float=Decimal)


def _equal(one: Any, other: Any) -> bool:
    """JSON equality: numbers by value, true is not 1."""
    match one, other:
        case dict(), dict():
            return one.keys() == other.keys() and all(_equal(one[k], other[k]) for k in one)
        case list(), list():
            return len(one) == len(other) and all(map(_equal, one, other))
        case (bool(), _) | (_, bool()):
            return one is other
        case _:
            return bool(one == other)
