"""What an adapter sent itself, for its own ledgers: the hub gives nobody its own events.

It waits, as the hub took it, until every ledger has it.
"""

import sqlite3
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct, json

from adapters.kit.state import State

_AT_ONCE: Final = 100


class Sent(Struct, frozen=True):
    """An event as it went out, its receipt, and when the hub registered it (RFC 3339)."""

    body: bytes
    receipt: str
    hubtime: str


def keep_own(database: sqlite3.Connection, sent: list[Sent]) -> None:
    """Let events wait that the hub has."""
    database.executemany(
        "INSERT INTO own (receipt, hubtime, event) VALUES (?, ?, ?)",
        [(each.receipt, each.hubtime, each.body) for each in sent],
    )


def own_events(state: State) -> tuple[int, list[Mapping[str, Any]]]:
    """The first that wait, as a subscription would give them, and the number of the last."""
    select = "SELECT number, receipt, hubtime, event FROM own ORDER BY number LIMIT ?"
    rows = state.rows(select, _AT_ONCE)
    events: list[Mapping[str, Any]] = [
        {**json.decode(event), "hubreceipt": receipt, "hubtime": hubtime}
        for _, receipt, hubtime, event in rows
    ]
    last: int = rows[-1][0] if rows else 0
    return last, events


def forget_own(state: State, last: int) -> None:
    """Every ledger has what waits up to this number."""
    with state.transaction() as database:
        database.execute("DELETE FROM own WHERE number <= ?", (last,))
