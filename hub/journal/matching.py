"""Which subscriptions an event is for. Costs what it matches, however many subscriptions exist."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from contracts.catalogue import type_matches
from hub.event import Entry, Event
from hub.journal.subscriptions import Subscription
from hub.policy.policy import Policy


@dataclass(frozen=True, slots=True, eq=False)
class _Candidate:
    subscription: Subscription
    kinds: frozenset[str]

    @property
    def scopes(self) -> set[tuple[str, str]]:
        """The type patterns and the region asked for, as the index has them."""
        region = self.subscription.region
        return {(pattern, region) for pattern in self.subscription.body.types}


_ByNumber = dict[int, _Candidate]


class Matcher:
    """Subscriptions, indexed by type, region and kind, and by agency.

    Putting one in or taking it out touches its own places alone.
    """

    def __init__(self, subscriptions: Iterable[Subscription], *, policy: Policy) -> None:
        self._policy = policy
        self._by_number: _ByNumber = {}
        self._by_agency: dict[str, _ByNumber] = defaultdict(dict)
        self._by_scope: dict[tuple[str, str], dict[str, _ByNumber]] = defaultdict(dict)
        # Events of one type and region come again and again.
        self._in_scope = lru_cache(maxsize=16_384)(self._find_in_scope)
        for subscription in subscriptions:
            self.put(subscription)

    @property
    def is_empty(self) -> bool:
        """Whether there are no subscriptions at all."""
        return not self._by_number

    def put(self, subscription: Subscription) -> None:
        """Put a subscription in, in the place of what stands under its number."""
        number = subscription.number
        self.remove(number)
        candidate = _Candidate(
            subscription=subscription,
            kinds=_kinds(subscription.agency, self._policy),
        )
        self._by_number[number] = candidate
        self._by_agency[subscription.agency][number] = candidate
        for scope in candidate.scopes:
            for kind in candidate.kinds:
                self._by_scope[scope].setdefault(kind, {})[number] = candidate
        self._in_scope.cache_clear()

    def remove(self, number: int) -> None:
        """Take out the subscription of that number, if it is there."""
        candidate = self._by_number.pop(number, None)
        if candidate is None:
            return
        _take_out(self._by_agency, candidate.subscription.agency, number)
        for scope in candidate.scopes:
            for kind in candidate.kinds:
                _take_out(self._by_scope[scope], kind, number)
            if not self._by_scope[scope]:
                del self._by_scope[scope]
        self._in_scope.cache_clear()

    def follow(self, policy: Policy) -> None:
        """Match by another policy from now on: agencies may have come, gone, or other kinds."""
        old, self._policy = self._policy, policy
        self._in_scope.cache_clear()
        for agency, standing in list(self._by_agency.items()):
            if _kinds(agency, policy) != _kinds(agency, old):
                for candidate in list(standing.values()):
                    self.put(candidate.subscription)

    def matches(self, event: Event | Entry, *, audience: str) -> list[Subscription]:
        """The subscriptions for an event of a known contract; `audience` as a reply has it.

        Filters are not asked here: they are for what is handed over, or an entry would tell of what
        may not be known.
        """
        found = self._in_scope(event.type, event.version, event.region)
        if event.to or event.cc or audience:
            named = self._named(event, audience)
            found = tuple(dict.fromkeys((*found, *named)))
        return [candidate.subscription for candidate in found]

    def _find_in_scope(self, type_: str, version: str, region: str) -> tuple[_Candidate, ...]:
        """Subscriptions whose type and region fit, of kinds that the contract admits."""
        contract = self._policy.catalogue.find(type_, version)
        if contract is None:
            return ()
        patterns = (type_, f"{contract.family}.*", "*")
        found: _ByNumber = {}
        for scope in product(patterns, self._policy.regions.covering(region)):
            by_kind = self._by_scope.get(scope, {})
            for kind in by_kind.keys() & contract.receivers.keys():
                found.update(by_kind[kind])
        return tuple(found.values())

    def _named(self, event: Event | Entry, audience: str) -> Iterable[_Candidate]:
        """Subscriptions of agencies that are addressed, copied or owed this reply."""
        resolve = self._policy.registry.resolve
        agencies = (resolve(addresses) for addresses in (event.to, event.cc, audience) if addresses)
        for agency in frozenset().union(*agencies):
            for candidate in self._by_agency.get(agency, {}).values():
                if any(type_matches(p, event.type) for p in candidate.subscription.body.types):
                    yield candidate


def _take_out(places: dict[str, _ByNumber], key: str, number: int) -> None:
    """Take a number from its place, and the place away with the last one."""
    del places[key][number]
    if not places[key]:
        del places[key]


def _kinds(agency_id: str, policy: Policy) -> frozenset[str]:
    agency = policy.agency(agency_id)
    return agency.kinds if agency else frozenset()
