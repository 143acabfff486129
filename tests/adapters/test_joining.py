"""A stranger joins: the blocks of JOINING.md, run in their order from an empty directory."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from tests.running import PATIENCE, running_hub

PAGE = Path(__file__).parents[2] / "adapters" / "JOINING.md"
BLOCK = re.compile(r"```(?P<info>[^\n]+)\n(?P<body>.*?)```", re.DOTALL)
TYPE = "briefing.fund_arrears"
LEDGER = "欠缴台账.xlsx"
AUTUMN = date(2026, 10, 9)
ROWS = (
    ("GJJ-2026-0101", "示例市样板建材厂", "老城片区", date(2026, 3, 1), 7, 12.5, AUTUMN),
    ("GJJ-2026-0102", "示例市虚构运输公司", None, date(2026, 5, 1), 5, 3.2, AUTUMN),
    ("GJJ-2026-0103", "示例市假设印刷厂", "郫县", date(2026, 1, 1), 9, "约8万", AUTUMN),
    ("GJJ-2026-0104", "示例市样例幼儿园", "新城片区", date(2026, 7, 1), 3, 1.1, AUTUMN),
    ("合计", None, None, None, None, 24.8, None),
)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory; what is installed there stands in it, not beside the other tests."""
    installed = str(tmp_path / "installed")
    monkeypatch.setenv("PIP_TARGET", installed)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    monkeypatch.setenv("PYTHONPATH", installed)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("COLUMNS", "300")
    return tmp_path


def test_a_stranger_follows_the_page_from_nothing_to_the_first_events(place: Path) -> None:
    write_ledger(place / LEDGER)
    with ExitStack() as running:
        steps = following(place, running)
        contract, begun, rehearsed, subscribed, sent, pulled = (next(steps) for _ in range(6))
        repair(place / f"{LEDGER}.errors.xlsx")
        again = next(steps)
        assert list(steps) == []
        later = shell(
            "guantong pull arrears --as 510100.inspection-office --data data --json", place
        )
    assert "briefing.fund_arrears 1.0  住房公积金欠缴通报" in contract
    assert begun.endswith("样例全部一致 / all samples agree\n")
    assert "读取 4，退回 2" in rehearsed
    assert "欠缴金额是约数" in rehearsed
    assert "所在区划不是行政区划代码" in rehearsed
    assert "没有人读的列" not in rehearsed
    assert subscribed == "策略版本 1 已生效\n订阅 arrears：briefing.fund_arrears，区划 510100\n"
    assert re.search(r"│ 4 +│ 2 +│ 0 +│ 2 +│", sent)
    assert re.findall(r"GJJ-2026-\d{4}", pulled) == ["GJJ-2026-0101", "GJJ-2026-0102"]
    assert re.search(r"│ 4 +│ 2 +│ 2 +│ 0 +│", again)
    assert [
        (event["region"], event["data"]["arrearsno"], event["data"]["amount"])
        for event in json.loads(later)
    ] == [
        ("510104", "GJJ-2026-0101", {"amount": "12.5", "unit": "万元"}),
        ("510104", "GJJ-2026-0102", {"amount": "3.2", "unit": "万元"}),
        ("510117", "GJJ-2026-0103", {"amount": "8", "unit": "万元"}),
        ("510116", "GJJ-2026-0104", {"amount": "1.1", "unit": "万元"}),
    ]


@pytest.mark.parametrize(
    ("months", "told"),
    [
        (None, "请先在契约旁写好 examples/valid/briefing.fund_arrears-1.json"),
        ("七", "/data/months 应为整数"),
    ],
)
def test_who_begins_without_a_good_example_is_told_what_it_lacks(
    place: Path, months: str | None, told: str
) -> None:
    for name, body in files_of_the_page():
        write(place / name, body if months is None else body.replace(": 7,", f': "{months}",'))
    package = place / "gongjijin-contract"
    if months is None:
        (package / "gongjijin" / "examples" / "valid" / f"{TYPE}-1.json").unlink()
    about = place / "installed" / "gongjijin-1.0.dist-info"
    write(about / "entry_points.txt", "[guantong.contracts]\ngongjijin = gongjijin\n")
    (package / "gongjijin").rename(place / "installed" / "gongjijin")
    said = shell(f"guantong adapter new gongjijin --type {TYPE} 2>&1", place, status=1)
    assert f"契约 {TYPE} 1.0 没有合格的例子，{told}" in said
    assert not (place / "gongjijin").exists()


def files_of_the_page() -> Iterator[tuple[str, str]]:
    """The files that the page has people write: path and text."""
    for block in BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        _, named, path = block["info"].partition(" file=")
        if named:
            yield path, block["body"]


def write(file: Path, text: str) -> None:
    """Write a file, and the folders above it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def following(place: Path, running: ExitStack) -> Iterator[str]:
    """Do what the page's blocks say, and what each of its commands printed."""
    for block in BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        language, _, rest = block["info"].partition(" ")
        if rest.startswith("file="):
            write(place / rest.removeprefix("file="), block["body"])
        elif (language, rest) == ("sh", "up"):
            assert block["body"] == "guantong up --data data\n"
            running.enter_context(running_hub(place / "data"))
        else:
            assert (language, rest) in (("sh", "run"), ("sh", "run status=1"))
            yield shell(block["body"], place, status=int(rest.endswith("status=1")))


def shell(script: str, place: Path, *, status: int = 0) -> str:
    """What a script printed, which ended as it should."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def write_ledger(path: Path) -> None:
    """The ledger of the page: a title, a unit, a header of two rows, a region for two rows."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["示例市住房公积金管理中心欠缴单位台账"])
    sheet.append(["统计截至2026年9月30日　单位：万元"])
    sheet.append(["台账号", "缴存单位", "所属片区", "欠缴情况", None, None, "登记日期"])
    sheet.append([None, None, None, "起始日", "月数", "金额"])
    for row in ROWS:
        sheet.append(row)
    for merged in ("A1:G1", "A2:G2", "A3:A4", "B3:B4", "C3:C4", "D3:F3", "G3:G4", "C5:C6"):
        sheet.merge_cells(merged)
    book.save(path)


def repair(path: Path) -> None:
    """What the page tells people to put right."""
    book = load_workbook(path)
    sheet = book.worksheets[0]
    for row in sheet.iter_rows():
        for cell in row:
            if cell.value == "约8万":
                cell.value = "8"
            elif cell.value == "新城片区":
                cell.value = "510116"
    book.save(path)
