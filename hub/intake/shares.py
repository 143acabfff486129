"""How much of the hub one publisher keeps busy, so that a loud one starves nobody.

That is what it has under way at once, and how many of its faults are told and recorded: a program
that sends the same broken file for ever would fill the disk with what is wrong with it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil
from typing import Final

from hub.errors import ShareExceeded

# About 20 MB of records at once, and 150 MB a day.
FAULTS_AT_ONCE: Final = 200_000
FAULTS_A_SECOND: Final = 20
LONGEST_PAUSE: Final = 60


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
        self._under_way: dict[str, list[Claim]] = {}
        # Until when the faults that were told take up their publisher's time for them.
        self._faults_until: dict[str, float] = {}

    @contextmanager
    def claim(self, publisher: str) -> Iterator["Claim"]:
        """A request's part of its publisher's share, until the block ends.

        Raises ShareExceeded when so many requests of the publisher are under way already, or so
        many of its faults were told of late.
        """
        others = self._under_way.setdefault(publisher, [])
        if len(others) >= self._most_requests:
            raise self.refusal(publisher)
        ahead = self._faults_until.get(publisher, 0.0) - self._monotonic()
        over = ahead - FAULTS_AT_ONCE / FAULTS_A_SECOND
        if over > 0:
            raise self.refusal(publisher, seconds=over)
        claim = Claim(self, publisher)
        others.append(claim)
        try:
            yield claim
        finally:
            others.remove(claim)
            if not others:
                del self._under_way[publisher]

    def has_room(self, publisher: str, size: int) -> bool:
        """Whether so many bytes more fit; what is alone always does."""
        claims = self._under_way[publisher]
        return len(claims) == 1 or sum(c.size for c in claims) + size <= self._most_bytes

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


class Claim:
    """What one request holds of its publisher's share; `size` in bytes."""

    def __init__(self, shares: Shares, publisher: str) -> None:
        self._shares = shares
        self._publisher = publisher
        self.size = 0

    def add(self, size: int) -> None:
        """Hold so many bytes more. Raises ShareExceeded when they do not fit beside the others."""
        if not self._shares.has_room(self._publisher, size):
            raise self._shares.refusal(self._publisher)
        self.size += size
