"""The machine that a hub runs on: SQLite, the clock, files that may be open, memory."""

import ctypes
import resource
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hub.database.sqlite import FIRST_SAFE_SQLITE
from hub.upkeep.finding import Finding, failure, ok, warning

SECOND: Final = 1_000_000
MEBIBYTE: Final = 1024 * 1024
# Beside the connections: the database's files, the log, the pipes of the event loop.
OTHER_FILES: Final = 64
# Beside what waits to be written: the program, its contracts, the caches of the database.
BASE_MEMORY: Final = 512 * MEBIBYTE
_TIME_ERROR: Final = 5


def judge_sqlite(version: str) -> Finding:
    """Versions up to 3.51.2 can damage a database that two connections write at one moment."""
    safe = ".".join(map(str, FIRST_SAFE_SQLITE))
    if tuple(map(int, version.split("."))) >= FIRST_SAFE_SQLITE:
        return ok(
            "sqlite", f"SQLite {version}，无已知缺陷", f"SQLite {version} has no known defect"
        )
    return warning(
        "sqlite",
        f"SQLite {version} 存在 WAL 重置缺陷（自 {safe} 起修复），贯通以单一写连接规避",
        f"SQLite {version} has the WAL-reset bug (fixed in {safe}); the hub's single writer avoids"
        " it",
        "请安装 pysqlite3 或更新系统的 SQLite，勿用其他程序写入数据库",
        "install pysqlite3 or a newer SQLite, and let no other program write to the database",
    )


def judge_clock(*, now: int, hubtime: int, synchronised: bool | None) -> Finding:
    """Times in microseconds UTC; `hubtime` is the journal's last, which a clock must have passed.

    `synchronised` is what the kernel knows of a time server; None where it cannot be seen.
    """
    behind = (hubtime - now) / SECOND
    if behind > 1:
        return failure(
            "clock",
            f"时钟比日志的最后时间慢 {behind:,.0f} 秒，新事件的时间将停在原处",
            f"the clock is {behind:,.0f} s behind the journal's last time, where new events stay",
            "请校准时钟（启用 NTP）；贯通的时间不会倒退，追上后自行恢复",
            "set the clock right (NTP); the hub's time never runs back and goes on once caught up",
        )
    zone = datetime.fromtimestamp(now / SECOND, UTC).astimezone().strftime("%z")
    if synchronised is False:
        return warning(
            "clock",
            f"时钟未与时间服务器同步（时区 {zone}）",
            f"the clock is not synchronised with a time server (time zone {zone})",
            "请启用 chrony、ntpd 或 systemd-timesyncd",
            "run chrony, ntpd or systemd-timesyncd",
        )
    seen = ("已同步", "is synchronised") if synchronised else ("同步状况不可见", "may be right")
    return ok(
        "clock",
        f"时钟未落后于日志，{seen[0]}（时区 {zone}，贯通内部一律用 UTC）",
        f"the clock is not behind the journal and {seen[1]} (time zone {zone}; the hub uses UTC)",
    )


def judge_limits(*, files: int, connections: int) -> Finding:
    """`files` may be open at once; `connections` are the most that the hub takes."""
    needed = connections + OTHER_FILES
    if files >= needed:
        return ok(
            "limits",
            f"可打开 {files:,} 个文件，连接上限 {connections:,}",
            f"{files:,} files may be open, for at most {connections:,} connections",
        )
    return failure(
        "limits",
        f"只能打开 {files:,} 个文件，不足以承受 {connections:,} 个连接",
        f"only {files:,} files may be open, too few for {connections:,} connections",
        f"请将 nofile 提高到 {needed:,} 以上（systemd：LimitNOFILE），或调低"
        " GUANTONG_MAX_CONNECTIONS",
        f"raise nofile to {needed:,} (systemd: LimitNOFILE), or lower GUANTONG_MAX_CONNECTIONS",
    )


def judge_memory(*, memory: int | None, queue: int) -> Finding:
    """Bytes: what this process may use, None where it cannot be seen; what may wait for writing."""
    # A waiting work stands in memory as it came and as it will be written.
    needed = BASE_MEMORY + 2 * queue
    shown = "不可见" if memory is None else f"{memory // MEBIBYTE:,} MiB"
    shown_en = "cannot be seen" if memory is None else f"is {memory // MEBIBYTE:,} MiB"
    if memory is None or memory >= needed:
        return ok(
            "memory",
            f"可用内存上限 {shown}，需要 {needed // MEBIBYTE:,} MiB",
            f"the memory limit {shown_en}; {needed // MEBIBYTE:,} MiB are needed",
        )
    return warning(
        "memory",
        f"可用内存上限 {shown}，少于需要的 {needed // MEBIBYTE:,} MiB",
        f"the memory limit {shown_en}, less than the {needed // MEBIBYTE:,} MiB needed",
        "请提高内存上限，或调低 GUANTONG_QUEUE_BYTES",
        "raise the limit, or lower GUANTONG_QUEUE_BYTES",
    )


def open_files() -> int:
    """How many files this process may have open."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def memory_limit() -> int | None:
    """Bytes that this process may use at most: the machine's, or less by its control group."""
    total = _words("/proc/meminfo")[1:2]
    found = [int(kibibytes) * 1024 for kibibytes in total]
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        found.extend(int(word) for word in _words(f"/sys/fs/cgroup/{name}") if word.isdigit())
    return min(found, default=None)


def synchronised() -> bool | None:
    """Whether the kernel holds its clock for synchronised; None where it does not say."""
    try:
        # With nothing to set, adjtimex only fills in a structure, here of ample size, and answers.
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(1024))
    except (AttributeError, OSError):
        return None
    return None if state < 0 else state != _TIME_ERROR


def _words(file: str) -> list[str]:
    """The words of a file of the kernel; none where there is no such file."""
    try:
        return Path(file).read_text().split()
    except OSError:
        return []
