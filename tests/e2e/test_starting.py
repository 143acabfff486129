"""A process that is started before its database: it listens, says so, and goes on alone."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cluster import until
from tests.postgres import fresh_database, shared_server
from tests.running import environment_of


class Starting:
    """A process that listens and is not ready."""

    def __init__(self, directory: Path, database: str, command: str) -> None:
        address = ("--data", str(directory), "--listen", "127.0.0.1:0")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hub", command, *address],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**environment_of(directory), "GUANTONG_DATABASE": database},
        )
        until((directory / "hub.url").exists)
        self.url = (directory / "hub.url").read_text().strip()

    def ask(self, path: str) -> tuple[int, str | None, dict[str, Any]]:
        """Status, how long to wait, and answer."""
        answer = httpx.get(self.url + path, trust_env=False)
        return answer.status_code, answer.headers.get("retry-after"), answer.json()

    def line(self) -> str:
        """What it says when it is ready."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def stop(self) -> int:
        """Ask it to stop; its status."""
        self.process.terminate()
        return self.process.wait()


@pytest.mark.parametrize("command", ["up", "serve", "work"])
def test_a_process_that_starts_before_its_database_listens_and_says_what_it_waits_for(
    command: str, tmp_path: Path
) -> None:
    with shared_server() as server, fresh_database(server) as url:
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


def test_a_process_that_waits_for_its_database_can_be_stopped(tmp_path: Path) -> None:
    with shared_server() as server, fresh_database(server) as url:
        server.stop()
        try:
            starting = Starting(tmp_path, url, "serve")
            until(lambda: "database_away" in starting.ask("/health/ready")[2]["reason"])
            assert starting.stop() == 0
            assert not (tmp_path / "hub.url").exists()
        finally:
            server.start()
