"""The demo, from its commands to its last line: on one process, and on several over Kafka."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.demo.exports import make_exports
from tests.running import PATIENCE

ROOT = Path(__file__).parents[2]


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
def test_the_demo_ends_with_what_the_exports_hold(arguments: list[str], tmp_path: Path) -> None:
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
    figures = json.loads(done.stdout.splitlines()[-1])
    county = figures["delivered"].pop("510104.inspection-office")
    assert figures == {
        "read": exports.rows,
        "accepted": new,
        "duplicate": exports.repeated,
        "rejected": wrong,
        "delivered": {
            "510000.inspection-office": new,
            "510100.discipline": new + 1,
            # The answers of discipline and of the bureau.
            "510100.inspection-office": new + 2,
            # Its own, and the case that the office assigned to it.
            "510100.petition": new + 1,
        },
        # Both offices above and the bureau lack fields of each petition; the county's of each that
        # it got.
        "withheld": 3 * new + 1 + county,
        "again": {"accepted": 0, "duplicate": new + exports.repeated},
    }
    assert 0 < county < new
    assert "回执与第一次完全相同" in done.stdout
    assert f"回避（被反映方）：{exports.accusing_the_office}" in done.stdout
