"""What is found of events before they go to the brokers."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from msgspec import structs

from hub.backbone.kafka.finding import Finding, Found
from hub.backbone.kafka.together import Together
from hub.database.patience import Patience
from hub.database.sqlite import open_sqlite
from hub.errors import StorageFailed
from hub.event import Accepted, Duplicate, Event, Rejected, slot_of
from hub.journal.openings import OPENING_UNKNOWN
from hub.journal.register import Registrar
from tests.bench.journal import Journal, journal
from tests.sample import admitted

NOW = 1_000
NEW, OTHER = admitted("f-1"), admitted("f-2")
REPLY = structs.replace(admitted("f-3"), refers=True, opening="0" * 32)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Journal]:
    with closing(open_sqlite(tmp_path, readers=2)) as database, journal(database) as kept:
        yield kept


class Outbox:
    """What a glance is told: that something waits, and of slots those that are taken."""

    def __init__(self, *taken: Event) -> None:
        self.asked: list[list[int]] = []
        self._taken = {slot_of(event.receipt) for event in taken}

    async def ask(self, slots: Iterable[int]) -> tuple[bool, list[int]]:
        self.asked.append([*slots])
        return True, [slot for slot in self.asked[-1] if slot in self._taken]

    def finding(self, kept: Journal) -> Finding:
        registrar = Registrar(policies=kept.policies, clock=lambda: NOW)
        return Finding(ask=self.ask, readers=kept.readers, registrar=registrar)


async def test_what_a_glance_finds_nothing_of_is_new_as_of_its_moment(kept: Journal) -> None:
    outbox = Outbox()
    finding = outbox.finding(kept)
    glance = finding.glance([NEW.receipt, OTHER.receipt])
    # Some of a request may have been refused meanwhile.
    assert await finding.find([OTHER], glance) == Found([None], waits=True)
    assert await finding.find([NEW, OTHER], glance) == Found([None, None], waits=True)
    assert outbox.asked == [[slot_of(NEW.receipt), slot_of(OTHER.receipt)]]


async def test_what_is_known_is_read_and_what_was_glanced_at_along_with_it_is_not(
    kept: Journal,
) -> None:
    (first,) = await kept.backbone.append([NEW], atomic=False, patience=Patience(None))
    assert isinstance(first, Accepted)
    outbox = Outbox(NEW)
    finding = outbox.finding(kept)
    glances = [finding.glance([event.receipt]) for event in (NEW, OTHER)]
    assert await finding.find([NEW], glances[0]) == Found([Duplicate(first.receipt)], waits=False)
    assert await finding.find([OTHER], glances[1]) == Found([None], waits=True)
    assert outbox.asked == [[slot_of(NEW.receipt), slot_of(OTHER.receipt)]]


async def test_what_answers_an_event_is_read_when_its_turn_comes(kept: Journal) -> None:
    """Not as of the glance: what came before it in its request may have gone to the outbox."""
    finding = Outbox().finding(kept)
    glance = finding.glance([REPLY.receipt])
    refused = Rejected(REPLY.source, REPLY.id, (OPENING_UNKNOWN,))
    assert await finding.find([REPLY], glance) == Found([refused], waits=False)


async def test_whoever_asks_meanwhile_is_answered_by_the_next_call() -> None:
    calls: list[list[int]] = []
    under_way, over = asyncio.Event(), asyncio.Event()

    async def doubled(numbers: Sequence[int]) -> list[int]:
        calls.append([*numbers])
        under_way.set()
        await over.wait()
        return [2 * number for number in numbers]

    together = Together(doubled)
    first = [together.ask(number) for number in (1, 2)]
    await under_way.wait()
    second = [together.ask(number) for number in (3, 4, 5)]
    # Who does not wait any more changes nothing for the others.
    second[1].cancel()
    over.set()
    assert await asyncio.gather(*first, second[0], second[2]) == [2, 4, 6, 10]
    assert await together.ask(6) == 12
    assert calls == [[1, 2], [3, 4, 5], [6]]


async def test_a_failure_is_told_to_all_who_asked_and_to_nobody_else() -> None:
    failures = [True, False]

    async def failing(questions: Sequence[str]) -> list[str]:
        if failures.pop(0):
            raise StorageFailed(retry_after=1)
        return [*questions]

    together = Together(failing)
    told = await asyncio.gather(*map(together.ask, "ab"), return_exceptions=True)
    assert [type(error) for error in told] == [StorageFailed, StorageFailed]
    assert await together.ask("c") == "c"
