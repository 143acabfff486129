"""Whole runs over HTTP: once, in order, resumed, with everything wrong in the report."""

import csv
import json
import os
import signal
import subprocess
import sys
import tracemalloc
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from threading import Event
from time import time
from typing import Any

import pytest

from adapters.kit.adapter import load
from adapters.kit.client import HubClient, Retry
from adapters.kit.port import FaultKind
from adapters.kit.results import HubAway, HubProblem
from adapters.kit.runner import Summary, run
from adapters.kit.state import FILE_NAME, open_state
from contracts.agency import AgencyIdError
from deploy.demo.exports import HEADER, LETTER, Exports, make_exports
from tests.adapters.door import HANG_UP, Answer, Asked, Door, error
from tests.running import PATIENCE

AGENCY = "510100.petition"
Send = Callable[..., Summary]


@pytest.fixture
def exports(tmp_path: Path) -> Exports:
    folder = tmp_path / "exports"
    folder.mkdir()
    return make_exports(folder)


@pytest.fixture
def send(door: Door, tmp_path: Path) -> Send:
    """Run one file against the door, with state kept between calls and without waiting."""

    def send(path: Path, site: Path | None = None, **options: Any) -> Summary:
        client = HubClient(
            door.url, "t", retry=Retry(times=2), sleep=lambda seconds: None, chance=lambda: 0.0
        )
        with client, open_state(tmp_path / "state") as state:
            adapter = load("petition", site)
            asked: dict[str, Any] = {"agency": AGENCY, "batch": 20, "now": time, **options}
            return run(adapter, path, hub=client, state=state, **asked)

    return send


def sent(door: Door) -> list[dict[str, Any]]:
    return [event for asked in door.asked for event in json.loads(asked.body)]


def sheet(path: Path, *rows: dict[str, str]) -> Path:
    """An export with a sound row for each of these, but for the columns named."""
    sound = {
        "djsj": "2026/10/08",
        "xfrq": "2026/10/08",
        "xfxs": "1",
        "xfrs": "1",
        "gkxx": "反映小区公共收益未公开",
        "tsnr": LETTER,
        "wtsddm": "510104",
        "nrfldm": "990000",
        "xfmddm": "2",
    }
    with path.open("w", encoding="gbk", newline="") as out:
        table = csv.writer(out)
        table.writerow(HEADER)
        table.writerows([(sound | row).get(column, "") for column in HEADER] for row in rows)
    return path


def test_every_row_of_the_demo_comes_to_the_end_it_should(
    door: Door, send: Send, exports: Exports
) -> None:
    summaries = [send(path) for path in exports.paths]
    total = Counter[str]()
    for summary in summaries:
        total.update(
            read=summary.read,
            accepted=summary.accepted,
            duplicate=summary.duplicate,
            rejected=summary.rejected,
            receipts=len(summary.receipts),
        )
    new = exports.rows - exports.repeated - len(exports.mistakes)
    assert total == {
        "read": exports.rows,
        "accepted": new,
        "duplicate": exports.repeated,
        "rejected": len(exports.mistakes),
        "receipts": new + exports.repeated,
    }
    assert all(summary.complete for summary in summaries)
    assert [
        (path.name, fault.row, fault.column, fault.kind)
        for path, summary in zip(exports.paths, summaries, strict=True)
        for fault in summary.faults
    ] == [(m.file, m.row, m.column, m.kind) for m in exports.mistakes]
    assert sum("supersedes" in event for event in sent(door)) == exports.corrections
    assert len(door.events) == new


def test_an_event_names_the_one_that_it_corrects(door: Door, send: Send, exports: Exports) -> None:
    for path in exports.paths:
        send(path)
    by_id = {event["id"]: event for event in sent(door)}
    corrections = [event for event in by_id.values() if "supersedes" in event]
    for event in corrections:
        before = by_id[event["supersedes"]]
        assert before["correlationid"] == event["correlationid"]
        assert before["data"] != event["data"]


def test_running_again_sends_the_same_bytes_and_all_are_duplicates(
    door: Door, send: Send, exports: Exports
) -> None:
    first = [send(path) for path in exports.paths]
    bodies = [asked.body for asked in door.asked]
    again = [send(path, again=True) for path in exports.paths]
    assert b"".join(asked.body for asked in door.asked[len(bodies) :]) == b"".join(bodies)
    for before, after in zip(first, again, strict=True):
        assert after.accepted == 0
        assert after.duplicate == before.accepted + before.duplicate
        assert (after.read, after.rejected, after.faults) == (
            before.read,
            before.rejected,
            before.faults,
        )


def test_what_was_sent_before_is_known_and_not_sent_again(
    door: Door, send: Send, exports: Exports
) -> None:
    first = [send(path) for path in exports.paths]
    asked = len(door.asked)
    again = [send(path) for path in exports.paths]
    assert len(door.asked) == asked
    for before, after in zip(first, again, strict=True):
        assert (after.accepted, after.duplicate) == (0, before.accepted + before.duplicate)
        assert {*after.receipts} == {*before.receipts}
        assert (after.read, after.rejected, after.faults) == (
            before.read,
            before.rejected,
            before.faults,
        )


def test_no_cell_of_a_wrong_row_is_in_the_report_or_the_state(
    send: Send, exports: Exports, tmp_path: Path
) -> None:
    written = b""
    for path in exports.paths:
        summary = send(path)
        written += b"".join(file.read_bytes() for file in summary.answers)
    written += (tmp_path / "state" / FILE_NAME).read_bytes()
    for secret in (LETTER, "反映", "样板路", "若干", "不详", "519999", "E+05"):
        assert secret.encode() not in written


def test_the_report_stands_beside_the_file_and_goes_when_nothing_is_wrong(
    send: Send, tmp_path: Path
) -> None:
    path = sheet(tmp_path / "in.csv", {"xfjbh": "1", "xfrs": "若干"}, {"xfjbh": "2"})
    summary = send(path)
    report = tmp_path / "in.csv.errors.csv"
    assert report in summary.answers
    with report.open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file)) == [
            ["文件", "工作表", "行", "列", "问题类型", "原因", "处理办法"],
            [
                "in.csv",
                "",
                "2",
                "xfrs",
                "数值无效",
                "信访人数不是整数",
                "请填阿拉伯数字，不加单位或文字",
            ],
        ]
    mended = send(sheet(path, {"xfjbh": "1"}, {"xfjbh": "2"}))
    assert (mended.accepted, mended.duplicate, mended.answers) == (1, 1, ())
    assert not (tmp_path / "in.csv.errors.csv").exists()


def test_reports_go_to_the_folder_for_reports_if_there_is_one(send: Send, tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    path = sheet(tmp_path / "in.csv", {"xfjbh": "1", "xfrs": "若干"})
    answers = send(path, answers=tmp_path / "reports").answers
    assert tmp_path / "reports" / "in.csv.errors.csv" in answers


def test_what_the_contract_refuses_is_told_of_its_column_and_not_sent(
    door: Door, send: Send, tmp_path: Path
) -> None:
    bell = {"xfjbh": "1", "gkxx": "概况\x07"}
    summary = send(sheet(tmp_path / "in.csv", bell, {"xfjbh": "2"}))
    assert [(f.row, f.column, f.kind) for f in summary.faults] == [(2, "gkxx", FaultKind.CONTRACT)]
    assert [event["data"]["petitionid"] for event in sent(door)] == ["2"]


def test_a_column_is_told_by_the_name_that_the_file_has_for_it(send: Send, tmp_path: Path) -> None:
    path = sheet(tmp_path / "in.csv", {"xfjbh": "1", "xfrs": "若干"})
    path.write_bytes(path.read_bytes().replace(b"xfrs", "信访人数".encode("gbk")))
    assert [(f.row, f.column) for f in send(path).faults] == [(2, "信访人数")]


def test_what_the_hub_refuses_is_told_of_its_column_and_holds_up_nothing(
    door: Door, send: Send, tmp_path: Path
) -> None:
    refusal = error("not_permitted", "没有该地区的发布授权", pointer="/region")
    door.rejects = lambda event: [refusal] * (event["region"] == "510105")
    rows = [{"xfjbh": str(n), "wtsddm": "510105" if n == 2 else "510104"} for n in range(1, 5)]
    summary = send(sheet(tmp_path / "in.csv", *rows))
    assert (summary.accepted, summary.rejected) == (3, 1)
    assert [(f.row, f.column, f.kind, f.reason) for f in summary.faults] == [
        (3, "wtsddm", FaultKind.REFUSED, "没有该地区的发布授权（not_permitted）")
    ]


def test_a_correction_of_an_event_that_was_refused_replaces_nothing(
    door: Door, send: Send, tmp_path: Path
) -> None:
    door.rejects = lambda e: [error("no", "不收")] * (e["data"]["people"] == 1)
    rows = ({"xfjbh": "1", "xfrs": "1"}, {"xfjbh": "1", "xfrs": "2"})
    summary = send(sheet(tmp_path / "in.csv", *rows))
    assert (summary.accepted, summary.rejected) == (1, 1)
    assert ["supersedes" in event for event in sent(door)] == [False, False]


def test_a_hub_that_goes_away_stops_the_run_and_it_goes_on_from_there(
    door: Door, send: Send, exports: Exports
) -> None:
    path = exports.paths[0]
    door.script = deque([lambda asked: None] * 2 + [lambda asked: HANG_UP] * 10)
    with pytest.raises(HubAway):
        send(path)
    assert len(door.events) == 40
    door.script.clear()
    before = len(door.asked)
    summary = send(path)
    assert len(json.loads(door.asked[before].body)) == 20
    assert summary.accepted == len(door.events)
    assert (summary.read, summary.duplicate, summary.rejected) == (111, 1, 9)
    assert len(summary.faults) == 9


def test_an_event_that_is_refused_for_now_to_the_last_stops_the_run(
    door: Door, send: Send, exports: Exports
) -> None:
    busy = error("busy", "稍后再试", retryable=True)
    door.rejects = lambda event: [busy] * (len(door.events) >= 30)
    with pytest.raises(HubAway):
        send(exports.paths[0])
    door.rejects = lambda event: []
    summary = send(exports.paths[0])
    assert summary.accepted + summary.duplicate == 102
    assert len(door.events) == 101


def test_a_caller_without_a_right_stops_at_once(door: Door, send: Send, exports: Exports) -> None:
    door.script = deque([lambda asked: Answer(401, {"code": "unauthenticated", "title": "未登录"})])
    with pytest.raises(HubProblem):
        send(exports.paths[0])
    assert len(door.asked) == 1


@pytest.mark.parametrize("status", [400, 422])
def test_what_something_else_than_the_hub_refuses_goes_on_waiting(
    door: Door, send: Send, tmp_path: Path, status: int
) -> None:
    path = sheet(tmp_path / "in.csv", {"xfjbh": "1"}, {"xfjbh": "2"})
    door.script = deque([lambda asked: Answer(status, {"message": "Bad Request"})] * 2)
    with pytest.raises(HubProblem):
        send(path)
    door.script.clear()
    summary = send(path)
    assert (summary.accepted, summary.rejected, summary.faults) == (2, 0, ())


def test_an_event_that_what_stands_before_the_hub_finds_too_large_holds_up_no_other(
    door: Door, send: Send, tmp_path: Path
) -> None:
    door.script = deque([lambda asked: Answer(413, {})] * 2)
    summary = send(sheet(tmp_path / "in.csv", {"xfjbh": "1"}, {"xfjbh": "2"}))
    assert (summary.accepted, summary.rejected) == (1, 1)
    assert [(f.row, f.kind) for f in summary.faults] == [(2, FaultKind.REFUSED)]


def test_a_row_deleted_after_it_was_sent_is_told_and_one_never_sent_is_not(
    door: Door, send: Send, tmp_path: Path
) -> None:
    """Also when both stand in one file; nothing is sent of a deleted row."""

    columns = "xfjbh,scbz,djsj,xfrq,xfxs,xfrs,gkxx,wtsddm,nrfldm,xfmddm,bfyrdw"

    def rows(name: str, *marked: str) -> Summary:
        rest = "2026/10/08,2026/10/08,1,1,反映公共收益,510104,990000,2,"
        lines = (columns, *(f"{each},{rest}" for each in marked))
        (tmp_path / name).write_text("\n".join(lines), encoding="gbk")
        return send(tmp_path / name)

    both = rows("a.csv", "1,", "1,1")
    later = rows("b.csv", "1,1", "9,1")
    assert [(f.row, f.kind) for f in both.faults] == [(3, FaultKind.DELETED)]
    assert [(f.row, f.kind) for f in later.faults] == [(2, FaultKind.DELETED)]
    assert [event["data"]["petitionid"] for event in sent(door)] == ["1"]


def test_raw_copies_are_kept_for_their_time_alone(door: Door, send: Send, tmp_path: Path) -> None:
    raw = tmp_path / "state" / "raw"
    send(sheet(tmp_path / "a.csv", {"xfjbh": "1"}), now=lambda: 0.0)
    assert [path.name for path in raw.iterdir()] == ["1"]
    send(sheet(tmp_path / "b.csv", {"xfjbh": "2"}), now=lambda: 31 * 86_400.0)
    assert [path.name for path in raw.iterdir()] == ["2"]


def test_memory_does_not_grow_with_what_refused_cells_hold(send: Send, tmp_path: Path) -> None:
    path = sheet(
        tmp_path / "in.csv", *({"xfjbh": f"{n}", "gkxx": "样" * 30_000} for n in range(300))
    )
    load("petition")
    tracemalloc.start()
    try:
        summary = send(path)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (summary.read, summary.rejected) == (300, 300)
    assert most < 9 << 20, most


def test_a_header_that_lacks_columns_is_told_once_and_nothing_is_sent(
    door: Door, send: Send, tmp_path: Path
) -> None:
    path = sheet(tmp_path / "in.csv", *({"xfjbh": str(n)} for n in range(50)))
    path.write_bytes(path.read_bytes().replace(b"wtsddm", b"wtsddm1", 1))
    summary = send(path)
    assert [(f.row, f.column, f.kind) for f in summary.faults] == [(1, "wtsddm", FaultKind.HEADER)]
    assert (summary.read, summary.complete, door.asked) == (0, False, [])


def test_a_file_that_breaks_off_is_sent_as_far_as_it_goes(
    door: Door, send: Send, tmp_path: Path
) -> None:
    path = sheet(tmp_path / "in.csv", {"xfjbh": "1"}, {"xfjbh": "2"})
    with path.open("ab") as out:
        out.write(b'3,"')
    summary = send(path)
    assert (summary.accepted, summary.complete) == (2, False)
    assert [(f.row, f.kind) for f in summary.faults] == [(4, FaultKind.QUOTES)]


def test_what_cannot_be_read_at_all_is_reported_too(send: Send, tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b"PK\x03\x04\x00\x00")
    summary = send(path)
    assert [(f.row, f.kind) for f in summary.faults] == [(0, FaultKind.FILE)]
    assert summary.answers == (tmp_path / "in.csv.errors.csv",)
    assert summary.answers[0].exists()


def test_progress_is_told_in_rows_of_the_file(send: Send, exports: Exports) -> None:
    told: list[tuple[int, int | None]] = []
    send(exports.paths[0], progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (113, told[-1][1])
    assert told[-1][1] is not None and told[-1][1] >= 113
    assert told == sorted(told)


def test_a_site_says_whom_the_events_go_to(door: Door, send: Send, tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text('[address]\nto = "inspection-office@510100"\n', encoding="utf-8")
    send(sheet(tmp_path / "in.csv", {"xfjbh": "1"}), site)
    send(sheet(tmp_path / "other.csv", {"xfjbh": "2"}))
    assert [event.get("to") for event in sent(door)] == ["inspection-office@510100", None]


def test_only_an_agency_publishes(send: Send, exports: Exports) -> None:
    with pytest.raises(AgencyIdError):
        send(exports.paths[0], agency="nobody")


CHILD = """
import sys
import time
from pathlib import Path
from adapters.kit.adapter import load
from adapters.kit.state import open_state
from adapters.kit.client import HubClient
from adapters.kit.runner import run
url, path, state, agency = sys.argv[1:]
with HubClient(url, "t") as client, open_state(Path(state)) as known:
    asked = {"agency": agency, "hub": client, "state": known, "now": time.time, "batch": 20}
    run(load("petition"), Path(path), **asked)
"""


@pytest.mark.parametrize("taken", [True, False], ids=["after", "before"])
@pytest.mark.parametrize("nth", [1, 2, 4])
def test_a_run_that_is_killed_goes_on_without_a_loss_or_another_event(
    door: Door, send: Send, exports: Exports, tmp_path: Path, nth: int, taken: bool
) -> None:
    """Killed (-9) with a batch on its way: before the hub took it, or after and unanswered."""
    path = exports.paths[0]
    started = Event()
    pids: list[int] = []

    def kill(asked: Asked) -> Answer:
        if taken:
            door.take(asked)
        assert started.wait(timeout=PATIENCE)
        os.kill(pids[0], signal.SIGKILL)
        return HANG_UP

    door.script = deque([*[lambda asked: None] * (nth - 1), kill])
    arguments = [sys.executable, "-c", CHILD, door.url, str(path), str(tmp_path / "state"), AGENCY]
    root = str(Path(__file__).parents[2])
    with subprocess.Popen(arguments, env={**os.environ, "PYTHONPATH": root}) as child:
        pids.append(child.pid)
        started.set()
    assert child.returncode == -signal.SIGKILL

    summary = send(path)
    assert (summary.read, summary.rejected) == (111, 9)
    # The answer to the batch before may not have been remembered either.
    again = len(sent(door)) - 101
    assert again in ((20,) if nth == 1 else (20, 40))
    unanswered = again if taken else again - 20
    assert (summary.accepted, summary.duplicate) == (101 - unanswered, 1 + unanswered)
    assert len(summary.faults) == 9
    assert len(door.events) == 101
