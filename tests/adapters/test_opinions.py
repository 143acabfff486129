"""Joint opinions on cadres: three agencies are asked at once, in workbooks and over a real hub."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from adapters.kit.adapter import available, load
from adapters.kit.port import FaultKind
from adapters.kit.sinks.columns import described
from adapters.kit.sinks.ledger import LedgerSettings
from adapters.kit.sinks.ledgerform import Ledger
from adapters.kit.wanted import canonical
from contracts.codelists import code_list
from contracts.deadlines import deadline
from tests.adapters.sinks.events import Event, event
from tests.adapters.sinks.formulas import shown
from tests.adapters.test_discipline import arrived, data, given
from tests.adapters.test_running import running
from tests.running import RunningHub, running_hub
from tests.sample import AUDIT, DISCIPLINE, PETITION, agency, grant, policy

ORGANIZATION = "510100.organization"
ASKED = {"纪委监委": DISCIPLINE, "信访局": PETITION, "审计": AUDIT}
BATCH = "LS-510100-2026-05"
LEDGER = LedgerSettings(type="ledger", path=Path("联审台账.xlsx"))
FIRST: Mapping[str, Any] = {
    "批次编号": BATCH,
    "人员序号": 1,
    "姓名": "云样例",
    "公民身份号码": "510104198209150024",
    "征求意见事由": "提拔",
    "征求意见单位": "纪委监委；信访局、审计",
    "发函日期": date(2026, 5, 6),
    "联系人": "窦样例 028-00000000",
}
LABELS = code_list("opinion_result").labels
SECOND: Mapping[str, Any] = {"批次编号": BATCH, "人员序号": 2, "姓名": "潘试点"}


OWN_SECTIONS = frozenset(
    {
        "组织部干部综合",
        "组织部干部综合回复日期",
        "组织部干部监督",
        "组织部干部监督回复日期",
    }
)


def columns_of(sheet: Worksheet) -> dict[str, int]:
    titles = [str(head.value).strip("*") for head in sheet[2]]
    return {title: place for place, title in enumerate(titles, 1)}


def fill_in(file: Path, *rows: Mapping[str, Any]) -> None:
    """Write into the rows below the header, as people do, and save."""
    book = load_workbook(file)
    columns = columns_of(book.worksheets[0])
    for number, cells in enumerate(rows, 3):
        for title, value in cells.items():
            book.worksheets[0].cell(number, columns[title], value)
    book.save(file)


def told(file: Path, row: int, today: date, *titles: str) -> dict[str, Any]:
    """What a row of a workbook shows on a day."""
    sheet = load_workbook(file).worksheets[0]
    columns = columns_of(sheet)
    cells = {title: sheet.cell(row, columns[title]).coordinate for title in titles}
    return {title: shown(sheet, cell, today) for title, cell in cells.items()}


def opinion(number: int, code: str, *results: str, at: str) -> Event:
    opinions = [
        {"person_no": person, "result": {"code": result, "label": LABELS[result]}}
        | ({"detail_ref": f"件-{person}"} if result == "pending_case" else {})
        for person, result in enumerate(results, 1)
    ]
    payload = {"batchid": BATCH, "agency": {"code": code}, "opinions": opinions}
    return event(number, "cadre.opinion_given", payload, hubtime=at)


@pytest.fixture
def begun(tmp_path: Path) -> Iterator[tuple[Path, Callable[[list[Event]], None]]]:
    """The requester's ledger with a batch that people began, and what brings answers into it."""
    with LEDGER.opened(tmp_path, available()["organization.opinions"]) as sink:
        sink.take([])
        told = {"回复期限": date(2026, 5, 15), "收件机构": "discipline@510100 audit@510100"}
        fill_in(tmp_path / LEDGER.path, {**FIRST, **told}, SECOND)
        sink.take([])
        yield tmp_path / LEDGER.path, sink.take


@pytest.mark.parametrize(
    ("name", "written", "kept"),
    [
        ("opinions", {"批次编号", "人员序号"}, OWN_SECTIONS),
        ("answers", {"批次编号", "人员序号", "回执号", "关联编号"}, frozenset()),
    ],
)
def test_people_fill_in_what_is_read_and_what_is_kept_there(
    name: str, written: set[str], kept: frozenset[str]
) -> None:
    adapter = load(f"organization.{name}")
    columns = described(adapter.folder / "ledger.toml", Ledger).columns
    filled_in = {canonical(column.title) for column in columns if column.editable}
    shown_only = {canonical(column.title) for column in columns if not column.editable}
    parts = adapter.mapping.groups["persons"].fields
    read = {rule.column for rule in (*adapter.mapping.fields.values(), *parts.values())}
    assert filled_in == (read - shown_only) | kept
    assert written == read & shown_only
    assert (shown_only | kept) - read <= adapter.mapping.cells.ignored


def test_every_agency_that_can_be_asked_has_its_columns_and_the_rule_its_days() -> None:
    ledger = described(available()["organization.opinions"] / "ledger.toml", Ledger)
    asked = [column for column in ledger.columns if column.where and column.pointer]
    codes = code_list("opinion_agency").labels
    over_the_hub = {column.where["/agency/code"]: column.title for column in asked}
    by_hand = codes.keys() - over_the_hub.keys()
    assert over_the_hub == {code: codes[code] for code in codes if code not in by_hand}
    entered = {column.title for column in ledger.columns if column.list == "opinion_result"}
    assert entered == {codes[code] for code in by_hand}
    assert entered | {f"{title}回复日期" for title in entered} == OWN_SECTIONS
    rule = deadline("cadre.opinion")
    (until,) = (column.formula for column in ledger.formulas if column.title == "截止日期")
    assert rule.unit == "working_days"
    assert until is not None
    assert f",{rule.amount}{{:off}})" in until


def test_a_batch_that_people_began_goes_out_as_one_request(
    begun: tuple[Path, Callable[[list[Event]], None]],
) -> None:
    file, bring = begun
    bring([opinion(1, "petition", "no_record", "no_record", at="2026-05-12T01:00:00Z")])
    (row,) = given("organization.opinions", file)
    assert row.faults == ()
    assert [made.event.attributes["to"] for made in row.events] == [
        "discipline@510100 audit@510100"
    ]
    assert data(row) == [
        (
            "cadre.opinion_requested",
            {
                "batchid": BATCH,
                "purpose": {"code": "promotion", "label": "提拔"},
                "persons": [
                    {"person_no": 1, "person": {"name": "云样例", "idno": "510104198209150024"}},
                    {"person_no": 2, "person": {"name": "潘试点"}},
                ],
                "agencies": [
                    {"code": "discipline", "label": "纪委监委"},
                    {"code": "petition", "label": "信访局"},
                    {"code": "audit", "label": "审计"},
                ],
                "contact": "窦样例 028-00000000",
                "due": {"rule": "cadre.opinion", "start": "2026-05-06", "date": "2026-05-15"},
            },
        )
    ]


def test_a_person_is_awaited_until_all_have_answered_and_late_answers_are_marked(
    begun: tuple[Path, Callable[[list[Event]], None]],
) -> None:
    file, bring = begun
    titles = ("应复数", "已复数", "截止日期", "状态", "逾期回复")
    in_time, late = date(2026, 5, 15), date(2026, 5, 16)

    def state(today: date, row: int = 3) -> list[Any]:
        return [*told(file, row, today, *titles).values()]

    assert state(in_time) == [3, 0, in_time, "待", ""]
    assert state(late, row=4) == [3, 0, in_time, "逾期", ""]
    bring([opinion(1, "discipline", "no_objection", "pending_case", at="2026-05-14T01:00:00Z")])
    bring([opinion(2, "petition", "no_record", "no_record", at="2026-05-15T15:59:59Z")])
    assert state(in_time, row=4) == [3, 2, in_time, "待", ""]
    assert state(late) == [3, 2, in_time, "逾期", ""]
    bring([opinion(3, "audit", "no_objection", "no_objection", at="2026-05-15T16:00:00Z")])
    assert state(late) == [3, 3, in_time, "齐", "审计 "]
    assert told(file, 4, late, "姓名", "纪委监委", "信访局", "审计", "审计回复日期") == {
        "姓名": "潘试点",
        "纪委监委": "有未办结事项（件-2）",
        "信访局": "无记录",
        "审计": "无不同意见",
        "审计回复日期": late,
    }


def test_what_the_departments_own_sections_say_is_entered_by_hand_and_counted_alike(
    tmp_path: Path,
) -> None:
    file = tmp_path / LEDGER.path
    titles = ("应复数", "已复数", "状态", "逾期回复")
    due, late = date(2026, 5, 15), date(2026, 5, 18)
    asked = {"征求意见单位": "组织部干部综合；信访局；组织部干部监督", "回复期限": due}

    def state(today: date) -> list[Any]:
        return [*told(file, 3, today, *titles).values()]

    with LEDGER.opened(tmp_path, available()["organization.opinions"]) as sink:
        sink.take([])
        fill_in(file, {**FIRST, **asked})
        sink.take([])
        assert (state(due), state(late)) == ([3, 0, "待", ""], [3, 0, "逾期", ""])
        fill_in(file, {"组织部干部综合": "无不同意见", "组织部干部综合回复日期": due})
        sink.take([opinion(1, "petition", "no_record", at="2026-05-12T01:00:00Z")])
        assert (state(due), state(late)) == ([3, 2, "待", ""], [3, 2, "逾期", ""])
        fill_in(file, {"组织部干部监督": "无记录", "组织部干部监督回复日期": late})
        sink.take([])
    assert state(late) == [3, 3, "齐", "组织部干部监督 "]
    shown_ = told(file, 3, late, "组织部干部综合", "信访局", "组织部干部监督")
    assert [*shown_.values()] == ["无不同意见", "无记录", "无记录"]


def test_without_a_day_the_rule_says_by_when(tmp_path: Path) -> None:
    with LEDGER.opened(tmp_path, available()["organization.opinions"]) as sink:
        sink.take([])
        fill_in(
            tmp_path / LEDGER.path, FIRST, SECOND, {**FIRST, "批次编号": "示-2", "发函日期": "明天"}
        )
        sink.take([])
    states = [
        [*told(tmp_path / LEDGER.path, row, date(2026, 5, 18), "截止日期", "状态").values()]
        for row in (3, 4, 5)
    ]
    assert states == [[date(2026, 5, 15), "逾期"]] * 2 + [["日期有误", "待"]]


def test_what_was_answered_is_told_in_the_rows_of_the_request(tmp_path: Path) -> None:
    titles = ("状态", "来文机关", "收到时间", "回执号")

    def rows() -> list[list[Any]]:
        day = date(2026, 5, 13)
        return [[*told(tmp_path / LEDGER.path, row, day, *titles).values()] for row in (3, 4)]

    with LEDGER.opened(tmp_path, available()["organization.answers"]) as sink:
        request = arrived(7, "cadre.opinion_requested-1")
        sink.take([request])
        asked = rows()
        answer = opinion(8, "petition", "no_record", at="2026-05-13T01:00:00Z")
        answer["data"]["batchid"] = request["data"]["batchid"]
        sink.take([answer])
    assert [state for state, *_ in asked] == ["待回复", "待回复"]
    assert rows() == [["已回复", *asked[0][1:]], asked[1]]


def test_a_request_is_answered_in_the_rows_that_it_made(tmp_path: Path) -> None:
    file = tmp_path / LEDGER.path
    with LEDGER.opened(tmp_path, available()["organization.answers"]) as sink:
        sink.take([arrived(7, "cadre.opinion_requested-1", correlationid="hr:5")])
    assert [data(row) for row in given("organization.answers", file)] == [[]]
    whole = {
        "回复单位": "纪委监委",
        "回复时间": datetime.fromisoformat("2026-05-13T11:00"),
        "核查截止日期": date(2026, 5, 12),
        "审定人": "赵试点",
        "承办人": "魏样例",
    }
    fill_in(file, {**whole, "意见": "无不同意见"})
    (half,) = given("organization.answers", file)
    assert [(fault.row, fault.column, fault.kind) for fault in half.faults] == [
        (4, "意见", FaultKind.MISSING)
    ]
    filed = {"意见": "有未办结事项", "详情件号": "件-2"}
    fill_in(file, {"保管人联系方式": "魏样例 028-00000000"}, filed)
    (row,) = given("organization.answers", file)
    assert row.faults == ()
    assert [made.event.attributes["causationid"] for made in row.events] == [f"{7:032x}"]
    assert [made.event.attributes["correlationid"] for made in row.events] == ["hr:5"]
    assert data(row) == [
        (
            "cadre.opinion_given",
            {
                "handlers": [{"name": "魏样例"}],
                "batchid": BATCH,
                "agency": {"code": "discipline", "label": "纪委监委"},
                "opinions": [
                    {"person_no": 1, "result": {"code": "no_objection", "label": "无不同意见"}},
                    {
                        "person_no": 2,
                        "result": {"code": "pending_case", "label": "有未办结事项"},
                        "detail_ref": "件-2",
                    },
                ],
                "records_as_of": "2026-05-12",
                "custodian": "魏样例 028-00000000",
                "approved_by": {"name": "赵试点"},
            },
        )
    ]


ADAPTERS = """
state = "state"
[hub]
url = "{url}"

[[adapter]]
name = "requests"
kind = "organization.opinions"
agency = "510100.organization"
token_file = "510100.organization.token"
site = "addresses.toml"
every = 0.01
source = {{ type = "folder", path = "requests", quiet = 0 }}
subscription = {{ types = ["cadre.opinion_given"], start = "earliest" }}
sinks = [{{ type = "ledger", path = "联审台账.xlsx" }}]
"""
ANSWERS = """
[[adapter]]
name = "{name}"
kind = "organization.answers"
agency = "{agency}"
token_file = "{agency}.token"
every = 0.01
source = {{ type = "folder", path = "{agency}", quiet = 0 }}
subscription = {{ types = ["cadre.opinion_requested"], start = "earliest" }}
sinks = [{{ type = "ledger", path = "{agency}.xlsx" }}]
"""


@pytest.fixture
def opinions_hub(backend: str, tmp_path: Path) -> Iterator[RunningHub]:
    document = policy()
    document["agencies"].append(agency(ORGANIZATION, "示范市委组织部"))
    document["grants"] += [
        grant(ORGANIZATION, "publish", "cadre.*"),
        grant(ORGANIZATION, "receive", "cadre.*"),
    ]
    for id_ in ASKED.values():
        document["grants"] += [grant(id_, may, "cadre.*") for may in ("publish", "receive")]
    with running_hub(tmp_path / "data") as hub:
        assert hub.apply(document).status_code == 200
        yield hub


def drop(file: Path, folder: Path) -> None:
    """Copy a workbook into a drop folder, whole at once."""
    folder.mkdir(exist_ok=True)
    shutil.copy(file, folder.parent / "copied.xlsx")
    (folder.parent / "copied.xlsx").rename(folder / file.name)


def test_three_agencies_are_asked_two_answer_and_the_third_is_late(
    opinions_hub: RunningHub, tmp_path: Path
) -> None:
    base = tmp_path / "base"
    base.mkdir()
    for id_ in (ORGANIZATION, *ASKED.values()):
        (base / f"{id_}.token").write_text(opinions_hub.token(id_), encoding="utf-8")
    addresses = "".join(f'"{name}" = "{id_}"\n' for name, id_ in ASKED.items())
    (base / "addresses.toml").write_text(f"[fields.to.aliases]\n{addresses}", encoding="utf-8")
    text = ADAPTERS.format(url=opinions_hub.url)
    text += "".join(
        ANSWERS.format(agency=id_, name=id_.replace(".", "-")) for id_ in ASKED.values()
    )
    today = datetime.now(UTC).date()
    due = today - timedelta(days=2)
    ledger = base / "联审台账.xlsx"
    with LEDGER.opened(base, available()["organization.opinions"]) as sink:
        sink.take([])
        fill_in(ledger, {**FIRST, "发函日期": due, "回复期限": due}, SECOND)

    def answer(name: str, *results: str) -> None:
        file = base / f"{ASKED[name]}.xlsx"
        whole = {
            "回复单位": name,
            "回复时间": datetime.now(UTC).replace(tzinfo=None),
            "核查截止日期": due,
            "审定人": "赵试点",
            "承办人": "魏样例",
        }
        fill_in(file, *({**whole, "意见": result} for result in results))
        drop(file, base / ASKED[name])
        log.first("events.taken", adapter="requests")

    with running(base, text) as log:
        drop(ledger, base / "requests")
        asked = {log.first("events.taken")["adapter"] for _ in ASKED}
        assert asked == {id_.replace(".", "-") for id_ in ASKED.values()}
        answer("纪委监委", "无不同意见", "无记录")
        answer("信访局", "无记录", "无记录")
        titles = ("姓名", "已复数", "状态", "逾期回复")
        assert [*told(ledger, 4, due, *titles).values()] == [
            "潘试点",
            2,
            "待",
            "纪委监委 信访局 ",
        ]
        assert told(ledger, 4, today, "状态") == {"状态": "逾期"}
        answer("审计", "无不同意见", "无不同意见")
    assert told(ledger, 3, today, *titles, "审计") == {
        "姓名": "云样例",
        "已复数": 3,
        "状态": "齐",
        "逾期回复": "纪委监委 信访局 审计 ",
        "审计": "无不同意见",
    }
