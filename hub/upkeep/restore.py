"""Making a data directory of a backup, and proving that it holds what the manifest says."""

import shutil
from pathlib import Path
from typing import Final

from contracts.owncodes import CODES
from hub.database.inspection import integrity, reading
from hub.database.lock import LOCK, locked
from hub.database.migrating import revisions
from hub.database.sqlite import DATABASE, retire_cursor_key
from hub.errors import (
    BackupInvalid,
    DataDirectoryDamaged,
    DataDirectoryNewer,
    DirectoryNotEmpty,
)
from hub.upkeep.backup import PARTIAL
from hub.upkeep.codefiles import clear_codes, copy_codes
from hub.upkeep.files import sync
from hub.upkeep.manifest import Contents, Manifest, contents_of, digest_of, read_manifest
from hub.upkeep.selfcheck import check_journal

DRAFT: Final = DATABASE + PARTIAL
CODES_DRAFT: Final = f"{DRAFT}-{CODES}"


def restore(backup: Path, data: Path, *, key: bytes) -> Manifest:
    """Make a data directory of a backup; a hub can then be started on it.

    That hub signs cursors with `key`, 32 random bytes: it will give the positions beyond the backup
    anew, so that whoever holds a cursor of then must be told, or would skip events.

    Raises BackupInvalid, DataDirectoryNewer, DataDirectoryInUse, or DirectoryNotEmpty; the
    directory then has no database.
    """
    manifest = read_manifest(backup)
    contents = manifest.contents
    if contents.revision not in revisions():
        raise DataDirectoryNewer(contents.revision)
    with locked(data):
        # What a killed restore left may go; anything else is somebody's.
        if any(path.name != LOCK and not path.name.startswith(DRAFT) for path in data.iterdir()):
            raise DirectoryNotEmpty(str(data))
        _clear(data)
        draft = data / DRAFT
        draft.touch(mode=0o600)
        try:
            _fill(draft, backup / DATABASE, manifest)
            _fill_codes(data / CODES_DRAFT, backup / CODES, manifest)
            retire_cursor_key(draft, until=max(shard.last for shard in contents.shards), key=key)
        except BaseException:
            _clear(data)
            raise
        # With its database a hub can start: by then its codes must be there.
        if manifest.codes:
            (data / CODES_DRAFT).rename(data / CODES)
            sync(data)
        draft.rename(data / DATABASE)
        sync(data)
    return manifest


def _clear(data: Path) -> None:
    clear_codes(data / CODES_DRAFT)
    for left in data.glob(f"{DRAFT}*"):
        left.unlink()


def _fill(draft: Path, source: Path, manifest: Manifest) -> None:
    """Copy the database and check it. Raises BackupInvalid."""
    try:
        shutil.copyfile(source, draft)
    except FileNotFoundError as missing:
        raise BackupInvalid(f"{source}: 不存在 / not there") from missing
    sync(draft)
    if digest_of(draft) != manifest.database:
        raise BackupInvalid(f"{source}: 与清单的 SHA-256 不符 / not the manifest's SHA-256")
    try:
        _check(draft, manifest.contents)
    except DataDirectoryDamaged as damaged:
        raise BackupInvalid(damaged.detail) from damaged


def _fill_codes(draft: Path, source: Path, manifest: Manifest) -> None:
    """Copy the code lists and compare them with the manifest. Raises BackupInvalid."""
    if copy_codes(source, draft) != manifest.codes:
        raise BackupInvalid(f"{source}: 代码表与清单不符 / code lists are not the manifest's")


def _check(database: Path, expected: Contents) -> None:
    """Prove the database by itself and by the manifest. Raises BackupInvalid."""
    with reading(database, still=True) as connection:
        if faults := integrity(connection, full=True, enough=lambda: False):
            raise BackupInvalid("; ".join(faults))
        if contents_of(connection) != expected:
            raise BackupInvalid("日志与清单不符 / the journal is not what the manifest says")
        if not check_journal(connection, full=True, start=0, enough=lambda: False).is_whole:
            raise BackupInvalid("日志自查不符 / the journal is inconsistent")
