"""Moving a county's hub from SQLite to PostgreSQL: everything, or nothing.

All rows go over in one transaction, are read again on both sides, and only then committed. The old
database stays as it is; a mark beside it keeps a hub from going on with it by mistake.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from hub.database.connection import Connection
from hub.database.copying import (
    MADE,
    TABLES,
    analyze,
    copy_rows,
    counts,
    faults_told,
    held,
    keep_to_itself,
    make_partitions,
    name_of,
    restart_numbers,
)
from hub.database.inspection import integrity, reading
from hub.database.lock import locked
from hub.database.migrating import revision_of, revisions
from hub.database.opening import MOVED, refuse_moved
from hub.database.partitions import QUARTERLY
from hub.database.postgres import open_postgres
from hub.database.sqlite import DATABASE
from hub.errors import DataDirectoryDamaged, DataDirectoryNewer, MoveFailed
from hub.event import rfc3339
from hub.upkeep.files import sync, write_whole
from hub.upkeep.records import judge_journal

# Told what is done with which table, and how many of its rows are through.
Progress = Callable[[str, str, int], None]
_COPYING, _PROVING = "复制 / copying", "核对 / proving"


@dataclass(frozen=True, slots=True)
class Carried:
    """A table that is the same on both sides: its rows, and the SHA-256 over them."""

    table: str
    rows: int
    digest: str


@dataclass(frozen=True, slots=True)
class Moved:
    """What was moved, and where to."""

    to: str
    tables: tuple[Carried, ...]


def move(data: Path, address: str, *, now: int, progress: Progress) -> Moved:
    """Move the database of a data directory to an empty PostgreSQL database.

    Where an earlier move was cut off between its commit and the mark, this one ends it. Raises
    MoveFailed, DataDirectoryInUse, DataDirectoryMoved, DataDirectoryDamaged, DataDirectoryNewer,
    or as `open_postgres`; the target is then as it was, but for tables with nothing in them.
    """
    if not (data / DATABASE).exists():
        raise MoveFailed(f"{data}: 没有 {DATABASE} / no {DATABASE}")
    with locked(data):
        refuse_moved(data)
        with reading(data / DATABASE) as source:
            _examine(source)
            database = open_postgres(address)
            with faults_told(), closing(database.unhurried()) as target:
                carried = target.run(partial(_carry, source, progress=progress))
        moved = Moved(name_of(database), carried)
        write_whole(data / MOVED, f"{rfc3339(now)} {moved.to}\n")
        sync(data)
    return moved


def _examine(source: Connection) -> None:
    """Raise for a database that this program should not move."""
    revision, newest = revision_of(source), revisions()[0]
    if revision is not None and revision not in revisions():
        raise DataDirectoryNewer(revision)
    if revision != newest:
        raise MoveFailed(
            f"表结构为 {revision}，请先用本版本启动一次贯通，即升级到 {newest}"
            f" / the tables stand at {revision}: start the hub once with this version, {newest}"
        )
    if faults := integrity(source, full=False, enough=lambda: False):
        raise DataDirectoryDamaged("; ".join(faults))


def _carry(source: Connection, target: Connection, *, progress: Progress) -> tuple[Carried, ...]:
    """Copy every table and prove it. Raises MoveFailed."""
    keep_to_itself(target)
    there = counts(target)
    if there == MADE:
        make_partitions(source, target, cut=QUARTERLY)
        for table in TABLES:
            copy_rows(source, target, table, progress=partial(progress, _COPYING))
        restart_numbers(source, target)
        # The proof of the journal is slow to a planner that takes its table for an empty one.
        analyze(target)
    elif there != counts(source):
        raise _not_empty(there)
    carried = []
    for table in TABLES:
        ours, theirs = (
            held(side, table, progress=partial(progress, _PROVING)) for side in (source, target)
        )
        if ours != theirs:
            raise _differs(table.name) if there == MADE else _not_empty(there)
        carried.append(Carried(table.name, ours.rows, ours.digest))
    journal = judge_journal(target, full=True, now=0, enough=lambda: False)
    if journal.level != "ok":
        raise MoveFailed(f"{journal.says} / {journal.says_en}")
    return tuple(carried)


def _differs(table: str) -> MoveFailed:
    return MoveFailed(
        f"{table}: 两边的行数或摘要不同，已撤回 / rows or digests differ; it was undone"
    )


def _not_empty(there: dict[str, int]) -> MoveFailed:
    told = ", ".join(f"{name} {rows:,}" for name, rows in there.items())
    return MoveFailed(
        f"目标库须为新建的空库，现有行数：{told}"
        f" / the target must be a new, empty database; it has rows: {told}"
    )
