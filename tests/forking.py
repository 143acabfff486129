"""Processes of `guantong` that are forked from one that has loaded the program.

Each has its words, environment, files and end for itself, as a process that a shell starts. What
they share is the loading: it takes longer than the rest of a start, and a run starts hundreds.
"""

import contextlib
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from multiprocessing.connection import wait
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any, NoReturn, TextIO

_LONGEST = 1 << 17
_NUMBER = 4
_PARTS = (
    *("hub.cli.commands", "hub.cli.serving", "hub.cli.adapters", "adapters.kit.running"),
    *("hub.app.embedded", "hub.app.serving", "hub.app.working"),
)


class Forked:
    """A process, and what tests ask of one as `subprocess.Popen` answers it."""

    def __init__(self, *, reports: int, stdout: int, stderr: int) -> None:
        self._reports = os.fdopen(reports, "rb", buffering=0)
        self._taking = Lock()
        self.stdout: TextIO = os.fdopen(stdout, encoding="utf-8")
        self.stderr: TextIO = os.fdopen(stderr, encoding="utf-8")
        self.pid = self._next()
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit status, or minus the signal that ended it; None while it runs."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status once it has ended. Raises TimeoutExpired."""
        status = self._ended(timeout)
        if status is None:
            assert timeout is not None
            raise subprocess.TimeoutExpired("guantong", timeout)
        return status

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What it says on its two streams, once it has ended. Raises TimeoutExpired."""
        threads = ThreadPoolExecutor(2)
        said = [threads.submit(stream.read) for stream in (self.stdout, self.stderr)]
        threads.shutdown(wait=False)
        self.wait(timeout)
        out, err = (each.result() for each in said)
        return out, err

    def send_signal(self, sign: int) -> None:
        """Send a signal if it still runs."""
        if self.poll() is None:
            # It may end just now, and be known to have done so a moment later.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, sign)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None and wait([self._reports.fileno()], timeout):
            with self._taking:
                if self.returncode is None:
                    self.returncode = self._next()
        return self.returncode

    def _next(self) -> int:
        told = self._reports.read(_NUMBER)
        assert told, "who forked it is gone"
        return int.from_bytes(told, "big", signed=True)


Process = Forked | subprocess.Popen[str]


class Loaded:
    """The process that has loaded the program, started when it is first asked for."""

    def __init__(self) -> None:
        # Where it finds what it loads.
        self.path = os.environ.get("PYTHONPATH")
        self._asking = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._asked, self._asks = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def start(
        self, *words: str, environment: Mapping[str, str], largest_file: int | None = None
    ) -> Forked:
        """Run a command; it cannot write a file past `largest_file` bytes."""
        told = {
            "words": words,
            "environment": dict(environment),
            "directory": str(Path.cwd()),
            "largest": largest_file,
        }
        ours, theirs = zip(*(os.pipe() for _ in range(3)), strict=True)
        try:
            with self._asking:
                self._begin()
                socket.send_fds(self._asks, [json.dumps(told).encode()], theirs)
        finally:
            for handle in theirs:
                os.close(handle)
        reports, stdout, stderr = ours
        return Forked(reports=reports, stdout=stdout, stderr=stderr)

    def end(self) -> None:
        """Nothing more is started; what was runs on."""
        self._asks.close()
        self._asked.close()
        if self._process is not None:
            self._process.wait()

    def _begin(self) -> None:
        if self._process is None:
            handle = self._asked.fileno()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.forking", str(handle)],
                pass_fds=[handle],
                stdin=subprocess.DEVNULL,
                # Buffered as where nobody watches; each that is forked has its own behind it.
                stdout=subprocess.DEVNULL,
            )
            # Were it to end, whoever asks is told, and does not wait.
            self._asked.close()


_loaded: Loaded | None = None


@contextmanager
def loaded_once() -> Iterator[None]:
    """Commands that are started within are forked from one process."""
    global _loaded
    _loaded = Loaded()
    try:
        yield
    finally:
        _loaded.end()
        _loaded = None


def started(
    *words: str,
    environment: Mapping[str, str],
    largest_file: int | None = None,
    program: str = "hub",
) -> Process:
    """A process of a command; it cannot write a file past `largest_file` bytes. `program` is the
    module that is its command line; another than the hub's loads itself, and so does one that
    finds its modules elsewhere.
    """
    forked = program == "hub" and environment.get("PYTHONPATH") == (_loaded and _loaded.path)
    if _loaded is not None and forked:
        return _loaded.start(*words, environment=environment, largest_file=largest_file)
    return subprocess.Popen(
        [sys.executable, "-m", program, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        preexec_fn=None if largest_file is None else lambda: _limit(largest_file),
    )


def _limit(largest_file: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, resource.RLIM_INFINITY))


def _load() -> None:
    """What every part of a hub and what adapters load, and what is loaded when the first database
    is made."""
    from contracts.catalogue import load_catalogue
    from hub.database.opening import open_database

    for part in _PARTS:
        import_module(part)
    # A schema is built when a payload is first checked, and these are what most hubs are sent.
    for type_ in ("petition.case_transferred", "clue.transferred"):
        for contract in load_catalogue().versions(type_):
            contract.check(b"{}")
    with TemporaryDirectory() as folder:
        open_database(Path(folder), None, readers=1).close()
    # Of a process with threads a part alone would be forked.
    assert threading.active_count() == 1


def _serve(asked: socket.socket) -> None:
    """Fork what is asked for until nobody can ask."""
    # Who started the tests may end them from the keyboard; then nobody asks any more.
    interrupted = signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        message, handles, _, _ = socket.recv_fds(asked, _LONGEST, 3)
        if not message:
            return
        told = json.loads(message)
        if os.fork() == 0:
            asked.close()
            if _forked_under(*handles):
                signal.signal(signal.SIGINT, interrupted)
                _become(told)
        for handle in handles:
            os.close(handle)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _forked_under(reports: int, stdout: int, stderr: int) -> bool:
    """Fork a process whose id and end are reported; True in that one, and no return in the
    other."""
    process = os.fork()
    if process == 0:
        os.dup2(stdout, 1)
        os.dup2(stderr, 2)
        for handle in (reports, stdout, stderr):
            os.close(handle)
        return True
    os.close(stdout)
    os.close(stderr)
    os.closerange(0, 3)
    _report(reports, process)
    _, status = os.waitpid(process, 0)
    _report(reports, os.waitstatus_to_exitcode(status))
    os._exit(0)


def _report(reports: int, number: int) -> None:
    # Whoever asked may be gone.
    with contextlib.suppress(BrokenPipeError):
        os.write(reports, number.to_bytes(_NUMBER, "big", signed=True))


def _become(told: Mapping[str, Any]) -> NoReturn:
    """Be a command, to the end of the process."""
    from hub.cli.commands import main

    os.environ.clear()
    os.environ.update(told["environment"])
    os.chdir(told["directory"])
    if told["largest"] is not None:
        _limit(told["largest"])
    words: Sequence[str] = told["words"]
    sys.argv = ["guantong", *words]
    main()
    raise AssertionError("a command ends its process")


if __name__ == "__main__":
    _load()
    _serve(socket.socket(fileno=int(sys.argv[1])))
