"""How much of the hub one publisher keeps busy at once, so that a loud one starves nobody."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hub.errors import ShareExceeded


class Shares:
    """The requests under way, and their bytes, by publisher. Lives on one event loop.

    `exceeded` is told whose request is turned away.
    """

    def __init__(self, *, requests: int, size: int, exceeded: Callable[[str], None]) -> None:
        self._most_requests = requests
        self._most_bytes = size
        self._exceeded = exceeded
        self._under_way: dict[str, list[Claim]] = {}

    @contextmanager
    def claim(self, publisher: str) -> Iterator["Claim"]:
        """A request's part of its publisher's share, until the block ends.

        Raises ShareExceeded when so many requests of the publisher are under way already.
        """
        others = self._under_way.setdefault(publisher, [])
        if len(others) >= self._most_requests:
            raise self.refusal(publisher)
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

    def refusal(self, publisher: str) -> ShareExceeded:
        """The error for a request that is turned away."""
        self._exceeded(publisher)
        return ShareExceeded(retry_after=1)


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
