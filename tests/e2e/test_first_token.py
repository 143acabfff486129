"""The first administrator's token of a hub in several processes: a kill must not lock all out."""

import asyncio
from pathlib import Path

import pytest

from deploy.local.postgres import PostgresServer
from hub.database.postgres import open_postgres
from tests.cluster import until
from tests.postgres import connected, fresh_database
from tests.running import start_hub
from tests.starting import Starting

# Whoever has made a token cannot commit it while somebody holds the lock.
HELD = (
    """
    CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NULL; END $$
    """,
    "CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON tokens DEFERRABLE INITIALLY DEFERRED"
    " FOR EACH ROW EXECUTE FUNCTION wait()",
)
COMMITTING = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
    " AND wait_event_type = 'Lock' AND wait_event = 'advisory'"
)


def assert_opens(directory: Path, url: str) -> None:
    """A door that starts on what was left lets its administrator in."""
    running = start_hub(directory, settings={"database": url}, command="serve")
    with running.admin as admin:
        assert admin.get("/v1/policy").status_code == 200
    assert running.stop() == 0


async def killed_at_the_commit(directory: Path, url: str, *, committed: bool) -> None:
    """Have a door be killed when its token is made and not committed; then it is, or is not."""
    async with connected(url) as connection:
        for statement in ("SELECT pg_advisory_lock(42)", *HELD):
            await connection.execute(statement)
        starting = await asyncio.to_thread(Starting, directory, url, "serve")
        await asyncio.to_thread(until, (directory / "admin.token").exists)
        while not (pids := await connection.fetch(COMMITTING)):
            pass
        starting.process.kill()
        starting.process.wait()
        if not committed:
            await connection.execute("SELECT pg_terminate_backend($1)", pids[0]["pid"])
            while await connection.fetch(COMMITTING):
                pass


@pytest.mark.parametrize("committed", [True, False])
def test_a_door_that_is_killed_as_it_makes_the_token_leaves_a_way_in(
    postgres: PostgresServer, tmp_path: Path, committed: bool
) -> None:
    with fresh_database(postgres) as url:
        open_postgres(url)
        asyncio.run(killed_at_the_commit(tmp_path, url, committed=committed))
        assert_opens(tmp_path, url)


def test_a_token_that_cannot_be_written_is_none(postgres: PostgresServer, tmp_path: Path) -> None:
    with fresh_database(postgres) as url:
        (tmp_path / "admin.token.new").mkdir()
        with pytest.raises(AssertionError):
            start_hub(tmp_path, settings={"database": url}, command="serve")
        (tmp_path / "admin.token.new").rmdir()
        assert_opens(tmp_path, url)
