"""Uses of tokens, written by the minute: the minute ends when the test says so."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import pytest

from hub.errors import StorageFailed
from hub.policy.uses import Uses


@dataclass
class Record:
    """What was written, and how often a minute has begun. `full`: there is no room."""

    written: list[dict[int, int]] = field(default_factory=list)
    minutes: int = 0
    full: bool = False
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def write(self, uses: Mapping[int, int]) -> None:
        if self.full:
            raise StorageFailed
        self.written.append(dict(uses))

    async def pause(self) -> None:
        self.minutes += 1
        self.begun.set()
        await self.over.wait()
        self.over.clear()

    async def minute(self) -> None:
        """Let a minute that has begun pass, and the next begin."""
        await self.begun.wait()
        self.begun.clear()
        self.over.set()
        await self.begun.wait()


@pytest.fixture
def record() -> Record:
    return Record()


@pytest.fixture
async def uses(record: Record) -> AsyncIterator[Uses]:
    made = Uses(write=record.write, pause=record.pause)
    yield made
    await made.stop()


async def test_the_last_uses_of_a_minute_are_written_together(record: Record, uses: Uses) -> None:
    for at in range(1000):
        uses.note(1, at)
        uses.note(2, at * 2)
    await record.minute()
    uses.note(1, 5000)
    await record.minute()
    assert record.written == [{1: 999, 2: 1998}, {1: 5000}]


async def test_a_minute_without_a_use_is_the_last_until_there_is_one(
    record: Record, uses: Uses
) -> None:
    uses.note(1, 1)
    await record.minute()
    record.over.set()
    for _ in range(10):
        await asyncio.sleep(0)
    assert (record.written, record.minutes) == ([{1: 1}], 2)
    record.begun.clear()
    uses.note(1, 2)
    await record.minute()
    assert (record.written, record.minutes) == ([{1: 1}, {1: 2}], 4)


async def test_what_could_not_be_written_goes_with_the_next(record: Record, uses: Uses) -> None:
    record.full = True
    uses.note(1, 1)
    uses.note(2, 1)
    await record.minute()
    uses.note(2, 2)
    record.full = False
    await record.minute()
    assert record.written == [{1: 1, 2: 2}]


async def test_a_stop_writes_what_is_left(record: Record, uses: Uses) -> None:
    uses.note(1, 1)
    await uses.stop()
    assert record.written == [{1: 1}]


async def test_a_stop_without_a_use_writes_nothing(record: Record, uses: Uses) -> None:
    await uses.stop()
    assert record.written == []
