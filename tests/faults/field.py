"""Where faults are tried: a hub of four processes, its PostgreSQL, and the ways between them."""

import asyncio
import errno
import json
import os
import secrets
import select
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx

from deploy.local.loopback import HOST
from deploy.local.postgres import PostgresServer, as_owner, run, running
from tests.cluster import DOORS, WORKS, Cluster, until
from tests.faults.judge import Kept
from tests.faults.parcels import Parcel
from tests.postgres import rows
from tests.running import PATIENCE
from tests.sample import policy

NAME: Final = "guantong"
# After a crash the files are made safe at once, not one by one; the log takes little room.
SETTINGS: Final[Mapping[str, str]] = {
    "recovery_init_sync_method": "syncfs",
    "min_wal_size": "32MB",
    "max_wal_size": "128MB",
}
ROOM: Final = "8g"
SPARE: Final = 64 * 1024 * 1024


class NotHere(Exception):
    """A fault that cannot be made on this machine; the message says why."""


class Ways:
    """The ways of all processes to PostgreSQL, in a process of their own (`tests.faults.wire`)."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.ports: Mapping[str, int] = self._answer()

    @contextmanager
    def held(self, *names: str, new: bool) -> Iterator[None]:
        """Nothing passes on the connections of processes, nor on `new` ones, and none is closed."""
        for name in names:
            self._order({"hold": name, "new": new})
        try:
            yield
        finally:
            for name in names:
                self._order({"release": name})

    def cut_at_commit(self, name: str, statement: str, *, answered: bool) -> None:
        """Return once the connection of a process was cut at the COMMIT of a transaction with such
        a statement: before the server had it, or with the server's answer on its way.
        """
        self._order({"cut": name, "statement": statement, "answered": answered})

    def _order(self, order: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        assert self._answer() == "done"

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        come, _, _ = select.select([self._process.stdout], [], [], PATIENCE)
        assert come, f"the ways to PostgreSQL do not answer within {PATIENCE} s"
        return json.loads(self._process.stdout.readline())


@dataclass(frozen=True)
class Disk:
    """A file system of its own, in memory, that can be made full."""

    folder: Path

    @contextmanager
    def full(self) -> Iterator[None]:
        """It has no more room than is taken.

        A size below what is taken is refused, and more is taken all the time: so it is made a
        little larger, and that little is filled.
        """
        taken = os.statvfs(self.folder)
        self._resize(str((taken.f_blocks - taken.f_bfree) * taken.f_frsize + SPARE))
        filling = self.folder / "filling"
        try:
            _fill(filling)
            yield
        finally:
            self._resize(ROOM)
            filling.unlink()

    def _resize(self, size: str) -> None:
        run(["mount", "-o", f"remount,size={size}", str(self.folder)], environment={})


def _fill(file: Path) -> None:
    """Write until the disk of a file is full."""
    with file.open("wb", buffering=0) as filling:
        try:
            while True:
                filling.write(bytes(64 * 1024))
        except OSError as refused:
            if refused.errno != errno.ENOSPC:
                raise


@dataclass(frozen=True)
class Field:
    """All of it."""

    folder: Path
    server: PostgresServer
    ways: Ways
    cluster: Cluster
    disk: Disk | None

    @property
    def producers(self) -> Sequence[Callable[[Parcel], None]]:
        """Those who publish by Kafka."""
        return ()

    def told(self) -> set[str]:
        """The events whose refusals they were told, by id."""
        return set()

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """What the database answers its superuser, on a connection of its own."""
        return asyncio.run(rows(self.server.url(NAME), statement))

    def next_number(self) -> int:
        """Of the journal."""
        ((number,),) = self.ask("SELECT next_number FROM shards")
        return int(number)

    def kept_since(self, number: int) -> list[Kept]:
        """The journal from a position on."""
        found = self.ask(
            "SELECT position, event_id, hubtime FROM journal"
            f" WHERE position >= {number} ORDER BY position"
        )
        return [Kept(*row) for row in found]

    def next_refusal(self) -> int:
        """Of the record of refusals."""
        ((number,),) = self.ask("SELECT coalesce(max(number), 0) + 1 FROM refusals")
        return int(number)

    def recorded_since(self, number: int) -> set[str]:
        """The events whose refusals are on record, from one on, by id."""
        found = self.ask(
            "SELECT DISTINCT event_id FROM refusals"
            f" WHERE number >= {number} AND event_id IS NOT NULL"
        )
        return {id_ for (id_,) in found}

    def await_whole(self) -> None:
        """Return once all four processes are well and lack nothing, and one of them writes."""
        for name in (*DOORS, *WORKS):
            until(partial(self._is_ready, name))
        self.cluster.writer()
        self.cluster.standby()

    def _is_ready(self, name: str) -> bool:
        url = f"{self.cluster.running[name].url}/health/ready"
        try:
            answer = httpx.get(url, timeout=PATIENCE, trust_env=False, verify=False)
            return answer.status_code == 200 and "missing" not in answer.json()
        except httpx.TransportError:
            return False


@contextmanager
def field(folder: Path, *, settings: Mapping[str, str] | None = None) -> Iterator[Field]:
    """Start all of it in a folder, with the settings of every process; it ends with the block."""
    place = folder / "server"
    with (
        disk_on(place) as disk,
        running(place / "postgres", settings=SETTINGS) as server,
        ways_to(server.port, (*DOORS, *WORKS)) as ways,
    ):
        password = secrets.token_hex(16)
        _make_database(server, password)
        addresses = {
            name: f"postgresql+asyncpg://{NAME}:{password}@{HOST}:{port}/{NAME}"
            for name, port in ways.ports.items()
        }
        cluster = Cluster(folder, addresses, program="tests.faults.clock", settings=settings or {})
        try:
            cluster.start("a")
            cluster.start("b", *WORKS)
            cluster.running["a"].apply(policy())
            made = Field(folder, server, ways, cluster, disk)
            made.await_whole()
            yield made
        except BaseException:
            sys.stderr.writelines(told_by(cluster))
            raise
        finally:
            cluster.end()


def told_by(cluster: Cluster) -> Iterator[str]:
    """The newest of what the processes have told of failures of their own, each line with its
    process.
    """
    for name, hub in cluster.running.items():
        told = (line for line in hub.lines if '"library"' not in line)
        failures = [line for line in told if '"level": "error"' in line]
        yield from (f"{name}: {line}" for line in failures[-5:])


@contextmanager
def disk_on(folder: Path) -> Iterator[Disk | None]:
    """A disk of its own on a folder; None where only root may mount one."""
    folder.mkdir()
    if os.geteuid() != 0:
        yield None
        return
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={ROOM},mode=0711", "none", str(folder)],
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        yield None
        return
    try:
        yield Disk(folder)
    finally:
        run(["umount", "--lazy", str(folder)], environment={})


@contextmanager
def ways_to(server: int, names: Sequence[str]) -> Iterator[Ways]:
    """Ways to the server's port by name; they end with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.wire", str(server), *names],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Ways(process)
    finally:
        process.kill()
        process.communicate()


@contextmanager
def replica_of(field: Field, *, synchronous: bool) -> Iterator[PostgresServer]:
    """A physical standby of the server, which commits wait for if it is `synchronous`."""
    folder = field.folder / f"replica-{secrets.token_hex(4)}"
    data = folder / "data"
    folder.mkdir()
    data.mkdir(mode=0o700)
    shutil.copy(field.server.folder / "password", folder)
    if os.geteuid() == 0:
        shutil.chown(data, "nobody")
    source = f"host={HOST} port={field.server.port} user=postgres application_name=replica"
    run(
        [
            *as_owner(),
            str(field.server.programs / "pg_basebackup"),
            f"--pgdata={data}",
            f"--dbname={source}",
            "--write-recovery-conf",
            "--checkpoint=fast",
            "--no-sync",
        ],
        environment={"LC_ALL": "C", "PGPASSWORD": field.server.password},
    )
    try:
        with running(folder, settings=SETTINGS) as replica:
            until(lambda: field.ask("SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'"))
            if synchronous:
                _set(field, "synchronous_standby_names", "replica")
                state = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"
                until(lambda: field.ask(state))
            try:
                yield replica
            finally:
                if synchronous:
                    _set(field, "synchronous_standby_names", "")
    finally:
        shutil.rmtree(folder)


def _set(field: Field, name: str, value: str) -> None:
    field.ask(f"ALTER SYSTEM SET {name} = '{value}'")
    field.ask("SELECT pg_reload_conf()")


def _make_database(server: PostgresServer, password: str) -> None:
    """As the hub's administrator would: an account without rights of its own, and its database."""

    def ask(statement: str) -> None:
        asyncio.run(rows(server.url("postgres"), statement))

    ask(f"CREATE ROLE {NAME} LOGIN PASSWORD '{password}'")
    ask(f"CREATE DATABASE {NAME} OWNER {NAME} ENCODING 'UTF8' TEMPLATE template0")
