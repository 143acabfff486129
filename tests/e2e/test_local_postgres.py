"""The server of `deploy.local`: it keeps what was committed and leaves nothing behind."""

import asyncio
import os
import select
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from deploy.local.postgres import PostgresFailed, PostgresServer, Stop, as_owner, running
from tests.postgres import connected, fresh_database, programs, rows

pytestmark = pytest.mark.backend("postgresql")

# PostgreSQL's own defaults, but for how it makes sure, after a kill, that files are on the disk.
DURABLE: Mapping[str, str] = {"recovery_init_sync_method": "syncfs"}
KEPT = """
DROP TABLE IF EXISTS kept;
CREATE TABLE kept AS SELECT number FROM generate_series(1, 2) number;
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the servers of these tests have one after the other."""
    programs()
    return tmp_path_factory.mktemp("postgres") / "server"


@pytest.fixture
def server(folder: Path) -> Iterator[PostgresServer]:
    """A server with the disk's promises in force."""
    with running(folder, settings=DURABLE) as started:
        yield started


@pytest.fixture
async def database(server: PostgresServer) -> str:
    """A database of it where a table of two rows is committed."""
    url = server.url("postgres")
    async with connected(url) as connection:
        await connection.execute(KEPT)
    return url


@pytest.fixture
def version() -> str:
    """What the programs say of themselves."""
    said = subprocess.check_output([programs() / "postgres", "--version"], text=True)
    return said.split()[2]


async def test_the_server_is_of_the_programs_version_and_keeps_what_it_commits(
    server: PostgresServer, version: str
) -> None:
    names = ("fsync", "synchronous_commit", "full_page_writes", "data_checksums")
    where = ("listen_addresses", "unix_socket_directories", "server_encoding")
    asked = await rows(
        server.url("postgres"),
        "SELECT name, setting FROM pg_settings WHERE name IN "
        f"{('server_version', 'lc_messages', *names, *where)}",
    )
    assert dict(asked) == {
        "server_version": version,
        "lc_messages": "C",
        **dict.fromkeys(names, "on"),
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "server_encoding": "UTF8",
    }


async def test_only_who_knows_the_password_comes_in(server: PostgresServer) -> None:
    password = server.folder / "password"
    assert stat.filemode(password.stat().st_mode) == "-rw-------"
    with pytest.raises(asyncpg.InvalidPasswordError):
        await rows(server.url("postgres").replace(server.password, "wrong"), "SELECT 1")


@pytest.mark.parametrize("how", ["fast", "immediate"])
async def test_a_restart_cuts_connections_and_keeps_what_was_committed(
    server: PostgresServer, database: str, how: Stop
) -> None:
    async with connected(database) as connection:
        before = server.pid
        server.restart(how)
        with pytest.raises((asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError)):
            await connection.fetch("SELECT number FROM kept")
    assert server.pid != before
    assert server.url("postgres") == database
    assert await rows(database, "SELECT number FROM kept ORDER BY 1") == [(1,), (2,)]


async def test_a_killed_server_comes_back_with_what_was_committed_and_no_more(
    server: PostgresServer, database: str
) -> None:
    async with connected(database) as connection:
        await connection.execute("BEGIN; INSERT INTO kept VALUES (3)")
        server.kill()
    with pytest.raises(ConnectionRefusedError):
        await rows(database, "SELECT 1")
    server.start()
    assert await rows(database, "SELECT number FROM kept ORDER BY 1") == [(1,), (2,)]
    log = (server.folder / "server.log").read_text()
    assert "database system was not properly shut down; automatic recovery in progress" in log


async def test_a_stop_leaves_no_process(server: PostgresServer) -> None:
    async with connected(server.url("postgres")) as connection:
        processes = [server.pid, connection.get_server_pid()]
        assert [running_now(pid) for pid in processes] == [True, True]
        server.stop()
        assert [running_now(pid) for pid in processes] == [False, False]


async def test_a_database_of_a_tests_own_is_a_copy_and_gone_afterwards(
    postgres: PostgresServer, postgres_database: str
) -> None:
    async with connected(postgres_database) as connection:
        await connection.execute(KEPT)
    template = postgres_database.rpartition("/")[2]
    with fresh_database(postgres, template=template) as url:
        copied = await rows(url, "SELECT number FROM kept ORDER BY 1")
        there = await rows(url, "SELECT datname FROM pg_database WHERE datname LIKE 'test%'")
    left = await rows(
        postgres_database, "SELECT datname FROM pg_database WHERE datname LIKE 'test%'"
    )
    assert copied == [(1,), (2,)]
    assert sorted(there) == sorted([(template,), (url.rpartition("/")[2],)])
    assert left == [(template,)]


async def test_a_second_server_on_the_folder_is_refused_and_the_first_serves_on(
    server: PostgresServer,
) -> None:
    refused = pytest.raises(PostgresFailed, match=r"lock file .*postmaster\.pid.* already exists")
    with refused, running(server.folder):
        pass
    assert await rows(server.url("postgres"), "SELECT 1") == [(1,)]


def test_without_a_folder_the_command_says_how_it_is_called() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "deploy.local", "postgres"], capture_output=True, text=True
    )
    called = "python -m deploy.local postgres"
    assert (done.returncode, done.stderr.splitlines()) == (
        2,
        [
            f"usage: {called} [-h] DIR",
            f"{called}: error: the following arguments are required: DIR",
        ],
    )


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_the_command_serves_until_it_is_asked_to_end(folder: Path, sign: signal.Signals) -> None:
    with commanded(folder) as (command, url):
        assert asyncio.run(rows(url, "SELECT 1")) == [(1,)]
        postmaster = os.pidfd_open(postmaster_of(folder))
        command.send_signal(sign)
        assert command.wait(timeout=60) == 0
        assert ended(postmaster)


def test_the_server_ends_in_good_order_when_the_command_is_killed(folder: Path) -> None:
    with commanded(folder) as (command, _):
        postmaster = os.pidfd_open(postmaster_of(folder))
        command.kill()
        assert ended(postmaster)
    log = (folder / "server.log").read_text().splitlines()
    assert log[-1].endswith("database system is shut down")


def test_an_account_without_rights_starts_one_too(tmp_path: Path) -> None:
    """As root the command itself runs as the account of the server, else as who runs the tests."""
    programs()
    home = tmp_path / "home"
    home.mkdir()
    with commanded(home / "server", *as_owner()) as (command, url):
        assert asyncio.run(rows(url, "SELECT 1")) == [(1,)]
        command.send_signal(signal.SIGINT)
        assert command.wait(timeout=60) == 0


@contextmanager
def commanded(folder: Path, *before: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command in the foreground of its own process, and the URL it has printed."""
    with subprocess.Popen(
        [*before, sys.executable, "-m", "deploy.local", "postgres", str(folder)],
        stdout=subprocess.PIPE,
        text=True,
    ) as command:
        assert command.stdout is not None
        try:
            yield command, command.stdout.readline().strip()
        finally:
            command.kill()


def postmaster_of(folder: Path) -> int:
    """The process that the folder's own note names."""
    return int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])


def running_now(pid: int) -> bool:
    """Whether there is such a process."""
    return Path(f"/proc/{pid}").exists()


def ended(process: int) -> bool:
    """Whether the process of the descriptor ends within a minute."""
    with open(process, "rb"):
        return select.select([process], [], [], 60)[0] == [process]
