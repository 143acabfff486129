"""The data directory: its file system, who may read it, the room on its disk."""

import os
import re
import shlex
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from hub.upkeep.finding import Finding, failure, ok, warning

MEBIBYTE: Final = 1024**2
GIBIBYTE: Final = 1024**3
DAY: Final = 24 * 3600 * 1_000_000
LEAST_FREE: Final = GIBIBYTE
LITTLE_FREE: Final = 5 * GIBIBYTE
LEAST_DAYS: Final = 7
FEW_DAYS: Final = 30
# Locks and the shared memory of SQLite's log do not work, or not reliably, between machines.
NETWORK: Final = frozenset({
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "virtiofs", "afs", "ceph", "glusterfs", "lustre",
    "gpfs", "beegfs", "ocfs2", "gfs2", "fuse.sshfs", "fuse.ceph", "fuse.glusterfs", "fuse.s3fs",
})  # fmt: skip
PASSING: Final = frozenset({"tmpfs", "ramfs", "overlay", "aufs"})
LOCAL: Final = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "jfs"})


def judge_file_system(kind: str | None) -> Finding:
    """`kind` as the kernel names it; None where it cannot be seen."""
    if kind in LOCAL:
        return ok("file_system", f"本地文件系统 {kind}", f"a local file system, {kind}")
    if kind in NETWORK:
        return failure(
            "file_system",
            f"数据目录在网络文件系统 {kind} 上，数据库会损坏",
            f"the data directory is on a network file system, {kind}: the database will be damaged",
            "请将数据目录移到本机磁盘（ext4、xfs）",
            "move the data directory to a local disk (ext4, xfs)",
        )
    if kind in PASSING:
        return warning(
            "file_system",
            f"数据目录在 {kind} 上，重启或重建容器后数据即失",
            f"the data directory is on {kind}: its data go with the next restart",
            "只可试用；正式运行请用本机磁盘或容器的持久卷",
            "fit for trying out only: use a local disk or a persistent volume",
        )
    named = kind or "?"
    return warning(
        "file_system",
        f"无法判断文件系统 {named} 是否适合数据库",
        f"whether the file system {named} suits a database cannot be told",
        "请确认是本机磁盘，正式运行建议 ext4 或 xfs",
        "make sure that it is a local disk; ext4 or xfs is best",
    )


def judge_permissions(directory: Path) -> Finding:
    """Nobody but its owner may enter the directory or read what is in it."""
    above = directory.stat()
    inside = {path.name: found for path in sorted(directory.iterdir()) if (found := _status(path))}
    open_ = [f"{directory.name}/"] if stat.S_IMODE(above.st_mode) & 0o077 else []
    open_ += [name for name, found in inside.items() if stat.S_IMODE(found.st_mode) & 0o077]
    quoted = shlex.quote(str(directory))
    if open_:
        return failure(
            "permissions",
            f"他人可以进入或读取：{'、'.join(open_)}",
            f"others may enter or read: {', '.join(open_)}",
            f"请执行 chmod -R go= {quoted}，如曾外泄请更换令牌",
            f"run chmod -R go= {quoted}, and renew tokens that may have been read",
        )
    foreign = [name for name, found in inside.items() if found.st_uid != above.st_uid]
    if foreign:
        return failure(
            "permissions",
            f"文件属主与目录不同：{'、'.join(foreign)}，贯通可能无法打开",
            f"owned by somebody else than the directory: {', '.join(foreign)}",
            f"请执行 chown -R --reference={quoted} {quoted}",
            f"run chown -R --reference={quoted} {quoted}",
        )
    return ok(
        "permissions",
        f"目录与 {len(inside)} 个文件仅属主可读",
        f"the directory and its {len(inside)} files are the owner's alone",
    )


def judge_space(*, free: int, used: int, age: int) -> Finding:
    """Bytes free on the disk and used by the database, whose events span `age` microseconds."""
    daily = used / max(1.0, age / DAY)
    days = free / max(1.0, daily)
    room = f"可用 {free / GIBIBYTE:,.1f} GiB，数据库 {used / MEBIBYTE:,.1f} MiB"
    room_en = f"{free / GIBIBYTE:,.1f} GiB free, the database has {used / MEBIBYTE:,.1f} MiB"
    lasts = f"按平均增长可用 {days:,.0f} 天" if days < 10_000 else "增长很慢"
    lasts_en = f"enough for {days:,.0f} days as it grows" if days < 10_000 else "it grows slowly"
    says, says_en = f"{room}，{lasts}", f"{room_en}, {lasts_en}"
    if free >= LITTLE_FREE and days >= FEW_DAYS:
        return ok("disk", says, says_en)
    judged = failure if free < LEAST_FREE or days < LEAST_DAYS else warning
    return judged(
        "disk",
        says,
        says_en,
        "请扩容或清理磁盘；空间用尽时贯通拒收新事件（503），已收的不丢",
        "make room: a full disk makes the hub refuse new events (503); what it took stays",
    )


def file_system_of(directory: Path, *, mounts: Path = Path("/proc/self/mountinfo")) -> str | None:
    """The kind of file system that a directory is on, as the kernel names it."""
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return None
    return _deepest(directory.resolve(), _kinds(lines))


def _status(file: Path) -> os.stat_result | None:
    """A file's status; None where it has gone meanwhile, or is no file."""
    try:
        status = file.stat()
    except FileNotFoundError:
        return None
    return status if stat.S_ISREG(status.st_mode) else None


def _kinds(lines: list[str]) -> dict[str, str]:
    """Mount point → kind; a later mount covers an earlier one."""
    found = {}
    for line in lines:
        before, _, after = line.partition(" - ")
        point = before.split(" ")[4]
        # The kernel writes blanks in names as octal.
        point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), point)
        found[point] = after.split(" ")[0]
    return found


def _deepest(directory: Path, kinds: Mapping[str, str]) -> str | None:
    above = (str(path) for path in (directory, *directory.parents))
    return next((kinds[path] for path in above if path in kinds), None)
