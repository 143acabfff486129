"""The inspection offices' own workbooks: filled in by people, sent, answered, kept in ledgers."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from adapters.kit.adapter import available, load
from adapters.kit.client import HubClient
from adapters.kit.runner import Summary, run
from adapters.kit.sinks.columns import described
from adapters.kit.sinks.ledger import LedgerSettings
from adapters.kit.sinks.ledgerform import Ledger
from adapters.kit.sinks.slip import SlipSettings
from adapters.kit.state import open_state
from adapters.kit.template import Offered, template_of
from adapters.kit.templatebook import workbook_of
from adapters.kit.templatemark import GUIDE
from adapters.kit.wanted import canonical
from contracts.catalogue import load_catalogue
from tests.adapters.door import Door
from tests.adapters.sinks.events import Event, event

OFFICE = "510100.inspection-office"
FOLDERS = {name: folder for name, folder in available().items() if name.startswith("inspection.")}
LEDGERS = sorted(
    path
    for folder in FOLDERS.values()
    for path in folder.glob("*.toml")
    if "[events]" in path.read_text(encoding="utf-8")
)
CONTRACTS = Path(__file__).parents[2] / "contracts"


def sample(adapter: str, case: str) -> Path:
    (found,) = (FOLDERS[f"inspection.{adapter}"] / "samples" / case).glob("in.*")
    return found


def sent(door: Door) -> list[dict[str, Any]]:
    return [event for asked in door.asked for event in json.loads(asked.body)]


def dropped(door: Door, tmp_path: Path, adapter: str, file: Path) -> Summary:
    with HubClient(door.url, "t") as client, open_state(tmp_path / "state") as state:
        return run(
            load(f"inspection.{adapter}"),
            file,
            agency=OFFICE,
            hub=client,
            state=state,
            now=lambda: 0.0,
        )


def arrived(number: int, example: str, **attributes: str) -> Event:
    """An example of the contracts, as the hub gives it."""
    type_ = example.partition("-")[0]
    folder = CONTRACTS / type_.partition(".")[0] / "examples" / "valid"
    payload = json.loads((folder / f"{example}.json").read_text(encoding="utf-8"))
    return event(number, type_, payload, **attributes)


def rows(file: Path) -> list[dict[str, Any]]:
    """A ledger's rows by title, without what is blank."""
    book = load_workbook(file)
    _, titles, *every = book.worksheets[0].iter_rows(values_only=True)
    named = [str(title).strip("*") for title in titles]
    return [{t: v for t, v in zip(named, row, strict=True) if v is not None} for row in every]


@pytest.mark.parametrize("path", LEDGERS, ids=[f"{p.parent.name}/{p.name}" for p in LEDGERS])
def test_every_type_that_a_ledger_takes_fills_something_of_it(path: Path) -> None:
    ledger = described(path, Ledger)
    for type_ in ledger.events:
        assert any(type_ in column.types or not column.types for column in ledger.columns)


@pytest.mark.parametrize("name", FOLDERS)
def test_what_an_office_sends_it_may_publish(name: str) -> None:
    adapter = load(name)
    for contract in adapter.contracts.values():
        assert load_catalogue().senders(contract) & {
            "inspection-office",
            "inspection-team",
            "inspected-party",
            "leading-group",
        }


@pytest.mark.parametrize(
    "name",
    [
        "authorizations",
        "briefings",
        "clues",
        "feedback",
        "handovers",
        "items",
        "outcomes",
        "progress",
        "rectification",
        "reports",
        "rounds",
    ],
)
def test_the_example_of_a_template_is_taken_when_it_is_filled_in(
    door: Door, tmp_path: Path, name: str
) -> None:
    template = template_of(load(f"inspection.{name}"), Offered())
    book = workbook_of(template)
    for sheet in book.worksheets:
        if sheet.sheet_state == "visible" and sheet.title != GUIDE:
            for place, cell in enumerate(sheet[2], start=1):
                sheet.cell(4, place, str(cell.value or "").removeprefix("示例："))
    file = tmp_path / "填报.xlsx"
    book.save(file)
    outcome = dropped(door, tmp_path, name, file)
    assert outcome.answers == ()
    assert {each["type"] for each in sent(door)} <= load(f"inspection.{name}").contracts.keys()


def test_a_batch_of_clues_goes_out_but_for_the_row_that_is_marked(
    door: Door, tmp_path: Path
) -> None:
    file = tmp_path / "移交清单.xlsx"
    file.write_bytes(sample("clues", "workbook").read_bytes())
    outcome = dropped(door, tmp_path, "clues", file)
    assert [each["data"]["clueid"] for each in sent(door)] == [
        "XS-510100-14-12-04-003",
        "XS-510100-14-12-04-004",
    ]
    assert {each["data"]["batch_no"] for each in sent(door)} == {"YJ-2026-012"}
    assert {each["dataschema"] for each in sent(door)} == {
        "urn:guantong:contract:clue.transferred:2.0"
    }
    (_, book) = outcome.answers
    marked = load_workbook(book).worksheets[0]
    problems = [cell.value for cell in marked[marked.max_row]]
    assert problems[-1] == "移交时间没有填写（空白或空值标记）；请补填后重新导出"


def test_a_plan_is_sent_whole_or_comes_back_marked_in_its_lists(door: Door, tmp_path: Path) -> None:
    file = tmp_path / "整改方案.xlsx"
    file.write_bytes(sample("rectification", "wrong-in-the-lists").read_bytes())
    outcome = dropped(door, tmp_path, "rectification", file)
    assert sent(door) == []
    (_, answer) = outcome.answers
    book = load_workbook(answer)
    marked = [
        (sheet.title, cell.coordinate)
        for sheet in book.worksheets
        for row in sheet.iter_rows(min_row=3)
        for cell in row
        if cell.comment
    ]
    assert marked == [
        ("1.问题清单", "D3"),
        ("2.任务清单", "E3"),
        ("2.任务清单", "F4"),
        ("3.责任清单", "E4"),
    ]
    book["1.问题清单"]["D3"] = "财务与资产管理"
    book["2.任务清单"]["E3"] = "挽回损失"
    book["2.任务清单"]["F4"] = "李样例"
    book["3.责任清单"]["E4"] = "党组织主要负责人"
    book.save(file)
    outcome = dropped(door, tmp_path, "rectification", file)
    assert outcome.answers == ()
    (plan,) = sent(door)
    assert [len(item["measures"]) for item in plan["data"]["items"]] == [2, 1]
    assert [each["entries"] for each in plan["data"]["three_lists"]] == [2, 3, 2]


def test_a_rule_of_the_contract_is_told_in_the_list_in_which_it_is_broken(
    door: Door, tmp_path: Path
) -> None:
    file = tmp_path / "整改方案.xlsx"
    file.write_bytes(sample("rectification", "subcategory-of-another").read_bytes())
    (_, answer) = dropped(door, tmp_path, "rectification", file).answers
    marked = [
        (sheet.title, cell.coordinate)
        for sheet in load_workbook(answer).worksheets
        for row in sheet.iter_rows(min_row=3)
        for cell in row
        if cell.comment
    ]
    assert marked == [("1.问题清单", "E3")]


def test_a_letter_goes_to_the_front_desks_of_the_kinds_that_it_names(
    door: Door, tmp_path: Path
) -> None:
    dropped(door, tmp_path, "briefings", sample("briefings", "several-agencies"))
    assert [each["to"] for each in sent(door)] == [
        "discipline@510100 organization@510100 audit@510100 petition@510100",
        "discipline@510100 finance@510100 audit@510100",
    ]


def test_feedback_goes_to_the_party_alone_and_to_those_copied(door: Door, tmp_path: Path) -> None:
    dropped(door, tmp_path, "feedback", sample("feedback", "issued"))
    (feedback,) = sent(door)
    assert feedback["to"] == feedback["data"]["targetid"] == "510100.inspected-party.sample-park"
    assert feedback["cc"] == "discipline@510100 organization@510100"


def test_the_hand_over_form_of_a_clue_that_was_read_prints(door: Door, tmp_path: Path) -> None:
    dropped(door, tmp_path, "clues", sample("clues", "batch"))
    clues = sent(door)
    settings = SlipSettings(type="slip", path=Path("交接单"))
    with settings.opened(tmp_path, FOLDERS["inspection.clues"]) as sink:
        sink.take([event(n, each["type"], each["data"]) | each for n, each in enumerate(clues, 1)])
    pages = [page.read_text(encoding="utf-8") for page in (tmp_path / "交接单").glob("*.html")]
    assert len(pages) == 2
    (page,) = (page for page in pages if clues[0]["data"]["clueid"] in page)
    for told in (
        "问题线索移交交接单",
        "示巡移〔2026〕12号",
        "YJ-2026-012",
        "事实确认单 4-003",
        "接收人",
    ):
        assert told in page


def test_a_clue_is_followed_in_the_ledger_to_its_conclusion(tmp_path: Path) -> None:
    settings = LedgerSettings(type="ledger", path=Path("线索台账.xlsx"))
    examples = ("clue.received-1", "clue.disposition_decided-1", "clue.concluded-1")
    states = []
    with settings.opened(tmp_path, FOLDERS["inspection.clues"]) as sink:
        for number, example in enumerate(examples, start=1):
            came = arrived(number, example)
            came["data"]["clueid"] = "XS-1"
            sink.take([came])
            (row,) = rows(tmp_path / settings.path)
            states.append(row["状态"])
    assert states == ["已签收", "已处置", "已办结"]
    assert {"签收时间", "签收人", "登记号", "处置方式", "办结结果", "反馈内容"} <= row.keys()


def test_a_briefing_of_each_agency_has_a_row_of_its_own(tmp_path: Path) -> None:
    settings = LedgerSettings(type="ledger", path=Path("通报台账.xlsx"))
    with settings.opened(tmp_path, FOLDERS["inspection.briefings"]) as sink:
        for number, section in enumerate(("audit", "petition", "audit"), start=1):
            came = arrived(number, "briefing.provided-1")
            came["data"] |= {"targetid": "DW-1", "section": {"code": section}}
            sink.take([came])
    kept = rows(tmp_path / settings.path)
    assert [(row["党组织编号"], row["机关类别"], row["状态"]) for row in kept] == [
        ("DW-1", "审计", "已通报"),
        ("DW-1", "信访", "已通报"),
    ]


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("items", {"整改事项编号", "轮次编号", "责任单位"}),
        ("evaluation", {"党组织编号", "方案回执号", "报告回执号"}),
        ("secondment", {"抽调编号", "回执号", "关联编号"}),
    ],
)
def test_people_fill_in_what_is_read_and_remarks(name: str, written: set[str]) -> None:
    adapter = load(f"inspection.{name}")
    columns = described(adapter.folder / "ledger.toml", Ledger).columns
    filled_in = {canonical(column.title) for column in columns if column.editable}
    told = {canonical(column.title) for column in columns if not column.editable}
    read = {rule.column for rule in adapter.mapping.fields.values()}
    assert filled_in == (read - told) | {"备注"}
    assert written <= read & told
    assert told - read <= adapter.mapping.cells.ignored


def test_a_plan_that_arrived_is_reviewed_in_the_ledger_and_answered(
    door: Door, tmp_path: Path
) -> None:
    settings = LedgerSettings(type="ledger", path=Path("审核评估表.xlsx"))
    file = tmp_path / settings.path
    plan, report = (
        arrived(number, f"rectification.{what}_submitted-1")
        for number, what in ((7, "plan"), (8, "report"))
    )
    report["data"] |= {name: plan["data"][name] for name in ("roundid", "targetid")}
    with settings.opened(tmp_path, FOLDERS["inspection.evaluation"]) as sink:
        sink.take([plan, report])
    assert dropped(door, tmp_path, "evaluation", file).answers == ()
    assert sent(door) == []
    book = load_workbook(file)
    sheet = book.worksheets[0]
    titles = [str(head.value).strip("*") for head in sheet[2]]
    for title, said in {
        "审核日期": "2026-07-20",
        "审核结果": "通过",
        "审核人": "卫示例",
        "评估日期": "2026-09-30",
        "评估单位": "示范市委巡察办",
        "评估等次": "好",
        "评估人": "卫示例；沈样例",
    }.items():
        sheet.cell(3, titles.index(title) + 1, said)
    book.save(file)
    assert dropped(door, tmp_path, "evaluation", file).answers == ()
    assert [(each["type"], each["causationid"]) for each in sent(door)] == [
        ("rectification.plan_reviewed", f"{7:032x}"),
        ("rectification.evaluated", f"{8:032x}"),
    ]


def test_progress_comes_into_the_ledger_in_which_items_are_closed(
    door: Door, tmp_path: Path
) -> None:
    settings = LedgerSettings(type="ledger", path=Path("整改台账.xlsx"))
    came = arrived(3, "rectification.progress_reported-1")
    with settings.opened(tmp_path, FOLDERS["inspection.items"]) as sink:
        sink.take([came])
    (row,) = rows(tmp_path / settings.path)
    assert (row["整改事项编号"], row["状态"]) == (came["data"]["itemid"], "已报进展")
    assert dropped(door, tmp_path, "items", tmp_path / settings.path).answers == ()
    assert sent(door) == []


def test_overdue_days_are_counted_from_the_day_that_counts_now(door: Door, tmp_path: Path) -> None:
    dropped(door, tmp_path, "items", sample("items", "overdue"))
    reminders = [each["data"] for each in sent(door) if each["type"] == "rectification.overdue"]
    assert [(each["as_of"], each["due"]["date"], each["days"]) for each in reminders] == [
        ("2027-04-20", "2027-03-31", 20),
        ("2027-05-20", "2027-03-31", 50),
        ("2027-11-10", "2027-10-31", 10),
    ]


def test_a_plan_of_hundreds_of_items_is_one_event(door: Door, tmp_path: Path) -> None:
    file = tmp_path / "整改方案.xlsx"
    base = load_workbook(sample("rectification", "shortest"))
    lists = ("问题清单", "任务清单", "责任清单")
    lines = {name: [cell.value for cell in base[name][3]] for name in lists}
    at: Mapping[str, list[Any]] = {
        name: [str(cell.value).strip("*") for cell in base[name][2]] for name in lists
    }
    book = Workbook()
    book.remove(book.worksheets[0])
    plan = book.create_sheet("整改方案")
    for row in base["整改方案"].iter_rows(min_row=2, values_only=True):
        plan.append(row)
    for name in lists:
        sheet = book.create_sheet(name)
        sheet.append(at[name])
        for n in range(300):
            line = list(lines[name])
            line[at[name].index("整改事项编号")] = f"ZG-{n}"
            if name == "任务清单":
                line[at[name].index("措施编号")] = f"C-{n}"
            sheet.append(line)
    book.save(file)
    outcome = dropped(door, tmp_path, "rectification", file)
    assert outcome.answers == ()
    (whole,) = sent(door)
    assert [item["itemid"] for item in whole["data"]["items"]] == [f"ZG-{n}" for n in range(300)]
