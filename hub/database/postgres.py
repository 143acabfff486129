"""PostgreSQL, by its address: a connection a thread, or several on one."""

import asyncio
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Final

import uvloop
from sqlalchemy import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from hub.database.interleaved import Interleaved
from hub.database.migrating import migrate
from hub.database.session import GivenUp, Session
from hub.database.transactions import Space, T, Works, storage_reason
from hub.errors import DatabaseAddress, DatabaseAway, DatabaseUnfit

DRIVER: Final = "postgresql+asyncpg"
OLDEST: Final = 15
# How long the server may owe the answer to a statement or a COMMIT. The machine notices that a peer
# is gone; that a gateway on the way has forgotten the connection, or a server stands still, it does
# not.
ANSWER_SECONDS: Final = 15.0
# Of all processes that start at once, one brings the tables up to date.
_MIGRATING: Final = 0x6775616E
# One waits for the server while the other is computed: more would stand in each other's way.
PAGES_AT_ONCE: Final = 2
_SNAPSHOT: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
# To see that something came, to read it, to find the end behind it, and to be told of that.
_TURNS: Final = 4


@dataclass(frozen=True, slots=True)
class PostgresDatabase:
    """A PostgreSQL database; `url` names it, with the account.

    A connection whose server owes an answer for `answer` seconds is given up, that to a COMMIT
    for four times as many.
    """

    url: URL
    answer: float = ANSWER_SECONDS
    given_up: GivenUp = field(default_factory=GivenUp)

    def writing(self) -> "_Transactions":
        """Transactions that change it."""
        return _Transactions(Session(self.url, self.given_up, answer=self.answer))

    def unhurried(self) -> "_Transactions":
        """Transactions that change it as a whole: their statements may take any time."""
        return _Transactions(Session(self.url, self.given_up, answer=None))

    def reading(self) -> "_Transactions":
        """Transactions that see one snapshot each."""
        return _Transactions(self._snapshots())

    def pages(self) -> Works:
        """Readers' works of which several are under way at once: the server may be far away."""
        turn = asyncio.Lock()
        return Interleaved([self._snapshots(turn) for _ in range(PAGES_AT_ONCE)])

    def _snapshots(self, turn: asyncio.Lock | None = None) -> Session:
        return Session(self.url, self.given_up, answer=self.answer, begin=_SNAPSHOT, turn=turn)

    def space(self, connection: Connection) -> Space:
        """What the database takes; its log and its disk are not ours to see."""
        taken = connection.exec_driver_sql("SELECT pg_database_size(current_database())")
        return Space(taken.scalar_one())

    def close(self) -> None:
        """Every connection is closed with its transactions."""


def open_postgres(address: str) -> PostgresDatabase:
    """Open a database that its administrator has made, and bring its tables up to date.

    Raises DatabaseAddress, DatabaseAway, DatabaseUnfit, or DataDirectoryNewer when a newer version
    of the program made its tables. No event loop may run on the caller's thread.
    """
    database = PostgresDatabase(_url(address))
    transactions = database.unhurried()
    try:
        transactions.run(_make_ready)
    except DBAPIError as away:
        raise DatabaseAway(storage_reason(away), retry_after=1) from away
    finally:
        transactions.close()
    return database


class _Transactions:
    """A session's, on an event loop of their own."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)

    def run(self, work: Callable[[Connection], T]) -> T:
        """The result of `work` in one transaction."""
        # As the runner's own way to run, without what that does for a main thread's signals.
        return self._runner.get_loop().run_until_complete(self._transact(work))

    def close(self) -> None:
        """Close the connection and the loop."""
        self._runner.run(self._session.close())
        self._runner.close()

    async def _transact(self, work: Callable[[Connection], T]) -> T:
        # The loop stands still between transactions: it learns now that the server has hung up.
        for _ in range(_TURNS):
            await _Turn()
        return await self._session.run(work)


class _Turn:
    """Awaited, it lets the loop take in what has come."""

    def __await__(self) -> Generator[None]:
        yield


def _url(address: str) -> URL:
    try:
        url = make_url(address)
    except ArgumentError:
        raise DatabaseAddress from None
    if url.drivername != DRIVER:
        raise DatabaseAddress
    return url


def driver_address(url: URL) -> dict[str, Any]:
    """What SQLAlchemy's URL tells the driver, without what is SQLAlchemy's own."""
    _, named = url.get_dialect()().create_connect_args(url)
    own = ("timeout", "command_timeout", "server_settings")
    return {
        name: value
        for name, value in named.items()
        if name not in own and not name.startswith(("prepared_statement", "async_"))
    }


def _make_ready(connection: Connection) -> None:
    """Bring the tables up to date, in a database that can hold them. Raises DatabaseUnfit."""
    version, encoding = connection.exec_driver_sql(
        "SELECT current_setting('server_version_num')::int / 10000,"
        " current_setting('server_encoding')"
    ).one()
    if version < OLDEST or encoding != "UTF8":
        raise DatabaseUnfit(f"PostgreSQL {version}, {encoding}")
    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(?)", (_MIGRATING,))
    migrate(connection)
