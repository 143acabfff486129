"""What is done in the background goes on, whatever a turn meets."""

import asyncio
from array import array
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec import json as msgjson
from structlog import DropEvent, make_filtering_bound_logger, wrap_logger

from contracts.catalogue import load_catalogue
from contracts.region import load_regions
from hub.database.background import Background
from hub.database.readers import OnThreads, Readers
from hub.database.sqlite import SqliteDatabase, open_sqlite
from hub.database.writer import Writer
from hub.errors import Overloaded, Stopping, StorageFailed
from hub.event import Marking
from hub.journal.filling import Filler
from hub.journal.register import Registrar
from hub.journal.subscribing import create
from hub.journal.subscriptions import Body
from hub.metrics import Metrics
from hub.policy.acts import Actor
from hub.policy.parties import PartyMarks
from hub.policy.policy import Policies
from hub.policy.sql import append_version
from tests.running import PATIENCE
from tests.sample import CITY, admitted, policy


class Heard:
    """A background, with what it counted and logged."""

    def __init__(self) -> None:
        self.metrics = Metrics(version="0", sqlite="0")
        self.logged: list[str] = []
        log = wrap_logger(
            None, processors=[self._tell], wrapper_class=make_filtering_bound_logger(0)
        )
        self.background = Background(metrics=self.metrics, log=log)

    def counted(self) -> dict[str, float]:
        """The failures by task."""
        return {
            sample.labels["task"]: sample.value
            for family in self.metrics.registry.collect()
            for sample in family.samples
            if sample.name == "guantong_background_failed_total"
        }

    def _tell(
        self, _logger: Any, _level: str, entry: MutableMapping[str, Any]
    ) -> Mapping[str, Any]:
        self.logged.append(f"{entry['event']} {entry['reason']}")
        raise DropEvent

    # What a writer tells is not of interest here.
    def committed(self, *, works: int, seconds: float) -> None: ...

    def failed(self, *, works: int, error: BaseException) -> None: ...


async def taken(heard: Heard, *ends: bool | Exception) -> list[str]:
    """How turns and rests follow each other when turns end like this."""
    left, seen = list(ends), list[str]()

    async def turn() -> bool:
        seen.append("turn")
        end = left.pop(0)
        if isinstance(end, Exception):
            raise end
        return end

    async def rest() -> None:
        seen.append("rest")

    await heard.background.again("purge", turn, rest=rest)
    assert left == []
    return seen


async def test_only_a_last_turn_or_the_end_of_the_hub_ends_it() -> None:
    heard = Heard()
    errors = StorageFailed(), ValueError("not to be told"), Overloaded()
    assert await taken(heard, True, *errors, False) == [*(["turn", "rest"] * 4), "turn"]
    assert await taken(heard, Stopping()) == ["turn"]
    # That the writer is full is no failure.
    assert heard.counted() == {
        "watch": 0,
        "purge": 2,
        "fill": 0,
        "register": 0,
        "settle": 0,
        "look": 0,
        "drain": 0,
        "measure": 0,
    }
    assert heard.logged == ["purge.failed StorageFailed", "purge.failed ValueError"]


async def test_what_turns_meet_again_and_again_is_told_once() -> None:
    heard = Heard()
    await taken(heard, *(StorageFailed() for _ in range(3)), True, StorageFailed(), False)
    assert heard.counted()["purge"] == 4
    assert heard.logged == ["purge.failed StorageFailed"] * 2


@pytest.fixture
def database(tmp_path: Path) -> Iterator[SqliteDatabase]:
    """An empty database."""
    with closing(open_sqlite(tmp_path, readers=1)) as made:
        yield made


async def test_a_backfill_that_failed_goes_on_until_the_feed_is_whole(
    database: SqliteDatabase,
) -> None:
    heard, filled = Heard(), asyncio.Event()
    policies = Policies(
        catalogue=load_catalogue(),
        regions=load_regions(),
        marks=PartyMarks(b"key"),
        ceiling=Marking.internal,
    )
    with database.writer.begin() as connection:
        append_version(connection, version=1, document=written(), by="t", reason="t", now=1)
        registrar = Registrar(policies=policies, clock=lambda: 2)
        registrar.register(connection, [admitted("e-1"), admitted("e-2")], atomic=True)
        subscription, _ = create(
            connection,
            CITY,
            Body(id="s", start="earliest"),
            catalogue=load_catalogue(),
            regions=load_regions(),
            by=Actor(CITY, 1),
            now=3,
            most=10,
        )
        # No fault of the storage, but one that nobody foresaw: a policy that cannot be read.
        append_version(connection, version=2, document="{", by="t", reason="t", now=4)

    async def mend() -> None:
        mending = "DELETE FROM policies WHERE version = 2"
        await writer.submit(lambda connection: connection.exec_driver_sql(mending))

    writer = Writer(database.writing(), capacity=10_000, observer=heard, clock=lambda: 0.0)
    filler = Filler(
        writer=writer,
        readers=Readers(OnThreads(database.reading, threads=1), failed=lambda _: None),
        policies=policies,
        announce=lambda _: filled.set(),
        background=heard.background,
        pause=mend,
    )
    writer.start()
    filler.begin(subscription)
    await asyncio.wait_for(filled.wait(), PATIENCE)
    await filler.stop()
    await asyncio.to_thread(writer.stop)

    with database.readers.connect() as connection:
        (row,) = connection.exec_driver_sql("SELECT subscription, positions FROM feed").all()
    assert (row.subscription, list(array("q", row.positions))) == (subscription.number, [1, 2])
    assert heard.counted() == {
        "watch": 0,
        "purge": 0,
        "fill": 1,
        "register": 0,
        "settle": 0,
        "look": 0,
        "drain": 0,
        "measure": 0,
    }
    assert heard.logged == ["fill.failed ValidationError"]


def written() -> str:
    """A policy as it is kept."""
    return msgjson.encode(policy()).decode()
