"""Files that hold case data: for the owner's eyes only, and whole or not there at all."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from adapters.kit.port import CannotRun


def placed(
    path: Path,
    write: Callable[[BinaryIO], object],
    *,
    mode: int = 0o600,
    before: Callable[[], object] = lambda: None,
) -> None:
    """Put a file in place of an earlier one, on disk when this returns. Raises OSError.

    `before` is called when everything is written, and may raise to leave the earlier one.
    """
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    opened = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    try:
        with os.fdopen(opened, "w+b") as file:
            write(file)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        before()
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    _settle(path.parent)


def folder_at(path: Path) -> Path:
    """The folder, made for the owner alone if it is not there. Raises CannotRun."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except (FileExistsError, NotADirectoryError) as error:
        raise CannotRun(f"{path} 不是文件夹：请改名移开，或另指定文件夹") from error
    return path


def _settle(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
