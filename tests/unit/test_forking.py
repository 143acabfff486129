"""A command that is forked is as one that is started: words, environment, limits and end."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.forking import Forked, Process, started

LISTED = ("contract", "list")
WIDE = {"COLUMNS": "240"}
UP = ("up", "--listen=127.0.0.1:0")


def ended(process: Process) -> tuple[int, str, str]:
    said, complained = process.communicate()
    return process.wait(), said, complained


def forked(*words: str, environment: dict[str, str] | None = None) -> Process:
    process = started(*words, environment={**os.environ, **(environment or {})})
    assert isinstance(process, Forked)
    return process


def test_it_says_and_answers_what_a_started_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("tests.forking._loaded", None)
        apart = started(*LISTED, environment={**os.environ, **WIDE})
    assert isinstance(apart, subprocess.Popen)
    expected = ended(apart)
    assert expected[0] == 0
    assert "petition.case_transferred" in expected[1]
    assert ended(forked(*LISTED, environment=WIDE)) == expected


def test_each_has_an_environment_and_a_directory_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    status, said, complained = ended(forked(*UP, environment={"GUANTONG_BACKBONE": "kafka"}))
    assert (status, said) == (1, "")
    assert "guantong serve" in complained
    assert (tmp_path / "data").is_dir()
    with pytest.raises(subprocess.TimeoutExpired):
        (other := forked(*UP)).wait(0)
    assert other.stdout is not None
    assert "ready" in other.stdout.readline()
    other.terminate()
    assert other.wait() == 0


def test_who_is_killed_is_told_as_such(tmp_path: Path) -> None:
    process = forked(*UP, f"--data={tmp_path}")
    assert process.stdout is not None
    assert "ready" in process.stdout.readline()
    assert process.poll() is None
    process.kill()
    assert (process.wait(), process.poll()) == (-signal.SIGKILL, -signal.SIGKILL)
    process.kill()


def test_who_may_write_little_is_ended_by_more(tmp_path: Path) -> None:
    process = started(*UP, f"--data={tmp_path}", environment=os.environ, largest_file=1)
    assert process.stdout is not None
    assert process.stdout.readline() == ""
    assert process.wait() != 0
