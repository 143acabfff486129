"""A run over 10,000 rows that is killed (-9) at random moments, or ended (Ctrl-C): nothing lost,
nothing twice."""

import csv
import json
import os
import signal
import subprocess
import sys
from collections import deque
from pathlib import Path
from random import Random
from threading import Event, Timer

from adapters.kit.state import open_state
from tests.adapters.door import HANG_UP, Answer, Asked, Door

AGENCY = "510100.petition"
ROWS = 10_000
KILLS = 8
CHILD = """
import sys, time
from pathlib import Path
from adapters.kit.adapter import load
from adapters.kit.client import HubClient
from adapters.kit.runner import run
from adapters.kit.state import open_state
url, path, state, agency = sys.argv[1:]
with HubClient(url, "t") as client, open_state(Path(state)) as known:
    asked = {"agency": agency, "hub": client, "state": known, "now": time.time, "batch": 100}
    summary = run(load("petition"), Path(path), **asked)
print(summary.read, summary.accepted + summary.duplicate, summary.rejected, summary.complete)
"""
COLUMNS = "xfjbh,djsj,xfrq,xfxs,xfrs,gkxx,wtsddm,nrfldm,xfmddm,bfyrdw"


def export(path: Path) -> None:
    """Rows of which every hundredth is wrong, and every fiftieth corrects the one before."""
    with path.open("w", encoding="gbk", newline="") as out:
        table = csv.writer(out)
        table.writerow(COLUMNS.split(","))
        for number in range(ROWS):
            case = number - 1 if number % 50 == 7 else number
            people = "若干" if number % 100 == 3 else str(number % 9 + 1)
            day = "2026/10/08"
            overview = f"反映小区公共收益未公开（第{number}行）"
            cells = (f"XFJ{case:08}", day, day, "1", people, overview, "510104", "990000", "2", "")
            table.writerow(cells)


def test_a_run_killed_at_random_moments_sends_every_event_once_and_in_order(
    door: Door, tmp_path: Path
) -> None:
    path = tmp_path / "in.csv"
    export(path)
    arguments = [sys.executable, "-c", CHILD, door.url, str(path), str(tmp_path / "state"), AGENCY]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    random = Random(20261126)
    killed = 0
    for _ in range(KILLS):
        with subprocess.Popen(arguments, env=environment, stdout=subprocess.DEVNULL) as child:
            timer = Timer(random.uniform(0.3, 1.1), child.send_signal, [signal.SIGKILL])
            timer.start()
        timer.cancel()
        killed += child.returncode == -signal.SIGKILL
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=True)

    wrong = ROWS // 100
    assert killed > 0
    assert done.stdout.split() == [str(ROWS), str(ROWS - wrong), str(wrong), "True"]
    # In the order in which the door took them; what came twice, it has once.
    taken = [json.loads(event) for event in door.events.values()]
    assert len(taken) == ROWS - wrong
    place = {event["id"]: number for number, event in enumerate(taken)}
    corrections = [event for event in taken if "supersedes" in event]
    assert len(corrections) == ROWS // 50
    assert all(place[event["supersedes"]] < place[event["id"]] for event in corrections)
    with open_state(tmp_path / "state") as state:
        assert state.rows("SELECT count(*) FROM spool") == [(0,)]
        assert state.rows("SELECT count(*) FROM events WHERE sent") == [(ROWS - wrong,)]


def test_a_run_that_is_ended_reads_no_further_and_the_next_one_goes_on(
    door: Door, tmp_path: Path
) -> None:
    path = tmp_path / "in.csv"
    export(path)
    arguments = [sys.executable, "-c", CHILD, door.url, str(path), str(tmp_path / "state"), AGENCY]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    started = Event()
    children: list[subprocess.Popen[bytes]] = []

    def end(asked: Asked) -> Answer | None:
        assert started.wait(timeout=60)
        children[0].send_signal(signal.SIGINT)
        return None

    door.script = deque([end])
    with subprocess.Popen(arguments, env=environment, stderr=subprocess.DEVNULL) as child:
        children.append(child)
        started.set()
    assert child.returncode in (1, -signal.SIGINT)
    with open_state(tmp_path / "state") as state:
        ((record, phase),) = state.rows("SELECT record, phase FROM documents")
    assert 0 < record < ROWS
    assert phase == "reading"

    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(ROWS), str(ROWS - ROWS // 100), str(ROWS // 100), "True"]
    assert len(door.events) == ROWS - ROWS // 100


def test_a_run_is_ended_at_once_though_the_hub_is_away(door: Door, tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    export(path)
    arguments = [sys.executable, "-c", CHILD, door.url, str(path), str(tmp_path / "state"), AGENCY]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    asked_again = Event()

    def again(asked: Asked) -> Answer:
        asked_again.set()
        return HANG_UP

    door.script = deque([lambda asked: HANG_UP, again, *[lambda asked: HANG_UP] * 20])
    with subprocess.Popen(arguments, env=environment, stderr=subprocess.DEVNULL) as child:
        assert asked_again.wait(timeout=60)
        child.send_signal(signal.SIGINT)
        # Sooner than the client gives up, which takes it half a minute.
        child.wait(timeout=10)
    assert child.returncode in (1, -signal.SIGINT)
