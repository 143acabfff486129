"""The demo, from its commands to its last line: on one process, and on several over Kafka."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from deploy.demo.exports import make_exports
from deploy.demo.steps import phases
from tests.running import PATIENCE

ROOT = Path(__file__).parents[2]
# Who reads all petitions of the city.
ALL = (
    "510000.inspection-office",
    "510100.discipline",
    "510100.inspection-office",
    "510100.petition",
)
NOBODY = "510600.inspection-office"


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], marks=pytest.mark.backend("sqlite"), id="one process"),
        pytest.param(
            ["cluster", "--brokers=1"],
            marks=[pytest.mark.backend("kafka"), pytest.mark.brokers],
            id="cluster",
        ),
    ],
)
def test_the_demo_ends_with_what_the_exports_hold_and_the_round_gives(
    arguments: list[str], tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "deploy.demo", *arguments],
        cwd=tmp_path,
        env={**os.environ, "ONCE": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    made = tmp_path / "expected"
    made.mkdir()
    exports = make_exports(made)
    wrong = len(exports.mistakes)
    new = exports.rows - wrong - exports.repeated
    steps = [step for phase in phases() for step in phase.step]
    read = Counter({agency: 0 for step in steps for given in step.gives for agency in given.to})
    for given in (given for step in steps for given in step.gives):
        read.update(dict.fromkeys(given.to, given.count))
    read.update(dict.fromkeys(ALL, new))
    figures = json.loads(done.stdout.splitlines()[-1])
    county = figures["delivered"].pop("510104.inspection-office")
    withheld = figures.pop("withheld")
    assert figures == {
        "read": exports.rows,
        "accepted": new,
        "duplicate": exports.repeated,
        "rejected": wrong,
        "delivered": {**read, NOBODY: 0},
        "again": {"accepted": 0, "duplicate": new + exports.repeated},
        "round": {"steps": len(steps), "events": sum(step.count for step in steps)},
    }
    assert 0 < county < new
    # Both offices above and the bureau lack fields of each petition; the county's of each that it
    # got.
    assert withheld >= 3 * new + county
    assert "回执与第一次完全相同" in done.stdout
    assert f"回避（被反映方）：{exports.accusing_the_office}" in done.stdout
    told = iter(done.stdout.split())
    assert all(f"{step.on}" in told for step in steps)
