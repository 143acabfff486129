"""A sink whose disk is full, of a real hub's feed: told, nothing lost or twice, others go on."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.sinks.making import cells
from tests.adapters.test_running import FOLDER, Log, export, figures, running
from tests.cluster import until
from tests.running import RunningHub
from tests.sample import CITY, PETITION

TAKING = """
[[adapter]]
name = "{name}"
kind = "petition"
agency = "{agency}"
token_file = "city.token"
subscription = {{ types = ["petition.*"], start = "earliest" }}
sinks = [
    {{ type = "files", path = "{name}/files" }},
    {{ type = "ledger", path = "{name}/ledger.xlsx" }},
]
"""
CASES = [f"F{number}" for number in range(24)]
PAGE = 4096
METRICS = 'metrics = "127.0.0.1:0"'


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of one mebibyte."""
    disk = tmp_path / "small"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root mounts a small disk; tests/adapters/sinks tries files that are full")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def fill(ballast: Path, leaving: int) -> None:
    """Write until the disk has so many pages left."""
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(PAGE))
        except OSError:
            file.truncate(file.tell() - leaving * PAGE)


def taken(log: Log, name: str) -> float:
    return figures(log.metrics)[f"guantong_adapter_taken_total['{name}']"]


def files(folder: Path) -> list[str]:
    """What the sinks have made for people, but for the ledger."""
    return sorted(f"{path.relative_to(folder)}" for path in folder.rglob("*.json"))


def test_it_is_told_and_goes_on_by_itself_when_there_is_room(
    hub: RunningHub, tmp_path: Path, small: Path
) -> None:
    (tmp_path / "petition.token").write_text(hub.token(PETITION), encoding="utf-8")
    (tmp_path / "city.token").write_text(hub.token(CITY), encoding="utf-8")
    adapters = [TAKING.format(name=name, agency=CITY) for name in ("small", "large")]
    fill(small / "ballast", leaving=16)
    with running(tmp_path, FOLDER.format(url=hub.url, metrics=METRICS) + "".join(adapters)) as log:
        export(tmp_path / "drop" / "a.csv", *CASES)
        log.first("document.finished", accepted=len(CASES))
        failed = [log.first("adapter.failed") for _ in range(3)]
        assert {(each["adapter"], each["part"]) for each in failed} == {("small", "taking")}
        assert {each["reason"] for each in failed} <= {"No space left on device", "SQLITE_FULL"}
        until(lambda: taken(log, "large") == len(CASES))
        export(tmp_path / "drop" / "b.csv", "F99")
        log.first("document.finished", accepted=1)
        (small / "ballast").unlink()
        until(lambda: taken(log, "large") == taken(log, "small") == len(CASES) + 1)
    large = tmp_path / "large"
    assert len(files(large)) == len(CASES) + 1
    assert {name: (small / name).read_bytes() for name in files(small)} == {
        name: (large / name).read_bytes() for name in files(large)
    }
    assert cells(small / "ledger.xlsx") == cells(large / "ledger.xlsx")
