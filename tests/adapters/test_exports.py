"""The demo's exports are the same every time and hold what the demo shows."""

import csv
import re
from datetime import date
from pathlib import Path

import pytest

from contracts.identifiers import citizen_id_fault
from deploy.demo.exports import (
    HEADER,
    INSPECTION_OFFICE,
    REGIONS,
    Exports,
    make_exports,
    write_exports,
)


@pytest.fixture
def exports(tmp_path: Path) -> Exports:
    return make_exports(tmp_path)


def rows(exports: Exports) -> list[list[str]]:
    found = []
    for path in exports.paths:
        with path.open(encoding="gbk", newline="") as file:
            title, header, *lines = csv.reader(file)
        assert re.fullmatch(r"示范市信访局信访件导出（2026年\d+月）", title[0])
        assert header == list(HEADER)
        found.extend(lines)
    return found


def test_the_same_files_are_written_every_time(tmp_path: Path) -> None:
    written = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        written.append([path.read_bytes() for path in write_exports(tmp_path / name)])
    assert written[0] == written[1]


def test_there_is_enough_of_everything_to_show(exports: Exports) -> None:
    lines = rows(exports)
    column = {name: HEADER.index(name) for name in ("xfmddm", "bfyrdw", "wtsddm")}
    accusing = [line for line in lines if line[column["xfmddm"]] == "3"]
    against_office = [line for line in lines if line[column["bfyrdw"]] == INSPECTION_OFFICE]
    assert len(exports.paths) == 3
    assert len(lines) == exports.rows == 337
    assert 0.12 < len(accusing) / len(lines) < 0.18
    assert 0.07 < len(exports.mistakes) / len(lines) < 0.09
    assert len({mistake.kind for mistake in exports.mistakes}) == 10
    assert exports.corrections == 4
    assert exports.repeated == 3
    assert len(against_office) >= exports.accusing_the_office == 6
    assert {line[column["wtsddm"]] for line in against_office} == {"510104"}
    assert REGIONS.keys() <= {line[column["wtsddm"]] for line in lines}


def test_numbers_of_persons_have_right_check_digits_but_where_they_are_meant_wrong(
    exports: Exports,
) -> None:
    place = HEADER.index("zjhm")
    kind = HEADER.index("zjlx")
    wrong = [
        line[place]
        for line in rows(exports)
        if len(line) == len(HEADER)
        and line[kind] == "111"
        and citizen_id_fault(line[place], today=date(2026, 11, 1))
    ]
    assert len(wrong) == sum(mistake.column == "zjhm" for mistake in exports.mistakes)
