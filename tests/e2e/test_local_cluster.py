"""The hub of several processes that `make cluster` starts: however it ends, nothing is left of it.

What it does while it runs is in `test_demo.py`.
"""

import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.postgres import programs
from tests.running import PATIENCE

pytestmark = pytest.mark.backend("postgresql")

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "deploy.demo", "cluster", "--brokers=0"]


@contextmanager
def commanded(
    folder: Path, settings: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """The command in the foreground of its own process, in a folder."""
    programs()
    with subprocess.Popen(
        COMMAND,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(settings or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as command:
        try:
            yield command
        finally:
            command.kill()


def children_of(pid: int) -> list[int]:
    """The processes that a process has started."""
    return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def ended(process: int) -> bool:
    """Whether the process of the descriptor ends in time."""
    with open(process, "rb"):
        return select.select([process], [], [], PATIENCE)[0] == [process]


@pytest.mark.parametrize(
    ("sign", "status"), [(signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGKILL, -9)]
)
def test_however_it_is_ended_its_processes_end_with_it(
    tmp_path: Path, sign: signal.Signals, status: int
) -> None:
    with commanded(tmp_path) as command:
        assert command.stdout is not None
        # Of four processes two are ready, and what the demo does comes after that.
        said = [command.stdout.readline().strip() for _ in range(3)]
        processes = [os.pidfd_open(pid) for pid in children_of(command.pid)]
        command.send_signal(sign)
        assert command.wait(timeout=PATIENCE) == status
        assert [ended(process) for process in processes] == [True] * 5
    place = ".cluster/hub"
    pattern = "\n".join(
        [
            rf"PostgreSQL: 127\.0\.0\.1:\d+/guantong  \(日志 / log: {place}/postgres/server\.log\)",
            *(
                rf"贯通已就绪 / ready: http://127\.0\.0\.1:\d+  \(data: {place}/serve-{n}\)"
                rf"  \(日志 / log: {place}/serve-{n}\.log\)"
                for n in (1, 2)
            ),
        ]
    )
    assert re.fullmatch(pattern, "\n".join(said)), said


def test_what_keeps_a_process_from_starting_is_said_and_the_others_are_ended(
    tmp_path: Path,
) -> None:
    with commanded(tmp_path, {"GUANTONG_READERS": "none"}) as command:
        said, complained = command.communicate(timeout=PATIENCE)
        assert (command.returncode, len(said.splitlines())) == (1, 1)
        assert complained.splitlines()[:3] == [
            "serve 未能启动 / did not start:",
            "输入有误 / the input is not valid: 1 validation error for Settings",
            "readers",
        ]
    state = tmp_path / ".cluster" / "hub" / "postgres" / "data" / "postmaster.pid"
    # It goes with the server, in good order.
    assert not state.exists()
