"""Discipline inspection: what arrives goes into its ledger, what people fill in there goes out."""

import csv
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

import contracts
from adapters.kit.adapter import available, load
from adapters.kit.client import HubClient
from adapters.kit.making import FromRecord, make
from adapters.kit.openings import keep_openings
from adapters.kit.port import FaultKind
from adapters.kit.readers.opening import opened
from adapters.kit.runner import Summary, run
from adapters.kit.sinks.columns import described
from adapters.kit.sinks.ledger import LedgerSettings
from adapters.kit.sinks.ledgerform import Ledger
from adapters.kit.sources.sql import SqlSettings
from adapters.kit.state import open_state
from adapters.kit.wanted import canonical
from contracts.catalogue import load_catalogue
from tests.adapters.door import Door
from tests.adapters.sinks.events import Event, event

CLUES = available()["discipline.clues"]
SETTINGS = LedgerSettings(type="ledger", path=Path("线索台账.xlsx"))
CONTRACTS = Path(str(contracts.__file__)).parent

RECEIVED: Mapping[str, Any] = {
    "签收时间": datetime.fromisoformat("2026-05-22T10:05"),
    "签收人": "韩样例；杨示范",
    "登记号": "示纪线〔2026〕41号",
}
DECIDED: Mapping[str, Any] = {
    "处置方式": "1=初步核实；2=予以了结",
    "处置决定时间": datetime.fromisoformat("2026-06-18"),
    "审批层级": "委主要领导",
    "处置承办人": "金样例",
    "办理期限": date(2026, 9, 20),
}
CONCLUDED: Mapping[str, Any] = {
    "办结结果": "1=属实；2=不属实",
    "办结时间": "2026-09-11",
    "反馈内容": "反映问题属实，已处理。",
    "办结承办人": "金样例",
}
MERGED: Mapping[str, Any] = {
    "并入线索": "示-009",
    "并案后序号": "1=3；2=4",
    "并案理由": "反映对象相同",
    "并案决定日期": "2026-09-20",
    "并案批准人": "曹示范",
    "并案承办人": "孔样例",
}
Drop = Callable[..., Summary]


@pytest.fixture
def drop(door: Door, tmp_path: Path) -> Drop:
    """Drop a ledger of these rows; what went before is remembered from one drop to the next."""

    def drop(*rows: Mapping[str, Any]) -> Summary:
        file = ledger(tmp_path / "台账.csv", *rows)
        adapter = load("discipline.clues")
        with HubClient(door.url, "t") as client, open_state(tmp_path / "state") as state:
            keep_openings(state, load_catalogue(), [arrived(7, "clue.transferred-1")])
            agency = "510100.discipline"
            return run(adapter, file, agency=agency, hub=client, state=state, now=lambda: 0.0)

    return drop


def ledger(file: Path, *rows: Mapping[str, Any]) -> Path:
    columns = list(dict.fromkeys(title for row in rows for title in row))
    with file.open("w", encoding="utf-8", newline="") as out:
        table = csv.DictWriter(out, columns)
        table.writeheader()
        table.writerows(rows)
    return file


def sent(door: Door) -> list[dict[str, Any]]:
    return [event for asked in door.asked for event in json.loads(asked.body)]


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
    type_ = example.partition("-")[0]
    folder = CONTRACTS / type_.partition(".")[0] / "examples" / "valid"
    payload = json.loads((folder / f"{example}.json").read_text(encoding="utf-8"))
    return event(number, type_, payload, **attributes)


def fill_in(sheet: Worksheet, number: int, cells: Mapping[str, Any]) -> None:
    titles = [str(head.value).strip("*") for head in sheet[2]]
    for title, value in cells.items():
        sheet.cell(number, titles.index(title) + 1, value)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("clues", {"线索编号", "回执号", "对象序号", "补充件回执号"}),
        ("exchange", {"往来事项编号", "来文来源", "来文编号", "所答复的回执号"}),
        ("briefings", {"党组织编号", "商请轮次", "所答复的回执号"}),
    ],
)
def test_people_fill_in_what_is_read_and_no_more(name: str, written: set[str]) -> None:
    adapter = load(f"discipline.{name}")
    columns = described(adapter.folder / "ledger.toml", Ledger).columns
    filled_in = {canonical(column.title) for column in columns if column.editable}
    told = {canonical(column.title) for column in columns if not column.editable}
    read = {rule.column for rule in adapter.mapping.fields.values()}
    assert filled_in == read - told
    assert written <= read & told
    assert told - read <= adapter.mapping.cells.ignored


@pytest.mark.parametrize(
    ("example", "subjects"),
    [("clue.transferred-1", "1、2"), ("clue.transferred-2.0-1", None)],
)
def test_a_clue_that_arrived_is_answered_in_the_ledger(
    tmp_path: Path, example: str, subjects: str | None
) -> None:
    file = tmp_path / SETTINGS.path
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


@pytest.mark.parametrize(
    ("example", "shown"),
    [
        (
            "clue.transferred-1",
            {
                "对象序号": "1、2",
                "被反映对象": "周试验、示范市样例工程有限公司",
                "被反映人": None,
                "涉及金额（元）": 1_865_000,
                "涉及金额合计（元）": None,
            },
        ),
        (
            "clue.transferred-2.0-1",
            {
                "对象序号": None,
                "被反映对象": None,
                "被反映人序号": "1、3",
                "被反映单位序号": "2",
                "涉及金额（元）": None,
                "涉及金额合计（元）": 1_865_000,
            },
        ),
        ("clue.reassigned-1", {"对象序号": "1", "状态": "待签收", "交办方式": "交办"}),
    ],
)
def test_the_ledger_shows_a_clue_in_whichever_version_it_came(
    tmp_path: Path, example: str, shown: dict[str, Any]
) -> None:
    with SETTINGS.opened(tmp_path, CLUES) as sink:
        sink.take([arrived(7, example)])
    sheet = load_workbook(tmp_path / SETTINGS.path)["线索台账"]
    cells = {
        str(head.value).strip("*"): cell.value
        for head, cell in zip(sheet[2], sheet[3], strict=True)
    }
    assert {title: cells[title] for title in shown} == shown


CLUE: Mapping[str, Any] = {"线索编号": "XS-510100-14-11-04-003", "对象序号": "1、2", **RECEIVED}


def test_each_drop_sends_the_steps_taken_since(door: Door, drop: Drop) -> None:
    drop(CLUE)
    drop({**CLUE, **DECIDED})
    drop({**CLUE, **DECIDED})
    drop({**CLUE, **DECIDED, "审批层级": "委务会", **CONCLUDED})
    events = sent(door)
    assert [event["type"] for event in events] == [
        "clue.received",
        "clue.disposition_decided",
        "clue.disposition_decided",
        "clue.concluded",
    ]
    assert {event["causationid"] for event in events} == {f"{7:032x}"}
    assert [event.get("supersedes") for event in events] == [None, None, events[1]["id"], None]


def test_a_clue_that_is_concluded_is_not_merged(door: Door, drop: Drop) -> None:
    drop({**CLUE, **DECIDED, **CONCLUDED})
    summary = drop({**CLUE, **MERGED})
    (fault,) = summary.faults
    assert (fault.row, fault.kind, fault.reason) == (
        2,
        FaultKind.STEP,
        "已有“问题线索办结反馈”，不能再报“问题线索并案”",
    )
    assert [event["type"] for event in sent(door)][2:] == ["clue.concluded"]


def test_reports_and_extensions_follow_each_other_and_replace_nothing(
    door: Door, drop: Drop
) -> None:
    report = {"办理状态": "1=初步核实中", "已开展工作": "已谈话", "进展报告人": "金样例"}
    drop({**CLUE, **DECIDED, **report, "进展截至日期": "2026-07-31"})
    drop({**CLUE, **DECIDED, **report, "进展截至日期": "2026-08-31"})
    drop({**CLUE, **DECIDED, **report, "进展截至日期": "2026-08-31", "已开展工作": "已谈话三人"})
    reports = [event for event in sent(door) if event["type"] == "clue.progress_reported"]
    assert [event["data"]["as_of"] for event in reports] == [
        "2026-07-31",
        "2026-08-31",
        "2026-08-31",
    ]
    assert [event.get("supersedes") for event in reports] == [None, None, reports[1]["id"]]


def test_a_clue_that_never_arrived_is_not_answered(door: Door, drop: Drop) -> None:
    summary = drop({**CLUE, "线索编号": "示-404"})
    assert [fault.kind for fault in summary.faults] == [FaultKind.OPENING]
    assert door.asked == []


def test_a_long_ledger_gives_every_step_of_every_row(tmp_path: Path) -> None:
    rows = [
        {
            **CLUE,
            **DECIDED,
            "线索编号": f"示-{n:05d}",
            "处置方式": "3=了结" if n % 10 == 0 else "1=初核",
        }
        for n in range(1_500)
    ]
    made = Counter[str]()
    for row in given("discipline.clues", ledger(tmp_path / "台账.csv", *rows)):
        made.update(type_ for type_, _ in data(row))
        made.update(str(fault.kind) for fault in row.faults)
    assert made == {
        "clue.received": 1_350,
        "clue.disposition_decided": 1_350,
        FaultKind.MISMATCH: 150,
    }


@pytest.mark.parametrize(
    ("name", "example", "cells", "answer"),
    [
        (
            "exchange",
            "exchange.urged-2",
            {
                "事项类型": "催办答复",
                "办理时间": date(2026, 7, 26),
                "办理状态": "已办结",
                "办结日期": date(2026, 7, 25),
                "说明": "已反馈办理情况。",
                "批准人": "曹示范",
            },
            "exchange.urge_answered",
        ),
        (
            "exchange",
            "exchange.extension_requested-1",
            {
                "事项类型": "不同意延期",
                "办理时间": date(2026, 7, 2),
                "期限": date(2026, 7, 10),
                "不同意理由": "理由不充分",
                "批准人": "曹示范",
            },
            "exchange.extension_refused",
        ),
        (
            "briefings",
            "briefing.requested-1",
            {
                "轮次编号": "510100-14-11",
                "通报日期": date(2026, 2, 20),
                "通报期间起": date(2021, 1, 1),
                "通报期间止": date(2025, 12, 31),
                "零报告": "是",
            },
            "briefing.provided",
        ),
    ],
)
def test_a_letter_is_answered_in_the_row_that_it_made(
    tmp_path: Path, name: str, example: str, cells: Mapping[str, Any], answer: str
) -> None:
    file = tmp_path / SETTINGS.path
    with SETTINGS.opened(tmp_path, available()[f"discipline.{name}"]) as sink:
        sink.take([arrived(7, example)])
    assert [row for row in given(f"discipline.{name}", file)] == [FromRecord()]
    book = load_workbook(file)
    fill_in(book.worksheets[0], 3, cells)
    book.save(file)
    (row,) = given(f"discipline.{name}", file)
    assert row.faults == ()
    assert [(made.event.type, made.event.attributes["causationid"]) for made in row.events] == [
        (answer, f"{7:032x}")
    ]


def test_the_rows_of_a_database_are_read_as_the_ledger_is(tmp_path: Path) -> None:
    titles = [*CLUE, *DECIDED, "删除标志", "加密姓名", "改动时间"]
    named = ", ".join(f'"{title}"' for title in titles)
    with closing(sqlite3.connect(tmp_path / "clues.db", isolation_level=None)) as database:
        database.execute(f"CREATE TABLE ledger ({named})")
        row = {**CLUE, **DECIDED, "加密姓名": "U2FtcGxlQ2lwaGVyVGV4dDE=", "删除标志": 0}
        gone = {**row, "线索编号": "示-002", "删除标志": 1}
        for number, each in enumerate((row, gone)):
            said = [str(each.get(title, f"2026-10-0{number + 1} 09:00:00")) for title in titles]
            marks = ", ".join("?" * len(titles))
            database.execute(f"INSERT INTO ledger VALUES ({marks})", said)
    settings = SqlSettings.model_validate(
        {
            "url": f"sqlite:///{tmp_path / 'clues.db'}",
            "table": "ledger",
            "columns": titles[:-2],
            "changed": "改动时间",
            "key": "线索编号",
        }
    )
    with settings.opened(tmp_path) as source:
        brought = source.bring("", tmp_path / "raw")
    assert brought is not None
    answered, deleted = given("discipline.clues", tmp_path / "raw")
    assert [type_ for type_, _ in data(answered)] == ["clue.received", "clue.disposition_decided"]
    assert deleted == FromRecord(deleted="示-002")
