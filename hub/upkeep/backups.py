"""Whether there is a backup worth the name."""

import os
from pathlib import Path
from typing import Final

from hub.event import rfc3339
from hub.upkeep.backup import LastBackup
from hub.upkeep.finding import Finding, ok, warning
from hub.upkeep.manifest import MANIFEST

HOUR: Final = 3600 * 1_000_000
# One a day, which may end two hours later than the one before.
OLDEST: Final = 26 * HOUR
_MAKE: Final = (
    "请每天执行 guantong backup，存到另一块磁盘或另一台机器，并定期试恢复",
    "run guantong backup every day, keep it on another disk or machine, and try a restore at times",
)


def judge_backup(last: LastBackup | None, directory: Path, *, now: int) -> Finding:
    """The newest backup that the data directory remembers: its age, and where it lies."""
    if last is None:
        return warning("backups", "没有备份", "there is no backup", *_MAKE)
    hours = max(0, now - last.at) // HOUR
    made = f"最近的备份在 {hours:,} 小时前（{rfc3339(last.at)}，{last.events:,} 条事件）"
    made_en = f"the newest backup is {hours:,} hours old ({last.events:,} events)"
    if now - last.at > OLDEST:
        return warning("backups", made, made_en, *_MAKE)
    if not os.path.exists(Path(last.path) / MANIFEST):
        return warning(
            "backups",
            f"{made}，但已不在 {last.path}，从这里看不到",
            f"{made_en}, but is not at {last.path} any more and cannot be seen from here",
            "移到别处的，请核对它仍在那里并试恢复；已删除的，请重新执行 guantong backup",
            "if it was taken elsewhere, see that it is there and try a restore; if it was deleted,"
            " run guantong backup anew",
        )
    if _same_disk(Path(last.path), directory):
        return warning(
            "backups",
            f"{made}，但与数据在同一磁盘（{last.path}）",
            f"{made_en}, but on the disk of the data ({last.path})",
            "请存到另一块磁盘或另一台机器",
            "keep it on another disk or machine",
        )
    return ok("backups", made, made_en)


def _same_disk(one: Path, other: Path) -> bool:
    return one.stat().st_dev == other.stat().st_dev
