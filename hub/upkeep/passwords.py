"""Passwords of Kafka's users, each in a file that its owner alone may read."""

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hub.upkeep.files import sync

LONGEST: Final = 1024


@dataclass(frozen=True, slots=True)
class Passwords:
    """A directory of `<user>.password`; `draw` makes a new password.

    A file is there, whole and on the disk, before Kafka knows its password: whoever is interrupted
    between goes on with it. It goes before its user does, so that no password comes back.
    """

    directory: Path
    draw: Callable[[], str]

    def of(self, user: str) -> str:
        """The password of a user that Kafka does not have. Raises ValueError where it is exposed.

        A file of that name is never written over.
        """
        self._make_directory()
        path = self._path(user)
        draft = path.with_name(f"{path.name}.new")
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{self.draw()}\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
        sync(self.directory)
        return _read(path)

    def forget(self, user: str) -> None:
        """Remove what is kept of a user, if anything is."""
        self._path(user).unlink(missing_ok=True)

    def _path(self, user: str) -> Path:
        return self.directory / f"{user}.password"

    def _make_directory(self) -> None:
        self.directory.mkdir(mode=0o700, exist_ok=True)
        if stat.S_IMODE(self.directory.stat().st_mode) & 0o022:
            raise ValueError(
                f"{self.directory}：其他人可写，请改为 chmod 700"
                " / others may write there: chmod 700 it"
            )


def _read(path: Path) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        about = os.fstat(descriptor)
        mine = stat.S_ISREG(about.st_mode) and about.st_uid == os.geteuid()
        if not mine or about.st_mode & 0o077:
            raise ValueError(
                f"{path}：不是只有本人可读的文件，请移走后再执行"
                " / not a file that you alone may read: move it away and apply again"
            )
        return os.read(descriptor, LONGEST).decode("ascii").strip()
    finally:
        os.close(descriptor)
