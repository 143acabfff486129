"""The petition adapters as a whole: ledgers that are filled in and read back, large exports."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from adapters.kit.adapter import available, load
from adapters.kit.config import load_settings
from adapters.kit.making import make
from adapters.kit.port import FaultKind, Record
from adapters.kit.readers.opening import opened
from adapters.kit.sinks.columns import described
from adapters.kit.sinks.ledger import LedgerSettings
from adapters.kit.sinks.ledgerform import Ledger
from contracts.catalogue import load_catalogue
from tests.adapters.petition_books import BOOKS, FOLDER

ROWS = 5_000
EXAMPLES = Path(__file__).parents[2] / "contracts" / "petition" / "examples" / "valid"


def arrived(example: str, position: int) -> dict[str, Any]:
    """An event as a subscription gives it, with a contract's example as its data."""
    type_ = example.rpartition("-")[0]
    return {
        "specversion": "1.0",
        "id": f"example-{position}",
        "source": "/510100.inspection-office",
        "type": type_,
        "time": "2026-03-18T10:00:00+08:00",
        "dataschema": load_catalogue().versions(type_)[0].urn,
        "datacontenttype": "application/json",
        "hubreceipt": f"{position:032x}",
        "hubtime": "2026-03-19T01:00:00Z",
        "hubposition": f"0-{position}",
        "data": json.loads((EXAMPLES / f"{example}.json").read_text(encoding="utf-8")),
    }


def cells(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a ledger by the titles of their columns."""
    rows = load_workbook(path).worksheets[0].iter_rows(values_only=True)
    header = next(row for row in rows if "信访件编号" in row)
    for row in rows:
        yield dict(zip(map(str, header), row, strict=True))


def test_what_people_fill_into_the_handling_ledger_is_what_the_adapter_reads() -> None:
    folder = available()["petition.handling"]
    ledger = described(folder / "ledger.toml", Ledger)
    mapping = load("petition.handling").mapping
    shown = {column.title for column in ledger.columns}
    filled = {column.title for column in ledger.columns if column.editable}
    read = {rule.column for rule in mapping.fields.values()}
    decided = {r.column for name, r in mapping.fields.items() if name.startswith("objection_")}
    assert filled == read - decided - {"信访件编号", "来件编号", "问题属地", "信访目的"}
    assert read - decided - shown == {"来件编号"}


def test_a_case_is_handled_in_the_ledger_and_read_back_as_replies(tmp_path: Path) -> None:
    folder = available()["petition.handling"]
    path = tmp_path / "办理台账.xlsx"
    settings = LedgerSettings(type="ledger", path=Path(path.name))
    with settings.opened(tmp_path, folder) as sink:
        sink.take([arrived("petition.case_transferred-1", 1)])
    (case,) = cells(path)
    entered = {
        "办理单位": "东湖区样例局",
        "办结期限": "2026-05-23",
        "受理日期": "2026-03-24",
        "受理登记号": "DH-XF-2026-0117",
        "办结日期": "2026/5/20",
        "办结原因": "诉求合理，已解决",
        "处理结果": "补偿款已部分兑付。",
        "满意度": "基本满意",
    }
    book = load_workbook(path)
    sheet = book.worksheets[0]
    lines = iter(sheet)
    header = next(line for line in lines if any(cell.value == "信访件编号" for cell in line))
    for title, cell in zip(header, next(lines), strict=True):
        cell.value = entered.get(str(title.value).strip("*"), cell.value)
    book.save(path)

    adapter = load("petition.handling")
    with opened(path, path.name, adapter.mapping.wanted) as reader:
        (record,) = [each for each in reader.read() if isinstance(each, Record)]
        given = make(adapter, record)
    assert given.faults == ()
    assert [(made.event.type, made.case) for made in given.events] == [
        ("petition.accepted", case["信访件编号"]),
        ("petition.closed", case["信访件编号"]),
    ]


def test_the_ledger_of_cases_tells_how_far_each_has_come(tmp_path: Path) -> None:
    path = tmp_path / "信访台账.xlsx"
    names = (
        "case_transferred-1",
        "objected-1",
        "objection_decided-1",
        "accepted-1",
        "replied-1",
        "closed-1",
        "case_transferred-2",
    )
    events = [arrived(f"petition.{name}", place) for place, name in enumerate(names, start=1)]
    with LedgerSettings(type="ledger", path=Path(path.name)).opened(
        tmp_path, available()["petition"]
    ) as sink:
        sink.take(events)
        sink.take(events)
    first, second = cells(path)
    assert (first["状态"], first["满意度"], first["办结原因"], first["改定责任单位"]) == (
        "已办结",
        "满意",
        "诉求合理，已解决",
        "东湖区示范街道办事处",
    )
    assert second["状态"] == "已转送"


def test_no_ledger_has_a_column_for_who_accuses_or_for_the_letter() -> None:
    for name in ("petition", "petition.handling"):
        for column in described(available()[name] / "ledger.toml", Ledger).columns:
            assert not (column.pointer or "").startswith("/accuser")
            assert column.title not in load(name).mapping.cells.never


def test_a_large_export_is_taken_over_whole_but_for_its_mistakes(tmp_path: Path) -> None:
    sample = available()["petition"] / "samples" / "deleted-rows" / "in.csv"
    title, header, row = sample.read_bytes().split(b"\r\n")[:3]
    path = tmp_path / "信访件.csv"
    with path.open("wb") as file:
        file.write(title + b"\r\n" + header + b"\r\n")
        for number in range(ROWS):
            place = b"51010" if number % 100 == 0 else b"510104"
            line = row.replace(b"XFJ0001", b"XFJ%07d" % number).replace(b"510104", place)
            file.write(line + b"\r\n")
    adapter = load("petition")
    natives: set[str] = set()
    kinds = Counter[FaultKind]()
    with opened(path, path.name, adapter.mapping.wanted) as reader:
        for record in reader.read():
            given = make(adapter, record)
            natives.update(made.event.native for made in given.events)
            kinds.update(fault.kind for fault in given.faults)
    assert len(natives) == ROWS - ROWS // 100
    assert kinds == {FaultKind.REGION: ROWS // 100}


@pytest.mark.parametrize("name", BOOKS)
def test_a_sample_workbook_is_what_its_generator_makes(name: str) -> None:
    assert (FOLDER / name).read_bytes() == BOOKS[name]()


@pytest.mark.parametrize("name", ["petition", "petition.handling"])
def test_what_the_pages_show_for_a_site_can_be_used_as_it_stands(name: str, tmp_path: Path) -> None:
    page = (available()[name] / "README.md").read_text(encoding="utf-8")
    for shown in re.findall(r"```toml\n(.*?)```", page, re.DOTALL):
        path = tmp_path / "shown.toml"
        if "[[adapter]]" in shown:
            hub = 'state = "state"\nhub = { url = "http://127.0.0.1:8470" }\n'
            path.write_text(hub + shown, encoding="utf-8")
            assert [adapter.kind for adapter in load_settings(path).adapter] == [name]
        else:
            path.write_text(shown, encoding="utf-8")
            assert load(name, path).mapping.system == load(name).mapping.system
