"""The whole process of `guantong adapter run adapters.toml`, killed (-9) again and again."""

import json
import os
import signal
from collections import deque
from pathlib import Path

from tests.adapters.door import HANG_UP, Answer, Asked, Door, error
from tests.adapters.test_kills import COLUMNS
from tests.adapters.test_running import FOLDER
from tests.forking import Process, started

FILES, ROWS = 4, 700
# At which requests it is killed, and whether the door took the batch before.
KILLED = {2: True, 5: False, 9: True, 14: False, 22: True}
SECRET = "反映一件不应再出现在任何地方的事"


def dropped(folder: Path, number: int) -> None:
    rows = [
        f"K{number}{n:05},2026/10/08,2026/10/08,1,{'若干' if n == 3 else 1},{SECRET}第{n}件,"
        "510104,990000,2,"
        for n in range(ROWS)
    ]
    (folder / f"{number}.csv").write_text("\n".join((COLUMNS, *rows)), encoding="gbk")


def test_every_file_ends_where_it_should_and_every_event_is_there_once(
    door: Door, tmp_path: Path
) -> None:
    (tmp_path / "petition.token").write_text("t", encoding="utf-8")
    (tmp_path / "adapters.toml").write_text(
        FOLDER.format(url=door.url, metrics=""), encoding="utf-8"
    )
    (tmp_path / "drop").mkdir()
    for number in range(FILES):
        dropped(tmp_path / "drop", number)
    running: list[Process] = []

    def kill(asked: Asked) -> Answer:
        if KILLED[len(door.asked)]:
            door.take(asked)
        running[-1].send_signal(signal.SIGKILL)
        return HANG_UP

    last = max(KILLED)
    door.script = deque([kill if n in KILLED else lambda asked: None for n in range(1, last + 1)])
    refusal = error("not_permitted", "没有该地区的发布授权", pointer="/region")
    door.rejects = lambda event: [refusal] * (event["data"]["petitionid"] == "K000007")

    finished: set[int] = set()
    told = ""
    while len(finished) < FILES:
        child = started("adapter", "run", str(tmp_path / "adapters.toml"), environment=os.environ)
        running.append(child)
        assert child.stderr is not None
        for line in child.stderr:
            told += line
            if '"document.finished"' in line:
                finished.add(json.loads(line)["document"])
                if len(finished) == FILES:
                    child.send_signal(signal.SIGTERM)
        child.wait()

    assert [each.returncode for each in running] == [-signal.SIGKILL] * len(KILLED) + [0]
    taken = [json.loads(event)["data"]["petitionid"] for event in door.events.values()]
    good = {f"K{f}{n:05}" for f in range(FILES) for n in range(ROWS) if n != 3} - {"K000007"}
    assert len(taken) == len(good)
    assert set(taken) == good
    # Each had a wrong row; the first one's answers tell what the hub refused, too.
    rejected = tmp_path / "drop" / "rejected"
    assert sorted(path.name for path in rejected.iterdir()) == [f"{n}.csv" for n in range(FILES)]
    answer = (rejected / "0.csv" / "0.csv.errors.csv").read_text(encoding="utf-8-sig")
    assert [line.split(",")[2] for line in answer.splitlines()[1:]] == ["5", "9"]
    # Nothing that a cell says is in the log, or in what tells only where and why.
    assert SECRET not in told + answer
