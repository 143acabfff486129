"""On one PostgreSQL database stands either one `up`, or `serve` and `work`."""

from pathlib import Path

import pytest

from deploy.local.postgres import PostgresServer
from tests.postgres import fresh_database
from tests.running import start_hub

PAIRS = [("up", "up"), ("up", "serve"), ("up", "work"), ("serve", "up")]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_a_second_process_that_does_not_go_with_the_first_is_told_what_to_do(
    postgres: PostgresServer, tmp_path: Path, first: str, second: str
) -> None:
    with fresh_database(postgres) as url:
        settings = {"database": url}
        running = start_hub(tmp_path / "first", settings=settings, command=first)
        try:
            with pytest.raises(AssertionError, match="up 须独占一个数据库"):
                start_hub(tmp_path / "second", settings=settings, command=second)
        finally:
            running.kill()
        # That it was killed does not keep the other from starting for long.
        assert start_hub(tmp_path / "second", settings=settings, command=second).stop() == 0
