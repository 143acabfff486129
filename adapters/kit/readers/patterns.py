"""Which sheets and members count."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Final

_MOST: Final = 5
_LONGEST: Final = 40


def counts(name: str, patterns: Iterable[str]) -> bool:
    """Whether a name is among the patterns (`*` and `?`, capitals or not); with none, every one."""
    wanted = [pattern.casefold().replace("[", "[[]") for pattern in patterns]
    return not wanted or any(fnmatchcase(name.casefold(), pattern) for pattern in wanted)


def quoted(names: Iterable[str]) -> str:
    """Names for a sentence, a few of them and none too long."""
    every = [f"“{name[:_LONGEST]}”" for name in names]
    more = f"等 {len(every)} 个" if len(every) > _MOST else ""
    return "、".join(every[:_MOST]) + more
