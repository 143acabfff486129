"""A client of Kafka's for as long as a process needs it: one session after another."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka.client import AIOKafkaClient
from structlog.typing import FilteringBoundLogger

from hub.logs import places_of

RECONNECT_SECONDS: Final = 1.0
STOP_SECONDS: Final = 2.0

_update_metadata = AIOKafkaClient._metadata_update


def be_patient(rest: Callable[[], Awaitable[None]]) -> None:
    """Have every client of the process rest when nobody could tell it who leads.

    aiokafka asks again at once: while all brokers refuse, a consumer keeps a processor busy.
    """

    async def update(client: AIOKafkaClient, cluster: Any, topics: Any) -> bool:
        done: bool = await _update_metadata(client, cluster, topics)
        if not done:
            await rest()
        return done

    AIOKafkaClient._metadata_update = update


class Sessions:
    """Keeps a session of a `client` going, whatever ends one.

    `found` is told whether there is none. A session calls `entered` once the brokers have answered
    it. What ends it is logged where that has changed, unless it is one that is told of the brokers
    themselves, which `explained` is asked.
    """

    def __init__(
        self,
        client: str,
        *,
        found: Callable[[bool], None],
        explained: Callable[[BaseException], Awaitable[bool]],
        log: FilteringBoundLogger,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._client = client
        self._found = found
        self._explained = explained
        self._log = log
        self._sleep = sleep
        self._connected = False
        self._told = ""

    @property
    def connected(self) -> bool:
        """Whether the brokers answered when they were last asked."""
        return self._connected

    async def run(self, session: Callable[[], Awaitable[None]]) -> None:
        """Connect, and connect anew whenever a session ends, until cancelled."""
        self._found(True)
        try:
            while True:
                (ended,) = await asyncio.gather(session(), return_exceptions=True)
                await self._left(_first_of(ended))
                await self._sleep(RECONNECT_SECONDS)
        finally:
            self._connected, self._told = False, ""

    def entered(self) -> None:
        """The brokers have answered."""
        self._connected = True
        self._found(False)

    async def _left(self, error: BaseException) -> None:
        reason = type(error).__name__
        told = reason == self._told and not self._connected
        self._connected, self._told = False, reason
        self._found(True)
        if not await self._explained(error) and not told:
            self._log.warning(
                "kafka.client_failed", client=self._client, reason=reason, at=places_of(error)
            )


@asynccontextmanager
async def running(client: Any) -> AsyncIterator[Any]:
    """A client, started and stopped. Brokers that do not answer are not waited for."""
    try:
        await client.start()
        yield client
    finally:
        stopping = asyncio.gather(client.stop(), return_exceptions=True)
        await asyncio.wait({stopping}, timeout=STOP_SECONDS)


def _first_of(error: BaseException | None) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert error is not None, "a session ends by what it met"
    return error
