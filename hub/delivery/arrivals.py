"""Waking readers: who waits for a subscription is told when its feed has news."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable


class Arrivals:
    """Readers that wait, by subscription number. Lives on one event loop."""

    def __init__(self) -> None:
        self._waiting: dict[int, set[asyncio.Future[None]]] = defaultdict(set)

    def announce(self, subscriptions: Iterable[int]) -> None:
        """These subscriptions have news."""
        for number in subscriptions:
            for waiter in self._waiting.pop(number, ()):
                if not waiter.done():
                    waiter.set_result(None)

    def announce_all(self) -> None:
        """Let everybody look: the policy has changed, or the hub is stopping."""
        self.announce(list(self._waiting))

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
