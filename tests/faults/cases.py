"""The faults of a hub on PostgreSQL. Another is another function, and a line at the end."""

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from random import Random
from time import perf_counter
from typing import Final, Generic, TypeVar

from deploy.local.postgres import Stop
from hub.database.postgres import ANSWER_SECONDS
from tests.cluster import DOORS, WORKS, until
from tests.faults.clock import AHEAD, BACK
from tests.faults.field import Field, NotHere, replica_of
from tests.faults.load import Load
from tests.faults.parcels import assert_put_off
from tests.postgres import connected
from tests.sample import PETITION, petition

F = TypeVar("F", bound=Field)
# What a transaction has run that hands a batch over, registers a round, keeps what was read.
HANDS_OVER: Final = "INSERT INTO intake"
REGISTERS: Final = "INSERT INTO settled"
READS: Final = "INSERT INTO reads"
# More readers at once than a door has connections for.
MANY: Final = 20


@dataclass(frozen=True)
class Case(Generic[F]):
    """A fault: what is done while the hub is busy, `times` times in a row, in a campaign now and
    then `long` ones; NotHere where the machine does not let it. `quick` ones are in the suite too.
    """

    name: str
    act: Callable[[F, Load, Random], None]
    times: int = 1
    long: int = 1
    quick: bool = False


def other(work: str) -> str:
    """The other of those that register."""
    return next(name for name in WORKS if name != work)


def shard_lines(field: Field, name: str) -> list[str]:
    """What a process has told of the shard."""
    return [line for line in field.cluster.running[name].lines if '"shard.' in line]


def last(seconds: float, step: Callable[[], None]) -> None:
    """Let a fault last, step by step, each of which shows that it does."""
    began = perf_counter()
    while perf_counter() - began < seconds:
        step()


def assert_away(field: Field, door: str) -> None:
    """A door says that its database is away."""
    at = field.cluster.at(door, PETITION, timeout=ANSWER_SECONDS - 5)
    # At first what it knows of the policy is new enough; then it would have to look.
    for _ in range(2):
        assert_put_off(at)


def assert_told(field: Field, door: str) -> None:
    """A door tells a reader something, also where its database is silent."""
    at = field.cluster.at(door, PETITION, timeout=ANSWER_SECONDS + 5)
    with ThreadPoolExecutor(MANY) as threads:
        asked = [threads.submit(at.http.get, "/v1/subscriptions") for _ in range(MANY)]
        assert {each.result().status_code for each in asked} <= {200, 503}


def restart(field: Field, load: Load, dice: Random, *, how: Stop) -> None:
    """The server stops and starts."""
    field.server.restart(how)
    load.await_answers(20)


def restarts(field: Field, load: Load, dice: Random) -> None:
    """It does so while the hub may still be recovering from the last time."""
    how: Stop = dice.choice(("fast", "immediate"))
    field.server.restart(how)
    load.await_answers(dice.randrange(0, 12))


def killed_server(field: Field, load: Load, dice: Random) -> None:
    """kill -9 of the whole server, which is started again."""
    field.server.kill()
    field.server.start()
    load.await_answers(20)


def killed_backend(field: Field, load: Load, dice: Random) -> None:
    """kill -9 of one of its processes, as when memory runs out: it ends all others itself."""
    serving = "SELECT pid FROM pg_stat_activity WHERE usename = 'guantong' ORDER BY pid"
    os.kill(dice.choice(field.ask(serving))[0], signal.SIGKILL)
    load.await_answers(20)


def away(field: Field, load: Load, dice: Random) -> None:
    """The server is away, and each door says so and when to come again."""
    field.server.stop()
    try:
        for door in DOORS:
            assert_away(field, door)
        last(dice.uniform(2, 5), partial(load.await_refusals, 1))
    finally:
        field.server.start()
    load.await_answers(20)


def cut_door(
    field: Field, load: Load, dice: Random, *, statement: str = HANDS_OVER, answered: bool
) -> None:
    """A door's commit is cut."""
    field.ways.cut_at_commit(dice.choice(DOORS), statement, answered=answered)
    load.await_answers(dice.randrange(1, 12))


def cut_writer(field: Field, load: Load, dice: Random, *, answered: bool) -> None:
    """The writer's commit of a round is cut."""
    field.ways.cut_at_commit(field.cluster.writer(), REGISTERS, answered=answered)
    load.await_answers(dice.randrange(1, 12))


def partition_door(field: Field, load: Load, dice: Random) -> None:
    """A door and the server do not hear each other for some seconds."""
    door = dice.choice(DOORS)
    with field.ways.held(door, new=True):
        assert_away(field, door)
        load.await_answers(dice.randrange(1, 20))
    load.await_answers(20)


def partition_writer(field: Field, load: Load, dice: Random) -> None:
    """The writer and the server do not, until the other one writes."""
    writer = field.cluster.writer()
    with field.ways.held(writer, new=True):
        until(lambda: field.cluster.role(other(writer)) == "writer")
        load.await_answers(20)
    until(lambda: field.cluster.role(writer) == "standby")
    load.await_answers(20)


def partition_all(field: Field, load: Load, dice: Random) -> None:
    """Nobody and the server do."""
    with field.ways.held(*DOORS, *WORKS, new=True):
        last(dice.uniform(2, 5), partial(load.await_refusals, 1))
    load.await_answers(20)


def silent_door(field: Field, load: Load, dice: Random) -> None:
    """A firewall has forgotten a door's connections: it gets no answer, and no word of that."""
    door = dice.choice(DOORS)
    with field.ways.held(door, new=False):
        assert_away(field, door)
        assert_told(field, door)
        until(lambda: field.cluster.at(door, PETITION).publish(petition("away")).status_code == 200)
    load.await_answers(20)


def silent_writer(field: Field, load: Load, dice: Random) -> None:
    """It has forgotten the writer's, which by itself comes to stand by."""
    writer = field.cluster.writer()
    with field.ways.held(writer, new=False):
        until(lambda: field.cluster.role(other(writer)) == "writer")
        until(lambda: field.cluster.role(writer) == "standby")
    load.await_answers(20)


def disconnected(field: Field, load: Load, dice: Random) -> None:
    """An administrator ends the connection that holds the shard's row, or whichever there is."""
    ended = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE relation = 'shards'::regclass"
    until(lambda: field.ask(f"{ended} AND granted AND mode = 'RowExclusiveLock'"))
    load.await_answers(dice.randrange(1, 12))


def dispossessed(field: Field, load: Load, dice: Random) -> None:
    """The shard is somebody else's, who never writes."""
    writer = field.cluster.writer()
    told = len(shard_lines(field, writer))
    field.ask(
        "UPDATE shards SET epoch = epoch + 1, writer = 'nobody',"
        " beat = CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)"
    )
    until(lambda: any('"shard.lost"' in line for line in shard_lines(field, writer)[told:]))
    load.await_answers(20)


def killed_writer(field: Field, load: Load, dice: Random) -> None:
    """kill -9 of the writer."""
    writer = field.cluster.writer()
    field.cluster.running[writer].kill()
    until(lambda: field.cluster.role(other(writer)) == "writer")
    load.await_answers(20)
    field.cluster.start(writer)


def stopped_writer(field: Field, load: Load, dice: Random) -> None:
    """SIGTERM to the writer."""
    writer = field.cluster.writer()
    assert field.cluster.running[writer].stop() == 0
    until(lambda: field.cluster.role(other(writer)) == "writer")
    load.await_answers(20)
    field.cluster.start(writer)


def paused_writer(field: Field, load: Load, dice: Random) -> None:
    """SIGSTOP of the writer; when it goes on it writes nothing more, and stands by."""
    writer = field.cluster.writer()
    told = len(shard_lines(field, writer))
    process = field.cluster.running[writer].process
    process.send_signal(signal.SIGSTOP)
    try:
        until(lambda: field.cluster.role(other(writer)) == "writer")
        load.await_answers(20)
    finally:
        process.send_signal(signal.SIGCONT)
    until(lambda: len(shard_lines(field, writer)) >= told + 2)
    load.await_answers(20)
    lost, held = shard_lines(field, writer)[told : told + 2]
    assert '"shard.lost"' in lost
    assert '"shard.held"' in held


def killed_door(field: Field, load: Load, dice: Random) -> None:
    """kill -9 of a door."""
    door = dice.choice(DOORS)
    field.cluster.running[door].kill()
    load.await_answers(20)
    field.cluster.start(door)
    load.await_answers(20)


def paused_door(field: Field, load: Load, dice: Random) -> None:
    """SIGSTOP of a door, longer than PostgreSQL and clients have patience."""
    process = field.cluster.running[dice.choice(DOORS)].process
    process.send_signal(signal.SIGSTOP)
    try:
        last(dice.uniform(3, 7), partial(load.await_answers, 1))
    finally:
        process.send_signal(signal.SIGCONT)
    load.await_answers(20)


def no_connections(field: Field, load: Load, dice: Random) -> None:
    """The server gives the hub fewer connections than it has lost."""
    field.ask(f"ALTER ROLE guantong CONNECTION LIMIT {dice.randrange(0, 4)}")
    try:
        field.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename='guantong'")
        load.await_refusals(10)
    finally:
        field.ask("ALTER ROLE guantong CONNECTION LIMIT -1")
    load.await_answers(20)


def locked_tables(field: Field, load: Load, dice: Random) -> None:
    """Statements wait, so that none of a process's connections is free."""

    async def hold() -> None:
        async with connected(field.server.url("guantong")) as connection:
            # Who waits in a circle with this one is the one that gives way.
            await connection.execute("SET deadlock_timeout = '60s'")
            async with connection.transaction():
                await connection.execute("LOCK TABLE intake, journal IN ACCESS EXCLUSIVE MODE")
                await asyncio.to_thread(load.await_refusals, 6)

    asyncio.run(hold())
    load.await_answers(20)


def full_disk(field: Field, load: Load, dice: Random) -> None:
    """The server's disk has no room for what is new."""
    if field.disk is None:
        raise NotHere("root alone may mount a disk of its own")
    with field.disk.full():
        load.await_refusals(1)
        # Where there is room among what is there, it is still accepted, though not registered.
        last(dice.uniform(1, 4), load.await_word)
    if field.server.has_ended:
        # No room for its log: it cannot go on, and its administrator starts it.
        field.server.restart()
    load.await_answers(20)


def slow_replica(field: Field, load: Load, dice: Random) -> None:
    """The replica that commits wait for does not answer for some seconds."""
    with replica_of(field, synchronous=True) as replica:
        load.await_answers(20)
        receiver = receiver_of(replica.url("postgres"))
        os.kill(receiver, signal.SIGSTOP)
        try:
            last(dice.uniform(2, 5), partial(load.await_refusals, 1))
        finally:
            os.kill(receiver, signal.SIGCONT)
        load.await_answers(20)


def far_replica(field: Field, load: Load, dice: Random) -> None:
    """A replica that no commit waits for does not answer."""
    with replica_of(field, synchronous=False) as replica:
        receiver = receiver_of(replica.url("postgres"))
        os.kill(receiver, signal.SIGSTOP)
        try:
            load.await_answers(60)
        finally:
            os.kill(receiver, signal.SIGCONT)


def receiver_of(replica: str) -> int:
    """The process of a replica that takes in what is written."""

    async def ask() -> int:
        async with connected(replica) as connection:
            return int(await connection.fetchval("SELECT pid FROM pg_stat_wal_receiver"))

    return asyncio.run(ask())


def clock(field: Field, load: Load, dice: Random, *, door: bool) -> None:
    """A process's clock goes an hour ahead and back, then an hour back and ahead."""
    name = dice.choice(DOORS) if door else field.cluster.writer()
    for sign in (AHEAD, BACK, BACK, AHEAD):
        field.cluster.running[name].process.send_signal(sign)
        load.await_answers(20)


CASES: Final[Sequence[Case[Field]]] = (
    Case("restart fast", partial(restart, how="fast")),
    Case("restart immediate", partial(restart, how="immediate"), quick=True),
    Case("PostgreSQL: kill -9", killed_server),
    Case("PostgreSQL: kill -9 of a backend", killed_backend),
    Case("restarts in short succession", restarts, times=20, long=150),
    Case("PostgreSQL away", away, quick=True),
    Case("door: COMMIT not sent", partial(cut_door, answered=False), times=3),
    Case("door: COMMIT not answered", partial(cut_door, answered=True), times=3),
    Case("door: COMMIT of a reading not sent", partial(cut_door, statement=READS, answered=False)),
    Case("door: COMMIT of a reading unanswered", partial(cut_door, statement=READS, answered=True)),
    Case("writer: COMMIT not sent", partial(cut_writer, answered=False), times=3),
    Case("writer: COMMIT not answered", partial(cut_writer, answered=True), times=3, quick=True),
    Case("door: network gone", partition_door),
    Case("writer: network gone", partition_writer),
    Case("all: network gone", partition_all),
    Case("door: connections silent", silent_door),
    Case("writer: connections silent", silent_writer),
    Case("writer: connection ended", disconnected, times=3),
    Case("writer: shard taken away", dispossessed),
    Case("writer: kill -9", killed_writer, quick=True),
    Case("writer: SIGTERM", stopped_writer),
    Case("writer: SIGSTOP, SIGCONT", paused_writer),
    Case("door: kill -9", killed_door, quick=True),
    Case("door: SIGSTOP, SIGCONT", paused_door),
    Case("connections exhausted", no_connections),
    Case("tables locked", locked_tables),
    Case("disk full", full_disk),
    Case("synchronous replica slow", slow_replica),
    Case("asynchronous replica slow", far_replica),
    Case("writer: clock jumps", partial(clock, door=False)),
    Case("door: clock jumps", partial(clock, door=True)),
)
