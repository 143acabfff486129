"""What every source promises: each document whole and once, in order, whoever is killed.

A module that takes over these tests says where they bring from by the fixture `stand`.
"""

import os
import re
from pathlib import Path

import pytest

from adapters.kit.port import Brought, Source
from tests.adapters.sources.stands import CLEAN, Stand


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    (tmp_path / "raw").mkdir(mode=0o700)
    return tmp_path / "raw" / "1"


def marks(raw: Path) -> list[str]:
    """The marks of a raw document, which is gone afterwards."""
    said = re.findall(r"mark-\w+", raw.read_text(encoding="utf-8"))
    raw.unlink()
    return said


def bring_all(source: Source, raw: Path, position: str = "") -> list[tuple[Brought, list[str]]]:
    """Every document behind a position, each answered for at once."""
    brought = []
    while (document := source.bring(position, raw)) is not None:
        brought.append((document, marks(raw)))
        source.finished(document.name, CLEAN)
        position = document.position
    return brought


def test_every_document_is_brought_once_and_in_order(stand: Stand, raw: Path) -> None:
    for mark in ("mark-a", "mark-b", "mark-c"):
        stand.put(mark)
    with stand.opened() as source:
        brought = bring_all(source, raw)
        assert [said for _, said in brought] == [["mark-a"], ["mark-b"], ["mark-c"]]
        stand.put("mark-d")
        more = bring_all(source, raw, brought[-1][0].position)
        assert [said for _, said in more] == [["mark-d"]]


def test_what_people_call_documents_differs(stand: Stand, raw: Path) -> None:
    for mark in ("mark-a", "mark-b"):
        stand.put(mark)
    with stand.opened() as source:
        names = [document.name for document, _ in bring_all(source, raw)]
    assert len(set(names)) == 2
    assert all(name.isprintable() and "/" not in name for name in names)


def test_where_there_is_nothing_there_is_no_document(stand: Stand, raw: Path) -> None:
    with stand.opened() as source:
        assert source.bring("", raw) is None
        assert list(raw.parent.iterdir()) == []
        stand.put("mark-a")
        ((document, _),) = bring_all(source, raw)
        assert source.bring(document.position, raw) is None
        assert list(raw.parent.iterdir()) == []


def test_a_document_is_for_its_owner_alone_and_nothing_lies_beside_it(
    stand: Stand, raw: Path
) -> None:
    stand.put("mark-a")
    with stand.opened() as source:
        source.bring("", raw)
    assert [path.name for path in raw.parent.iterdir()] == [raw.name]
    assert raw.stat().st_mode & 0o777 == 0o600


def test_what_was_not_kept_is_brought_again(stand: Stand, raw: Path) -> None:
    stand.put("mark-a")
    stand.put("mark-b")
    with stand.opened() as source:
        first = source.bring("", raw), marks(raw)
        assert (source.bring("", raw), marks(raw)) == first
    with stand.opened() as source:
        assert (source.bring("", raw), marks(raw)) == first


def test_what_was_kept_is_not_brought_again(stand: Stand, raw: Path) -> None:
    stand.put("mark-a")
    stand.put("mark-b")
    with stand.opened() as source:
        first = source.bring("", raw)
        assert (first is not None, marks(raw)) == (True, ["mark-a"])
    assert first is not None
    with stand.opened() as source:
        second = source.bring(first.position, raw)
        assert (second is not None, marks(raw)) == (True, ["mark-b"])
    assert second is not None
    with stand.opened() as source:
        source.finished(first.name, CLEAN)
        source.finished(second.name, CLEAN)
        assert source.bring(second.position, raw) is None


def test_a_document_that_is_finished_again_is_finished_once(stand: Stand, raw: Path) -> None:
    stand.put("mark-a")
    with stand.opened() as source:
        ((document, _),) = bring_all(source, raw)
        source.finished(document.name, CLEAN)
    with stand.opened() as source:
        source.finished(document.name, CLEAN)
        stand.put("mark-b")
        assert [said for _, said in bring_all(source, raw, document.position)] == [["mark-b"]]


def test_a_document_that_cannot_be_written_is_brought_when_it_can(stand: Stand, raw: Path) -> None:
    stand.put("mark-a")
    with stand.opened() as source:
        with pytest.raises(OSError, match="nowhere"):
            source.bring("", raw.parent / "nowhere" / "1")
        assert [said for _, said in bring_all(source, raw)] == [["mark-a"]]


def test_a_position_is_short(stand: Stand, raw: Path) -> None:
    for number in range(3):
        stand.put(f"mark-{number}")
    with stand.opened() as source:
        positions = [document.position for document, _ in bring_all(source, raw)]
    assert all(0 < len(os.fsencode(position)) <= 65_536 for position in positions)
