"""Cutting a stream of events into batches that the hub takes."""

from collections.abc import Iterable, Iterator
from typing import Final

MOST_EVENTS: Final = 1_000
MOST_BYTES: Final = 8 << 20


def batches(
    events: Iterable[bytes], *, most: int = MOST_EVENTS, most_bytes: int = MOST_BYTES
) -> Iterator[list[bytes]]:
    """The events in order, none left out; one above the limit goes alone, for the hub to refuse."""
    batch: list[bytes] = []
    size = len("[]")
    for event in events:
        if batch and (len(batch) == most or size + len(event) > most_bytes):
            yield batch
            batch, size = [], len("[]")
        batch.append(event)
        size += len(event) + len(",")
    if batch:
        yield batch
