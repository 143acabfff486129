"""Files that are taken apart by a process of its own, however that or ours ends."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from adapters.kit.answers import write_answers
from adapters.kit.port import FaultKind, RowFault
from adapters.kit.readers.limits import SPREADSHEET
from adapters.kit.readers.sheet import take_apart
from adapters.kit.state import open_state
from tests.adapters.door import Door
from tests.adapters.readers.children import taking_apart, wait_for_one
from tests.adapters.readers.documents import (
    WANTED,
    busy_workbook,
    written_csv,
    written_xlsx,
    zip_of,
)
from tests.adapters.readers.packages import PASSWORD, members, seven, table
from tests.adapters.test_runner import AGENCY, CHILD

LONG = 600


@pytest.fixture
def busy(tmp_path: Path) -> Path:
    path = tmp_path / "document"
    path.write_bytes(busy_workbook())
    return path


class Enough(Exception):
    """Whoever waits has had enough."""


def test_whoever_does_not_wait_any_more_ends_the_process(busy: Path) -> None:
    found: list[int] = []

    def go_on() -> None:
        found.extend(taking_apart())
        raise Enough

    with TemporaryFile() as frames, pytest.raises(Enough):
        take_apart(busy, frames, seconds=LONG, go_on=go_on)
    assert (len(found), list(taking_apart())) == (1, [])


def test_a_stop_ends_it_also_where_answers_are_written(busy: Path, tmp_path: Path) -> None:
    def go_on() -> None:
        raise Enough

    fault = RowFault(2, "no", FaultKind.MISSING, "没有填写", "请补填")
    limits = replace(SPREADSHEET, go_on=go_on)
    with pytest.raises(Enough):
        write_answers(busy, "一.ods", [fault], tmp_path, wanted=WANTED, limits=limits)
    assert list(taking_apart()) == []


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_process_that_somebody_ends_says_nothing_of_the_file(
    busy: Path, sign: signal.Signals
) -> None:
    def go_on() -> None:
        for each in taking_apart():
            os.kill(each, sign)

    with TemporaryFile() as frames, pytest.raises(OSError, match="Interrupted"):
        take_apart(busy, frames, seconds=LONG, go_on=go_on)


def test_what_a_terminal_says_reaches_the_process_by_ours_alone(busy: Path) -> None:
    asked: list[int] = []

    def go_on() -> None:
        asked.extend(os.getpgid(each) for each in taking_apart())
        raise Enough

    with TemporaryFile() as frames, pytest.raises(Enough):
        take_apart(busy, frames, seconds=LONG, go_on=go_on)
    assert os.getpgid(0) not in asked != []


_KILLED = """
import os, signal, sys
from pathlib import Path
from adapters.kit.readers.sheet import take_apart
end = lambda: os.kill(os.getpid(), signal.SIGKILL)
take_apart(Path(sys.argv[1]), sys.stdout.buffer, seconds=600, go_on=end)
"""


def test_a_process_ends_with_ours(busy: Path) -> None:
    # Both hold this end of the pipe: it is closed when both have ended.
    command = [sys.executable, "-c", _KILLED, str(busy)]
    ran = subprocess.run(command, stdout=subprocess.PIPE, check=False, timeout=120)
    assert (ran.returncode, ran.stdout) == (-signal.SIGKILL, b"")


_HALFWAY = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from adapters.kit.readers.opening import opened
from tests.adapters.readers.documents import WANTED
from tests.adapters.readers.packages import PASSWORD, WANTED as PACKAGE
wanted = replace(PACKAGE, password=PASSWORD) if sys.argv[2] == "package" else WANTED
with opened(Path(sys.argv[1]), "x", wanted) as reader:
    next(iter(reader.read()))
    print("read", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
ROWS = [["no", "day"], ["1", "a"]]
DOCUMENTS = {
    "archive": zip_of({"甲.csv": written_csv(ROWS), "乙.xlsx": written_xlsx(ROWS)}),
    "workbook": written_xlsx(ROWS),
    "package": seven(members({"A01": table([{"A0000": "P1"}])}), PASSWORD),
}


@pytest.mark.parametrize("form", DOCUMENTS)
def test_nothing_unpacked_is_left_by_a_process_that_is_killed(tmp_path: Path, form: str) -> None:
    path, unpacked = tmp_path / "document", tmp_path / "unpacked"
    path.write_bytes(DOCUMENTS[form])
    unpacked.mkdir()
    ran = subprocess.run(
        [sys.executable, "-c", _HALFWAY, str(path), form],
        env=os.environ | {"TMPDIR": str(unpacked)},
        stdout=subprocess.PIPE,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (-signal.SIGKILL, b"read\n")
    assert list(unpacked.iterdir()) == []


def test_whoever_ends_a_run_ends_what_takes_its_file_apart(
    door: Door, busy: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", CHILD, door.url, str(busy), str(tmp_path / "state"), AGENCY]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as child:
        wait_for_one(child.pid)
        child.send_signal(signal.SIGINT)
    assert child.returncode == -signal.SIGINT
    assert list(tmp_path.glob("*.errors.*")) == []
    with open_state(tmp_path / "state") as state:
        assert list(state.rows("SELECT phase, name FROM documents")) == [("reading", busy.name)]
