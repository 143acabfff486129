"""Questions of one statement to PostgreSQL, asked on the event loop itself.

The way to a thread and back, and the beginning and end of a transaction, take longer than a small
answer.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import asyncpg
from sqlalchemy import URL
from sqlalchemy.exc import OperationalError

from hub.database.postgres import driver_address
from hub.database.session import FAR, PLANS
from hub.errors import StorageFailed

# Who asks has a publisher who waits.
ANSWER: Final = 2.0
_SESSION: Final = {
    **PLANS,
    "application_name": "guantong glances",
    "default_transaction_read_only": "on",
}


class Glances:
    """One connection, made when it is needed. `failed` is told what the database was at fault for,
    `answered` that it was not.
    """

    def __init__(
        self, url: URL, *, failed: Callable[[BaseException], None], answered: Callable[[], None]
    ) -> None:
        self._address = driver_address(url)
        self._failed = failed
        self._answered = answered
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None

    async def ask(self, statement: str, *values: Any) -> asyncpg.Record:
        """The row that answers; one question at a time. Raises StorageFailed."""
        try:
            connection = await self._connected()
            row = await connection.fetchrow(statement, *values)
        except FAR as error:
            self.close()
            self._failed(_as_sqlalchemy_tells(error))
            raise StorageFailed(retry_after=1) from error
        self._answered()
        assert row is not None
        return row

    async def run(self) -> None:
        """Close the connection in the end, when cancelled."""
        try:
            await asyncio.Event().wait()
        finally:
            self.close()

    def close(self) -> None:
        """Whoever asks next makes another."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _connected(self) -> "asyncpg.Connection[asyncpg.Record]":
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(
                **self._address,
                timeout=ANSWER,
                command_timeout=ANSWER,
                server_settings=_SESSION,
            )
        return self._connection


def _as_sqlalchemy_tells(error: BaseException) -> OperationalError:
    told = OperationalError(None, None, error)
    told.__cause__ = error
    return told
