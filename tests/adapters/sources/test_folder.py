"""The drop folder: what is taken and when, and where it ends up."""

import os
import resource
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PosixPath
from typing import Any, Self

import pytest

from adapters.kit.port import Away, Brought, CannotRun, Outcome, Source
from adapters.kit.sources.folder import FolderSettings
from tests.adapters.sources.stands import CLEAN

NOW = 2_000_000_000.0


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    folder = tmp_path / "drop"
    folder.mkdir()
    return folder


@contextmanager
def opened(drop: Path, **settings: Any) -> Iterator[Source]:
    """The folder, at a time when all that was dropped has long been quiet."""
    with FolderSettings(path=drop, **settings).opened(Path("/"), clock=lambda: NOW) as source:
        yield source


def bring_all(source: Source, raw: Path, position: str = "") -> dict[str, bytes]:
    """The documents there are, by name, none of them answered for."""
    brought: dict[str, bytes] = {}
    while (document := source.bring(position, raw)) is not None:
        brought[document.name] = raw.read_bytes()
        raw.unlink()
        position = document.position
    return brought


def tree(folder: Path) -> dict[str, bytes]:
    """What lies below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def rejected(*answers: Path) -> Outcome:
    return Outcome(
        read=2, accepted=1, duplicate=0, rejected=1, complete=True, answers=tuple(answers)
    )


def test_files_are_taken_oldest_first_and_then_by_name(drop: Path, tmp_path: Path) -> None:
    with opened(drop) as source:
        (drop / "b.csv").write_text("1")
        first = source.bring("", tmp_path / "raw")
        assert first == Brought("b.csv", "1")
        for name in ("a.csv", "c.csv", "z.csv"):
            (drop / name).write_text(name)
        later = (drop / "z.csv").stat().st_ctime_ns
        while (drop / "a.csv").stat().st_ctime_ns <= later:
            os.chmod(drop / "a.csv", 0o600)
        assert list(bring_all(source, tmp_path / "raw", "1")) == ["c.csv", "z.csv", "a.csv"]


def test_a_file_is_not_taken_before_it_has_been_quiet(drop: Path, tmp_path: Path) -> None:
    times = iter([0.0, 4.9, 5.0])
    (drop / "a.csv").write_text("a")
    written = (drop / "a.csv").stat().st_ctime
    settings = FolderSettings(path=drop, quiet=5)
    with settings.opened(tmp_path, clock=lambda: written + next(times)) as source:
        assert source.bring("", tmp_path / "raw") is None
        assert source.bring("", tmp_path / "raw") is None
        assert source.bring("", tmp_path / "raw") == Brought("a.csv", "1")


def test_a_copy_that_keeps_an_old_date_waits_as_well(drop: Path, tmp_path: Path) -> None:
    (drop / "a.csv").write_text("a")
    os.utime(drop / "a.csv", (1_000_000_000, 1_000_000_000))
    written = (drop / "a.csv").stat().st_ctime
    settings = FolderSettings(path=drop, quiet=5)
    with settings.opened(tmp_path, clock=lambda: written + 4) as source:
        assert source.bring("", tmp_path / "raw") is None


def test_a_date_in_the_future_holds_a_file_up_only_while_it_changes(
    drop: Path, tmp_path: Path
) -> None:
    (drop / "a.csv").write_text("a")
    os.utime(drop / "a.csv", (NOW + 86_400, NOW + 86_400))
    times = iter([NOW, NOW + 4, NOW + 5])
    with FolderSettings(path=drop, quiet=5).opened(tmp_path, clock=lambda: next(times)) as source:
        assert source.bring("", tmp_path / "raw") is None
        assert source.bring("", tmp_path / "raw") is None
        assert source.bring("", tmp_path / "raw") == Brought("a.csv", "1")


def test_a_file_that_is_still_written_when_it_is_taken_goes_back(
    drop: Path, tmp_path: Path
) -> None:
    (drop / "a.csv").write_bytes(b"one")
    with opened(drop) as source, (drop / "a.csv").open("ab", buffering=0) as writer:

        class Into(PosixPath):
            """While the file is copied there, its writer goes on."""

            def with_name(self, name: str) -> Self:
                writer.write(b" more")
                return super().with_name(name)

        assert source.bring("", Into(tmp_path / "raw")) is None
    assert list(tmp_path.iterdir()) == [drop]
    assert tree(drop) == {"a#1.csv": b"one more"}
    with opened(drop) as source:
        assert bring_all(source, tmp_path / "raw") == {"a#1.csv": b"one more"}


@pytest.mark.parametrize(
    "name", ["~$a.xlsx", ".a.csv", "a.csv.tmp", "a.PART", "a.partial", "Thumbs.db", "a.txt"]
)
def test_what_is_no_document_stays(drop: Path, tmp_path: Path, name: str) -> None:
    (drop / name).write_text("a")
    with opened(drop, take=("*.csv", "*.xlsx", "a.part*", "~*")) as source:
        assert bring_all(source, tmp_path / "raw") == {}
    assert list(tree(drop)) == [name]


def test_links_folders_and_devices_stay(drop: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.csv").write_text("outside")
    (drop / "link.csv").symlink_to(tmp_path / "outside.csv")
    (drop / "folder.csv").mkdir()
    os.mkfifo(drop / "pipe.csv")
    with opened(drop) as source:
        assert bring_all(source, tmp_path / "raw") == {}
    assert (drop / "link.csv").is_symlink()
    assert stat.S_ISFIFO((drop / "pipe.csv").stat().st_mode)


def test_a_link_put_in_the_place_of_a_claimed_file_is_refused(drop: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.csv").write_text("outside")
    (drop / "a.csv").write_text("a")
    with opened(drop) as source:
        source.bring("", tmp_path / "raw")
        (tmp_path / "raw").unlink()
        (claimed,) = (drop / "claimed").rglob("a.csv")
        claimed.unlink()
        claimed.symlink_to(tmp_path / "outside.csv")
        (drop / "b.csv").write_text("b")
        assert bring_all(source, tmp_path / "raw") == {"b.csv": b"b"}
    told = (drop / "rejected" / "a.csv" / "说明-a.csv.txt").read_text(encoding="utf-8-sig")
    assert told == "a.csv：不是普通文件，请放入文件本身\n"


def test_a_file_that_is_too_large_is_refused_and_the_others_go_on(
    drop: Path, tmp_path: Path
) -> None:
    (drop / "a.csv").write_bytes(b"x" * 1_001)
    with opened(drop, largest=1_000) as source:
        assert source.bring("", tmp_path / "raw") is None
        (drop / "a.csv").write_bytes(b"x" * 1_002)
        assert source.bring("", tmp_path / "raw") is None
        (drop / "b.csv").write_bytes(b"x" * 1_000)
        assert bring_all(source, tmp_path / "raw") == {"b.csv": b"x" * 1_000}
    told = "\ufeffa.csv：文件超过 1,000 字节的上限，请拆分后重新放入\r\n"
    again = told.replace("a.csv", "a#1.csv")
    assert tree(drop / "done") == {
        "a.csv/a.csv": b"x" * 1_001,
        "a.csv/说明-a.csv.txt": told.encode(),
    }
    assert tree(drop / "rejected") == {
        "a#1.csv/a#1.csv": b"x" * 1_002,
        "a#1.csv/说明-a#1.csv.txt": again.encode(),
    }


def test_what_was_taken_over_is_done_and_the_rest_comes_back_with_its_answers(
    drop: Path, tmp_path: Path
) -> None:
    answer = tmp_path / "b.csv.errors.csv"
    answer.write_text("第 2 行")
    with opened(drop) as source:
        for name in ("a.csv", "b.csv", "c.csv"):
            (drop / name).write_text(name)
        assert set(bring_all(source, tmp_path / "raw")) == {"a.csv", "b.csv", "c.csv"}
        source.finished("a.csv", CLEAN)
        source.finished("b.csv", rejected(answer))
        cut = Outcome(read=1, accepted=1, duplicate=0, rejected=0, complete=False, answers=())
        source.finished("c.csv", cut)
    assert tree(drop) == {
        "done/a.csv": b"a.csv",
        "rejected/b.csv/b.csv": b"b.csv",
        "rejected/b.csv/b.csv.errors.csv": "第 2 行".encode(),
        "rejected/c.csv/c.csv": b"c.csv",
    }
    copied = drop / "rejected" / "b.csv" / "b.csv.errors.csv"
    assert copied.stat().st_mode & 0o777 == 0o600
    made = ("claimed", "done", "rejected")
    assert {(drop / name).stat().st_mode & 0o777 for name in made} == {0o700}


def test_an_answer_of_the_same_name_stands_beside_the_original(drop: Path, tmp_path: Path) -> None:
    answers = tmp_path / "answers"
    answers.mkdir()
    (answers / "a.xlsx").write_text("marked")
    (drop / "a.xlsx").write_text("original")
    with opened(drop) as source:
        bring_all(source, tmp_path / "raw")
        source.finished("a.xlsx", rejected(answers / "a.xlsx"))
    assert tree(drop / "rejected") == {
        "a.xlsx/a.xlsx": b"original",
        "a.xlsx/退回-a.xlsx": b"marked",
    }


def test_a_second_file_of_a_name_is_numbered_and_replaces_what_was_rejected(
    drop: Path, tmp_path: Path
) -> None:
    with opened(drop) as source:
        (drop / "a.csv").write_text("wrong")
        bring_all(source, tmp_path / "raw")
        source.finished("a.csv", rejected())
        (drop / "a.csv").write_text("still wrong")
        assert bring_all(source, tmp_path / "raw", "1") == {"a#2.csv": b"still wrong"}
        source.finished("a#2.csv", rejected())
        assert tree(drop) == {
            "done/a.csv/a.csv": b"wrong",
            "rejected/a#2.csv/a#2.csv": b"still wrong",
        }
        # Some people repair the copy that came back.
        (drop / "a#2.csv").write_text("right")
        assert bring_all(source, tmp_path / "raw", "2") == {"a#3.csv": b"right"}
        source.finished("a#3.csv", CLEAN)
    assert tree(drop) == {
        "done/a.csv/a.csv": b"wrong",
        "done/a#2.csv/a#2.csv": b"still wrong",
        "done/a#3.csv": b"right",
    }


def test_what_waits_done_and_rejected_is_never_overwritten(drop: Path, tmp_path: Path) -> None:
    position = ""
    with opened(drop) as source:
        for number in range(1, 5):
            (drop / "a.csv").write_text(str(number))
            brought = source.bring(position, tmp_path / "raw")
            assert brought is not None
            position = brought.position
            if number in (1, 2):
                source.finished(brought.name, CLEAN)
    assert tree(drop) == {
        "done/a.csv": b"1",
        "done/a#2.csv": b"2",
        "claimed/00000003 a#3.csv/a#3.csv": b"3",
        "claimed/00000004 a#4.csv/a#4.csv": b"4",
    }


HOSTILE = {
    b"line\nbreak\r.csv": "line_break_.csv",
    b"-rf.csv": "_rf.csv",
    b"undecodable \xff\xfe.csv": "undecodable __.csv",
    "从右到左\u202evsc.exe.csv".encode(): "从右到左_vsc.exe.csv",
    b"=cmd|' calc'!A0.csv": "=cmd_' calc'!A0.csv",
    b"a:b*c?.csv": "a_b_c_.csv",
    ("长" * 83 + ".xlsx").encode(): "长" * 65 + ".xlsx",
    b"x" * 255: "x" * 200,
    b" ": "_",
}


def test_names_from_hell_are_shown_plainly(drop: Path, tmp_path: Path) -> None:
    for name in HOSTILE:
        Path(os.fsdecode(os.fsencode(drop) + b"/" + name)).write_bytes(name)
    with opened(drop) as source:
        brought = bring_all(source, tmp_path / "raw")
        assert brought == {told: name for name, told in HOSTILE.items()}
        for told in brought:
            source.finished(told, CLEAN)
    assert tree(drop) == {f"done/{told}": name for name, told in HOSTILE.items()}


def test_two_adapters_claim_each_in_a_place_of_their_own_and_never_the_same_file(
    drop: Path, tmp_path: Path
) -> None:
    for number in range(20):
        (drop / f"{number:02d}.csv").write_text(str(number))
    with opened(drop) as one, opened(drop, claimed="claimed-b") as other:
        with pytest.raises(CannotRun, match="claimed"), opened(drop):
            pass
        brought: list[bytes] = []
        positions = {id(one): "", id(other): ""}
        for source in [one, other] * 11:
            document = source.bring(positions[id(source)], tmp_path / "raw")
            if document is not None:
                brought.append((tmp_path / "raw").read_bytes())
                positions[id(source)] = document.position
                source.finished(document.name, CLEAN)
    assert sorted(brought, key=int) == [str(number).encode() for number in range(20)]
    assert len(tree(drop / "done")) == 20


def test_a_file_taken_away_by_somebody_else_is_passed_over(drop: Path, tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv", "c.csv"):
        (drop / name).write_text(name)
    with opened(drop) as source:
        first = source.bring("", tmp_path / "raw")
        assert first is not None
        (drop / "b.csv").unlink()
        assert bring_all(source, tmp_path / "raw", first.position) == {"c.csv": b"c.csv"}
    claimed = {path.name for path in (drop / "claimed").iterdir()}
    assert claimed == {"00000001 a.csv", "00000002 c.csv"}


def test_a_share_that_is_not_mounted_is_no_empty_folder(drop: Path, tmp_path: Path) -> None:
    (drop / "a.csv").write_text("a")
    with opened(drop) as source:
        first = source.bring("", tmp_path / "raw")
        assert first is not None
    drop.rename(tmp_path / "away")
    drop.mkdir()
    with pytest.raises(Away, match="挂载"), opened(drop) as source:
        source.finished(first.name, rejected())
    with pytest.raises(Away, match="挂载"), opened(drop) as source:
        source.bring(first.position, tmp_path / "raw")
    # Nothing is left that would hide it next time.
    drop.rmdir()
    (tmp_path / "away").rename(drop)
    with opened(drop) as source:
        source.finished(first.name, rejected())
    assert tree(drop) == {"rejected/a.csv/a.csv": b"a"}


def test_a_full_disk_is_told_and_the_file_is_brought_when_there_is_room(
    drop: Path, tmp_path: Path
) -> None:
    (drop / "a.csv").write_bytes(b"x" * 100_000)
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    with opened(drop) as source:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, unlimited[1]))
        try:
            with pytest.raises(OSError, match="File too large"):
                source.bring("", tmp_path / "raw")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
        assert list(tmp_path.iterdir()) == [drop]
        assert bring_all(source, tmp_path / "raw") == {"a.csv": b"x" * 100_000}


def test_a_position_of_another_kind_of_source_is_told(drop: Path, tmp_path: Path) -> None:
    with opened(drop) as source, pytest.raises(CannotRun, match="位置"):
        source.bring('{"page": 3}', tmp_path / "raw")


def test_killed_at_any_step_it_brings_every_file_once_and_files_it_where_it_belongs(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.adapters.sources.killing", str(tmp_path)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    runs = sorted(tmp_path.iterdir())
    assert len(runs) > 30
    for run in runs:
        journal = (run / "journal").read_text().splitlines()
        kept = [line.split(" ")[2] for line in journal if line.startswith("kept")]
        assert sorted(kept) == ["content-a+picture-a", "content-b"], run
        left = tree(run / "drop")
        assert left == {
            "done/a.csv": b"content-a",
            "done/a.jpg": b"picture-a",
            "rejected/b.csv/answer.csv": b"answer",
            "rejected/b.csv/b.csv": b"content-b",
        }, run
