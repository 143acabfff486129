"""A hub in several processes on this machine: PostgreSQL, Kafka, doors, a writer and a standby.

To try the cluster form on a laptop, and for tests. Everything lies in one folder; it all ends with
the block, and with the thread that started it, however that happens. Linux only.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe
from typing import Final, Literal

import httpx

from deploy.local import kafka, postgres
from deploy.local.kafka import ADMIN, KafkaCluster
from deploy.local.loopback import HOST
from deploy.local.postgres import PostgresServer
from hub.upkeep.passwords import Passwords

Role = Literal["serve", "work"]
Brokers = Literal[0, 1, 3]
DATABASE: Final = "guantong"
HUB: Final = "guantong"
# Of each topic: a small machine makes hundreds of partitions slowly.
PARTITIONS: Final = 2
# A machine where all of it starts at once may answer late; each goes on from where it was.
ATTEMPTS: Final = 3
SECONDS: Final = 60
LOOK: Final = 0.02
LINES: Final = 10


class ClusterFailed(Exception):
    """A process of the hub did not do what it was asked; the message holds what it said."""


@dataclass(frozen=True)
class Member:
    """A process of the hub."""

    role: Role
    folder: Path
    process: subprocess.Popen[str]

    @property
    def url(self) -> str:
        """Where it listens, once it is ready."""
        return (self.folder / "hub.url").read_text().strip()

    @property
    def log(self) -> Path:
        """What it says."""
        return self.folder.with_suffix(".log")

    def wait_until_ready(self) -> str:
        """What it says when it is. Raises ClusterFailed with the end of its log."""
        assert self.process.stdout is not None
        said = self.process.stdout.readline().strip()
        if not said:
            raise self._failed()
        return said

    def wait_until_connected(self) -> None:
        """Until it lacks nothing of what it works with. Raises ClusterFailed."""
        with httpx.Client(trust_env=False, timeout=SECONDS) as client:
            for _ in range(round(SECONDS / LOOK)):
                told = client.get(f"{self.url}/health/ready").json()
                if told["status"] == "ready" and "missing" not in told:
                    return
                with suppress(subprocess.TimeoutExpired):
                    self.process.wait(timeout=LOOK)
                    break
        raise self._failed()

    def _failed(self) -> ClusterFailed:
        end = self.log.read_text(errors="replace").splitlines()[-LINES:]
        return ClusterFailed("\n".join([f"{self.role} 未能启动 / did not start:", *end]))


@dataclass(frozen=True)
class Cluster:
    """A running hub in several processes; `kafka` carries its events where there is one."""

    folder: Path
    server: PostgresServer
    kafka: KafkaCluster | None
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

    def password(self, user: str) -> str:
        """Of an agency, or of the hub, at Kafka."""
        return (self.folder / "passwords" / f"{user}.password").read_text().strip()

    def provision(self) -> None:
        """Have Kafka hold what the policy in force wants, by `guantong kafka apply`.

        Raises ClusterFailed with what that complained of.
        """
        if self.kafka is None:
            return
        replicas = len(self.kafka.brokers)
        command = [
            *(sys.executable, "-m", "hub", "kafka", "apply", "--yes"),
            f"--data={self.admin_token.parent}",
            f"--secrets={self.folder / 'passwords'}",
            f"--bootstrap={self.kafka.bootstrap}",
            f"--user={ADMIN}",
            f"--password-file={self.kafka.password_file}",
            f"--partitions={PARTITIONS}",
            f"--replication={replicas}",
            f"--min-isr={(replicas + 1) // 2}",
        ]
        with (self.folder / "kafka-apply.log").open("a") as log:
            for _ in range(ATTEMPTS):
                done = subprocess.run(
                    command, stdout=log, stderr=subprocess.PIPE, text=True, check=False
                )
                if done.returncode == 0:
                    return
        raise ClusterFailed(f"guantong kafka apply: {done.stderr}")


@contextmanager
def cluster(
    folder: Path, *, brokers: Brokers = 0, doors: int = 2, writers: int = 2
) -> Iterator[Cluster]:
    """Start all of it on free loopback ports, and wait until each part is ready.

    With brokers events travel over Kafka, which every user logs in to. Raises ClusterFailed,
    PostgresFailed or KafkaFailed.
    """
    with ExitStack() as stack:
        server = stack.enter_context(postgres.running(folder / "postgres"))
        server.create_database(DATABASE)
        say(f"PostgreSQL: {HOST}:{server.port}/{DATABASE}", folder / "postgres" / "server.log")
        environment, carrier = {"GUANTONG_DATABASE": server.url(DATABASE)}, None
        if brokers:
            carrier = stack.enter_context(
                kafka.running(folder / "kafka", brokers=brokers, secured=True)
            )
            environment |= over(carrier, folder / "passwords")
            for broker in carrier.brokers:
                say(f"Kafka: {broker.address}", folder / "kafka" / broker.log.name)
            print(f"{kafka.SCRAM} {ADMIN}: {folder / 'kafka' / carrier.password_file.name}")
        parts: list[tuple[Role, int]] = [("serve", doors), ("work", writers)]
        members = tuple(
            stack.enter_context(member(folder, role, n, environment))
            for role, count in parts
            for n in range(1, count + 1)
        )
        for each in members:
            # All of them first, so that they end side by side.
            stack.callback(each.process.terminate)
        for each in members:
            say(each.wait_until_ready(), each.log)
        made = Cluster(folder, server, carrier, members)
        made.provision()
        for each in members:
            each.wait_until_connected()
        yield made


def say(what: str, log: Path) -> None:
    """Tell of a part, and where its log is."""
    print(f"{what}  (日志 / log: {log})", flush=True)


def over(carrier: KafkaCluster, passwords: Path) -> Mapping[str, str]:
    """What the processes are told, so that their events travel over Kafka.

    The hub's password is drawn before its user is made, which takes a hub that runs.
    """
    return {
        "GUANTONG_BACKBONE": "kafka",
        "GUANTONG_KAFKA": carrier.bootstrap,
        "GUANTONG_KAFKA_PARTITIONS": str(PARTITIONS),
        "GUANTONG_KAFKA_USER": HUB,
        "GUANTONG_KAFKA_PASSWORD": Passwords(passwords, token_urlsafe).of(HUB),
    }


@contextmanager
def member(
    folder: Path, role: Role, number: int, environment: Mapping[str, str]
) -> Iterator[Member]:
    """A process of the hub, which is stopped with the block."""
    place = folder / f"{role}-{number}"
    place.mkdir(mode=0o700)
    # PostgreSQL was started with it.
    setpriv = shutil.which("setpriv")
    assert setpriv is not None
    with place.with_suffix(".log").open("w") as log:
        process = subprocess.Popen(
            [
                # A hub loses nothing by it, and nobody is left to wait for its end.
                *(setpriv, "--pdeathsig=KILL"),
                *(sys.executable, "-m", "hub", role, f"--data={place}", "--listen=127.0.0.1:0"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, **environment},  # noqa: TID251 (handed on)
            # A Ctrl-C at the terminal is for who started the process to answer.
            process_group=0,
        )
        try:
            yield Member(role, place, process)
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=SECONDS)
            process.kill()
            process.wait()
