"""A team on site without a network: what it drops is sent when it is back, in order and once."""

import csv
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from tests.cluster import until
from tests.running import RunningHub
from tests.sample import CITY, PETITION, agency, grant, petition, policy

TEAM = "510100.inspection-team.14-11-04"
SETTINGS = """
state = "state"
[hub]
url = "{url}"

[[adapter]]
name = "weekly"
kind = "inspection.weekly"
agency = "510100.inspection-team.14-11-04"
token_file = "team.token"
every = 0.05
source = {{ type = "folder", path = "投放", quiet = 0 }}

[[adapter]]
name = "letters"
kind = "petition"
agency = "510100.inspection-team.14-11-04"
token_file = "team.token"
subscription = {{ types = ["petition.*"], start = "earliest" }}
sinks = [{{ type = "ledger", path = "信访台账.xlsx" }}]
"""
WEEK: Mapping[str, str] = {
    "轮次编号": "510100-14-11",
    "组别编号": "510100-14-11-04",
    "报告周期": "周报",
    "查阅文档数": "86",
    "信访数量": "3",
    "走访数量": "2",
    "发现问题总数": "6",
    "下期计划": "撰写报告。",
}
DAYS = ("报告日期", "期间起", "期间止")
MONDAYS = {1: "2026-03-02", 2: "2026-03-09", 3: "2026-03-16", 4: "2026-03-23"}


@dataclass
class Laptop:
    """The team's folder; `told` is everything that its runs have logged."""

    base: Path
    told: list[dict[str, Any]] = field(default_factory=list)

    def network(self, url: str) -> None:
        (self.base / "adapters.toml").write_text(SETTINGS.format(url=url), encoding="utf-8")

    def drop(self, name: str, *weeks: int, talks: str = "14", wrong: bool = False) -> None:
        """Put weekly reports into the folder, and wait until they are taken."""
        rows = [
            {**WEEK, "期数": str(week), "谈话人数": talks, **dict.fromkeys(DAYS, MONDAYS[week])}
            for week in weeks
        ]
        rows += [rows[0] | {"期数": "99", "谈话人数": "若干"}] if wrong else []
        whole = self.base / f"{name}.whole"
        with whole.open("w", encoding="gb18030", newline="") as out:
            table = csv.DictWriter(out, rows[0].keys())
            table.writeheader()
            table.writerows(rows)
        whole.rename(self.base / "投放" / name)
        until(lambda: not (self.base / "投放" / name).exists() or None)

    @contextmanager
    def runs(self, end: signal.Signals) -> Iterator[None]:
        """Its process of adapters, ended so with the block."""
        command = [sys.executable, "-m", "hub", "adapter", "run", str(self.base / "adapters.toml")]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as run:
            assert run.stderr is not None
            try:
                for line in run.stderr:
                    if '"adapters.running"' in line:
                        break
                yield
                run.send_signal(end)
                self.told += [json.loads(line) for line in run.stderr]
                run.wait()
            finally:
                run.kill()
        assert run.returncode == (0 if end == signal.SIGTERM else -end)

    def letters(self) -> list[str]:
        """The cases in its ledger, none before it is there."""
        if not (self.base / "信访台账.xlsx").exists():
            return []
        rows = load_workbook(self.base / "信访台账.xlsx").worksheets[0].iter_rows(values_only=True)
        return [str(row[0]) for row in rows if str(row[0]).startswith("XF-")]


@pytest.fixture
def laptop(tmp_path: Path) -> Laptop:
    (tmp_path / "team" / "投放").mkdir(parents=True)
    return Laptop(tmp_path / "team")


@pytest.fixture
def nowhere() -> Iterator[str]:
    """An address at which connections are refused."""
    with socket.socket() as kept:
        kept.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{kept.getsockname()[1]}"


@pytest.fixture
def teams_hub(fresh_hub: RunningHub) -> RunningHub:
    """A hub that knows the team."""
    document = policy()
    document["agencies"].append(agency(TEAM, "示范市委巡察四组"))
    document["grants"] += [
        grant(TEAM, "publish", "progress.*"),
        grant(TEAM, "receive", "petition.*"),
    ]
    fresh_hub.apply(document)
    return fresh_hub


def test_a_team_works_for_weeks_without_the_hub(
    teams_hub: RunningHub, laptop: Laptop, nowhere: str
) -> None:
    (laptop.base / "team.token").write_text(teams_hub.token(TEAM), encoding="utf-8")
    office, bureau = teams_hub.agency(CITY), teams_hub.agency(PETITION)
    office.subscribe("reports", types=["progress.*"])

    # Before it leaves.
    bureau.accepted(petition(1))
    laptop.network(teams_hub.url)
    with laptop.runs(signal.SIGTERM):
        laptop.drop("一.csv", 1)
        until(lambda: (laptop.base / "投放" / "done" / "一.csv").exists() or None)
        until(lambda: laptop.letters() or None)

    # On site: two runs, one of them killed, and the hub answers neither.
    laptop.network(nowhere)
    with laptop.runs(signal.SIGKILL):
        laptop.drop("二.csv", 2, wrong=True)
        # What it has to put right, it is told there and then.
        answers = laptop.base / "weekly-answers"
        until(lambda: list(answers.glob("*.errors.xlsx")) or None)
    bureau.accepted(petition(2), petition(3))
    with laptop.runs(signal.SIGTERM):
        laptop.drop("三.csv", 2, 3, talks="16")
        laptop.drop("四.csv", 3, 4, talks="16")
    assert len(office.drain("reports")) == 1
    assert laptop.letters() == ["XF-1"]

    # Back.
    laptop.network(teams_hub.url)
    with laptop.runs(signal.SIGTERM):
        until(lambda: (laptop.base / "投放" / "done" / "四.csv").exists() or None)
        until(lambda: len(laptop.letters()) == 3 or None)

    reports = office.drain("reports")
    data = [(each["data"]["number"], each["data"]["work"]["talks"]) for each in reports]
    assert data == [(1, 14), (2, 14), (2, 16), (3, 16), (4, 16)]
    assert [each.get("supersedes") for each in reports] == [
        None,
        None,
        reports[1]["id"],
        None,
        None,
    ]
    assert laptop.letters() == ["XF-1", "XF-2", "XF-3"]
    finished = [line for line in laptop.told if line["event"] == "document.finished"]
    assert [
        (line["document"], line["accepted"], line["duplicate"], line["rejected"])
        for line in finished
    ] == [(1, 1, 0, 0), (2, 1, 0, 1), (3, 2, 0, 0), (4, 1, 1, 0)]
    (returned,) = (laptop.base / "投放" / "rejected").iterdir()
    assert {path.name for path in returned.iterdir()} == {
        "二.csv",
        "二.csv.errors.csv",
        "二.csv.errors.xlsx",
    }
