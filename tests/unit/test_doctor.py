"""A running hub's doctor: one examination at a time, none longer than it may take."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hub.database.readers import OnThreads, Readers
from hub.database.sqlite import SqliteDatabase, open_sqlite
from hub.errors import Overloaded
from hub.upkeep.doctor import FULL_SECONDS, QUICK_SECONDS, Doctor
from hub.upkeep.examine import Patient, examine_stopped
from hub.upkeep.finding import Finding, ok


@pytest.fixture
def database(tmp_path: Path) -> Iterator[SqliteDatabase]:
    """A database of one reader."""
    with closing(open_sqlite(tmp_path / "data", readers=1)) as opened:
        yield opened


class Surroundings:
    """What a doctor is given: whether the hub is ready, held back until `gate`, and the time."""

    def __init__(self, database: SqliteDatabase, directory: Path) -> None:
        self.asked, self.gate = asyncio.Event(), asyncio.Event()
        self.reason: str | None = None
        self.monotonic: Callable[[], float] = lambda: 0.0
        self.readers = Readers(OnThreads(database.reading, threads=1), failed=lambda _: None)
        self.doctor = Doctor(
            self.readers,
            patient=Patient(directory, connections=10, queue=1024, kafka=False),
            unready=self._unready,
            beside=self._beside,
            version="1.2.3",
            clock=lambda: 1_800_000_000_000_000,
            monotonic=lambda: self.monotonic(),
        )

    async def _beside(self) -> list[Finding]:
        return [ok("beside", "旁", "beside")]

    async def _unready(self) -> str | None:
        self.asked.set()
        await self.gate.wait()
        return self.reason


@pytest.fixture
async def surroundings(database: SqliteDatabase, tmp_path: Path) -> AsyncIterator[Surroundings]:
    """A doctor of an empty hub."""
    made = Surroundings(database, tmp_path / "data")
    yield made
    made.readers.stop()


def found(findings: list[Finding], *checks: str) -> list[tuple[str, str]]:
    """The level and the Chinese sentence of the named checks."""
    return [(f.level, f.says) for f in findings if f.check in checks]


async def test_one_examination_runs_at_a_time(surroundings: Surroundings) -> None:
    first = asyncio.create_task(surroundings.doctor.examine(full=False))
    await surroundings.asked.wait()
    with pytest.raises(Overloaded) as busy:
        await surroundings.doctor.examine(full=False)
    surroundings.gate.set()

    assert (busy.value.detail, busy.value.retry_after) == (
        "另一检查正在进行 / another examination runs",
        5,
    )
    assert found(await first, "hub", "beside") == [
        ("ok", "贯通 1.2.3 在运行，可写入"),
        ("ok", "旁"),
    ]
    # Now that it is over, the next may come.
    surroundings.reason = "writer: storage_failed"
    assert found(await surroundings.doctor.examine(full=False), "hub") == [
        ("failure", "贯通 1.2.3 在运行，但无法写入：writer: storage_failed")
    ]


@pytest.mark.parametrize(
    ("full", "after", "level"),
    [
        (False, QUICK_SECONDS, "failure"),
        (False, QUICK_SECONDS + 1, "warning"),
        (True, QUICK_SECONDS + 1, "failure"),
        (True, FULL_SECONDS + 1, "warning"),
    ],
)
async def test_an_examination_ends_with_its_time(
    surroundings: Surroundings, database: SqliteDatabase, full: bool, after: float, level: str
) -> None:
    with database.writer.begin() as connection:
        connection.exec_driver_sql("UPDATE shards SET next_number = 2")
    looks = iter([0.0])
    surroundings.monotonic = lambda: next(looks, after)
    surroundings.gate.set()
    findings = await surroundings.doctor.examine(full=full)
    # The only event is missing, which is found if there is time to look for it.
    assert [told for told, _ in found(findings, "journal")] == [level]


async def test_a_stop_breaks_an_examination_off(
    surroundings: Surroundings, database: SqliteDatabase
) -> None:
    with database.writer.begin() as connection:
        connection.exec_driver_sql("UPDATE shards SET next_number = 2")
    surroundings.gate.set()
    surroundings.doctor.stop()
    findings = await surroundings.doctor.examine(full=True)
    assert found(findings, "journal") == [
        ("warning", "日志自查未做完：抽查 0 条事件的位置、摘要、回执、去重，无误")
    ]


def test_a_directory_whose_data_has_moved_is_not_taken_for_the_hub(
    database: SqliteDatabase,
) -> None:
    (database.directory / "moved").write_text("2026-11-20T08:00:00Z example/guantong\n")
    patient = Patient(database.directory, connections=10, queue=1024, kafka=False)
    (finding,) = examine_stopped(patient, full=False, now=1)
    assert (finding.check, finding.level, finding.says) == (
        "directory",
        "failure",
        f"{database.directory} 中的数据已移到 PostgreSQL：2026-11-20T08:00:00Z example/guantong",
    )
    assert finding.advice and finding.advice_en
