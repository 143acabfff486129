"""How PostgreSQL carries out the hot statements on ten million events.

`make bench FULL=1`. The statements are those that the stages' functions send; none may go through
a big table.
"""

import asyncio
import hashlib
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import asyncpg
from sqlalchemy import Connection, event

from deploy.local.postgres import running
from hub.database import appending, partitions
from hub.database.postgres import open_postgres
from hub.database.transactions import Transactions
from hub.event import slot_of
from hub.evidence import sql as evidence
from hub.journal import sql
from hub.journal.register import SHARD
from hub.journal.retention import sql as retention
from hub.policy import sql as policy
from hub.watch import sql as watch
from tests.bench.journal import admitted, rows_of
from tests.postgres import rows
from tests.sample import CITY, PETITION

EVENTS: Final = 10_000_000
SUBSCRIPTIONS: Final = 200
# As many as five years have.
PARTITIONS: Final = 20
BIG: Final = frozenset({"journal", "dedup", "feed", "reads", "refusals"})
# As wide as small events are; dedup slots are spread evenly, feeds hold a tenth of the events.
_FILL: Final = (
    "ALTER TABLE journal DROP CONSTRAINT journal_pkey",
    "ALTER TABLE dedup DROP CONSTRAINT dedup_pkey",
    "INSERT INTO journal (position, hubtime, audience, parties, receipt, type, version, publisher,"
    " region, key, addressed_to, copied_to, marking, expires, attributes, data, source, event_id,"
    " correlation, digest) SELECT n, n * 1000, '', '', decode(md5(n::text), 'hex'),"
    " (ARRAY['petition.case_transferred', 'clue.assigned'])[1 + n % 2], '1.0', 'p', '510104',"
    " 'petition:' || n / 10, '', '', 1, NULL, decode(repeat('61', 100), 'hex'),"
    " decode(repeat('62', 100), 'hex'), '/p/xfj', n::text, '', sha256(n::text::bytea)"
    " FROM generate_series(1::bigint, {events}) AS n",
    "INSERT INTO dedup SELECT ('x' || left(md5(n::text), 16))::bit(64)::bigint, n"
    " FROM generate_series(1::bigint, {events}) AS n",
    "ALTER TABLE journal ADD PRIMARY KEY (position)",
    "ALTER TABLE dedup ADD PRIMARY KEY (slot)",
    "UPDATE shards SET next_number = {events} + 1, hubtime = {events} * 1000::bigint",
    "INSERT INTO subscriptions (agency, id, body, pins, start, committed, filled, fill_until,"
    " created_at) SELECT '{agency}', 's' || n, '{{}}', '{{}}', 0, {events} / 2, 0, 0, 0"
    " FROM generate_series(1, {subscriptions}) AS n",
    "INSERT INTO feed SELECT s, n + s, n + s + 4, decode(repeat('0000000000000000', 5), 'hex') FROM"
    " generate_series(1, {subscriptions}) AS s, generate_series(0::bigint, {events}, 1000) AS n",
    "INSERT INTO reads (subscription, agency, subscription_id, token, channel, policy, read_at,"
    " first, last, outcomes) SELECT n % {subscriptions} + 1, 'a' || n % 100, 's', 1, 'pull', 1, n,"
    " n * 10, n * 10 + 1000, '' FROM generate_series(1::bigint, {events} / 10) AS n",
    "INSERT INTO refusals (caller, source, event_id, code, pointer, refused_at)"
    " SELECT 'a' || n % 100, '/p/xfj', n::text, 'c', '/x', n"
    " FROM generate_series(1::bigint, {events} / 10) AS n",
)
Asked = Callable[[Connection], object]


def asked() -> Mapping[str, Asked]:
    """What the hub asks most, or of the biggest tables."""
    middle, page = EVENTS // 2, range(EVENTS // 2, EVENTS // 2 + 1_000)
    contracts = [("petition.case_transferred", "1.0")]
    slot = slot_of(hashlib.md5(str(middle).encode(), usedforsecurity=False).digest())

    def append(connection: Connection, size: int) -> object:
        head = appending.head(connection, SHARD)
        slots, made = rows_of(admitted(range(size), series="plans"), head.next_number)
        return appending.append(connection, head, slots, made, hubtime=head.hubtime)

    return {
        "head": partial(appending.head, shard=SHARD),
        "take_turn": partial(appending.take_turn, shard=SHARD),
        "append of 1": partial(append, size=1),
        "append of 1,000": partial(append, size=1_000),
        "claimed_by": partial(sql.claimed_by, slot=slot),
        "entries of a page": _all(sql.entries, positions=page),
        "entries scattered": _all(sql.entries, positions=range(1, EVENTS, EVENTS // 1000)),
        "headers": partial(sql.headers, after=middle, until=EVENTS, most=1_000),
        "feed_after": partial(sql.feed_after, subscription=7, after=middle, until=EVENTS, most=999),
        "subscription": partial(sql.subscription, agency=CITY, id_="s7"),
        "commit_cursor": partial(sql.commit_cursor, number=7, position=middle + 1),
        "place": partial(sql.place, slot=slot, otherwise=middle),
        "of_case": partial(sql.of_case, key="petition:7", since=middle, until=middle + 5_000),
        "refusals_of": partial(
            sql.refusals_of, caller=None, source="/p/xfj", event_id="7", most=100
        ),
        "newest_version": policy.newest_version,
        "entry_from": partial(retention.entry_from, position=middle),
        "stretch_end": partial(retention.stretch_end, after=0, until=EVENTS, most=2_000),
        "due": partial(retention.due, contracts=contracts, after=0, until=2_000, most=500),
        "feeds_around": partial(retention.feeds_around, first=1, last=2_000),
        "feed_rows": _all(retention.feed_rows, feeds=range(1, 50), first=1, last=2_000),
        "release": partial(retention.release, slots=[(slot, middle)]),
        "remove_entries": partial(
            retention.remove_entries, shard=SHARD, positions=page, until=page[-1]
        ),
        "remove_entries, all": partial(
            retention.remove_entries, shard=SHARD, positions=range(1, 501), until=500
        ),
        "whole_until": partial(partitions.whole_until, shard=SHARD, place=middle, since=0),
        "erase": partial(partitions.erase, shard=SHARD, beyond=middle, most=500),
        "reads_over": _all(evidence.reads_over, position=EVENTS - 500, after=0),
        "reads_of": partial(evidence.reads_of, agency="a7", position=middle, most=100),
        "unread": partial(watch.unread, agencies=[CITY, PETITION], most=10_000),
        "registered_at": partial(watch.registered_at, positions=page[::10]),
    }


def _all(ask: Callable[..., Iterator[Any]], **how: Any) -> Asked:
    return lambda connection: list(ask(connection, **how))


@contextmanager
def sent(connection: Connection) -> Iterator[list[tuple[str, Any]]]:
    """The statements that are sent within, with their values."""
    statements: list[tuple[str, Any]] = []

    def note(_c: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        statements.append((statement, values))

    def note_direct(asked: asyncpg.connection.LoggedQuery) -> None:
        statements.append((asked.query, asked.args))

    driver = connection.connection.driver_connection
    # It tells nothing of what is sent by SQLAlchemy's cursors.
    direct: AbstractContextManager[None] = nullcontext()
    if isinstance(driver, asyncpg.Connection):
        # At their first use it asks what these types are.
        connection.exec_driver_sql("SELECT CAST(NULL AS bigint[]), CAST(NULL AS text[])")
        direct = driver.query_logger(note_direct)
    event.listen(connection, "before_cursor_execute", note)
    with direct:
        yield statements
        event.remove(connection, "before_cursor_execute", note)
        # By the next answer the driver has told of all that came before.
        connection.exec_driver_sql("SELECT 1")


def nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """All of a plan's nodes."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def explain(connection: Connection, ask: Asked) -> list[dict[str, Any]]:
    """How each statement of what is asked is carried out; nothing of it stays."""
    with connection.begin_nested() as undone:
        with sent(connection) as statements:
            ask(connection)
        undone.rollback()
    told: list[dict[str, Any]] = []
    for statement, values in statements:
        with connection.begin_nested() as undone:
            found = connection.exec_driver_sql(
                f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", values
            ).scalar_one()
            undone.rollback()
        (explained,) = found if isinstance(found, list) else json.loads(found)
        told.append(explained)
    return told


def generic(connection: Connection, ask: Asked) -> float:
    """Milliseconds that it takes with the plan that is kept for whatever values."""
    connection.exec_driver_sql("SET LOCAL plan_cache_mode = force_generic_plan")
    took: list[float] = []
    for _ in range(3):
        with connection.begin_nested() as undone:
            started = perf_counter()
            ask(connection)
            took.append((perf_counter() - started) * 1000)
            undone.rollback()
    return min(took)


def report(transactions: Transactions, name: str, ask: Asked) -> bool:
    """Print how it is carried out, a JSON line; whether it goes through no big table."""
    plans = transactions.run(partial(explain, ask=ask))
    all_nodes = [node for plan in plans for node in nodes(plan["Plan"])]
    gone_through = (n["Relation Name"] for n in all_nodes if n["Node Type"] == "Seq Scan")
    # A partition is named as its table and a number.
    whole = {name for name in gone_through if name in BIG or name.startswith("journal_")}
    line = {
        "name": name,
        "ms": round(sum(plan["Execution Time"] for plan in plans), 2),
        "planning_ms": round(sum(plan["Planning Time"] for plan in plans), 2),
        "generic_ms": round(transactions.run(partial(generic, ask=ask)), 2),
        "pages": sum(
            plan["Plan"][f"Shared {how} Blocks"] for plan in plans for how in ("Hit", "Read")
        ),
        "by": sorted(
            {n["Index Name"] for n in all_nodes if "Index Name" in n and n["Actual Loops"]}
        ),
        "through": sorted(whole),
        "holds": not whole,
    }
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stdout.flush()
    return not whole


def fill(connection: Connection) -> None:
    size = EVENTS // PARTITIONS
    for first in range(1, EVENTS + 2, size):
        partitions.make(connection, first=first, end=first + size)
    connection.exec_driver_sql("UPDATE shards SET room = ?", (EVENTS + size,))
    for statement in _FILL:
        connection.exec_driver_sql(
            statement.format(events=EVENTS, subscriptions=SUBSCRIPTIONS, agency=CITY)
        )


def run() -> bool:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        # Nothing of it need last; what is asked meets the caches that the settings give.
        settings = {"fsync": "off", "max_wal_size": "4GB", "maintenance_work_mem": "512MB"}
        server = stack.enter_context(running(folder, settings=settings))
        server.create_database("plans")
        database = stack.enter_context(closing(open_postgres(server.url("plans"))))
        with closing(database.unhurried()) as unhurried:
            unhurried.run(fill)
        transactions = stack.enter_context(closing(database.writing()))
        asyncio.run(rows(server.url("plans"), "VACUUM (ANALYZE)"))
        return all([report(transactions, name, ask) for name, ask in asked().items()])


if __name__ == "__main__":
    sys.exit(not run())
