"""Files in a drop folder that go with others: a photograph with its form."""

import io
import os
import zipfile
from pathlib import Path, PosixPath
from typing import Any, Self

import pytest

from adapters.kit.port import Brought
from adapters.kit.sources.folder import FolderSettings
from tests.adapters.sources.stands import CLEAN
from tests.adapters.sources.test_folder import bring_all, opened, rejected, tree


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    folder = tmp_path / "drop"
    folder.mkdir()
    return folder


def members_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_picture_goes_with_the_file_that_is_called_like_it(drop: Path, tmp_path: Path) -> None:
    for name in ("张三.JPG", "张三.lrm", "李四.lrm", "李四.jpg", "李四.pic", "王五.lrm"):
        (drop / name).write_text(name)
    with opened(drop, beside=("*.jpg", "*.pic"), take=("*.lrm",)) as source:
        brought = bring_all(source, tmp_path / "raw")
        assert {name: members_of(brought[name]) for name in ("张三.lrm", "李四.lrm")} == {
            "张三.lrm": {"张三.lrm": "张三.lrm".encode(), "张三.JPG": "张三.JPG".encode()},
            "李四.lrm": {"李四.lrm": "李四.lrm".encode(), "李四.jpg": "李四.jpg".encode()},
        }
        assert brought["王五.lrm"] == "王五.lrm".encode()
        assert len(brought) == 3
        source.finished("张三.lrm", CLEAN)
        source.finished("李四.lrm", rejected())
    assert {path for path in tree(drop) if not path.startswith("claimed")} == {
        "done/张三.JPG",
        "done/张三.lrm",
        "rejected/李四.lrm/李四.jpg",
        "rejected/李四.lrm/李四.lrm",
        "rejected/李四.pic/李四.pic",
        "rejected/李四.pic/说明-李四.pic.txt",
    }


def test_a_file_waits_for_its_picture_and_a_picture_for_its_file(
    drop: Path, tmp_path: Path
) -> None:
    now = [0.0]
    raw = tmp_path / "raw"
    (drop / "张三.jpg").write_text("p")
    written = (drop / "张三.jpg").stat().st_ctime
    settings = FolderSettings(path=drop, quiet=5, beside=("*.jpg",))
    with settings.opened(tmp_path, clock=lambda: written + now[0]) as source:
        for now[0] in (0.0, 5.0, 599.0):
            assert source.bring("", raw) is None
        (drop / "张三.lrm").write_text("f")
        # The picture is written anew.
        os.utime(drop / "张三.jpg", (written + 597, written + 597))
        assert source.bring("", raw) is None
        now[0] = 604.0
        assert source.bring("", raw) == Brought("张三.lrm", "1")
        assert members_of(raw.read_bytes()) == {"张三.lrm": b"f", "张三.jpg": b"p"}


def test_a_picture_whose_file_does_not_come_is_sent_back_with_what_to_do(
    drop: Path, tmp_path: Path
) -> None:
    (drop / "张三.jpg").write_text("p")
    with opened(drop, beside=("*.jpg",)) as source:
        assert source.bring("", tmp_path / "raw") is None
    assert list(tree(drop)) == [
        "rejected/张三.jpg/张三.jpg",
        "rejected/张三.jpg/说明-张三.jpg.txt",
    ]
    told = (drop / "rejected" / "张三.jpg" / "说明-张三.jpg.txt").read_text("utf-8-sig")
    assert "请与表一起放入，或一起压缩成 zip 放入" in told


def test_both_go_back_when_one_of_them_is_still_written(drop: Path, tmp_path: Path) -> None:
    (drop / "张三.lrm").write_bytes(b"f")
    (drop / "张三.jpg").write_bytes(b"p")
    with (
        opened(drop, beside=("*.jpg",)) as source,
        (drop / "张三.jpg").open("ab", buffering=0) as writer,
    ):

        class Into(PosixPath):
            """While the files are copied there, a writer goes on."""

            def with_name(self, name: str) -> Self:
                writer.write(b"q")
                return super().with_name(name)

        assert source.bring("", Into(tmp_path / "raw")) is None
    assert tree(drop) == {"张三#1.jpg": b"pq", "张三#1.lrm": b"f"}
    with opened(drop, beside=("*.jpg",)) as source:
        (content,) = bring_all(source, tmp_path / "raw").values()
    assert members_of(content) == {"张三#1.lrm": b"f", "张三#1.jpg": b"pq"}


def test_a_document_of_two_files_is_the_same_every_time(drop: Path, tmp_path: Path) -> None:
    (drop / "张三.lrm").write_bytes(b"f")
    (drop / "张三.jpg").write_bytes(b"p")
    raw = tmp_path / "raw"
    brought = []
    for _ in range(2):
        with opened(drop, beside=("*.jpg",)) as source:
            assert source.bring("", raw) == Brought("张三.lrm", "1")
            brought.append(raw.read_bytes())
            raw.unlink()
    assert brought[0] == brought[1]


def test_of_two_that_are_called_alike_but_for_capitals_each_has_its_own(
    drop: Path, tmp_path: Path
) -> None:
    for name in ("X1.lrm", "x1.lrm", "x1.jpg", "Y.lrm", "y.jpg"):
        (drop / name).write_text(name)
    with opened(drop, beside=("*.jpg",)) as source:
        brought = bring_all(source, tmp_path / "raw")
    assert brought["X1.lrm"] == b"X1.lrm"
    assert members_of(brought["x1.lrm"]) == {"x1.lrm": b"x1.lrm", "x1.jpg": b"x1.jpg"}
    assert members_of(brought["Y.lrm"]) == {"Y.lrm": b"Y.lrm", "Y.jpg": b"y.jpg"}


def test_a_form_whose_picture_is_taken_away_meanwhile_is_found_again(
    drop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (drop / "张三.lrm").write_bytes(b"f")
    (drop / "张三.jpg").write_bytes(b"p")
    really_open = os.open

    def open_(path: Any, *how: Any, **more: Any) -> int:
        if str(path).endswith("张三.jpg"):
            Path(path).unlink(missing_ok=True)
        return really_open(path, *how, **more)

    with opened(drop, beside=("*.jpg",)) as source:
        # As programs do that guard a share.
        monkeypatch.setattr(os, "open", open_)
        assert source.bring("", tmp_path / "raw") is None
        assert tree(drop) == {"张三.lrm": b"f"}
        assert bring_all(source, tmp_path / "raw") == {"张三.lrm": b"f"}
