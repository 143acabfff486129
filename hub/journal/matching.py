"""Which subscriptions an event is for. Costs what it matches, however many subscriptions exist."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import msgspec

from contracts.catalogue import type_matches
from hub.event import Entry, Event
from hub.journal.subscriptions import Predicate, Subscription, predicate
from hub.policy.policy import Policy


@dataclass(frozen=True, slots=True, eq=False)
class _Candidate:
    subscription: Subscription
    kinds: frozenset[str]
    wants: Predicate | None


class Matcher:
    """All subscriptions of one revision, indexed by type and region, and by agency."""

    def __init__(self, subscriptions: Iterable[Subscription], *, policy: Policy) -> None:
        self._policy = policy
        self._by_scope: dict[tuple[str, str], list[_Candidate]] = defaultdict(list)
        self._by_agency: dict[str, list[_Candidate]] = defaultdict(list)
        for subscription in subscriptions:
            agency = policy.agency(subscription.agency)
            candidate = _Candidate(
                subscription=subscription,
                kinds=agency.kinds if agency else frozenset(),
                wants=predicate(subscription.body.filters),
            )
            self._by_agency[subscription.agency].append(candidate)
            for pattern in subscription.body.types:
                self._by_scope[pattern, subscription.region].append(candidate)
        # Events of one type and region come again and again.
        self._in_scope = lru_cache(maxsize=16_384)(self._find_in_scope)

    @property
    def is_empty(self) -> bool:
        """Whether there are no subscriptions at all."""
        return not self._by_agency

    def matches(self, event: Event | Entry, *, audience: str) -> list[Subscription]:
        """The subscriptions for an event of a known contract; `audience` as a reply has it."""
        found = self._in_scope(event.type, event.version, event.region)
        if event.to or event.cc or audience:
            named = self._named(event, audience)
            found = tuple(dict.fromkeys((*found, *named)))
        if any(candidate.wants for candidate in found):
            attributes = msgspec.json.decode(event.attributes)
            return [c.subscription for c in found if c.wants is None or c.wants(attributes)]
        return [candidate.subscription for candidate in found]

    def _find_in_scope(self, type_: str, version: str, region: str) -> tuple[_Candidate, ...]:
        """Subscriptions whose type and region fit, of kinds that the contract admits."""
        contract = self._policy.catalogue.find(type_, version)
        if contract is None:
            return ()
        patterns = (type_, f"{contract.family}.*", "*")
        regions = self._policy.regions.covering(region)
        fitting = (c for p in patterns for r in regions for c in self._by_scope.get((p, r), ()))
        admitted = contract.receivers.keys()
        return tuple(dict.fromkeys(c for c in fitting if c.kinds & admitted))

    def _named(self, event: Event | Entry, audience: str) -> Iterable[_Candidate]:
        """Subscriptions of agencies that are addressed, copied or owed this reply."""
        resolve = self._policy.registry.resolve
        agencies = (resolve(addresses) for addresses in (event.to, event.cc, audience) if addresses)
        for agency in frozenset().union(*agencies):
            for candidate in self._by_agency.get(agency, ()):
                if any(type_matches(p, event.type) for p in candidate.subscription.body.types):
                    yield candidate
