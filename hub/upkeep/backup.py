"""Making a backup, beside a running hub or a stopped one, and remembering that it was made.

It is made under another name, checked, synced and then renamed: a directory without the suffix
`.partial` is a whole backup. Decision 0014 says why the hub itself has no part in it.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from contracts.owncodes import CODES
from hub.database.inspection import copy, integrity, reading
from hub.database.opening import refuse_moved
from hub.database.sqlite import DATABASE
from hub.errors import BackupFailed, DataDirectoryDamaged, DirectoryNotEmpty
from hub.event import rfc3339
from hub.upkeep.codefiles import clear_codes, copy_codes
from hub.upkeep.files import sync, write_whole
from hub.upkeep.manifest import MANIFEST, File, Manifest, contents_of, digest_of

LAST_BACKUP: Final = "last-backup.json"
PARTIAL: Final = ".partial"


class LastBackup(BaseModel):
    """What a data directory remembers of its newest backup; `at` is microseconds UTC."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    at: int
    path: str
    events: int


def make_backup(data: Path, target: Path, *, version: str, now: int) -> Manifest:
    """Copy a data directory's database, as it is at this moment, and its codes to a new directory.

    Everything acknowledged before the call is in it, and the data directory remembers it. Raises
    BackupFailed, DataDirectoryMoved, DirectoryNotEmpty, or OSError; what there is of `target` is
    whole or nothing.
    """
    target = target.absolute()
    # A backup of what was left behind, night after night, would be mistaken for one of the hub.
    refuse_moved(data)
    if not (data / DATABASE).exists():
        raise BackupFailed(f"{data}: 没有 {DATABASE} / no {DATABASE}")
    if target.exists():
        raise DirectoryNotEmpty(str(target))
    with _draft_of(target) as draft:
        copied = draft / DATABASE
        copied.touch(mode=0o600)
        try:
            with reading(data / DATABASE) as source:
                copy(source, copied)
            codes = copy_codes(data / CODES, draft / CODES)
            manifest = _described(copied, codes, version=version, now=now)
        except DataDirectoryDamaged as damaged:
            raise BackupFailed(damaged.detail) from damaged
        write_whole(draft / MANIFEST, manifest.model_dump_json(indent=2) + "\n")
        sync(copied)
        sync(draft)
        draft.rename(target)
    sync(target.parent)
    _remember(data, LastBackup(at=now, path=str(target), events=manifest.contents.events))
    return manifest


def last_backup(data: Path) -> LastBackup | None:
    """The newest backup that a data directory remembers; None also where that cannot be read."""
    try:
        return LastBackup.model_validate_json((data / LAST_BACKUP).read_bytes())
    except (OSError, ValidationError):
        return None


@contextmanager
def _draft_of(target: Path) -> Iterator[Path]:
    """An empty directory to make the backup in; it is gone if making it fails.

    What a killed backup left there is taken away. Raises BackupFailed while one still runs,
    DirectoryNotEmpty where there is anything else.
    """
    # Its parent must be there: a disk that is not mounted must not fill the one below it.
    draft = target.with_name(target.name + PARTIAL)
    draft.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(draft, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as busy:
            raise BackupFailed(f"{draft}: 另一备份正在进行 / another one is being made") from busy
        _clear(draft)
        if any(draft.iterdir()):
            raise DirectoryNotEmpty(str(draft))
        draft.chmod(0o700)
        try:
            yield draft
        except BaseException:
            _clear(draft)
            draft.rmdir()
            raise
    finally:
        os.close(descriptor)


def _clear(draft: Path) -> None:
    for name in (DATABASE, f"{DATABASE}-journal", MANIFEST, f"{MANIFEST}.new"):
        (draft / name).unlink(missing_ok=True)
    clear_codes(draft / CODES)


def _described(copied: Path, codes: dict[str, File], *, version: str, now: int) -> Manifest:
    """The manifest of a copy that SQLite finds whole. Raises BackupFailed."""
    with reading(copied, still=True) as connection:
        if faults := integrity(connection, full=False, enough=lambda: False):
            raise BackupFailed("; ".join(faults))
        contents = contents_of(connection)
    return Manifest(
        format=1,
        version=version,
        made_at=rfc3339(now),
        contents=contents,
        database=digest_of(copied),
        codes=codes,
    )


def _remember(data: Path, backup: LastBackup) -> None:
    path = data / LAST_BACKUP
    write_whole(path, backup.model_dump_json() + "\n")
    # Made by root, it must still be the hub's to read.
    owner = data.stat()
    os.chown(path, owner.st_uid, owner.st_gid)
