"""Dead letters: what a subscriber may have, and could not be given in the version it had pinned, or
not by Kafka.

Their rows are written with the reading that came to them (`hub.evidence.reads`). Whether the
subscriber may still know of one is decided anew at each look.
"""

from dataclasses import dataclass, field

from contracts.faults import Fault
from hub.database.connection import Connection
from hub.delivery.dispatch import MOST_EXAMINED, STRETCH, Steps, Way
from hub.delivery.kafka import TOO_LARGE
from hub.delivery.version import no_form
from hub.errors import NotFound
from hub.event import Record
from hub.evidence import sql as evidence_sql
from hub.evidence.sql import DeadLetterRow
from hub.journal import sql
from hub.journal.subscriptions import from_row
from hub.policy.entitle import Allowed, circumstances
from hub.policy.policy import Policies, Policy


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One that waits: its event without data, and why its subscriber was not given it."""

    event: Record
    row: DeadLetterRow
    reason: Fault


@dataclass(slots=True)
class Listed:
    """A part of a subscription's dead letters; `next` is where to go on, None at their end."""

    items: list[DeadLetter] = field(default_factory=list)
    next: int | None = None


def dead_letters(
    connection: Connection,
    agency: str,
    id_: str,
    *,
    after: int,
    most: int,
    policies: Policies,
    now: int,
) -> Listed:
    """At most `most` of them, in order; fewer, and a `next`, where many may not be told of now.

    Raises NotFound for no such subscription of the agency, Forbidden if that is not in force.
    """
    standing = sql.standing(connection, agency, id_)
    if standing is None:
        raise NotFound
    policy = policies.identified(connection, standing.policy)
    subscription = from_row(standing.row)
    steps, listed, examined = Steps(subscription, policy=policy, now=now), Listed(), 0
    while True:
        rows = evidence_sql.dead_letters(connection, subscription.number, after=after, most=STRETCH)
        by_position = {row.position: row for row in rows}
        for event in sql.outlines(connection, list(by_position)):
            if len(listed.items) == most or examined == MOST_EXAMINED:
                listed.next = after
                return listed
            after, examined, row = event.position, examined + 1, by_position[event.position]
            way = steps.allow(event, circumstances(event), True)
            if isinstance(way, Way) and not steps.leaves_out(event.attributes):
                reason = _reason(event, row, way.allowed, policy)
                listed.items.append(DeadLetter(event, row, reason))
        if len(rows) < STRETCH:
            return listed
        # Past all of them, also past what a damaged journal may lack.
        after = rows[-1].position


def _reason(event: Record, row: DeadLetterRow, allowed: Allowed, policy: Policy) -> Fault:
    """As it was written down, if the subscriber may know as much of the payload still."""
    if row.code == TOO_LARGE.code:
        return TOO_LARGE
    kept = Fault(row.code, row.pointer, row.message, row.message_en) if row.pointer else None
    return no_form(policy.catalogue.find(event.type, row.wanted), kept, allowed)
