"""A hub in several processes on this machine: PostgreSQL, doors, a writer, and one that stands by.

To try the cluster form on a laptop, and for tests. Everything lies in one folder; it all ends with
the block.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from deploy.local.postgres import PostgresServer, running

Role = Literal["serve", "work"]
DATABASE: Final = "guantong"
SECONDS: Final = 60


@dataclass(frozen=True)
class Member:
    """A process of the hub. Its log lies beside its folder."""

    role: Role
    folder: Path
    process: subprocess.Popen[str]

    @property
    def url(self) -> str:
        """Where it listens, once it is ready."""
        return (self.folder / "hub.url").read_text().strip()


@dataclass(frozen=True)
class Cluster:
    """A running hub in several processes."""

    server: PostgresServer
    members: tuple[Member, ...]

    @property
    def doors(self) -> tuple[Member, ...]:
        """Where agencies publish and read; all are alike."""
        return tuple(member for member in self.members if member.role == "serve")

    @property
    def admin_token(self) -> Path:
        """The file of the administrator's token, which the first of the doors was given."""
        tokens = (door.folder / "admin.token" for door in self.doors)
        return next(path for path in tokens if path.exists())


@contextmanager
def cluster(folder: Path, *, doors: int = 2, writers: int = 2) -> Iterator[Cluster]:
    """Start all of it on free loopback ports, and wait until each part is ready."""
    with running(folder / "postgres") as server, ExitStack() as stack:
        server.create_database(DATABASE)
        parts: list[tuple[Role, int]] = [("serve", doors), ("work", writers)]
        members = tuple(
            stack.enter_context(member(folder, role, n, server.url(DATABASE)))
            for role, count in parts
            for n in range(1, count + 1)
        )
        for each in members:
            assert each.process.stdout is not None
            print(each.process.stdout.readline().strip(), flush=True)
        yield Cluster(server, members)


@contextmanager
def member(folder: Path, role: Role, number: int, address: str) -> Iterator[Member]:
    """A process of the hub, which is stopped with the block."""
    place = folder / f"{role}-{number}"
    place.mkdir(mode=0o700)
    with (folder / f"{role}-{number}.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "hub", role, f"--data={place}", "--listen=127.0.0.1:0"],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, "GUANTONG_DATABASE": address},  # noqa: TID251 (handed on)
        )
        try:
            yield Member(role, place, process)
        finally:
            process.terminate()
            process.wait(timeout=SECONDS)
