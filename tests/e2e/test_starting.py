"""A process that is started before its database: it listens, says so, and goes on alone."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.postgres import PostgresServer
from tests.cluster import until
from tests.postgres import fresh_database, shared_server
from tests.running import RunningHub, start_hub
from tests.starting import Starting


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server that is stopped, and started again."""
    with shared_server() as made:
        yield made


@pytest.mark.parametrize("command", ["up", "serve", "work"])
def test_a_process_that_starts_before_its_database_listens_and_says_what_it_waits_for(
    server: PostgresServer, command: str, tmp_path: Path
) -> None:
    with fresh_database(server) as url:
        server.stop()
        starting = Starting(tmp_path, url, command)
        try:
            told = [starting.ask(path) for path in ("/health/live", "/health/ready", "/metrics")]
            assert told[0] == (200, None, {"status": "live"})
            # Nobody knows yet that it is away, or somebody does.
            (code,) = {each.partition(": ")[2] for each in (told[1][2]["reason"],)}
            assert told[1] == (503, None, {"status": "unready", "reason": f"postgresql: {code}"})
            assert code in ("starting", "database_away")
            status, wait, problem = told[2]
            assert (status, wait, problem["code"]) == (503, "1", "not_yet_ready")
            until(lambda: "database_away" in starting.ask("/health/ready")[2]["reason"])
        finally:
            server.start()
        assert "ready" in starting.line()
        assert starting.ask("/health/ready")[0] == 200
        assert starting.stop() == 0


@pytest.mark.parametrize("command", ["up", "serve", "work"])
def test_that_a_database_is_away_is_told_once_and_that_it_is_back(
    server: PostgresServer, command: str, tmp_path: Path
) -> None:
    with fresh_database(server) as url:
        running = start_hub(tmp_path, settings={"database": url}, command=command)
        before = len(running.lines)
        server.stop()
        try:
            asked = [status_of(running) for _ in range(5)]
        finally:
            server.start()
        until(lambda: status_of(running) == 200)
        running.stop()
        said = [json.loads(line) for line in running.lines[before:]]
        events = Counter(each["event"] for each in said if each["level"] in ("warning", "error"))
        # Each task and the signals tell once what they met themselves.
        tasks = {event for event in events if event.endswith((".failed", ".lost"))}
        assert {event: events[event] for event in tasks} == dict.fromkeys(tasks, 1)
        assert events.keys() - tasks == {"storage.away", "storage.back"}
        # Of two that ask as it comes back, the later may be told first.
        assert events["storage.away"] == events["storage.back"] <= 2
        assert set(asked) == {503}


def status_of(running: RunningHub) -> int:
    """Of its readiness."""
    with running.client(None) as client:
        return client.get("/health/ready").status_code


def test_a_process_that_waits_for_its_database_can_be_stopped(
    server: PostgresServer, tmp_path: Path
) -> None:
    with fresh_database(server) as url:
        server.stop()
        try:
            starting = Starting(tmp_path, url, "serve")
            until(lambda: "database_away" in starting.ask("/health/ready")[2]["reason"])
            assert starting.stop() == 0
            assert not (tmp_path / "hub.url").exists()
        finally:
            server.start()
