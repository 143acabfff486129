"""Whom a new or retired version of a contract touches, and how the journal's events would fare."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Literal

import msgspec

from contracts.catalogue import Catalogue, type_matches
from contracts.contract import Contract
from contracts.conversion import Inconvertible
from contracts.envelope import day_of
from contracts.owncodes import Codes
from hub.database.connection import Connection
from hub.database.readers import Readers
from hub.errors import Overloaded
from hub.event import Caveat, Record
from hub.evidence import sql as evidence_sql
from hub.journal import sql
from hub.journal.subscriptions import Subscription, from_row

STEP_EVENTS: Final = 2_000
STEP_TRIED: Final = 50
MOST_EVENTS: Final = 2_000_000
MOST_REPLAYED: Final = 10_000
_END: Final = 2**63 - 1
Verdict = Literal["valid", "converted", "inconvertible", "sealed"]


@dataclass(slots=True)
class Used:
    """How many events were published, and when the last one was registered (µs UTC)."""

    events: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A subscription that gets the type; `pin`: in which version, None before its first event.

    `pages` are its readings in the time looked at, `last` when the newest was (µs UTC).
    """

    agency: str
    id: str
    pin: str | None
    pages: int
    last: int | None


@dataclass(slots=True)
class Impact:
    """What has been found, from the newest event back to `since` (microseconds UTC).

    `publishers`: (agency, version) → use. `verdicts` of the newest events of the type on the new
    version: valid as they are, valid once converted, or neither, with the first fault of each;
    sealed ones cannot be looked into. `complete`: nothing is left to look at.
    """

    since: int
    subscriptions: tuple[Subscribed, ...]
    publishers: dict[tuple[str, str], Used] = field(default_factory=dict)
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    faults: Counter[tuple[str, str]] = field(default_factory=Counter)
    before: int = _END
    events: int = 0
    complete: bool = False

    @property
    def ended(self) -> bool:
        """Whether it is complete, or has cost as much as one may."""
        return self.complete or self.events >= MOST_EVENTS


class Impacts:
    """Finds impacts out on readers' threads, one at a time, step by step with pauses between."""

    def __init__(
        self,
        *,
        readers: Readers,
        catalogue: Catalogue,
        codes: Codes,
        pause: Callable[[], Awaitable[None]],
    ) -> None:
        self._readers = readers
        self._catalogue = catalogue
        self._codes = codes
        self._pause = pause
        self._running = False

    async def of(self, target: Contract, *, since: int, replayed: int) -> Impact:
        """What a version touches; the newest `replayed` events of its type are tried on it.

        Raises Overloaded while another one is being found out.
        """
        if self._running:
            raise Overloaded("另一次影响分析正在进行 / another one is running", retry_after=5)
        self._running = True
        try:
            touched = partial(_subscriptions, type_=target.type, since=since)
            impact = Impact(since, await self._readers.run(touched))
            step = partial(
                _step,
                impact=impact,
                target=target,
                catalogue=self._catalogue,
                codes=self._codes,
                replayed=min(replayed, MOST_REPLAYED),
            )
            while not impact.ended:
                await self._readers.run(step)
                await self._pause()
            return impact
        finally:
            self._running = False


def _subscriptions(connection: Connection, *, type_: str, since: int) -> tuple[Subscribed, ...]:
    return tuple(_subscribed(connection, type_, since))


def _subscribed(connection: Connection, type_: str, since: int) -> Iterator[Subscribed]:
    for row in sql.all_subscriptions(connection):
        subscription = from_row(row)
        if any(type_matches(pattern, type_) for pattern in subscription.body.types):
            yield _with_readings(connection, subscription, type_, since)


def _with_readings(
    connection: Connection, subscription: Subscription, type_: str, since: int
) -> Subscribed:
    pages, last = evidence_sql.pages_of(
        connection, subscription.agency, subscription.number, since=since
    )
    pin = subscription.pins.get(type_)
    return Subscribed(subscription.agency, subscription.id, pin, pages, last)


def _step(
    connection: Connection,
    *,
    impact: Impact,
    target: Contract,
    catalogue: Catalogue,
    codes: Codes,
    replayed: int,
) -> None:
    """One stretch of the journal, newest first."""
    stretch = sql.headers_before(connection, before=impact.before, most=STEP_EVENTS)
    tried: list[int] = []
    for entry in stretch:
        if entry.hubtime < impact.since:
            impact.complete = True
            break
        impact.before = entry.position
        impact.events += 1
        if entry.type == target.type:
            used = impact.publishers.setdefault((entry.publisher, entry.version), Used())
            used.events += 1
            used.last = max(used.last, entry.hubtime)
            if impact.verdicts.total() + len(tried) < replayed:
                tried.append(entry.position)
                if len(tried) == STEP_TRIED:
                    break
    else:
        impact.complete = impact.complete or len(stretch) < STEP_EVENTS
    for record in sql.records(connection, tried):
        verdict, fault = _tried(record, target, catalogue, codes)
        impact.verdicts[verdict] += 1
        if fault is not None:
            impact.faults[fault] += 1


def _tried(
    record: Record, target: Contract, catalogue: Catalogue, codes: Codes
) -> tuple[Verdict, tuple[str, str] | None]:
    """How an event fares under a version; where it does not, its first fault: code and pointer."""
    if record.caveats & Caveat.sealed:
        return "sealed", None
    day = day_of(msgspec.json.decode(record.attributes)["time"])
    checked = target.check(record.data, day, codes=codes)
    if not isinstance(checked, tuple):
        return "valid", None
    fault = checked[0]
    if catalogue.find(record.type, record.version) is not None:
        try:
            catalogue.route(record.type, record.version, target.version).carry(record.data)
        except Inconvertible as inconvertible:
            # What keeps it from being converted says more than how it differs unconverted.
            fault = inconvertible.fault or fault
        else:
            return "converted", None
    return "inconvertible", (fault.code, fault.pointer)
