"""The Kafka of `deploy.local`: it keeps what it has acknowledged and leaves nothing behind."""

import os
import select
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)

from deploy.local.kafka import Broker, KafkaCluster, KafkaFailed, running
from tests.kafka import (
    Login,
    ask,
    for_aiokafka,
    fresh_topics,
    fresh_user,
    leader_of,
    received,
    send,
)
from tests.running import PATIENCE

pytestmark = pytest.mark.backend("kafka")

COMMAND = [sys.executable, "-m", "deploy.local", "kafka"]


@pytest.mark.parametrize("end", [Broker.kill, Broker.stop])
async def test_a_broker_comes_back_with_what_it_has_acknowledged(
    kafka: KafkaCluster, end: Callable[[Broker], None]
) -> None:
    (broker,) = kafka.brokers
    with fresh_topics(kafka, {"kept": 1}) as topics:
        await send(kafka, topics["kept"], b"one")
        before, address = broker.pid, broker.address
        end(broker)
        assert (broker.has_ended, listens(broker.port)) == (True, False)
        broker.start()
        await send(kafka, topics["kept"], b"two")
        assert await received(kafka, topics["kept"], 2) == [b"one", b"two"]
    assert broker.pid != before
    assert kafka.bootstrap == broker.address == address


async def test_a_paused_broker_stands_still_and_goes_on_with_what_was_sent_meanwhile(
    kafka: KafkaCluster,
) -> None:
    (broker,) = kafka.brokers
    with fresh_topics(kafka, {"later": 1}) as topics:
        async with AIOKafkaProducer(**for_aiokafka(kafka), acks="all") as producer:
            await producer.send_and_wait(topics["later"], b"before")
            broker.pause()
            assert state_of(broker.pid) == "T (stopped)"
            sent = await producer.send(topics["later"], b"meanwhile")
            broker.resume()
            assert (await sent).offset == 1


async def test_three_brokers_elect_a_leader_when_theirs_is_killed_and_what_is_sent_arrives(
    tmp_path: Path,
) -> None:
    with running(tmp_path, brokers=3, session_timeout_ms=1_500) as cluster:
        with fresh_topics(cluster, {"kept": 1}) as topics:
            async with AIOKafkaProducer(
                **for_aiokafka(cluster), acks="all", request_timeout_ms=PATIENCE * 1_000
            ) as producer:
                await producer.send_and_wait(topics["kept"], b"before")
                first = leader_of(cluster, topics["kept"])
                cluster.brokers[first - 1].kill()
                await producer.send_and_wait(topics["kept"], b"after")
            assert leader_of(cluster, topics["kept"]) != first
            assert await received(cluster, topics["kept"], 2) == [b"before", b"after"]
        cluster.kill()
        assert [listens(broker.port) for broker in cluster.brokers] == [False, False, False]


async def test_a_user_may_write_what_an_acl_allows_and_nothing_else(
    secured_kafka: KafkaCluster,
) -> None:
    with fresh_topics(secured_kafka, {"own": 1, "other": 1}) as topics:
        login = fresh_user(secured_kafka)
        with pytest.raises(TopicAuthorizationFailedError):
            await send(secured_kafka, topics["own"], b"refused", login=login)
        allow_to_write(secured_kafka, login, topics["own"])
        await send(secured_kafka, topics["own"], b"allowed", login=login)
        with pytest.raises(TopicAuthorizationFailedError):
            await send(secured_kafka, topics["other"], b"refused", login=login)


async def test_only_who_knows_the_password_comes_in(secured_kafka: KafkaCluster) -> None:
    for login in (Login("admin", "wrong"), Login("nobody", secured_kafka.password), None):
        with pytest.raises(KafkaConnectionError):
            await send(secured_kafka, "any", b"refused", login=login)


def test_what_holds_the_password_is_its_owners_alone(secured_kafka: KafkaCluster) -> None:
    holding = [
        (path.name, stat.filemode(path.stat().st_mode))
        for path in sorted(secured_kafka.folder.iterdir())
        if path.is_file() and secured_kafka.password in path.read_text(errors="replace")
    ]
    assert holding == [("broker-1.properties", "-rw-------"), ("password", "-rw-------")]


def test_a_second_cluster_on_the_folder_is_refused_and_the_first_serves_on(
    kafka: KafkaCluster,
) -> None:
    refused = pytest.raises(KafkaFailed, match="/ another Kafka runs on this folder")
    with refused, running(kafka.folder):
        pass
    assert not kafka.brokers[0].has_ended


def test_a_folder_that_was_made_for_another_cluster_is_refused_and_stays_as_it_is(
    tmp_path: Path,
) -> None:
    (tmp_path / "data" / "1").mkdir(parents=True)
    refused = pytest.raises(
        KafkaFailed, match=r"/ the cluster there is another one: brokers=1, secured=False"
    )
    with refused, running(tmp_path, brokers=3):
        pass
    with refused, running(tmp_path, secured=True):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "lock"]


def test_what_a_broker_says_when_it_does_not_start_is_told(tmp_path: Path) -> None:
    (tmp_path / "data" / "1").mkdir(parents=True)
    with pytest.raises(KafkaFailed, match=r"No readable meta\.properties"), running(tmp_path):
        pass


def test_without_setpriv_nothing_is_started_that_might_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(KafkaFailed, match="setpriv of util-linux is needed"), running(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("sign", "status"), [(signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGKILL, -9)]
)
def test_the_command_serves_until_it_is_ended_however_that_happens(
    commands_folder: Path, sign: signal.Signals, status: int
) -> None:
    with commanded(commands_folder, "--secured") as (command, lines):
        bootstrap, secret = next(lines), next(lines)
        assert secret == f"SCRAM-SHA-512 admin: {commands_folder}/password"
        port = int(bootstrap.removeprefix("127.0.0.1:"))
        assert listens(port)
        (broker,) = children_of(command)
        command.send_signal(sign)
        assert command.wait(timeout=PATIENCE) == status
        assert ended(broker)
        assert not listens(port)


@pytest.fixture(scope="module")
def commands_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the commands of these tests have one after the other."""
    return tmp_path_factory.mktemp("kafka") / "一个集群"


@contextmanager
def commanded(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], Iterator[str]]]:
    """The command in the foreground of its own process, and the lines that it prints."""
    with subprocess.Popen(
        [*COMMAND, str(folder), *options], stdout=subprocess.PIPE, text=True
    ) as command:
        assert command.stdout is not None
        try:
            yield command, map(str.strip, command.stdout)
        finally:
            command.kill()


def state_of(pid: int) -> str:
    """As the system tells it."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line for line in lines if line.startswith("State:")).split(None, 1)[1]


def children_of(command: subprocess.Popen[str]) -> list[int]:
    """Descriptors of the processes that it has started."""
    children = Path(f"/proc/{command.pid}/task/{command.pid}/children").read_text()
    return [os.pidfd_open(int(pid)) for pid in children.split()]


def ended(process: int) -> bool:
    """Whether the process of the descriptor ends in time."""
    with open(process, "rb"):
        return select.select([process], [], [], PATIENCE)[0] == [process]


def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def allow_to_write(cluster: KafkaCluster, login: Login, topic: str) -> None:
    """An ACL for one user and one topic."""
    acl = AclBinding(
        ResourceType.TOPIC,
        topic,
        ResourcePatternType.LITERAL,
        f"User:{login.name}",
        "*",
        AclOperation.WRITE,
        AclPermissionType.ALLOW,
    )
    ask(cluster, lambda admin: admin.create_acls([acl]))
