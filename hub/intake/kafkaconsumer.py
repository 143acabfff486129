"""The doors' topics, read with aiokafka in rounds: fetch, admit, answer, commit.

A session begins where the group has committed, and ends at whatever it cannot go on from; then
comes another. So nothing is skipped, whatever clients, brokers or a rebalance do, and what comes
again is known again (decision 26).
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    UnsupportedCodecError,
)

from hub.errors import HubError
from hub.intake.kafka import Record
from hub.intake.kafkadoor import Answer, KafkaDoor
from hub.intake.kafkawaiting import Waiting

MOST_RECORDS: Final = 500
# Admitted abreast; what more a round has comes after.
ABREAST_BYTES: Final = 8 * 1024 * 1024
POLL_MS: Final = 500
ALONE_MS: Final = 2_000
# An agency without a topic for answers, or one that is not open to this hub, has them in the
# record of refusals alone.
_NO_ANSWERING: Final = (
    InvalidTopicError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
)

Fetched = Mapping[TopicPartition, Sequence[Record]]


class Session:
    """Rounds over the partitions that the group gives this process, until something fails."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        producer: AIOKafkaProducer,
        *,
        door: KafkaDoor,
        waiting: Waiting,
    ) -> None:
        self._consumer = consumer
        self._producer = producer
        self._door = door
        self._waiting = waiting
        self._topics: frozenset[str] = frozenset()

    async def look(self) -> None:
        """See which topics there are. Raises KafkaError when no broker tells."""
        self._topics = frozenset(await self._consumer.topics())

    async def unread(self) -> tuple[int, int | None]:
        """How many records wait, and when the oldest of those that were fetched came."""
        count = 0
        for partition in self._consumer.assignment():
            end = self._consumer.highwater(partition)
            # Of what was not asked for yet nothing is known.
            if end is not None:
                held = self._waiting.first(partition)
                count += end - (await self._consumer.position(partition) if held is None else held)
        return count, self._waiting.oldest

    async def run(self) -> None:
        """Take rounds. Raises what ends the session."""
        while True:
            self._resume()
            fetched = await self._fetch(most=MOST_RECORDS, within=POLL_MS)
            if isinstance(fetched, Exception):
                await self._read_each_alone(fetched)
            else:
                await self._settle(fetched)

    def _resume(self) -> None:
        assigned = self._consumer.assignment()
        self._waiting.keep_only(assigned)
        self._consumer.resume(*self._waiting.due())

    async def _fetch(
        self, *partitions: TopicPartition, most: int, within: int
    ) -> Fetched | Exception:
        """Records that came, or why one of them cannot be parsed; then others may be lost, of any
        partition. Raises KafkaError.
        """
        getting = self._consumer.getmany(*partitions, timeout_ms=within, max_records=most)
        got: Any
        (got,) = await asyncio.gather(getting, return_exceptions=True)
        if isinstance(got, KafkaError | asyncio.CancelledError) and not isinstance(
            got, UnsupportedCodecError
        ):
            raise got
        if isinstance(got, Exception):
            return got
        return {
            partition: [_record(each) for each in records] for partition, records in got.items()
        }

    async def _settle(self, fetched: Fetched) -> None:
        """Admit what was fetched, and commit what is safe; the rest waits in its place."""
        self._waiting.hold(fetched)
        for portion in _portions(fetched):
            admitting = (self._admit(records) for records in portion.values())
            ended = await asyncio.gather(*admitting, return_exceptions=True)
            safe = {}
            for (partition, records), error in zip(portion.items(), ended, strict=True):
                if error is None:
                    safe[partition] = records[-1].offset + 1
                else:
                    self._put_back(partition, records[0].offset, error)
            await self._commit(safe)

    async def _admit(self, records: Sequence[Record]) -> None:
        await self._answer(await self._door.admit(records))

    async def _answer(self, answers: Sequence[Answer]) -> None:
        """Tell an agency what was refused, where it has a topic for that."""
        if not answers:
            return
        if answers[0].topic not in self._topics:
            await self.look()
        known = [answer for answer in answers if answer.topic in self._topics]
        sending = (
            self._producer.send_and_wait(
                answer.topic, answer.value, key=answer.key, headers=list(answer.headers)
            )
            for answer in known
        )
        ended = await asyncio.gather(*sending, return_exceptions=True)
        if any(isinstance(told, UnknownTopicOrPartitionError) for told in ended):
            # That is what the client says, too, of a topic that nobody led for long.
            await self.look()
            if answers[0].topic not in self._topics:
                return
        for told in ended:
            if isinstance(told, BaseException) and not isinstance(told, _NO_ANSWERING):
                raise told

    def _put_back(self, partition: TopicPartition, offset: int, error: BaseException) -> None:
        """Have a partition wait, and come again from there."""
        after = error.retry_after if isinstance(error, HubError) else None
        self._waiting.put_off(partition, error, after=after or 0)
        if partition in self._consumer.assignment():
            self._consumer.pause(partition)
            self._consumer.seek(partition, offset)

    async def _commit(self, safe: Mapping[TopicPartition, int]) -> None:
        assigned = self._consumer.assignment()
        mine = {partition: offset for partition, offset in safe.items() if partition in assigned}
        try:
            if mine:
                await self._consumer.commit(mine)
        except (CommitFailedError, IllegalStateError):
            # The partitions are another's by now, or come again: then all of it is known.
            pass
        self._waiting.settled(safe)

    async def _read_each_alone(self, error: Exception) -> None:
        """A record cannot be parsed, and what was fetched along with it is lost: go back to what is
        committed, and find out whose it is.
        """
        found = False
        for partition in self._consumer.assignment() - self._consumer.paused():
            if await self._rewind(partition):
                fetched = await self._fetch(partition, most=MOST_RECORDS, within=ALONE_MS)
                if isinstance(fetched, Exception):
                    found = True
                    await self._pass_over(partition)
                else:
                    await self._settle(fetched)
        if not found:
            raise error

    async def _rewind(self, partition: TopicPartition) -> bool:
        """Go back to what is committed; whether there is anything to be read from there."""
        end = self._consumer.highwater(partition)
        if end is None:
            return False
        committed = await self._consumer.committed(partition)
        if committed is None:
            await self._consumer.seek_to_beginning(partition)
        else:
            self._consumer.seek(partition, committed)
        return bool(end > await self._consumer.position(partition))

    async def _pass_over(self, partition: TopicPartition) -> None:
        """Take one record at a time; one that cannot be parsed is refused, and passed over."""
        await self._rewind(partition)
        for _ in range(MOST_RECORDS):
            fetched = await self._fetch(partition, most=1, within=ALONE_MS)
            if isinstance(fetched, Exception):
                offset = await self._consumer.position(partition)
                fetched = {partition: [_unreadable(partition, offset)]}
                self._consumer.seek(partition, offset + 1)
            if not fetched:
                return
            await self._settle(fetched)
            if self._waiting.first(partition) is not None:
                return


def _record(record: Any) -> Record:
    return Record(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        at=record.timestamp,
        key=record.key,
        headers=record.headers,
        value=record.value,
    )


def _unreadable(partition: TopicPartition, offset: int) -> Record:
    return Record(partition.topic, partition.partition, offset, 0, None, None, None)


def _portions(fetched: Fetched) -> Iterator[dict[TopicPartition, Sequence[Record]]]:
    """What was fetched, as much at a time as may be admitted abreast."""
    portion: dict[TopicPartition, Sequence[Record]] = {}
    size = 0
    for partition, records in fetched.items():
        more = sum(record.size for record in records)
        if portion and size + more > ABREAST_BYTES:
            yield portion
            portion, size = {}, 0
        portion[partition] = records
        size += more
    if portion:
        yield portion
