"""Who has seen an event or a case, and what an agency has seen: the auditor's questions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from hub.database import appending
from hub.database.connection import Connection
from hub.event import Entry, Record, pack
from hub.evidence import sql as evidence_sql
from hub.evidence.account import deliveries
from hub.evidence.reads import Outcome, told, unpacked
from hub.evidence.sql import ReadRow
from hub.journal import sql
from hub.journal.register import SHARD
from hub.policy.entitle import Decisions
from hub.policy.policy import Policies

STRETCH: Final = 200_000
STRETCH_OF_STRANGERS: Final = 5_000
READINGS_AT_ONCE: Final = 300


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a list goes on: after this position and this reading, in the list's own order."""

    position: int = 0
    number: int = 0


@dataclass(frozen=True, slots=True)
class Sighting:
    """One event, handed over in one reading; `event` is None once the journal has purged it.

    `grants`: id → purpose, of those it was seen under.
    """

    number: int
    row: ReadRow
    position: int
    event: Record | None
    outcome: Outcome
    grants: dict[str, str]

    @property
    def place(self) -> Place:
        """Where the list goes on after this."""
        return Place(self.position, self.number)


@dataclass(frozen=True, slots=True)
class Sightings:
    """A part of a list, and where it goes on; None at its end."""

    items: list[Sighting]
    next: Place | None


def of_event(
    connection: Connection, position: int, *, after: Place, most: int, policies: Policies
) -> Sightings:
    """Who has seen the event at a position, the earliest first."""
    found = _over(connection, position, after=after.number, most=most + 1, policies=policies)
    return _part(found, most)


def of_case(
    connection: Connection, key: str, *, after: Place, most: int, policies: Policies
) -> Sightings:
    """Who has seen a case's events, event by event. Looks at a stretch of the journal at a time."""
    end = pack(SHARD, appending.head(connection, SHARD).next_number - 1)
    until = min(end, after.position + STRETCH)
    found: list[Sighting] = []
    # The event that the last part ended in comes again, for its later readings.
    for position in sql.of_case(connection, key, since=after.position, until=until):
        number = after.number if position == after.position else 0
        wanted = most + 1 - len(found)
        found.extend(_over(connection, position, after=number, most=wanted, policies=policies))
        if len(found) > most:
            return _part(found, most)
    return Sightings(found, Place(until + 1) if until < end else None)


def of_agency(
    connection: Connection,
    agency: str,
    *,
    after: Place,
    since: int,
    until: int,
    most: int,
    policies: Policies,
) -> Sightings:
    """What an agency has seen in a time (microseconds UTC). Looks into some readings at a time."""
    found: list[Sighting] = []
    # The reading that the last part ended in comes again, for its later positions.
    rows = evidence_sql.reads_by(
        connection,
        agency,
        after=max(0, after.number - 1),
        since=since,
        until=until,
        most=READINGS_AT_ONCE,
    )
    for number, row in rows:
        begin = after.position if number == after.number else 0
        decided = unpacked(row.first, row.outcomes)
        seen = {p: told(o) for p, o in decided.items() if p > begin}
        found.extend(_sightings(connection, number, row, seen, policies, most=most + 1))
        if len(found) > most:
            return _part(found, most)
    more = len(rows) == READINGS_AT_ONCE
    return Sightings(found, Place(0, rows[-1][0] + 1) if more else None)


def strangers(connection: Connection, *, after: int, most: int, policies: Policies) -> "Strangers":
    """Events that name parties whom no registered agency is, today, with how many of them."""
    registry = policies.seen_by(connection).registry
    end = pack(SHARD, appending.head(connection, SHARD).next_number - 1)
    found: list[tuple[Entry, int]] = []
    past = sql.headers(connection, after=after, until=end, most=STRETCH_OF_STRANGERS)
    for entry in past:
        count = registry.strangers(entry.parties)
        if count:
            found.append((entry, count))
        if len(found) == most:
            return Strangers(found, Place(entry.position))
    return Strangers(found, Place(past[-1].position) if len(past) == STRETCH_OF_STRANGERS else None)


@dataclass(frozen=True, slots=True)
class Strangers:
    """A part of the list, and where it goes on."""

    items: list[tuple[Entry, int]]
    next: Place | None


def _over(
    connection: Connection, position: int, *, after: int, most: int, policies: Policies
) -> list[Sighting]:
    """Who was handed what is at a position."""
    found: list[Sighting] = []
    for number, row, outcome in islice(deliveries(connection, position, after=after), most):
        found.extend(_sightings(connection, number, row, {position: outcome}, policies, most=1))
    return found


def _sightings(
    connection: Connection,
    number: int,
    row: ReadRow,
    outcomes: Mapping[int, Outcome],
    policies: Policies,
    *,
    most: int,
) -> Iterator[Sighting]:
    """What one reading handed over, with the grants found again under its policy."""
    handed_over = ((p, outcome) for p, outcome in outcomes.items() if outcome.allowed)
    wanted = dict(islice(handed_over, most))
    if not wanted:
        return
    events = {record.position: record for record in sql.records(connection, list(wanted))}
    policy = policies.of_version(connection, row.policy)
    agency = policy.agency(row.agency)
    decisions = Decisions(agency, policy=policy, now=row.read_at) if agency else None
    purposes = {grant.id: grant.purpose for grant in policy.document.grants}
    for position, outcome in wanted.items():
        event = events.get(position)
        grants: dict[str, str] = {}
        if event is not None and decisions is not None:
            for ground in decisions.on(event).grounds:
                if ground.code == "grants":
                    grants = {id_: purposes[id_] for id_ in ground.facts}
        yield Sighting(number, row, position, event, outcome, grants)


def _part(found: list[Sighting], most: int) -> Sightings:
    return Sightings(found[:most], found[most - 1].place if len(found) > most else None)
