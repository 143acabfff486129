"""A client of Kafka's for as long as a process needs it: one session after another."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from aiokafka.protocol.metadata import MetadataRequest
from structlog.typing import FilteringBoundLogger

from hub.logs import places_of

RECONNECT_SECONDS: Final = 1.0
STOP_SECONDS: Final = 2.0

# What a broker is asked who leads, before another is.
ASKED_SECONDS: Final = 1.0
# The connections on which that is asked.
_ASKING: Final = "asking"


def ask_beside(rest: Callable[[], Awaitable[None]]) -> None:
    """Have every client of the process ask who leads on connections of its own, and rest when
    nobody could tell.

    aiokafka asks where it fetches: a broker answers that once it has answered the fetch, which
    waits for news, and one that has fallen silent is waited for as long as for anything else. It
    asks again at once: while all brokers refuse, a consumer keeps a processor busy.
    """

    async def update(client: AIOKafkaClient, cluster: Any, topics: Any) -> bool:
        brokers = [broker.nodeId for broker in client.cluster.brokers()]
        for broker in random.sample(brokers, len(brokers)):
            told = await _leaders(client, broker, topics)
            if told is not None and told.brokers:
                cluster.update_metadata(told)
                return True
        cluster.failed_update(None)
        await rest()
        return False

    AIOKafkaClient._metadata_update = update


async def _leaders(client: AIOKafkaClient, broker: Any, topics: Any) -> Any:
    """Who leads, as a broker knows; None where it does not tell."""
    connection = None
    try:
        async with asyncio.timeout(ASKED_SECONDS):
            connection = await client._get_conn(broker, group=_ASKING)
            if connection is None:
                return None
            return await connection.send(MetadataRequest(list(topics) if topics else None))
    except (KafkaError, TimeoutError):
        if connection is not None:
            connection.close()
        return None


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
