"""Passwords and tokens, each in a file that only its owner can read."""

from pathlib import Path
from typing import Final

from adapters.kit.port import CannotRun

_LONGEST: Final = 4_096


def secret_in(path: Path) -> str:
    """The secret in a file. Raises CannotRun if others can read it, or it holds none."""
    try:
        with path.open("rb") as file:
            mode = path.stat().st_mode & 0o077
            content = file.read(_LONGEST + 1)
    except OSError as error:
        raise CannotRun(f"{path} 无法读取（{type(error).__name__}）：请检查文件") from error
    if mode:
        raise CannotRun(f"{path} 其他人可以读取：请执行 chmod 600")
    text = content.decode("ascii", "replace").strip()
    if not text or len(content) > _LONGEST or not (text.isascii() and text.isprintable()):
        raise CannotRun(f"{path} 应只有一行口令，且为 ASCII 字符")
    return text
