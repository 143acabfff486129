"""A process that is started before its database: it listens, says so, and goes on alone."""

from pathlib import Path

import pytest

from tests.cluster import until
from tests.postgres import fresh_database, shared_server
from tests.starting import Starting


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
