"""A hub in its own process on a free loopback port, and what tests say to it."""

import json
import os
import resource
import secrets
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from deploy.local.kafka import KafkaCluster
from deploy.local.postgres import PostgresServer
from tests.carried import Brokers, begin_here
from tests.forking import Process, started

BATCH = "application/cloudevents-batch+json"
STRUCTURED = "application/cloudevents+json"
# How long a test waits for what must come: a busy machine may be as slow as it likes.
PATIENCE = 120


@dataclass
class RunningHub:
    """One process of a hub. `lines` is what it has logged."""

    directory: Path
    process: Process
    url: str
    lines: list[str]
    _reader: threading.Thread
    _tokens: dict[str, str] = field(default_factory=dict)
    # Who registers what this one accepts; None where it does so itself.
    work: "RunningHub | None" = None

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens: host and port."""
        host, _, port = self.url.removeprefix("http://").rpartition(":")
        return host, int(port)

    @property
    def admin(self) -> httpx.Client:
        """A client with all roles."""
        return self.client((self.directory / "admin.token").read_text().strip())

    def client(self, token: str | None, *, timeout: float = PATIENCE) -> httpx.Client:
        """A client with a token."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(
            base_url=self.url, headers=headers, timeout=timeout, trust_env=False, verify=False
        )

    def token(self, agency: str) -> str:
        """A token of the agency, made once."""
        if agency not in self._tokens:
            with self.admin as admin:
                answer = admin.post(f"/v1/agencies/{agency}/tokens", json={})
            assert answer.status_code == 201, answer.text
            self._tokens[agency] = answer.json()["token"]
        return self._tokens[agency]

    def keep_tokens(self, earlier: "RunningHub") -> None:
        """Know the tokens that were made at an earlier process of this directory."""
        self._tokens.update(earlier._tokens)

    def agency(self, agency: str) -> "AgencyClient":
        """What an agency does through the HTTP door."""
        settles = self.work is not None
        return AgencyClient(agency, self.client(self.token(agency)), settles=settles)

    def apply(self, document: Mapping[str, Any]) -> httpx.Response:
        """Put a policy in force."""
        with self.admin as admin:
            tag = admin.get("/v1/policy").headers["etag"]
            body = {"reason": "test", **document}
            answer = admin.put("/v1/policy", json=body, headers={"If-Match": tag})
        assert answer.status_code == 200, answer.text
        return answer

    def lift_file_limit(self) -> None:
        """Let it write files of any size again."""
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, unlimited)

    def kill(self) -> None:
        """kill -9."""
        if self.work is not None:
            self.work.kill()
        self.process.kill()
        self.process.wait()
        self._reader.join()

    def stop(self) -> int:
        """SIGTERM, and the exit status."""
        if self.work is not None:
            assert self.work.stop() == 0
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=PATIENCE)
        self._reader.join()
        return status


@dataclass
class AgencyClient:
    """An agency's calls. Who `settles` waits until all that it was told is accepted is settled, and
    takes the receipts of then; what has to wait for an earlier event it sends again.
    """

    id: str
    http: httpx.Client
    settles: bool = False

    def publish(self, *events: Mapping[str, Any], mode: str = "each") -> httpx.Response:
        """Publish a batch."""
        body = json.dumps(list(events), ensure_ascii=False).encode()
        return self.send(body, mode=mode)

    def send(self, body: bytes, *, mode: str = "each", media: str = BATCH) -> httpx.Response:
        """Send the bytes of a request."""
        headers = {"Content-Type": media}
        answer = self.http.post("/v1/events", params={"mode": mode}, content=body, headers=headers)
        if not self.settles:
            return answer
        if answer.json().get("code") == "not_yet_registered":
            return self.send(body, mode=mode, media=media)
        return self._settled(answer)

    def _settled(self, answer: httpx.Response) -> httpx.Response:
        told = answer.json()
        for result in told.get("results", ()):
            receipt = result["receipt"]
            while receipt is not None and receipt.get("state") == "accepted":
                asked = self.http.get(f"/v1/receipts/{receipt['id']}")
                receipt = asked.json() if asked.status_code == 200 else receipt
            result["receipt"] = receipt
        headers = {n: v for n, v in answer.headers.items() if n != "content-length"}
        return httpx.Response(
            answer.status_code, headers=headers, json=told, request=answer.request
        )

    def accepted(self, *events: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Publish events that must all be accepted; their receipts."""
        answer = self.publish(*events)
        results = answer.json()["results"]
        assert [r["status"] for r in results] == ["accepted"] * len(events), answer.text
        return [r["receipt"] for r in results]

    def subscribe(self, id_: str = "all", **body: Any) -> dict[str, Any]:
        """Make a subscription."""
        answer = self.http.post("/v1/subscriptions", json={"id": id_, **body})
        assert answer.status_code in (200, 201), answer.text
        made: dict[str, Any] = answer.json()
        return made

    def page(self, id_: str = "all", **query: Any) -> httpx.Response:
        """One page of a subscription."""
        return self.http.get(f"/v1/subscriptions/{id_}/events", params=query)

    def drain(self, id_: str = "all") -> list[dict[str, Any]]:
        """Everything after the committed cursor, without committing."""
        found: list[dict[str, Any]] = []
        query: dict[str, Any] = {"limit": 1000}
        while True:
            answer = self.page(id_, **query)
            assert answer.status_code == 200, answer.text
            events = answer.json()
            if not events:
                return found
            found.extend(events)
            query["cursor"] = answer.headers["guantong-cursor"]

    def commit(self, cursor: str, id_: str = "all") -> httpx.Response:
        """Commit a cursor."""
        return self.http.post(f"/v1/subscriptions/{id_}/cursor", json={"cursor": cursor})


@dataclass
class _Databases:
    """The databases of hubs on a PostgreSQL server, one for each data directory, and where events
    travel over Kafka, the brokers.
    """

    server: PostgresServer
    brokers: Brokers | None
    names: dict[Path, str] = field(default_factory=dict)
    held: dict[Path, KafkaCluster] = field(default_factory=dict)

    def of(self, directory: Path) -> str:
        """The address of a directory's database, made when it is first asked for."""
        if directory not in self.names:
            self.names[directory] = f"hub_{secrets.token_hex(8)}"
            self.server.create_database(self.names[directory])
        return self.server.url(self.names[directory])

    def leave(self, directory: Path) -> None:
        """Let another hub have the broker of a directory's."""
        if self.brokers is not None and directory in self.held:
            self.brokers.give_back(self.held.pop(directory), directory)


_databases: _Databases | None = None


def address_of(directory: Path) -> str | None:
    """The address of a hub's database; None where it is SQLite in its directory."""
    return None if _databases is None else _databases.of(directory)


def environment_of(directory: Path) -> dict[str, str]:
    """In which a command runs that opens a hub's database."""
    address = address_of(directory)
    return {**os.environ, **({"GUANTONG_DATABASE": address} if address else {})}


@contextmanager
def hubs_on(server: PostgresServer, brokers: Brokers | None = None) -> Iterator[None]:
    """Hubs that are started within stand on this server, not on SQLite, and over these brokers."""
    global _databases
    _databases = _Databases(server, brokers)
    try:
        yield
    finally:
        for directory in [*_databases.held]:
            _databases.leave(directory)
        for name in _databases.names.values():
            server.drop_database(name)
        _databases = None


@contextmanager
def running_hub(
    directory: Path, *, settings: Mapping[str, str] | None = None
) -> Iterator[RunningHub]:
    """Start a hub on a data directory; it is ended with the block."""
    hub = start_hub(directory, settings=settings)
    try:
        yield hub
    finally:
        if hub.process.poll() is None:
            hub.kill()
        if _databases is not None:
            _databases.leave(directory)


def restart_hub(hub: RunningHub, *, settings: Mapping[str, str] | None = None) -> RunningHub:
    """kill -9, then a new process on the same directory; tokens that were made stay known."""
    if hub.process.poll() is None:
        hub.kill()
    started = start_hub(hub.directory, settings=settings)
    started.keep_tokens(hub)
    return started


def start_hub(
    directory: Path,
    *,
    settings: Mapping[str, str] | None = None,
    largest_file: int | None = None,
    command: str = "up",
    program: str = "hub",
) -> RunningHub:
    """Start a hub, or a part of one, and wait for its line; it cannot write a file past
    `largest_file` bytes. `program` is the module that is its command line.
    """
    if command == "up" and _databases is not None and _databases.brokers is not None:
        return _start_over_kafka(_databases, _databases.brokers, directory, settings or {})
    named = {f"GUANTONG_{name.upper()}": value for name, value in (settings or {}).items()}
    process = started(
        *(command, f"--data={directory}", "--listen=127.0.0.1:0"),
        environment={**environment_of(directory), **named},
        largest_file=largest_file,
        program=program,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    lines: list[str] = []
    stderr = process.stderr
    reader = threading.Thread(target=lambda: lines.extend(stderr), daemon=True)
    reader.start()
    said = process.stdout.readline()
    if "ready" not in said:
        process.kill()
        process.wait()
        reader.join()
        raise AssertionError(said + "".join(lines))
    url = (directory / "hub.url").read_text().strip()
    return RunningHub(directory, process, url, lines, reader)


def _start_over_kafka(
    places: _Databases, brokers: Brokers, directory: Path, settings: Mapping[str, str]
) -> RunningHub:
    """A door, and beside it who registers."""
    is_another = False
    if directory not in places.held:
        places.held[directory], is_another = brokers.take(directory)
    broker = places.held[directory]
    over = {"backbone": "kafka", "kafka": broker.bootstrap, "kafka_partitions": "1"}
    told = {"database": places.of(directory), **over, **settings}
    door = start_hub(directory, settings=told, command="serve")
    try:
        if is_another:
            begin_here(broker, told["database"])
        work = directory.with_name(f"{directory.name}-work")
        door.work = start_hub(work, settings=told, command="work")
    except BaseException:
        door.kill()
        raise
    return door


def results_of(answer: httpx.Response) -> list[dict[str, Any]]:
    """The results of a publish."""
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def codes_of(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The (code, pointer) pairs of a rejected event."""
    return [(error["code"], error["pointer"]) for error in result["errors"]]


def pick(events: Sequence[Mapping[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    """Named attributes of events."""
    return [tuple(event.get(name) for name in names) for event in events]
