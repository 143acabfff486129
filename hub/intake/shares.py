"""How much of the hub one publisher keeps busy, so that a loud one starves nobody.

That is what it has under way at once, and how many of its faults are told and recorded: a program
that sends the same broken file for ever would fill the disk with what is wrong with it.
"""

from collections.abc import Callable
from math import ceil
from typing import Final

from hub.errors import ShareExceeded

# About 20 MB of records at once, and 150 MB a day.
FAULTS_AT_ONCE: Final = 200_000
FAULTS_A_SECOND: Final = 20
LONGEST_PAUSE: Final = 60
# What an event weighs in the hub beside the bytes it came in.
WEIGHT: Final = 1024


class Shares:
    """The requests under way, their bytes, and late faults, by publisher. Lives on one event loop.

    `exceeded` is told whose request is turned away; `monotonic` counts seconds.
    """

    def __init__(
        self,
        *,
        requests: int,
        size: int,
        exceeded: Callable[[str], None],
        monotonic: Callable[[], float],
    ) -> None:
        self._most_requests = requests
        self._most_bytes = size
        self._exceeded = exceeded
        self._monotonic = monotonic
        self._under_way: dict[str, _UnderWay] = {}
        # Until when the faults that were told take up their publisher's time for them.
        self._faults_until: dict[str, float] = {}

    def claim(self, publisher: str) -> "Claim":
        """A request's part of its publisher's share, for a `with` block."""
        return Claim(self, publisher)

    def begin(self, publisher: str) -> None:
        """A request begins. Raises ShareExceeded when so many of the publisher are under way
        already, or so many of its faults were told of late.
        """
        under_way = self._under_way.get(publisher)
        if under_way is not None and under_way.requests >= self._most_requests:
            raise self.refusal(publisher)
        if publisher in self._faults_until:
            ahead = self._faults_until[publisher] - self._monotonic()
            over = ahead - FAULTS_AT_ONCE / FAULTS_A_SECOND
            if over > 0:
                raise self.refusal(publisher, seconds=over)
        if under_way is None:
            under_way = self._under_way[publisher] = _UnderWay()
        under_way.requests += 1

    def add(self, publisher: str, size: int) -> None:
        """So many bytes more. Raises ShareExceeded when they do not fit beside the others'; what
        is alone always does.
        """
        under_way = self._under_way[publisher]
        if under_way.requests > 1 and under_way.size + size > self._most_bytes:
            raise self.refusal(publisher)
        under_way.size += size

    def end(self, publisher: str, size: int) -> None:
        """A request that held so many bytes has ended."""
        under_way = self._under_way[publisher]
        under_way.requests -= 1
        under_way.size -= size
        if not under_way.requests:
            del self._under_way[publisher]

    def refusal(self, publisher: str, *, seconds: float = 1) -> ShareExceeded:
        """The error for a request that is turned away."""
        self._exceeded(publisher)
        return ShareExceeded(retry_after=min(ceil(seconds), LONGEST_PAUSE))

    def faulted(self, publisher: str, faults: int) -> None:
        """So many faults of the publisher were told and recorded."""
        if faults:
            now = self._monotonic()
            begin = max(self._faults_until.get(publisher, now), now)
            self._faults_until[publisher] = begin + faults / FAULTS_A_SECOND


class _UnderWay:
    """Of one publisher: how many requests, and their bytes."""

    __slots__ = ("requests", "size")

    def __init__(self) -> None:
        self.requests = 0
        self.size = 0


class Claim:
    """What one request holds of its publisher's share while its `with` block lasts."""

    __slots__ = ("_publisher", "_shares", "_size")

    def __init__(self, shares: Shares, publisher: str) -> None:
        self._shares = shares
        self._publisher = publisher
        self._size = 0

    def __enter__(self) -> "Claim":
        """Raises what `Shares.begin` does."""
        self._shares.begin(self._publisher)
        return self

    def __exit__(self, *_: object) -> None:
        self._shares.end(self._publisher, self._size)

    def add(self, size: int) -> None:
        """Hold so many bytes more. Raises ShareExceeded when they do not fit beside the others."""
        self._shares.add(self._publisher, size)
        self._size += size
