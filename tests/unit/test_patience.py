"""How long a publisher waits for storage that does not answer: by the clock of the event loop,
which leaps to what is due next where there is nothing else to do.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from sqlalchemy import Connection
from structlog import get_logger

from hub.backbone.handover import HandOver
from hub.backbone.kafka.backbone import KafkaBackbone
from hub.backbone.kafka.ends import Ends
from hub.backbone.kafka.finding import Finding
from hub.backbone.kafka.producing import Producing
from hub.backbone.port import Backbone
from hub.backbone.sql import SqlBackbone
from hub.database.background import Background
from hub.database.patience import Patience
from hub.database.readers import OnThreads, Readers
from hub.database.readiness import LONGEST_COMMIT, Readiness
from hub.database.sqlite import open_sqlite
from hub.database.transactions import T
from hub.database.writer import Writer
from hub.errors import BatchMalformed, StorageFailed
from hub.event import Accepted, Duplicate, Outcome
from hub.intake.accept import Mode
from hub.intake.submitted import Submitted
from hub.journal.register import Registrar
from hub.metrics import Metrics
from hub.policy.policy import Policy
from hub.policy.tokens import Caller
from tests.admission import CALLER, at_once, intake_on, policies, policy_in_force, submitted
from tests.bench.journal import journal
from tests.kafka import watch
from tests.sample import AUDIT, admitted, clue

NOW: Final = 1_000_000
SECONDS: Final = 2.0
IN_FORCE: Final = policy_in_force()
GOOD, OTHER, UNGRANTED, FOREIGN = (
    submitted(event)
    for event in (
        clue("patience-1"),
        clue("patience-2"),
        clue("patience-3", region="440100"),
        clue("patience-4", publisher=AUDIT),
    )
)


class Leaping(asyncio.SelectorEventLoop):
    """Nothing lasts on it but what waits for a time."""

    _at = 0.0
    _ready: deque[asyncio.Handle]
    _scheduled: list[asyncio.TimerHandle]

    def time(self) -> float:
        return self._at

    def _run_once(self) -> None:
        due = [timer.when() for timer in self._scheduled if not timer.cancelled()]
        if due and not self._ready:
            self._at = max(self._at, min(due))
        super()._run_once()  # type: ignore[misc]


def on_leaping_loop(work: Coroutine[Any, Any, T]) -> T:
    """What a work results in."""
    with asyncio.Runner(loop_factory=Leaping) as runner:
        return runner.run(work)


async def after(seconds: float) -> None:
    """Return so much later."""
    await Patience(seconds).sees(asyncio.get_running_loop().create_future())


class Quiet:
    """What a writer tells is not looked at."""

    def committed(self, *, works: int, seconds: float) -> None: ...

    def failed(self, *, works: int, error: BaseException) -> None: ...


@dataclass(frozen=True)
class Silent:
    """Transactions of a database that does not answer until it is over; what it was asked."""

    over: threading.Event
    asked: list[object]

    def run(self, work: Callable[[Connection], T]) -> T:
        self.asked.append(work)
        self.over.wait()
        raise StorageFailed

    def close(self) -> None: ...


@dataclass(frozen=True)
class Storage:
    """A writer, readers with one thread, and backbones on them; and what was asked in vain."""

    writer: Writer
    readers: Readers
    asked: list[object]

    def straight(self) -> SqlBackbone:
        return SqlBackbone(
            writer=self.writer,
            readers=self.readers,
            registrar=Registrar(policies=policies(), clock=lambda: NOW),
            registered=lambda _: None,
        )

    def handing_over(self) -> HandOver:
        return HandOver(
            door=1,
            writer=self.writer,
            readers=self.readers,
            registrar=Registrar(policies=policies(), clock=lambda: NOW),
            handed=lambda: None,
            weighed=lambda _: None,
            background=Background(metrics=Metrics(version="", sqlite=""), log=get_logger()),
            clock=lambda: NOW,
        )

    def over_kafka(self) -> KafkaBackbone:
        """Its brokers are away, so that all goes to the outbox."""
        quiet = watch(asyncio.Event())
        producing = Producing(make=AIOKafkaProducer, patience=SECONDS, rest=at_once, watch=quiet)
        ends = Ends(make=AIOKafkaConsumer, lanes=[], readers=self.readers, pause=at_once)
        return KafkaBackbone(
            producing=producing,
            outbox=self.handing_over(),
            finding=Finding(
                ask=self.glance,
                readers=self.readers,
                registrar=Registrar(policies=policies(), clock=lambda: NOW),
            ),
            ends=ends,
            refused=at_once,
            partitions=1,
            watch=quiet,
        )

    async def glance(self, _: Iterable[int]) -> tuple[bool, list[int]]:
        return await self.readers.run(lambda _: (False, []))

    async def record(self, outcomes: object, caller: Caller) -> None:
        await self.writer.submit(lambda _: None)


@contextmanager
def silent_storage() -> Iterator[Storage]:
    """Storage that is silent until the block ends."""
    silent = Silent(threading.Event(), [])
    writer = Writer(silent, capacity=1 << 30, observer=Quiet(), clock=lambda: 0.0)
    readers = Readers(OnThreads(lambda: silent, threads=1), failed=lambda _: None)
    writer.start()
    try:
        yield Storage(writer, readers, silent.asked)
    finally:
        silent.over.set()
        writer.stop()
        readers.stop()


async def in_force() -> Policy:
    """At once."""
    return IN_FORCE


async def never() -> Policy:
    """As a database that is silent."""
    await asyncio.get_running_loop().create_future()
    raise AssertionError


async def seconds_until_refused(asked: Awaitable[object]) -> float:
    """After how many it is told that storage has failed, and that a retry in a second may help."""
    began = asyncio.get_running_loop().time()
    with pytest.raises(StorageFailed) as failed:
        await asked
    assert failed.value.retry_after == 1
    return asyncio.get_running_loop().time() - began


REQUESTS: Final[dict[str, tuple[Mode, list[Submitted]]]] = {
    "one event": ("each", [GOOD]),
    "a batch": ("each", [GOOD, OTHER]),
    "a batch of all or none": ("all", [GOOD, OTHER]),
    # Asked is whether it is known, as it is its publisher's own.
    "a refused event": ("each", [UNGRANTED]),
    # Of what is not, the refusal is recorded at once.
    "a foreign event": ("each", [FOREIGN]),
    "a foreign event in a batch": ("each", [GOOD, FOREIGN, OTHER]),
    "a foreign event in a batch of all or none": ("all", [GOOD, FOREIGN]),
}


@pytest.mark.parametrize("backbone", [Storage.straight, Storage.handing_over, Storage.over_kafka])
@pytest.mark.parametrize(("mode", "events"), REQUESTS.values(), ids=REQUESTS)
def test_whatever_is_published_is_answered_while_storage_is_silent(
    backbone: Callable[[Storage], Backbone], mode: Mode, events: list[Submitted]
) -> None:
    async def ask(current_policy: Callable[[], Awaitable[Policy]]) -> float:
        intake = intake_on(
            backbone(storage), now=NOW, current_policy=current_policy, record=storage.record
        )
        return await seconds_until_refused(
            intake.accept(events, mode=mode, caller=CALLER, patience=Patience(SECONDS))
        )

    with silent_storage() as storage:
        assert [on_leaping_loop(ask(current)) for current in (in_force, never)] == [SECONDS] * 2


def test_what_cannot_be_read_is_answered_too() -> None:
    async def ask() -> float:
        intake = intake_on(
            storage.straight(), now=NOW, current_policy=in_force, record=storage.record
        )
        refusing = intake.refuse(BatchMalformed(), CALLER, patience=Patience(SECONDS))
        return await seconds_until_refused(refusing)

    with silent_storage() as storage:
        assert on_leaping_loop(ask()) == SECONDS


def test_all_waits_of_a_request_share_its_patience_and_computing_is_none() -> None:
    async def slowly_in_force() -> Policy:
        await after(1.5)
        return IN_FORCE

    async def ask() -> float:
        intake = intake_on(
            storage.straight(),
            now=NOW,
            current_policy=slowly_in_force,
            record=storage.record,
            # Others have a turn before any are examined, and after each that is refused.
            pause=lambda: after(60),
        )
        events = [GOOD, FOREIGN]
        return await seconds_until_refused(
            intake.accept(events, mode="each", caller=CALLER, patience=Patience(SECONDS))
        )

    with silent_storage() as storage:
        assert on_leaping_loop(ask()) == SECONDS + 2 * 60


def test_a_disk_may_take_as_long_as_it_likes() -> None:
    async def ask() -> tuple[Policy, float]:
        async def late() -> Policy:
            await after(3600)
            return IN_FORCE

        return await Patience(None).answer(late()), asyncio.get_running_loop().time()

    assert on_leaping_loop(ask()) == (IN_FORCE, 3600)


def test_readers_that_are_silent_are_not_waited_for_and_what_had_not_begun_is_not_done() -> None:
    works = [partial(str, number) for number in range(3)]

    async def ask() -> list[float]:
        running = map(storage.readers.within(SECONDS).run, works)
        return await asyncio.gather(*map(seconds_until_refused, running))

    with silent_storage() as storage:
        assert on_leaping_loop(ask()) == [SECONDS] * 3
    assert storage.asked == works[:1]


def test_whoever_asks_meanwhile_whether_storage_answers_shares_the_answer() -> None:
    async def ask() -> tuple[list[str | None], float]:
        loop = asyncio.get_running_loop()
        readiness = Readiness(storage.writer, name="postgresql", monotonic=loop.time)
        told = await asyncio.gather(*(readiness.reason() for _ in range(5)))
        return told, loop.time()

    reason = f"postgresql: no commit within {LONGEST_COMMIT} s"
    with silent_storage() as storage:
        assert on_leaping_loop(ask()) == ([reason] * 5, LONGEST_COMMIT)


async def test_what_the_writer_has_been_given_is_registered_and_told_though_nobody_waits(
    tmp_path: Path,
) -> None:
    """Sent again it is known, with the receipt that its publisher was not given."""
    told: asyncio.Queue[list[Outcome]] = asyncio.Queue()
    hold, event = threading.Event(), admitted("patience-5")
    with closing(open_sqlite(tmp_path, readers=2)) as database, journal(database) as kept:
        backbone = SqlBackbone(
            writer=kept.writer,
            readers=kept.readers,
            registrar=Registrar(policies=kept.policies, clock=lambda: NOW),
            registered=lambda registration: told.put_nowait(registration.outcomes),
        )
        held = kept.writer.submit(lambda _: hold.wait())
        with pytest.raises(StorageFailed):
            await backbone.append([event], atomic=True, patience=Patience(0))
        hold.set()
        await held
        (accepted,) = await told.get()
        assert isinstance(accepted, Accepted)
        again = await backbone.append([event], atomic=True, patience=Patience(None))
        assert again == [Duplicate(accepted.receipt)]
