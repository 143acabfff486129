"""A long computation beside the event loop and the writer, which hardly notice it."""

import asyncio
import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

T = TypeVar("T")

_NEVER: Final = 1_000_000


async def aside(work: Callable[[], T]) -> T:
    """The result of `work`, which lives as long as a policy does; one `aside` at a time."""
    with _giving_way():
        result = await asyncio.to_thread(work)
    # What a policy of 10,000 grants is made of is not looked through at each full collection. It
    # holds no circles, so it goes when it is no longer used all the same.
    gc.freeze()
    return result


@contextmanager
def _giving_way() -> Iterator[None]:
    """The event loop gets the interpreter back ten times as soon, and no full collection runs."""
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(interval / 10)
    gc.set_threshold(*thresholds[:2], _NEVER)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        sys.setswitchinterval(interval)
