"""The whole circle: an export is sent, what came back is put right and handed in again."""

import json
from pathlib import Path

from openpyxl import load_workbook

from adapters.kit.adapter import load
from adapters.kit.client import HubClient, Retry
from adapters.kit.runner import Summary, run
from adapters.kit.state import open_state
from tests.adapters.door import Door
from tests.adapters.test_dry import export


def send(door: Door, path: Path, state: Path) -> Summary:
    client = HubClient(door.url, "t", retry=Retry(times=0))
    with client, open_state(state) as kept:
        adapter = load("petition")
        return run(adapter, path, agency="510100.petition", hub=client, state=kept, now=lambda: 0.0)


def test_what_came_back_put_right_and_handed_in_again_is_sent_and_nothing_else(
    door: Door, tmp_path: Path
) -> None:
    path = export(tmp_path / "十月.csv", {"xfjbh": "XFJ1"}, {"xfjbh": "XFJ2", "xfrs": "三人"})
    first = send(door, path, tmp_path / "state")
    assert (first.accepted, first.rejected) == (1, 1)
    listed, back = first.answers
    assert [listed.name, back.name] == ["十月.csv.errors.csv", "十月.csv.errors.xlsx"]

    book = load_workbook(back)
    (sheet,) = book.worksheets
    (wrong,) = (cell for row in sheet.iter_rows() for cell in row if cell.value == "三人")
    assert wrong.comment is not None
    wrong.value = "3"
    book.save(back)
    second = send(door, back, tmp_path / "state")
    assert (second.read, second.accepted, second.rejected) == (1, 1, 0)
    assert (second.faults, second.answers) == ((), ())
    assert back.exists()
    sent = [event for asked in door.asked for event in json.loads(asked.body)]
    assert [(e["data"]["petitionid"], e["data"]["people"]) for e in sent] == [
        ("XFJ1", 1),
        ("XFJ2", 3),
    ]
