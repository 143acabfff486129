"""How long `guantong up` takes to be ready: with all contracts, and with the first families."""

import pkgutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import contracts
from tests.bench.measure import report

ROUNDS = 7
FIRST = ("briefing", "clue", "petition")


def narrow() -> None:
    """Have this process know the first families alone."""
    every = pkgutil.iter_modules

    def few(path: Any = None, prefix: str = "") -> Iterator[pkgutil.ModuleInfo]:
        of_all = path is contracts.__path__
        return (m for m in every(path, prefix) if not of_all or m.name in FIRST or not m.ispkg)

    pkgutil.iter_modules = few


def started(folder: Path, which: str) -> float:
    """Seconds until a hub on a new directory says that it is ready."""
    arguments = ["up", f"--data={folder}", "--listen=127.0.0.1:0"]
    began = perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.starting", which, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    assert "ready" in process.stdout.readline()
    took = perf_counter() - began
    process.terminate()
    process.wait()
    return took


def run() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        rounds = [
            (started(Path(folder) / f"f{n}", "first"), started(Path(folder) / f"a{n}", "all"))
            for n in range(ROUNDS + 1)
        ][1:]
    return report(
        "ready with the families of the first seven contracts / ready with all",
        ours=[first * 1e3 for first, _ in rounds],
        reference=[every * 1e3 for _, every in rounds],
        goal=0.667,
        unit="ms",
    )


if __name__ == "__main__":
    if sys.argv.pop(1) == "first":
        narrow()
    from hub.cli.commands import main

    main()
