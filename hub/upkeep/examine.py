"""The doctor's examination: every check, in the order in which it is told.

A running hub examines itself; of a stopped one, whoever gets the lock of its directory does.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hub.database import intake
from hub.database.connection import Connection, is_sqlite
from hub.database.inspection import damage_told, reading
from hub.database.lock import LOCK, is_locked, locked
from hub.database.migrating import revision_of, revisions
from hub.database.opening import refuse_moved
from hub.database.sqlite import DATABASE, space_of, sqlite_module
from hub.errors import DataDirectoryDamaged, DataDirectoryInUse, DataDirectoryMoved
from hub.journal.register import SHARD
from hub.journal.sql import fed_by_kafka
from hub.upkeep import directory as room
from hub.upkeep import machine, sql
from hub.upkeep.access import access
from hub.upkeep.backup import last_backup
from hub.upkeep.backups import judge_backup
from hub.upkeep.brokers import MOST_NAMED, judge_unfed
from hub.upkeep.finding import Finding, failure, warning
from hub.upkeep.records import judge_handover, judge_integrity, judge_journal, judge_revision
from hub.upkeep.server import judge_partitions, judge_server


@dataclass(frozen=True, slots=True)
class Patient:
    """The hub that is examined: its data directory, and the settings that judgements need."""

    directory: Path
    connections: int
    queue: int
    kafka: bool


def examine(
    connection: Connection,
    patient: Patient,
    *,
    full: bool,
    now: int,
    enough: Callable[[], bool],
) -> list[Finding]:
    """Every finding. Long checks are broken off as soon as it is `enough`, which a finding says.

    With `full`, every event and index is looked at. The time is microseconds UTC.
    """
    if is_sqlite(connection):
        around = _around(patient, now=now)
    else:
        around = [
            *_machine(patient),
            room.judge_permissions(patient.directory),
            *judge_server(sql.server_state(connection)),
            judge_partitions(sql.partitioning(connection, SHARD)),
        ]
    return [*around, *_inside(connection, patient, full, now, enough)]


def examine_stopped(patient: Patient, *, full: bool, now: int) -> list[Finding]:
    """Examine the directory of a hub that does not run. Raises DataDirectoryInUse if it does."""
    file = patient.directory / DATABASE
    # Of one on PostgreSQL too, whose directory holds no database.
    used = (patient.directory / LOCK).exists()
    if used and is_locked(patient.directory):
        raise DataDirectoryInUse(str(patient.directory))
    try:
        refuse_moved(patient.directory)
    except DataDirectoryMoved as moved:
        return [_moved(patient.directory, moved)]
    if not file.exists():
        # Of PostgreSQL the hub makes no backups: one that is remembered was of a file that is gone.
        elsewhere = used and last_backup(patient.directory) is None
        return [(_elsewhere if elsewhere else _no_database)(patient.directory)]
    with locked(patient.directory):
        # A log that a killed hub left must be read with the database, and then lies beside it.
        still = not file.with_name(DATABASE + "-wal").exists()
        try:
            with reading(file, still=still) as connection:
                return examine(connection, patient, full=full, now=now, enough=lambda: False)
        except DataDirectoryDamaged as damaged:
            return [*_around(patient, now=now), _unreadable(damaged)]


def _around(patient: Patient, *, now: int) -> list[Finding]:
    """What can be seen without opening the database of a data directory."""
    directory = patient.directory
    return [
        machine.judge_sqlite(sqlite_module().sqlite_version),
        *_machine(patient),
        room.judge_file_system(room.file_system_of(directory)),
        room.judge_permissions(directory),
        judge_backup(last_backup(directory), directory, now=now),
    ]


def _machine(patient: Patient) -> list[Finding]:
    return [
        machine.judge_limits(files=machine.open_files(), connections=patient.connections),
        machine.judge_memory(memory=machine.memory_limit(), queue=patient.queue),
    ]


def _inside(
    connection: Connection, patient: Patient, full: bool, now: int, enough: Callable[[], bool]
) -> Iterator[Finding]:
    """What only the database can say."""
    try:
        with damage_told():
            revision = judge_revision(revision_of(connection), revisions())
    except DataDirectoryDamaged as damaged:
        yield _unreadable(damaged)
        return
    yield revision

    def integrity() -> list[Finding]:
        # PostgreSQL checks each page by its checksum as it is read.
        if not is_sqlite(connection):
            return []
        return [judge_integrity(connection, full=full, enough=enough)]

    checks: list[Callable[[], Iterable[Finding]]] = [
        # A sample takes a moment; SQLite's own check takes whatever time is left.
        lambda: [judge_journal(connection, full=full, now=now, enough=enough)],
        integrity,
        lambda: _handover(connection, now=now),
        lambda: _room_and_clock(connection, patient, now=now),
        lambda: access(connection, now=now),
        lambda: [] if patient.kafka else _unfed(connection),
    ]
    # What stands in the tables of another version cannot be asked for.
    for check in checks if revision.level == "ok" else [integrity]:
        try:
            with damage_told():
                yield from check()
        except DataDirectoryDamaged as damaged:
            yield _unreadable(damaged)


def _handover(connection: Connection, *, now: int) -> list[Finding]:
    # On SQLite the door registers by itself.
    if is_sqlite(connection):
        return []
    return [judge_handover(intake.standing(connection, SHARD), now=now)]


def _unfed(connection: Connection) -> list[Finding]:
    """The feeds that no process writes where no brokers are set."""
    fed = fed_by_kafka(connection, after=0, most=MOST_NAMED + 1)
    return judge_unfed([f"{each.agency} {each.id}" for each in fed])


def _room_and_clock(connection: Connection, patient: Patient, *, now: int) -> Iterator[Finding]:
    if is_sqlite(connection):
        space = space_of(patient.directory)
        yield room.judge_space(
            free=space.free,
            used=space.database + space.log,
            age=now - (sql.first_hubtime(connection) or now),
        )
    hubtime = max(standing.hubtime for standing in sql.standings(connection))
    yield machine.judge_clock(now=now, hubtime=hubtime, synchronised=machine.synchronised())


def _no_database(directory: Path) -> Finding:
    return failure(
        "directory",
        f"{directory} 中没有数据库",
        f"there is no database in {directory}",
        "请核对 --data，或用 guantong up 启动一次",
        "check --data, or start a hub there with guantong up",
    )


def _elsewhere(directory: Path) -> Finding:
    return warning(
        "directory",
        f"{directory} 中没有数据库；用 PostgreSQL 的进程（serve、work、up --database）本无此库",
        f"there is no database in {directory}; a process on PostgreSQL (serve, work, up --database)"
        " has none there",
        "请启动后再体检，届时检查的是 PostgreSQL；若此处原用 SQLite，则其文件已丢失，"
        "请用 guantong restore 恢复最近的备份",
        "start it and ask again, and PostgreSQL is judged; if this was a hub on SQLite its file is"
        " lost: restore the newest backup (guantong restore)",
    )


def _moved(directory: Path, moved: DataDirectoryMoved) -> Finding:
    return failure(
        "directory",
        f"{directory} 中的数据已移到 PostgreSQL：{moved.detail}",
        f"the data of {directory} has moved to PostgreSQL: {moved.detail}",
        "请检查运行中的贯通；确要用回旧库，先删除文件 moved，此后登记的事件都不在其中",
        "ask the hub that runs; to go back to this database, which lacks every event since, first"
        " delete the file `moved`",
    )


def _unreadable(damaged: DataDirectoryDamaged) -> Finding:
    return failure(
        "integrity",
        f"数据库无法读取：{damaged.detail}",
        f"the database cannot be read: {damaged.detail}",
        "请停止贯通，另存数据目录，再用 guantong restore 恢复最近的备份",
        "stop the hub, put its directory aside, and restore the newest backup (guantong restore)",
    )
