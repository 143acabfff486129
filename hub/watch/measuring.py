"""What the gauges show of the database: read now and then, so that no scrape can load the hub."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from hub.database import intake
from hub.database.connection import Connection
from hub.database.readers import Readers
from hub.database.transactions import Space, SpaceHere
from hub.event import number_of
from hub.gauges import Backlog, Measured
from hub.journal.register import SHARD
from hub.policy import issuing
from hub.policy import sql as policy_sql
from hub.policy.policy import Policies, Policy
from hub.watch import sql

FRESH_SECONDS: Final = 5.0
# A reading that takes long is repeated rarely: it may have this share of one thread's time.
MOST_OF_THE_TIME: Final = 1 / 50
# A scrape does not wait longer than this for a reading; the next one shows it.
PATIENCE: Final = 1.0
# Counting goes no further into a feed: enough to see who lags, whatever the backlog.
MOST_ROWS_OF_A_FEED: Final = 1_000


class Measuring:
    """Keeps the gauges of the database fresh enough; `show` is given each new reading."""

    def __init__(
        self,
        *,
        space: Callable[[Connection], Space],
        readers: Readers,
        policies: Policies,
        show: Callable[[Measured], None],
        clock: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        self._space = space
        self._readers = readers
        self._policies = policies
        self._show = show
        self._clock = clock
        self._monotonic = monotonic
        self._running: asyncio.Task[None] | None = None
        self._next = 0.0

    async def refresh(self) -> None:
        """Have the gauges read anew if it is time, waiting a moment for it at most.

        Raises what the reading raised.
        """
        if self._running is None:
            if self._monotonic() < self._next:
                return
            self._running = asyncio.create_task(self._read())
        done, _ = await asyncio.wait({self._running}, timeout=PATIENCE)
        if done:
            ended, self._running = self._running, None
            ended.result()

    async def _read(self) -> None:
        started = self._monotonic()
        try:
            self._show(await self._readers.run(self._measure))
        finally:
            ended = self._monotonic()
            self._next = ended + max(FRESH_SECONDS, (ended - started) / MOST_OF_THE_TIME)

    def _measure(self, connection: Connection) -> Measured:
        now = self._clock()
        holdings = sql.holdings(connection, SHARD)
        policy = self._policies.seen_by(connection)
        version, changed = policy_sql.newest_version(connection)
        space = self._space(connection)
        here = space if isinstance(space, SpaceHere) else None
        handover = intake.standing(connection, SHARD)
        backlogs = _backlogs(connection, policy)
        return Measured(
            now=now,
            position=number_of(holdings.newest),
            oldest_position=number_of(holdings.oldest),
            hubtime=holdings.hubtime,
            known=holdings.known,
            refusals=holdings.refusals,
            backlogs=backlogs,
            intake_since=handover.waits_since,
            intake_batches=handover.batches,
            intake_aside=handover.aside,
            records_aside=handover.unread,
            writer_silence=handover.silence,
            policy_version=version,
            policy_changed=changed,
            tokens_expiring=len(
                issuing.expiring(connection, registered=policy.registry.agencies, now=now)
            ),
            database_bytes=space.database,
            log_bytes=here.log if here else None,
            disk_bytes=here.disk if here else None,
            disk_free_bytes=here.free if here else None,
        )


def _backlogs(connection: Connection, policy: Policy) -> Mapping[str, Backlog]:
    """What each registered agency has not read, over all its subscriptions."""
    entries: dict[str, int] = {}
    first: dict[str, int] = {}
    for unread in sql.unread(
        connection, sorted(policy.registry.agencies), most=MOST_ROWS_OF_A_FEED
    ):
        if unread.oldest is not None:
            agency = unread.agency
            entries[agency] = entries.get(agency, 0) + unread.entries
            first[agency] = min(first.get(agency, unread.oldest), unread.oldest)
    since = sql.registered_at(connection, first.values())
    return {
        agency: Backlog(entries[agency], since[position])
        for agency, position in first.items()
        if position in since
    }
