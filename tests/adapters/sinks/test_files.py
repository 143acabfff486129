"""Events as files, for systems that read a folder."""

import json
from pathlib import Path

import pytest

from adapters.kit.port import Away, CannotRun
from adapters.kit.sinks.files import FilesSettings
from tests.adapters.sinks.events import HOSTILE, event, transferred
from tests.adapters.sinks.making import HERE, contents

SETTINGS = FilesSettings(type="files", path=Path("in"))


def test_a_file_holds_its_event_as_the_hub_gave_it(tmp_path: Path) -> None:
    events = [transferred(n, "示-001", text) for n, text in enumerate(HOSTILE, 1)]
    with SETTINGS.opened(tmp_path, HERE) as sink:
        sink.take(events)
    read = [json.loads(written) for written in contents(tmp_path / "in").values()]
    assert sorted(read, key=lambda e: e["id"]) == sorted(events, key=lambda e: e["id"])
    assert "巡视巡察中发现" in contents(tmp_path / "in")[f"0-1-{1:032x}.json"].decode()


def test_files_of_a_day_stand_in_a_folder_of_its_own(tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"by_day": True})
    late = {**transferred(2, "示-002"), "hubtime": "2026-05-21T16:30:00.000000Z"}
    odd = {**transferred(3, "示-003"), "hubtime": "../../昨天"}
    with settings.opened(tmp_path, HERE) as sink:
        sink.take([transferred(1, "示-001"), late, odd])
    assert list(contents(tmp_path / "in")) == [
        f"0-3-{3:032x}.json",
        f"2026-05-21/0-1-{1:032x}.json",
        f"2026-05-22/0-2-{2:032x}.json",
    ]


def test_a_file_that_was_taken_away_does_not_come_again(tmp_path: Path) -> None:
    with SETTINGS.opened(tmp_path, HERE) as sink:
        sink.take([transferred(1, "示-001")])
    (tmp_path / "in" / f"0-1-{1:032x}.json").unlink()
    with SETTINGS.opened(tmp_path, HERE) as sink:
        sink.take([transferred(1, "示-001"), transferred(2, "示-002")])
    assert list(contents(tmp_path / "in")) == [f"0-2-{2:032x}.json"]


@pytest.mark.parametrize("position", ["", "1", "../1-1", "0-1/../x", "0-1\n", None])
def test_no_name_of_a_file_comes_from_outside(tmp_path: Path, position: str | None) -> None:
    for attribute in ("hubposition", "hubreceipt"):
        strange = {**event(1, "clue.received", {}), attribute: position}
        with SETTINGS.opened(tmp_path, HERE) as sink, pytest.raises(CannotRun, match=attribute):
            sink.take([strange])
    assert contents(tmp_path) == {}


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    with (
        SETTINGS.opened(tmp_path, HERE),
        pytest.raises(Away, match="另一个程序"),
        SETTINGS.opened(tmp_path, HERE),
    ):
        pass


def test_a_path_that_is_no_folder_says_so(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("")
    with pytest.raises(CannotRun, match="不是文件夹"), SETTINGS.opened(tmp_path, HERE):
        pass
