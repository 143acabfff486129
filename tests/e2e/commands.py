"""`guantong` commands in processes of their own."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.forking import Process, started
from tests.running import PATIENCE


def start(
    *arguments: str | Path,
    environment: Mapping[str, str] | None = None,
    before: Callable[[], None] | None = None,
) -> subprocess.Popen[str]:
    """Start a command; `before` runs in its process first."""
    return subprocess.Popen(
        [sys.executable, "-m", "hub", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(environment or {})},
        preexec_fn=before,
    )


def run(
    *arguments: str | Path,
    environment: Mapping[str, str] | None = None,
    before: Callable[[], None] | None = None,
) -> tuple[int, str, str]:
    """The exit status, standard output and standard error of a command."""
    if before is None:
        told = {**os.environ, **(environment or {})}
        process: Process = started(*map(str, arguments), environment=told)
    else:
        process = start(*arguments, environment=environment, before=before)
    out, err = process.communicate(timeout=PATIENCE)
    return process.wait(), out, err
