"""The README's blocks, run in their order as a newcomer would."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import PATIENCE, running_hub

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"```(?P<info>[^\n]+)\n(?P<body>.*?)```", re.DOTALL)


def test_the_readme_opens_with_the_two_commands() -> None:
    first = BLOCK.search(README)
    assert first is not None
    commands = [line.partition("#")[0].strip() for line in first["body"].splitlines()]
    assert commands == ["make demo", "make test"]


def test_every_block_of_the_readme_works(tmp_path: Path) -> None:
    outputs: list[str] = []
    with running_hub(tmp_path / "data"):
        for block in BLOCK.finditer(README):
            language, _, rest = block["info"].partition(" ")
            if rest.startswith("file="):
                (tmp_path / rest.removeprefix("file=")).write_text(block["body"], encoding="utf-8")
            elif (language, rest) == ("sh", "run"):
                outputs.append(_shell(block["body"], tmp_path))
    applied, catalogue, subscribed, published, pulled, checked, kept = outputs
    assert "clue.transferred 2.0  问题线索移交" in catalogue
    assert "catalogue/index.html 读起" in catalogue
    assert applied == "策略版本 1 已生效\n"
    assert subscribed == "订阅 petitions：petition.*，区划 510100\n"
    assert '"status":"accepted"' in published
    assert "petition.case_transferred" in pulled
    assert "XF-2026-000001" in pulled
    assert checked == "样例全部一致 / all samples agree\n"
    assert "，故障 0\nbackup-1：1 条事件，至 0-1 / 1 events\n" in kept
    assert "restored：1 条事件，至 0-1 / 1 events\n" in kept


@pytest.mark.parametrize("target", re.findall(r"`make (\w+)", README))
def test_the_makefile_has_every_target_the_readme_names(target: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def _shell(script: str, directory: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=directory,
        env={**os.environ, "PATH": path, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
