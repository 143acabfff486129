"""Discipline inspection, both ways: what its people fill in goes out, what comes in is filled in."""

import csv
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

import contracts.clue
from adapters.kit.adapter import available, load
from adapters.kit.making import FromRecord, make
from adapters.kit.port import FaultKind
from adapters.kit.readers.opening import opened
from adapters.kit.sinks.columns import described
from adapters.kit.sinks.ledger import LedgerSettings
from adapters.kit.sinks.ledgerform import Ledger
from adapters.kit.steps import impossible
from tests.adapters.sinks.events import Event, event

CLUES = available()["discipline.clues"]
SETTINGS = LedgerSettings(type="ledger", file="线索台账.xlsx")
EXAMPLES = Path(str(contracts.clue.__file__)).parent / "examples" / "valid"

RECEIVED: Mapping[str, Any] = {
    "签收时间": datetime(2026, 5, 22, 10, 5),
    "签收人": "韩样例；杨示范",
    "登记号": "示纪线〔2026〕41号",
}
DECIDED: Mapping[str, Any] = {
    "处置方式": "1=初步核实；2=予以了结",
    "处置决定时间": datetime(2026, 6, 18),
    "审批层级": "委主要领导",
    "处置承办人": "金样例",
    "办理期限": date(2026, 9, 20),
}


def given(name: str, file: Path) -> Iterator[FromRecord]:
    """What the rows of a file give, one after the other."""
    adapter = load(name)
    with opened(file, file.name, adapter.mapping.wanted) as reader:
        for record in reader.read():
            yield make(adapter, record)


def data(made: FromRecord) -> list[tuple[str, dict[str, Any]]]:
    return [(each.event.type, json.loads(each.event.data)) for each in made.events]


def arrived(number: int, example: str, **attributes: str) -> Event:
    """An example of the contracts, as the hub gives it."""
    payload = json.loads((EXAMPLES / f"{example}.json").read_text(encoding="utf-8"))
    return event(number, example.partition("-")[0], payload, **attributes)


def fill_in(sheet: Worksheet, number: int, cells: Mapping[str, Any]) -> None:
    titles = {str(head.value).strip("*"): head.column for head in sheet[2]}
    for title, value in cells.items():
        sheet.cell(number, titles[title], value)


def test_people_fill_in_exactly_the_columns_that_are_read_back() -> None:
    columns = described(CLUES / "ledger.toml", Ledger).columns
    read = {rule.column for rule in load("discipline.clues").mapping.fields.values()}
    told = {c.title for c in columns if not c.editable}
    assert {c.title for c in columns if c.editable} == {
        title.replace("(", "（").replace(")", "）") for title in read
    } - told
    assert read - {c.title for c in columns if c.editable} >= {"线索编号", "回执号", "对象序号"}


@pytest.mark.parametrize(
    ("example", "subjects"),
    [("clue.transferred-1", "1、2"), ("clue.transferred-2.0-1", None)],
)
def test_a_clue_that_arrived_is_answered_in_the_ledger(
    tmp_path: Path, example: str, subjects: str | None
) -> None:
    file = tmp_path / SETTINGS.file
    clue = arrived(7, example, correlationid="petition:XFJ0001")
    with SETTINGS.opened(tmp_path, CLUES) as sink:
        sink.take([clue])
        assert [data(row) for row in given("discipline.clues", file)] == [[]]
        book = load_workbook(file)
        fill_in(book["线索台账"], 3, {**RECEIVED, **DECIDED})
        book.save(file)
        # Whatever else arrives leaves alone what people wrote.
        sink.take([arrived(8, "clue.supplemented-1")])
    (row,) = given("discipline.clues", file)
    clueid = clue["data"]["clueid"]
    assert row.faults == ()
    assert [made.event.attributes["causationid"] for made in row.events] == [f"{7:032x}"] * 2
    assert {made.event.attributes["correlationid"] for made in row.events} == {"petition:XFJ0001"}
    assert data(row) == [
        (
            "clue.received",
            {
                "clueid": clueid,
                "receiver": [{"name": "韩样例"}, {"name": "杨示范"}],
                "received_at": "2026-05-22T10:05:00+08:00",
                "register_no": "示纪线〔2026〕41号",
            },
        ),
        (
            "clue.disposition_decided",
            {
                "handlers": [{"name": "金样例"}],
                "clueid": clueid,
                "dispositions": [
                    {
                        "subject_no": 1,
                        "disposition": {"code": "preliminary_verification", "label": "初步核实"},
                    },
                    {
                        "subject_no": 2,
                        "disposition": {"code": "closed_no_action", "label": "予以了结"},
                    },
                ],
                "decided_at": "2026-06-18T00:00:00+08:00",
                "approver_level": "委主要领导",
                "due": {"date": "2026-09-20"},
            },
        ),
    ]
