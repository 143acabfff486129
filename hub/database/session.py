"""A connection to PostgreSQL over asyncpg, and its transactions.

The stages' works are plain functions on a SQLAlchemy connection. Here each runs in a greenlet on
an event loop, so that asyncpg is awaited beneath it.
"""

import asyncio
import re
import socket
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from itertools import count
from typing import Any, Final

import asyncpg
from sqlalchemy import URL, Connection, event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import await_only, greenlet_spawn

from hub.database.transactions import T

# How long a connection may take to be made. A door tells a publisher within two seconds.
CONNECT_SECONDS: Final = 1.5
# A COMMIT may wait for a replica so many times as long. One that is given up goes on waiting at the
# server, and has its connection there.
_COMMIT: Final = 4
# How long whoever has a transaction waits for its turn among those of its thread.
_TURN_SECONDS: Final = 1.0
# Of every connection that is asked again and again.
PLANS: Final = {
    # Statements are short and many: compiling them costs more than it saves.
    "jit": "off",
    # A plan made while a table is small stays when it has grown, and a page then takes 250 ms: so
    # it goes by an index from the first.
    "enable_seqscan": "off",
    # Rows lie as they came, so an index gives them in order as they are sent. By a bitmap all of a
    # page would be sorted before the first of it leaves.
    "enable_bitmapscan": "off",
    # Made once for whatever values. Else each execution would weigh all partitions of the journal,
    # and a plan for its values alone would always seem the better one.
    "plan_cache_mode": "force_generic_plan",
}
_SESSION: Final = {
    **PLANS,
    "application_name": "guantong",
    "timezone": "UTC",
    # Whoever stops in the midst of a transaction must not keep the others from theirs.
    "idle_in_transaction_session_timeout": "3s",
}
# Seconds of silence, between probes, and how many; milliseconds without an answer.
_KEPT_ALIVE: Final = {
    "TCP_KEEPIDLE": 5,
    "TCP_KEEPINTVL": 2,
    "TCP_KEEPCNT": 3,
    "TCP_USER_TIMEOUT": 10_000,
}
FAR: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


class GivenUp:
    """How many connections to a database were given up. What has silenced one may have silenced
    all, so those that are older are made anew rather than waited for in their turn.
    """

    def __init__(self) -> None:
        self.count = 0


class Session:
    """Transactions on a connection of its own, one after another, on the event loop that runs.

    The connection is had at the first of them and kept, and they are begun and ended here: the
    pool and the driver's dialect take half as much again as what a page asks. Of sessions with one
    `turn` whoever asks for it is `alone` (`hub.database.connection`).
    """

    def __init__(
        self,
        url: URL,
        given_up: GivenUp,
        *,
        answer: float | None,
        begin: str = "BEGIN",
        turn: asyncio.Lock | None = None,
    ) -> None:
        self._given_up = given_up
        self._awaited = _Awaited(answer, given_up)
        self._engine = _engine(url, self._awaited, turn)
        self._begin = begin
        self._connection: Connection | None = None
        self._made_at = 0

    async def run(self, work: Callable[[Connection], T]) -> T:
        """The result of `work` in one transaction. Raises as `Transactions.run` does."""
        try:
            # In one greenlet: the asynchronous engine would spawn one for each of its steps.
            return await greenlet_spawn(self._carry_out, work)
        finally:
            self._awaited.end()

    async def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            await greenlet_spawn(self._connection.close)
        await self._engine.dispose()

    def _carry_out(self, work: Callable[[Connection], T]) -> T:
        connection = self._ready()
        try:
            with connection.begin():
                told(connection, self._begin)
                result = work(connection)
                if told(connection, "COMMIT", times=_COMMIT) != "COMMIT":
                    # So the server answers where a statement failed and the work went on.
                    raise OperationalError(None, None, asyncpg.InFailedSQLTransactionError())
                return result
        except BaseException:
            self._undo(connection)
            raise

    def _ready(self) -> Connection:
        """The connection, or another in its place if it is closed or may be silent."""
        connection = self._connection
        if connection is not None:
            if not _driver(connection).is_closed() and self._made_at == self._given_up.count:
                return connection
            self._drop(connection)
        self._made_at = self._given_up.count
        self._connection = connection = self._engine.sync_engine.connect()
        return connection

    def _undo(self, connection: Connection) -> None:
        """Have the server forget a transaction; if it cannot be told, hang up."""
        if _in_transaction(connection):
            with suppress(DBAPIError):
                told(connection, "ROLLBACK")
        if connection.invalidated or _in_transaction(connection):
            self._drop(connection)

    def _drop(self, connection: Connection) -> None:
        """Hang up without a word, and have no connection any more."""
        if not connection.invalidated:
            _driver(connection).terminate()
        connection.invalidate()
        connection.close()
        self._connection = None


class _Awaited:
    """An answer that the server owes for at most so many seconds, if it is told how many.

    Then the connection is given up, and what became of it is unknown as with any that breaks. It
    is not asked to cancel: a COMMIT that waits for a replica would then be done without it.
    """

    def __init__(self, seconds: float | None, given_up: GivenUp) -> None:
        self._seconds = seconds
        self._of_all = given_up
        self._given_up: asyncio.TimerHandle | None = None

    def begin(self, connection: Connection, *, times: int = 1) -> None:
        """Something is about to be sent that may take so many times as long."""
        self.end()
        if self._seconds is None or connection.invalidated:
            return
        terminate = _driver(connection).terminate
        loop = asyncio.get_running_loop()
        self._given_up = loop.call_later(self._seconds * times, self._give_up, terminate)

    def _give_up(self, terminate: Callable[[], None]) -> None:
        self._of_all.count += 1
        terminate()

    def end(self) -> None:
        """It was answered, or nobody waits any more."""
        if self._given_up is not None:
            self._given_up.cancel()
            self._given_up = None


def copied(
    connection: Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert rows by COPY, in the connection's transaction. Raises as `told` does."""
    driver = _driver(connection)
    _answer(connection, driver.copy_records_to_table(table, records=rows, columns=columns))


def fetched(
    connection: Connection, statement: str, values: Sequence[Any]
) -> "list[asyncpg.Record]":
    """The rows that a statement gives, past SQLAlchemy. Raises as `told` does."""
    return _answer(connection, _driver(connection).fetch(_numbered(statement), *values))


def told(connection: Connection, command: str, *, times: int = 1) -> str:
    """What the server says that it has done on a command without values, past SQLAlchemy.

    Raises OperationalError; a connection that is lost by it is not used again.
    """
    return _answer(connection, _driver(connection).execute(command), times=times)


@contextmanager
def had(turn: asyncio.Lock) -> Iterator[None]:
    """Have a turn in this block, unless it is not to be had within a second."""
    mine = await_only(_had(turn))
    try:
        yield
    finally:
        if mine:
            turn.release()


async def _had(turn: asyncio.Lock) -> bool:
    try:
        # The server ends a transaction that stands still for three.
        async with asyncio.timeout(_TURN_SECONDS):
            return await turn.acquire()
    except TimeoutError:
        return False


def _answer(connection: Connection, asked: Coroutine[Any, Any, T], *, times: int = 1) -> T:
    """What the server says to what it is asked, if it does in so many times its time."""
    driver = _driver(connection)
    awaited: _Awaited = connection.get_execution_options()["awaited"]
    awaited.begin(connection, times=times)
    try:
        return await_only(asked)
    except FAR as error:
        if driver.is_closed():
            connection.invalidate()
        raise OperationalError(None, None, error) from error
    finally:
        awaited.end()


def _in_transaction(connection: Connection) -> bool:
    return not connection.invalidated and _driver(connection).is_in_transaction()


def _driver(connection: Connection) -> "asyncpg.Connection[Any]":
    driver: asyncpg.Connection[Any] | None = connection.connection.driver_connection
    assert driver is not None
    return driver


def _engine(url: URL, awaited: _Awaited, turn: asyncio.Lock | None) -> AsyncEngine:
    engine = create_async_engine(
        url,
        connect_args={
            "async_creator_fn": _connect,
            "timeout": CONNECT_SECONDS,
            "server_settings": _SESSION,
        },
        pool_size=1,
        max_overflow=0,
        hide_parameters=True,
        # Whoever has the connection begins and ends its transactions himself.
        isolation_level="AUTOCOMMIT",
        execution_options={"awaited": awaited, "turn": turn},
    )

    @event.listens_for(engine.sync_engine, "before_cursor_execute", retval=True)
    def _ask(
        connection: Connection, _cursor: object, statement: str, values: Any, *_: object
    ) -> tuple[str, Any]:
        awaited.begin(connection)
        return _numbered(statement), values

    @event.listens_for(engine.sync_engine, "after_cursor_execute")
    def _answered(*_: object) -> None:
        awaited.end()

    return engine


async def _connect(*args: Any, **named: Any) -> "asyncpg.Connection[Any]":
    """A connection; whatever keeps it from being made is the database's error."""
    try:
        made: asyncpg.Connection[Any] = await asyncpg.connect(*args, **named)
        _watch(made)
    except FAR as far:
        raise OperationalError(None, None, far) from far
    return made


def _watch(connection: "asyncpg.Connection[Any]") -> None:
    """Have the machine notice within seconds that the server's is gone without a word.

    Raises OSError where the server has hung up already.
    """
    transport: asyncio.Transport | None = connection._transport  # type: ignore[attr-defined]
    wire = None if transport is None else transport.get_extra_info("socket")
    if wire is None or wire.family == socket.AF_UNIX:
        return
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _KEPT_ALIVE.items():
        if hasattr(socket, option):
            wire.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


@cache
def _numbered(statement: str) -> str:
    """The stages write `?` for a value, as SQLite has it; PostgreSQL numbers them."""
    numbers = count(1)
    return re.sub(r"\?", lambda _: f"${next(numbers)}", statement)
