"""An installation's own codes in a backup: the files of its lists, in a folder beside the database.

What they say is not judged here: a hub judges them as it starts, after a restore as ever.
"""

import shutil
from contextlib import suppress
from pathlib import Path

from hub.upkeep.files import sync
from hub.upkeep.manifest import LISTED, File, digest_of


def copy_codes(source: Path, target: Path) -> dict[str, File]:
    """Copy the lists' files of one folder to another, which is made if there are any.

    All is on the disk when this returns; names and digests of what was copied. Raises OSError.
    """
    files = [path for path in sorted(source.glob("*.csv")) if LISTED.fullmatch(path.name)]
    if not files:
        return {}
    target.mkdir(mode=0o700)
    for path in files:
        copied = target / path.name
        copied.touch(mode=0o600)
        shutil.copyfile(path, copied)
        sync(copied)
    sync(target)
    return {path.name: digest_of(target / path.name) for path in files}


def clear_codes(folder: Path) -> None:
    """Take away a folder of copies; what else is in it stays, and it with that."""
    for path in folder.glob("*.csv"):
        path.unlink()
    with suppress(OSError):
        folder.rmdir()
