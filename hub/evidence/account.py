"""Why an agency did, or did not, get an event: as it was decided then, and as it would be now."""

import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from hub.database.connection import Connection
from hub.event import Entry, Record
from hub.evidence import sql as evidence_sql
from hub.evidence.reads import PARKED_REASONS, Outcome, outcome_at, outcome_of, told
from hub.evidence.sql import ReadRow
from hub.journal import sql
from hub.journal.matching import Matcher
from hub.journal.sought import sought
from hub.journal.subscriptions import Body, Subscription, from_row
from hub.policy import sql as policy_sql
from hub.policy.entitle import Decision, Ground, entitle
from hub.policy.policy import Policies, Policy

MOST_READINGS: Final = 200
_FOREVER: Final = 2**63 - 1
MOST_JUDGED: Final = 10_000
Place = Literal["in_feed", "made_later", "not_asked_for", "ended_since"]


@dataclass(frozen=True, slots=True)
class Seen:
    """One reading that came to an event, and what was decided then, with its grounds.

    The grounds are found again under the policy of that moment; none, where today's program would
    decide otherwise than the record says. `version`: what was handed over, or asked for in vain.
    """

    row: ReadRow
    outcome: Outcome
    version: str
    policy: Policy
    grounds: tuple[Ground, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """How a subscription stands to an event.

    `then`: what it asked for when the event was registered, None before it was made. `standing`: it
    has not been ended since. `reached`: its committed cursor has passed the event. `expired`: how
    much was purged before its subscriber had read it, None once it is ended.
    """

    id: str
    then: Body | None
    standing: bool
    place: Place
    reached: bool
    expired: int | None


@dataclass(frozen=True, slots=True)
class Account:
    """All that can be said of one agency and one event. `now` is None for no registered agency."""

    agency: str
    asked: tuple[Asked, ...]
    seen: tuple[Seen, ...]
    now: Decision | None


def account(
    connection: Connection, event: Record, agency: str, *, policies: Policies, now: int
) -> Account:
    """Everything about one agency, for the auditor."""
    policy = policies.seen_by(connection)
    standing = policy.agency(agency)
    pins = Pins(connection, event, agency)
    return Account(
        agency=agency,
        asked=tuple(_asked(connection, event, agency, policies=policies)),
        seen=tuple(
            _seen(connection, event, row, outcome, pins=pins, policies=policies)
            for row, outcome in outcomes(connection, event.position, agency, most=MOST_JUDGED)
        ),
        now=entitle(standing, event, policy=policy, now=now) if standing else None,
    )


def outcomes(
    connection: Connection, position: int, agency: str, *, most: int
) -> list[tuple[ReadRow, Outcome]]:
    """What was decided at a position in an agency's readings; the last `most`, in order."""
    rows = evidence_sql.reads_of(connection, agency, position, most=most)
    found = ((row, outcome_at(position, row.first, row.outcomes)) for _, row in rows)
    return [(row, outcome) for row, outcome in found if outcome is not None]


def deliveries(
    connection: Connection, position: int, *, after: int = 0
) -> Iterator[tuple[int, ReadRow, Outcome]]:
    """The readings, numbered, that handed over what is at a position, to whomever."""
    for number, row in evidence_sql.reads_over(connection, position, after=after):
        outcome = outcome_at(position, row.first, row.outcomes)
        if outcome is not None and outcome.allowed:
            yield number, row, outcome


def delivered_to(
    connection: Connection, receipt: bytes, agency: str
) -> tuple[Record, list[tuple[ReadRow, Outcome]]] | None:
    """An event and the last readings that handed it to an agency; None if there were none.

    An event that there is, but was not delivered, takes the same work as one that there is not,
    for which another is looked at; old or new, the index is gone through alike. What is left to
    tell them apart is how many readings stretch over the place. An agency can make that many by
    reading the same again and again: so the last MOST_READINGS are looked into, some milliseconds
    at most, and whoever answers has every denial take a whole number of longer steps.
    """
    place = sought(connection, receipt)
    if place is None:
        return None
    found = outcomes(connection, place.position, agency, most=MOST_READINGS)
    # What it was allowed and could not be given in its version is its own to know too.
    handed_over = [
        (row, outcome)
        for row, outcome in found
        if outcome.allowed or outcome.reason in PARKED_REASONS
    ]
    if place.receipt != receipt or not handed_over:
        return None
    return sql.record(connection, place.position), handed_over


def _seen(
    connection: Connection,
    event: Record,
    row: ReadRow,
    outcome: Outcome,
    *,
    pins: "Pins",
    policies: Policies,
) -> Seen:
    policy = policies.of_version(connection, row.policy)
    agency = policy.agency(row.agency)
    grounds: tuple[Ground, ...] = ()
    version = pins.read(row, outcome)
    if outcome.reason in ("expired", "filtered"):
        grounds = (Ground(0, outcome.reason),)
    elif outcome.reason in PARKED_REASONS:
        grounds = (Ground(6, outcome.reason, (version,)),)
    elif agency is not None:
        decision = entitle(agency, event, policy=policy, now=row.read_at)
        decided = told(outcome_of(decision))
        as_told = (decided.classes, decided.masked, decided.reason)
        if as_told == (outcome.classes, outcome.masked, outcome.reason):
            grounds = decision.grounds
    return Seen(row, outcome, version, policy, grounds)


class Pins:
    """The versions of an event's type that an agency's subscriptions had pinned; read once."""

    def __init__(self, connection: Connection, event: Record, agency: str) -> None:
        self._event = event
        self._agency = agency
        self._connection = connection

    def read(self, row: ReadRow, outcome: Outcome) -> str:
        """The version that a reading handed over, or could not."""
        if not outcome.converted and outcome.reason not in PARKED_REASONS:
            return self._event.version
        until = row.read_at + 1
        changes = self._changes.get(row.subscription, [])
        place = bisect_left(changes, (until, ""))
        pin = changes[place - 1][1] if place else None
        # A wildcard pins a type when it first meets it: that is no act, and never changes.
        return pin or self._standing.get(row.subscription, self._event.version)

    @cached_property
    def _changes(self) -> dict[int, list[tuple[int, str]]]:
        """Subscription → when it pinned the type to which version, oldest first."""
        found: dict[int, list[tuple[int, str]]] = defaultdict(list)
        for act in policy_sql.acts_on_subscriptions(self._connection, self._agency, until=_FOREVER):
            detail = json.loads(act.detail)
            pin = detail.get("pins", {}).get(self._event.type)
            if pin is not None:
                found[detail["number"]].append((act.at, pin))
        return found

    @cached_property
    def _standing(self) -> dict[int, str]:
        rows = sql.subscriptions_of(self._connection, self._agency, after="", most=1_000)
        pins = ((row.number, from_row(row).pins.get(self._event.type)) for row in rows)
        return {number: pin for number, pin in pins if pin is not None}


def _asked(
    connection: Connection, event: Record, agency: str, *, policies: Policies
) -> Iterator[Asked]:
    """Every subscription that stood when the event was registered, or stands now."""
    bodies = _bodies_then(connection, event, agency)
    version = policy_sql.version_at(connection, event.hubtime)
    policy = policies.of_version(connection, version)
    standing = {
        row.number: from_row(row)
        for row in sql.subscriptions_of(connection, agency, after="", most=1_000)
    }
    for number in sorted(bodies.keys() | standing.keys()):
        subscription, body = standing.get(number), bodies.get(number)
        matched = body is not None and _matches(Subscription.asking(agency, body), event, policy)
        place: Place = "not_asked_for"
        if sql.feed_holds(connection, number, event.position):
            place = "in_feed"
        elif body is None or (subscription is not None and event.position <= subscription.start):
            place = "made_later"
        elif subscription is None and matched:
            place = "ended_since"
        yield Asked(
            id=subscription.id if subscription else (body and body.id) or "",
            then=body,
            standing=subscription is not None,
            place=place,
            reached=subscription is not None and subscription.committed >= event.position,
            expired=None if subscription is None else subscription.expired,
        )


def _bodies_then(connection: Connection, event: Record, agency: str) -> dict[int, Body]:
    """What the agency's subscriptions asked for when the event was registered, by number."""
    bodies: dict[int, Body] = {}
    for act in policy_sql.acts_on_subscriptions(connection, agency, until=event.hubtime):
        detail = json.loads(act.detail)
        if act.act == "subscription.ended":
            bodies.pop(detail["number"], None)
        else:
            bodies[detail["number"]] = Body.model_validate_json(json.dumps(detail["body"]))
    return bodies


def _matches(subscription: Subscription, event: Entry, policy: Policy) -> bool:
    return bool(Matcher([subscription], policy=policy).matches(event, audience=event.audience))
