"""Waking readers: who waits for a subscription is told when its feed has news."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Protocol


class Follower(Protocol):
    """Who is told of all news; it answers at once, and looks later."""

    def news(self, subscriptions: Collection[int]) -> None:
        """These subscriptions, of whatever channel, may have some."""

    def anything(self) -> None:
        """Any may."""


class Arrivals:
    """Readers that wait, by subscription number. Lives on one event loop.

    `elsewhere` is told of the news that other processes' readers may wait for.
    """

    def __init__(self, *, elsewhere: Callable[[Collection[int]], None]) -> None:
        self._elsewhere = elsewhere
        self._waiting: dict[int, set[asyncio.Future[None]]] = defaultdict(set)
        self._followers: list[Follower] = []

    @contextmanager
    def followed(self, follower: "Follower") -> Iterator[None]:
        """Tell a follower of all news, for as long as the block."""
        self._followers.append(follower)
        try:
            yield
        finally:
            self._followers.remove(follower)

    def announce(self, subscriptions: Collection[int]) -> None:
        """These subscriptions have news, for whoever waits in whichever process."""
        self.wake(subscriptions)
        if subscriptions:
            self._elsewhere(subscriptions)

    def wake(self, subscriptions: Collection[int]) -> None:
        """Let this process's readers of these subscriptions look."""
        for number in subscriptions:
            for waiter in self._waiting.pop(number, ()):
                if not waiter.done():
                    waiter.set_result(None)
        for follower in self._followers:
            follower.news(subscriptions)

    def wake_all(self) -> None:
        """Let everybody look: the policy has changed, or the hub is stopping."""
        self.wake(list(self._waiting))
        for follower in self._followers:
            follower.anything()

    def expect(self, number: int) -> "Expectation":
        """Begin to listen, before looking, so that no news falls between."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[number].add(waiter)
        return Expectation(self, number, waiter)

    def forget(self, number: int, waiter: asyncio.Future[None]) -> None:
        """Stop listening."""
        waiters = self._waiting.get(number)
        if waiters is not None:
            waiters.discard(waiter)
            if not waiters:
                del self._waiting[number]


class Expectation:
    """One reader's listening; ends with the `with` block."""

    def __init__(self, arrivals: Arrivals, number: int, waiter: asyncio.Future[None]) -> None:
        self._arrivals = arrivals
        self._number = number
        self._waiter = waiter

    def __enter__(self) -> "Expectation":
        return self

    def __exit__(self, *_: object) -> None:
        self._arrivals.forget(self._number, self._waiter)

    async def news(self, *, seconds: float) -> None:
        """Return when news came, or after `seconds`."""
        await asyncio.wait({self._waiter}, timeout=seconds)
