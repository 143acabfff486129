"""Whether Kafka's brokers answer this process, and if not, why not.

Clients of Kafka hide that, and go on trying for as long as it takes; so it is asked beside them,
over a connection of its own.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from aiokafka.conn import AIOKafkaConnection, collect_hosts, create_conn
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    NoError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
    for_code,
)
from aiokafka.protocol.metadata import MetadataRequest
from structlog.typing import FilteringBoundLogger

from hub.errors import HubError, KafkaAway, KafkaLoginRefused, KafkaTls
from hub.kafkametrics import KafkaMetrics

# A broker that does not answer within this is away, seconds.
ANSWER_SECONDS: Final = 2.0
# Whoever asks so soon again is told the same.
FRESH_SECONDS: Final = 0.5
_REFUSED: Final = (IllegalSaslStateError, SaslAuthenticationFailed, UnsupportedSaslMechanismError)
# Of what several brokers meet one with, the first says most.
_LACKS: Final[tuple[type[HubError], ...]] = (KafkaLoginRefused, KafkaTls, KafkaAway)


class Reach:
    """Asks the brokers again and again, as long as it runs, and tells when that changes.

    `access` is how aiokafka's clients reach them; `pause` is between two looks.
    """

    def __init__(
        self,
        access: Mapping[str, Any],
        *,
        metrics: KafkaMetrics,
        log: FilteringBoundLogger,
        pause: Callable[[], Awaitable[None]],
        monotonic: Callable[[], float],
    ) -> None:
        self._access = {n: value for n, value in access.items() if n != "bootstrap_servers"}
        self._hosts = deque(collect_hosts(access["bootstrap_servers"]))
        self._metrics = metrics
        self._log = log
        self._pause = pause
        self._monotonic = monotonic
        self._connection: AIOKafkaConnection | None = None
        self._asking = asyncio.Lock()
        # Until they have answered once they are away.
        self._lack: type[HubError] | None = KafkaAway
        self._told: type[HubError] | None = None
        self._looked: float | None = None

    @property
    def lack(self) -> type[HubError] | None:
        """What keeps the brokers from this process, as far as is known; None where nothing does."""
        return self._lack

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        try:
            while True:
                await self.look()
                await self._pause()
        finally:
            self._close()

    async def look(self) -> type[HubError] | None:
        """What keeps the brokers from this process at this moment."""
        async with self._asking:
            if self._looked is None or self._monotonic() - self._looked > FRESH_SECONDS:
                with suppress(HubError):
                    await self._answer(MetadataRequest([], False))
            return self._lack

    async def explains(self, error: BaseException) -> bool:
        """Whether what a client met comes from what is told here of the brokers themselves."""
        return isinstance(error, KafkaError | OSError) and await self.look() is not None

    async def partitions(self, topics: Sequence[str]) -> dict[str, int | str]:
        """How many partitions topics have, or Kafka's name of why it does not say.

        Raises what keeps the brokers from this process.
        """
        async with self._asking:
            answer = await self._answer(MetadataRequest(list(topics), False))
        found: dict[str, int | str] = {}
        for code, topic, _, partitions in answer.topics:
            error = for_code(code)
            found[topic] = len(partitions) if error is NoError else error.__name__
        return found

    async def _answer(self, request: MetadataRequest) -> Any:
        """What a broker answers. Raises what keeps them from this process."""
        lacks: set[type[HubError]] = set()
        # One that was left is opened anew before the host is given up.
        for _ in range(len(self._hosts) + 1):
            kept = self._connection is not None
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    connection = self._connection or await self._connected()
                    answer = await connection.send(request)
            except (KafkaError, OSError, ValueError) as error:
                if not kept:
                    lacks.add(self._lack_of(error))
                    self._hosts.rotate(-1)
                self._close()
            else:
                self._find_out(None)
                return answer
        lack = next(each for each in _LACKS if each in lacks)
        self._find_out(lack)
        raise lack

    async def _connected(self) -> AIOKafkaConnection:
        host, port, _ = self._hosts[0]
        self._connection = await create_conn(host, port, **self._access)
        return self._connection

    def _lack_of(self, error: Exception) -> type[HubError]:
        """What an error says that came up with a new connection."""
        match error:
            case KafkaError() if isinstance(error, _REFUSED):
                return KafkaLoginRefused
            # A broker talks to whoever has not logged in, and hangs up once he asks for something.
            case KafkaConnectionError() if (
                self._connection is not None and "sasl_mechanism" not in self._access
            ):
                return KafkaLoginRefused
            case ssl.SSLError():
                return KafkaTls
            case ConnectionResetError() if "ssl_context" in self._access:
                return KafkaTls
            case _:
                return KafkaAway

    def _find_out(self, lack: type[HubError] | None) -> None:
        self._looked, self._lack = self._monotonic(), lack
        self._metrics.reached(None if lack is None else lack.code)
        if lack != self._told:
            self._told = lack
            if lack is None:
                self._log.info("kafka.back")
            else:
                self._log.warning("kafka.away", reason=lack.code)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
