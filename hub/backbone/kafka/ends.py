"""How far the topics reach at a moment, and whether all of that is registered."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from hub.database import offsets
from hub.database.offsets import Lane
from hub.database.readers import Readers
from hub.errors import BackboneAway, NotYetRegistered

PATIENCE_SECONDS: Final = 1.5
# A broker that has fallen silent is asked for so long, milliseconds; and it is looked so often who
# leads instead: nobody says so.
ASKING_MS: Final = 1_000
LEADERS_MS: Final = 1_000


class Ends:
    """Asks the brokers, through a client that is made when it is needed, and kept."""

    def __init__(
        self,
        *,
        make: Callable[[], AIOKafkaConsumer],
        lanes: Sequence[Lane],
        readers: Readers,
        pause: Callable[[], Awaitable[None]],
    ) -> None:
        self._make = make
        self._partitions = [TopicPartition(*lane) for lane in lanes]
        self._readers = readers
        self._pause = pause
        self._client: AIOKafkaConsumer | None = None
        self._asking = asyncio.Lock()

    async def passed(self) -> None:
        """Return when everything is registered that the brokers have at this moment.

        Raises BackboneAway where they cannot be asked, NotYetRegistered where it takes long.
        """
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                ends = await self._ends_of_what_is_kept()
                while not await self._reached(ends):
                    await self._pause()
        except TimeoutError:
            raise NotYetRegistered(retry_after=1) from None

    async def ends(self) -> dict[Lane, int]:
        """Where the lanes end. Raises BackboneAway where the brokers cannot be asked."""
        return await self._asked(lambda client, lanes: client.end_offsets(lanes))

    async def begins(self) -> dict[Lane, int]:
        """Where they begin: what was before is no longer kept. Raises as `ends` does."""
        return await self._asked(lambda client, lanes: client.beginning_offsets(lanes))

    async def _ends_of_what_is_kept(self) -> dict[Lane, int]:
        """The ends, but of lanes that nobody has read and that hold nothing any more."""
        ends = await self.ends()
        registered = await self._readers.run(offsets.registered)
        if all(lane in registered or not end for lane, end in ends.items()):
            return ends
        begins = await self.begins()
        return {lane: end for lane, end in ends.items() if end > begins[lane]}

    async def run(self) -> None:
        """Close the client in the end, when cancelled."""
        try:
            await asyncio.Event().wait()
        finally:
            await self._close()

    async def _close(self) -> None:
        if self._client is not None:
            with suppress(KafkaError, OSError):
                await self._client.stop()
            self._client = None

    async def _asked(
        self,
        ask: Callable[[AIOKafkaConsumer, list[TopicPartition]], Awaitable[Mapping[Any, int]]],
    ) -> dict[Lane, int]:
        async with self._asking:
            try:
                client = self._client = self._client or await self._started()
                found = await ask(client, self._partitions)
            except (KafkaError, OSError) as error:
                raise BackboneAway(retry_after=1) from error
        return {Lane(each.topic, each.partition): offset for each, offset in found.items()}

    async def _started(self) -> AIOKafkaConsumer:
        client = self._make()
        try:
            await client.start()
        except BaseException:
            await client.stop()
            raise
        # So it knows all of them at once. It would learn of topics one by one, a tenth of a second
        # each, if it were only asked.
        client.assign(self._partitions)
        client.pause(*self._partitions)
        return client

    async def _reached(self, ends: dict[Lane, int]) -> bool:
        registered = await self._readers.run(offsets.registered)
        return all(registered.get(lane, 0) >= end for lane, end in ends.items())
