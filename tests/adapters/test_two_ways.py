"""One adapter both ways over a real hub: what arrives is answered from a file, step by step."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from adapters.kit.port import FaultKind
from tests.adapters.test_discipline import CONCLUDED, DECIDED, MERGED, RECEIVED, ledger
from tests.adapters.test_running import running
from tests.running import RunningHub, pick
from tests.sample import CITY, DISCIPLINE, clue

BOTH_WAYS = """
state = "state"
[hub]
url = "{url}"

[[adapter]]
name = "{name}"
kind = "discipline.clues"
agency = "{agency}"
token_file = "discipline.token"
every = 0.01
source = {{ type = "folder", path = "in", quiet = 0 }}
subscription = {{ types = ["clue.*"], start = "earliest" }}
sinks = [{{ type = "files", path = "arrived" }}]
"""


@pytest.fixture
def base(hub: RunningHub, tmp_path: Path) -> Path:
    (tmp_path / "discipline.token").write_text(hub.token(DISCIPLINE), encoding="utf-8")
    (tmp_path / "in").mkdir()
    return tmp_path


def settings(hub: RunningHub, name: str) -> str:
    return BOTH_WAYS.format(url=hub.url, agency=DISCIPLINE, name=name)


def drop(base: Path, name: str, case: str, *steps: Mapping[str, Any]) -> None:
    row: dict[str, Any] = {"线索编号": case}
    for step in steps:
        row |= step
    ledger(base / name, row).rename(base / "in" / name)


def told(base: Path, name: str) -> list[tuple[str, str]]:
    """Kinds and reasons of what came back."""
    path = base / "in" / "rejected" / name / f"{name}.errors.csv"
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return [(line[4], line[5]) for line in csv.reader(lines)][1:]


def test_a_reply_names_its_opening_and_one_that_came_too_early_is_told_and_goes_out_later(
    hub: RunningHub, base: Path
) -> None:
    city = hub.agency(CITY)
    city.subscribe("early-replies", types=["clue.received", "clue.disposition_decided"])
    with running(base, settings(hub, "early")) as log:
        drop(base, "a.csv", "CL-E1", RECEIVED)
        early = log.first("document.finished")
        assert (early["accepted"], early["rejected"]) == (0, 1)
        assert told(base, "a.csv") == [(FaultKind.OPENING, "所答复的来文没有收到过")]
        (opening,) = city.accepted(clue("E1", correlationid="petition:XF-E1"))
        log.first("events.taken")
        drop(base, "a.csv", "CL-E1", RECEIVED, DECIDED)
        later = log.first("document.finished")
        assert (later["accepted"], later["rejected"]) == (2, 0)
    assert pick(city.drain("early-replies"), "type", "causationid", "correlationid") == [
        ("clue.received", opening["id"], "petition:XF-E1"),
        ("clue.disposition_decided", opening["id"], "petition:XF-E1"),
    ]


def test_a_step_that_an_earlier_document_made_impossible_is_refused_after_a_restart(
    hub: RunningHub, base: Path
) -> None:
    city = hub.agency(CITY)
    with running(base, settings(hub, "steps")) as log:
        city.accepted(clue("S1"), clue("S2"))
        log.first("events.taken")
        drop(base, "a.csv", "CL-S1", RECEIVED, DECIDED, CONCLUDED)
        assert log.first("document.finished")["accepted"] == 3
        drop(base, "b.csv", "CL-S2", RECEIVED)
        assert log.first("document.finished")["accepted"] == 1
    with running(base, settings(hub, "steps")) as log:
        drop(base, "c.csv", "CL-S1", RECEIVED, MERGED)
        refused = log.first("document.finished")
        assert (refused["accepted"], refused["rejected"]) == (0, 1)
        drop(base, "d.csv", "CL-S2", RECEIVED, DECIDED)
        assert log.first("document.finished")["accepted"] == 1
    assert told(base, "c.csv") == [
        (FaultKind.STEP, "已有“问题线索办结反馈”，不能再报“问题线索并案”"),
    ]
