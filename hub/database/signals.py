"""What processes on one PostgreSQL database tell each other: LISTEN and NOTIFY.

Signals only save waiting. One may be lost with a connection, so whoever gets one back looks at
everything and tells the others to; and nobody's right hangs on a signal. They are sent on a
connection of their own, since a NOTIFY makes its transaction's commit wait for all others.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Final

import asyncpg
import msgspec
from sqlalchemy import URL
from structlog.typing import FilteringBoundLogger

from hub.database.connection import Connection
from hub.database.news import ANYTHING, NOTHING, News
from hub.database.postgres import driver_address
from hub.database.transactions import storage_reason

CHANNEL: Final = "guantong"
# PostgreSQL takes payloads below 8,000 bytes.
MOST_BYTES: Final = 7_000
# A connection that is silent for so long is asked whether it is alive, seconds.
SILENCE: Final = 5.0
_NAME: Final = "guantong signals"
ANSWER: Final = 2.0


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(News).decode


def others_listen(connection: Connection) -> bool:
    """Whether a process has such a connection to this database."""
    found = connection.exec_driver_sql(
        "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = ?)",
        (_NAME,),
    )
    return bool(found.scalar_one())


class Signals:
    """One connection of a process, on its event loop, that hears the others and tells them.

    What is to be told while a signal is under way goes with the next.
    """

    def __init__(
        self,
        url: URL,
        *,
        rest: Callable[[], Awaitable[None]],
        log: FilteringBoundLogger,
    ) -> None:
        self.address = driver_address(url)
        self._rest = rest
        self._log = log
        self._speaks = False
        self._lost = 0
        self._untold = NOTHING
        self._woken = asyncio.Event()

    def tell(self, news: News) -> None:
        """Have the other processes hear the news soon.

        While nobody can be told, nothing is kept: later they are told to look at everything.
        """
        if not self._speaks:
            return
        self._untold = self._untold.and_also(news)
        self._woken.set()

    async def run(self, heard: Callable[[News], None]) -> None:
        """Hear and tell until cancelled, over as many connections as it takes.

        `heard` is called with what others tell, and must not raise.
        """
        while True:
            try:
                await self._converse(heard)
            except Exception as far:
                # Whatever it is that breaks a connection: nothing here is worth the process.
                if not self._lost:
                    self._log.warning("signals.lost", reason=storage_reason(far))
                self._lost += 1
            await self._rest()

    async def _converse(self, heard: Callable[[News], None]) -> None:
        """Hear and tell until the connection breaks, which raises what broke it."""
        connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(
            **self.address,
            timeout=ANSWER,
            command_timeout=ANSWER,
            server_settings={"application_name": _NAME, "synchronous_commit": "off"},
        )
        try:
            connection.add_termination_listener(lambda _: self._woken.set())
            await connection.add_listener(CHANNEL, partial(_hear, heard))
            # Something may have been told while nobody here listened, or could speak.
            heard(ANYTHING)
            self._speaks = True
            if self._lost:
                self._log.info("signals.back", missed=self._lost)
                self._lost = 0
            self.tell(ANYTHING)
            while True:
                await self._next(connection)
        finally:
            self._speaks, self._untold = False, NOTHING
            connection.terminate()

    async def _next(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        """Tell what there is to tell, or that one is alive. Raises when the connection is lost."""
        try:
            async with asyncio.timeout(SILENCE):
                await self._woken.wait()
        except TimeoutError:
            await connection.execute("SELECT 1")
            return
        self._woken.clear()
        news, self._untold = self._untold, NOTHING
        told = (_encode(each).decode() for each in (news, news.shortened()))
        payload = next((p for p in told if len(p) <= MOST_BYTES), _encode(ANYTHING).decode())
        await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, payload)


def _hear(
    heard: Callable[[News], None],
    connection: object,
    sender: int,
    _channel: str,
    payload: object,
) -> None:
    """Act on what another process tells; what is no news says nothing."""
    own = isinstance(connection, asyncpg.Connection) and connection.get_server_pid() == sender
    if own:
        return
    with suppress(msgspec.DecodeError):
        heard(_decode(str(payload)))
