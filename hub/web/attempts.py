"""Failed attempts to be let in, limited per address and per token prefix, in bounded memory."""

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Final

from hub.policy.tokens import digest_of

PREFIX: Final = 8
REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` attempts at once, and one more every `seconds`."""

    burst: int
    seconds: float


# 256 random bits cannot be guessed: these bound what failing costs the database and the log. A
# program with one bad token uses up its prefix, and hardly any of what its whole address has.
OF_PREFIX: Final = Rate(30, 10.0)
OF_ADDRESS: Final = Rate(120, 1.0)


class Limit:
    """Attempts by key, as the time until which each key has spent them."""

    def __init__(self, rate: Rate, *, most: int = REMEMBERED) -> None:
        self._rate = rate
        self._most = most
        self._spent: OrderedDict[str | bytes, float] = OrderedDict()

    def wait(self, key: str | bytes, now: float) -> float:
        """Seconds until the key has an attempt; 0 when it has one."""
        spent = max(self._spent.get(key, now), now)
        return max(0.0, spent - now - (self._rate.burst - 1) * self._rate.seconds)

    def take(self, key: str | bytes, now: float) -> None:
        """An attempt of the key begins. The keys that tried longest ago are forgotten."""
        self._spent[key] = max(self._spent.get(key, now), now) + self._rate.seconds
        self._spent.move_to_end(key)
        if len(self._spent) > self._most:
            self._spent.popitem(last=False)

    def give_back(self, key: str | bytes) -> None:
        """The attempt did not fail."""
        if key in self._spent:
            self._spent[key] -= self._rate.seconds


class Attempts:
    """Counts attempts as they begin, so that many at once pass no limit, and forgives good ones."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._prefixes = Limit(OF_PREFIX)
        self._addresses = Limit(OF_ADDRESS)

    def begin(self, network: str, token: str) -> int:
        """0 when the token may be looked up; else in how many seconds to come again."""
        now, prefix = self._monotonic(), _prefix_of(token)
        wait = max(self._prefixes.wait(prefix, now), self._addresses.wait(network, now))
        if wait == 0:
            self._prefixes.take(prefix, now)
            self._addresses.take(network, now)
        return math.ceil(wait)

    def succeeded(self, network: str, token: str) -> None:
        """What was begun found a caller."""
        self._prefixes.give_back(_prefix_of(token))
        self._addresses.give_back(network)


def network_of(host: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 that one IPv6 customer has."""
    try:
        address = ip_address(host)
    except ValueError:
        return "unknown"
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((address.packed, 64), strict=False))


def _prefix_of(token: str) -> bytes:
    """No piece of a token is kept in memory."""
    return digest_of(token[:PREFIX])
