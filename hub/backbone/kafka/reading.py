"""Reading topics past what the client cannot take apart.

For one header whose name is no UTF-8, aiokafka raises and loses what it had fetched with it, of any
partition; asked again it raises again.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerStoppedError, TopicPartition
from aiokafka.errors import KafkaError, UnsupportedCodecError

# Something is there, and so comes within this.
ALONE_MS: Final = 2_000
# aiokafka tells no types.
Fetched = dict[TopicPartition, list[Any]]


@dataclass(frozen=True, slots=True)
class Unparsed:
    """A record in whose place nothing could be parsed; it stands among those of aiokafka's."""

    topic: str
    partition: int
    offset: int
    key: None = None
    value: None = None
    headers: None = None


class Reading(AIOKafkaConsumer):  # type: ignore[misc]
    """A consumer of partitions that it was assigned once. `failed` is told what Kafka meets it
    with, which is raised as well.
    """

    def __init__(self, *, failed: Callable[[BaseException], Awaitable[None]], **named: Any) -> None:
        super().__init__(**named)
        self._tell = failed
        # Where each partition goes on, of those of which something was handed over or sought.
        self._goes_on: dict[TopicPartition, int] = {}

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> Fetched:
        """As aiokafka's, but always something, and what cannot be parsed as `Unparsed`.

        FastStream lets as long again pass as it was given nothing for.
        """
        got: Fetched | Exception = {}
        while not got:
            got = await self._fetch(*partitions, within=timeout_ms, most=max_records)
        if isinstance(got, Exception):
            got = await self._each_alone(got, most=max_records or 1)
        for partition, records in got.items():
            self._goes_on[partition] = records[-1].offset + 1
        return got

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """As aiokafka's."""
        super().seek(partition, offset)
        self._goes_on[partition] = offset

    async def _fetch(
        self, *partitions: TopicPartition, within: int, most: int | None
    ) -> Fetched | Exception:
        """Records, or why one of them cannot be parsed. Raises all else."""
        getting = self._get(*partitions, within=within, most=most)
        got: Any
        (got,) = await asyncio.gather(getting, return_exceptions=True)
        if isinstance(got, KafkaError) and not isinstance(got, UnsupportedCodecError):
            await self._tell(got)
            raise got
        if isinstance(got, ConsumerStoppedError | asyncio.CancelledError):
            raise got
        return got  # type: ignore[no-any-return]

    async def _get(self, *partitions: TopicPartition, within: int, most: int | None) -> Fetched:
        """As aiokafka's `getmany`. Only where more is known to be there is it fetched ahead: what
        comes while the last there was is worked on comes in one fetch, once it is asked for.
        """
        self.resume(*self.assignment())
        got: Fetched = await super().getmany(*partitions, timeout_ms=within, max_records=most)
        if not any(self._has_more(*each) for each in got.items()):
            self.pause(*self.assignment())
        return got

    def _has_more(self, partition: TopicPartition, records: list[Any]) -> bool:
        return bool(records[-1].offset + 1 < self.highwater(partition))

    async def _each_alone(self, error: Exception, *, most: int) -> Fetched:
        """Go back to what was handed over, and read each partition by itself."""
        assigned = list(self.assignment())
        found_there = await asyncio.gather(*map(self._rewound, assigned))
        there = [each for each, is_there in zip(assigned, found_there, strict=True) if is_there]
        share = max(1, most // max(1, len(there)))
        found: Fetched = {}
        for partition in there:
            got = await self._fetch(partition, within=ALONE_MS, most=share)
            if isinstance(got, Exception):
                await self._rewound(partition)
                got = {partition: [each async for each in self._one_by_one(partition, share)]}
            found |= {each: records for each, records in got.items() if records}
        if not found:
            raise error
        return found

    async def _rewound(self, partition: TopicPartition) -> bool:
        """Go back to where a partition goes on; whether anything that was asked for is there."""
        if self.highwater(partition) is None:
            return False
        begin = self._goes_on.get(partition)
        if begin is None:
            begin = await self.committed(partition)
        if begin is None:
            await self.seek_to_beginning(partition)
        else:
            super().seek(partition, begin)
        return not await self._is_read(partition)

    async def _is_read(self, partition: TopicPartition) -> bool:
        """Whether nothing more is known to be there."""
        return bool(await self.position(partition) >= self.highwater(partition))

    async def _one_by_one(self, partition: TopicPartition, most: int) -> AsyncIterator[Any]:
        for _ in range(most):
            if await self._is_read(partition):
                return
            got = await self._fetch(partition, within=ALONE_MS, most=1)
            if isinstance(got, Exception):
                offset = await self.position(partition)
                yield Unparsed(partition.topic, partition.partition, offset)
                super().seek(partition, offset + 1)
            else:
                for records in got.values():
                    yield records[0]
