"""Whose turn is next, of the feeds that the hub itself writes: those that may have something."""

import asyncio
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Final

# Seconds; each try after the first waits twice as long, up to the longest.
FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 30.0


@dataclass(frozen=True, slots=True)
class Feed:
    """A subscription that the hub writes, by its number."""

    number: int
    agency: str
    id: str


@dataclass(frozen=True, slots=True)
class _Wait:
    reason: str
    tries: int
    until: float


class Rota:
    """Hears all news of an event loop, and gives the feeds turns, one after the other.

    A feed has one turn at a time. It knows the feeds that it was told of, up to the subscription
    numbered `newest`; news of a later one make it ask for more. `monotonic` counts seconds.
    """

    def __init__(self, *, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._feeds: dict[int, Feed] = {}
        self._due: dict[int, None] = {}
        self._busy: set[int] = set()
        self._waits: dict[int, _Wait] = {}
        self._turns = asyncio.Event()
        self._strangers = asyncio.Event()
        self._strangers.set()
        self._newest = 0

    @property
    def newest(self) -> int:
        """The number of the latest subscription of which it is known whether it is a feed."""
        return self._newest

    def waiting(self, *, but: str) -> int:
        """How many feeds could not be written, but for those of one reason."""
        return sum(wait.reason != but for wait in self._waits.values())

    def news(self, subscriptions: Collection[int]) -> None:
        """These subscriptions, of whatever channel, may have something new."""
        for number in subscriptions:
            if number in self._feeds:
                self._call(number)
            elif number > self._newest:
                self._strangers.set()

    def anything(self) -> None:
        """Any may, also those that wait."""
        for number in self._feeds:
            self._due[number] = None
        self._turns.set()
        self._strangers.set()

    async def strangers(self) -> None:
        """Wait until there may be feeds that are not known."""
        await self._strangers.wait()
        self._strangers.clear()

    def know(self, feeds: Iterable[Feed], *, newest: int) -> None:
        """These are all the feeds that were not known, up to the subscription `newest`."""
        for feed in feeds:
            self._feeds[feed.number] = feed
            self._call(feed.number)
        self._newest = max(self._newest, newest)

    async def next(self) -> Feed:
        """The feed whose turn it is; `fed`, `put_off` or `forget` ends the turn."""
        while True:
            for number in self._due:
                if number not in self._busy:
                    del self._due[number]
                    self._busy.add(number)
                    return self._feeds[number]
            self._turns.clear()
            await self._turns.wait()

    def fed(self, feed: Feed, *, more: bool) -> bool:
        """A feed has had its turn, and there may be more; whether it had waited before."""
        waited = self._waits.pop(feed.number, None) is not None
        self._end(feed.number)
        # News of one that waits is not minded, also while it has its turn.
        if more or waited:
            self._call(feed.number)
        return waited

    def put_off(self, feed: Feed, reason: str) -> bool:
        """A feed could not be written, and has another turn later; whether that is news."""
        known = self._waits.get(feed.number)
        tries = 1 if known is None else known.tries + 1
        pause = min(FIRST_PAUSE * 2 ** min(tries - 1, 16), LONGEST_PAUSE)
        self._waits[feed.number] = _Wait(reason, tries, self._monotonic() + pause)
        self._end(feed.number)
        return known is None or known.reason != reason

    def forget(self, feed: Feed) -> None:
        """A feed is no more."""
        for where in (self._feeds, self._due, self._waits):
            where.pop(feed.number, None)
        self._end(feed.number)

    def recall(self, *, over: Callable[[Feed, str], bool] = lambda _feed, _reason: False) -> None:
        """Give turns to those of the waiting whose time has come, or whose reason is `over`."""
        now = self._monotonic()
        for number, wait in self._waits.items():
            if wait.until <= now or over(self._feeds[number], wait.reason):
                self._due[number] = None
        self._turns.set()

    def _call(self, number: int) -> None:
        if number not in self._waits:
            self._due[number] = None
            self._turns.set()

    def _end(self, number: int) -> None:
        self._busy.discard(number)
        if number in self._due:
            self._turns.set()
