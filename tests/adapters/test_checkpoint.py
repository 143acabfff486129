import stat
from pathlib import Path

import pytest

from adapters.kit.checkpoint import (
    FILE_NAME,
    Checkpoint,
    CheckpointInUse,
    Counts,
    Input,
    Sent,
    open_checkpoint,
)
from adapters.kit.port import FaultKind, RowFault

SOURCE = "/510100.petition/xfj"
FAULT = RowFault(3, "xfrq", FaultKind.DATE, "不是有效的日期", "请改")


def october(state: Checkpoint) -> Input:
    return state.input(source=SOURCE, file="十月.csv", digest="0" * 64)


def test_what_was_settled_is_there_after_opening_again(tmp_path: Path) -> None:
    with open_checkpoint(tmp_path) as state:
        october(state).settle(5)
        october(state).count(Counts(read=4, accepted=2, duplicate=1, rejected=1))
        october(state).note([FAULT])
    with open_checkpoint(tmp_path) as state:
        known = october(state)
        assert known.row == 5
        assert known.counts == Counts(read=4, accepted=2, duplicate=1, rejected=1)
        assert list(known.faults()) == [FAULT]


def test_settling_an_earlier_row_takes_nothing_back(tmp_path: Path) -> None:
    with open_checkpoint(tmp_path) as state:
        october(state).settle(5)
        october(state).settle(4)
        assert october(state).row == 5


def test_a_finished_input_begins_again(tmp_path: Path) -> None:
    with open_checkpoint(tmp_path) as state:
        known = october(state)
        known.settle(5)
        known.count(Counts(read=4))
        known.note([FAULT])
        known.finish()
        again = october(state)
        assert (again.row, again.counts, list(again.faults())) == (0, Counts(), [])


@pytest.mark.parametrize(
    "other",
    [
        {"source": "/510104.petition/xfj", "file": "十月.csv", "digest": "0" * 64},
        {"source": SOURCE, "file": "九月.csv", "digest": "0" * 64},
        {"source": SOURCE, "file": "十月.csv", "digest": "1" * 64},
    ],
)
def test_another_source_name_or_content_is_another_input(
    tmp_path: Path, other: dict[str, str]
) -> None:
    with open_checkpoint(tmp_path) as state:
        october(state).settle(5)
        assert state.input(**other).row == 0


def test_a_new_event_replaces_the_last_one_of_its_number(tmp_path: Path) -> None:
    with open_checkpoint(tmp_path) as state:
        state.remember(SOURCE, [Sent("1", "1-a", None), Sent("2", "2-a", None)])
        state.remember(SOURCE, [Sent("1", "1-b", "1-a")])
        assert state.supersedes(source=SOURCE, native="1", event="1-c") == "1-b"
        assert state.supersedes(source=SOURCE, native="2", event="2-b") == "2-a"
        assert state.supersedes(source=SOURCE, native="3", event="3-a") is None
        assert state.supersedes(source="/other", native="1", event="1-c") is None


def test_an_event_sent_before_is_made_the_same_again(tmp_path: Path) -> None:
    with open_checkpoint(tmp_path) as state:
        state.remember(SOURCE, [Sent("1", "1-a", None), Sent("1", "1-b", "1-a")])
        state.remember(SOURCE, [Sent("1", "1-a", "1-b")])
        assert state.supersedes(source=SOURCE, native="1", event="1-a") is None
        assert state.supersedes(source=SOURCE, native="1", event="1-b") == "1-a"


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with open_checkpoint(tmp_path) as state:
        known = october(state)
        with pytest.raises(KeyboardInterrupt), state.transaction():
            known.settle(5)
            state.remember(SOURCE, [Sent("1", "1-a", None)])
            raise KeyboardInterrupt
        assert known.row == 0
        assert state.supersedes(source=SOURCE, native="1", event="1-b") is None


def test_one_run_at_a_time_holds_the_state(tmp_path: Path) -> None:
    with open_checkpoint(tmp_path), pytest.raises(CheckpointInUse), open_checkpoint(tmp_path):
        pass
    with open_checkpoint(tmp_path) as state:
        assert october(state).row == 0


def test_only_the_owner_can_read_the_state(tmp_path: Path) -> None:
    directory = tmp_path / "state"
    with open_checkpoint(directory) as state:
        october(state).settle(1)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}
    assert modes[FILE_NAME] == 0o600
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
