"""The demo's round as data, and what is made of it before any hub is there."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from adapters.kit.adapter import available, load
from adapters.kit.sinks.columns import described
from adapters.kit.sinks.ledgerform import Ledger
from adapters.kit.workbooks import save
from contracts.catalogue import load_catalogue
from deploy.demo import story
from deploy.demo.desk import site
from deploy.demo.failed import DemoFailed
from deploy.demo.own import OwnSystem
from deploy.demo.playing import Done, amiss
from deploy.demo.readers import Arrival, Readers
from deploy.demo.steps import Entered, Given, Own, Step, machines, phases
from deploy.demo.workbooks import blank, enter

STEPS = [step for phase in phases() for step in phase.step]
OFFICE, DISCIPLINE = "510100.inspection-office", "510100.discipline"


def test_the_steps_follow_the_days() -> None:
    assert [step.on for step in STEPS] == sorted(step.on for step in STEPS)


def test_every_step_is_done_by_one_who_is_there_and_read_by_those_who_are() -> None:
    registered, types = story.names().keys(), {*load_catalogue().types()}
    for step in STEPS:
        assert {step.who, *(agency for given in step.gives for agency in given.to)} <= registered
        assert {given.type for given in step.gives} <= types
        assert step.own or step.adapter in machines()[step.who]


def test_every_machine_runs_adapters_that_there_are() -> None:
    for agency, runs in machines().items():
        assert agency in story.names()
        assert runs.keys() <= available().keys()
        assert all((site(each) or Path(__file__)).exists() for each in runs.values())


def test_a_steps_events_are_those_that_its_adapter_makes() -> None:
    for step in (step for step in STEPS if not step.own):
        adapter = load(step.adapter, site(machines()[step.who][step.adapter]))
        assert {given.type for given in step.gives} <= adapter.contracts.keys(), step.does


def test_what_clerks_enter_has_its_column_in_the_template_or_the_ledger() -> None:
    begun: set[tuple[str, str]] = set()
    for step in (step for step in STEPS if not step.own):
        runs = machines()[step.who][step.adapter]
        if step.file == runs.ledger:
            form = described(available()[step.adapter] / runs.form, Ledger)
            titles = {column.title for column in form.columns}
            for row in step.rows:
                assert row.cells.keys() | row.find.keys() <= titles, step.does
        elif (step.who, step.file) not in begun and not step.file.startswith("退回/"):
            begun.add((step.who, step.file))
            assert enter(blank(step.adapter, site(runs), "510100"), step.rows), step.does


def test_a_row_is_entered_in_the_template_below_its_header(tmp_path: Path) -> None:
    book = blank("inspection.weekly", None, "510100")
    assert enter(book, [Entered({"轮次编号": "510100-14-11", "期数": 2})])
    save(book, tmp_path / "周报.xlsx")
    sheet = load_workbook(tmp_path / "周报.xlsx").worksheets[0]
    header = [cell.value for cell in sheet[3]]
    row = dict(zip(header, (cell.value for cell in sheet[4]), strict=True))
    assert {name: said for name, said in row.items() if said is not None} == {
        "轮次编号*": "510100-14-11",
        "期数*": 2,
    }


def test_nothing_is_entered_before_the_row_that_is_looked_for_is_there() -> None:
    book = blank("inspection.rounds", None, "510100")
    entered = [Entered({"撤离日期": date(2026, 5, 22)}, find={"党组织编号": "sample"})]
    assert not enter(book, entered)
    assert enter(book, [Entered({"党组织编号": "sample"})])
    assert enter(book, entered)
    sheet = book.worksheets[0]
    filled = [cell.value for cell in sheet[sheet.max_row] if cell.value is not None]
    assert filled == ["sample", date(2026, 5, 22)]


def test_who_reads_what_is_not_for_them_is_told() -> None:
    step = Step(
        on=date(2026, 3, 2),
        who=OFFICE,
        does="移交",
        gives=(Given("clue.transferred", to=(DISCIPLINE,)),),
    )
    readers = Readers({})
    event = {"type": "clue.transferred", "hubreceipt": "r-1"}
    readers.arrived |= {DISCIPLINE: [Arrival(event, 1.0, 0.1)], OFFICE: []}
    played = [Done(step, frozenset({"r-1"}), {DISCIPLINE: 0.1})]
    assert [*amiss(played, readers)] == []
    readers.arrived |= {DISCIPLINE: [], OFFICE: [Arrival(event, 1.0, 0.1)]}
    assert [*amiss(played, readers)] == [
        f"2026-03-02 移交：{DISCIPLINE} 应收到 clue.transferred 1 件，收到 0 件",
        f"2026-03-02 移交：{OFFICE} 应收到 clue.transferred 0 件，收到 1 件",
    ]


def test_a_system_of_its_own_answers_what_its_feed_brought() -> None:
    published: list[Mapping[str, Any]] = []
    own = Own(
        id="A-1",
        type="feedback.acknowledged",
        time="2026-06-26T09:00:00+08:00",
        answers="feedback.issued",
        case={"targetid": "sample"},
        data={"accepted": True},
    )
    feed = [
        {"type": "feedback.issued", "hubreceipt": "r-1", "data": {"targetid": "another"}},
        {"type": "feedback.issued", "hubreceipt": "r-2", "data": {"targetid": "sample"}},
    ]
    system = OwnSystem(OFFICE, "接口", published.append)
    system.send(own, feed)
    assert [(e["causationid"], e["data"]) for e in published] == [
        ("r-2", {"targetid": "sample", "accepted": True})
    ]
    with pytest.raises(DemoFailed, match=r"没有收到要答复的 feedback\.issued"):
        system.send(own, feed[:1])
