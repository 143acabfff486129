"""Refusals: that something was refused, from whom and why; never what it said."""

from collections.abc import Sequence

from hub.database.connection import Connection
from hub.event import Outcome, Rejected
from hub.journal import sql


def record(connection: Connection, outcomes: Sequence[Outcome], *, caller: str, now: int) -> None:
    """Keep one row per fault of every rejected event, under the caller."""
    rows = [
        {
            "caller": caller,
            "source": outcome.source,
            "event_id": outcome.id,
            "code": fault.code,
            "pointer": fault.pointer,
            "refused_at": now,
            "nth": nth,
        }
        for outcome in outcomes
        if isinstance(outcome, Rejected)
        for nth, fault in enumerate(outcome.faults)
    ]
    if rows:
        sql.append_refusals(connection, rows)
