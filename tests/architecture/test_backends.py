"""The end of a run of pytest says what was tested on which backend."""

import subprocess
import sys
from pathlib import Path

RUN = """
import pytest

BACKENDS = [pytest.param(name, marks=pytest.mark.backend(name)) for name in ("first", "second")]

@pytest.fixture(params=BACKENDS)
def backend(request):
    if request.param == "second":
        pytest.skip("there is no second")

def test_passes(backend): pass

def test_fails(backend): assert False

@pytest.mark.backend("third")
def test_has_a_backend_of_its_own(): pass

def test_has_none(): pass
"""


def test_what_ran_on_which_backend_is_told_at_the_end_of_a_parallel_run(tmp_path: Path) -> None:
    (tmp_path / "test_run.py").write_text(RUN)
    command = [sys.executable, "-m", "pytest", "--disable-plugin-autoload", "--strict-markers"]
    plugins = ["-p", "tests.backends", "-p", "xdist", "-n", "1"]
    done = subprocess.run(
        [*command, *plugins, "--rootdir", str(tmp_path), str(tmp_path / "test_run.py")],
        capture_output=True,
        text=True,
    )
    told = [line for line in done.stdout.splitlines() if line.startswith("on ")]
    assert told == [
        "on first: 1 passed, 1 failed",
        "on second: 2 skipped",
        "on third: 1 passed",
        "on second: Skipped: there is no second",
    ]
