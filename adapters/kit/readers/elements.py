"""Making records of what an XML parser reports, element by element."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from adapters.kit.readers.limits import Limits
from adapters.kit.readers.paths import Part, Paths, Taken
from adapters.kit.wanted import canonical


class TooMuch(Exception):
    """The document is nested too deep or has too many attributes; the text tells which."""


class _Text:
    """The text of an element, as much of it as a cell may hold and one character more."""

    __slots__ = ("_pieces", "_room")

    def __init__(self, most: int) -> None:
        self._pieces: list[str] = []
        self._room = most + 1

    def add(self, piece: str) -> None:
        if self._room > 0:
            self._pieces.append(piece[: self._room])
            self._room -= len(piece)

    def __str__(self) -> str:
        return "".join(self._pieces)


class _Open(NamedTuple):
    """An element that has begun inside a record: its path in the record or part, the text that
    what it says belongs to, whether that is its own, and the part it is in."""

    path: str
    text: _Text | None
    own: bool
    part: Part | None


class Elements:
    """A target for lxml's parser.

    Text of elements inside a wanted one that are not wanted themselves counts as its own, and
    `<br/>` there as the end of a line. Raises TooMuch through the parser. `begun`: a record has
    begun. `seen` are the paths that stand in the records, wanted or not, while somebody asks for
    them.
    """

    def __init__(self, paths: Paths, limits: Limits, seen: set[str] | None = None) -> None:
        self._paths = paths
        self._limits = limits
        self.begun = False
        self._where = tuple(map(canonical, filter(None, paths.wanted.records.split("/"))))
        self._seen = seen
        self._outside: list[str] = []
        self._inside: list[_Open] = []
        self._taken = Taken(paths, limits)
        self._finished: list[Taken] = []

    def finished(self) -> Iterator[Taken]:
        """The records that have ended since this was asked last."""
        finished, self._finished = self._finished, []
        yield from finished

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if len(self._outside) + len(self._inside) > self._limits.depth:
            raise TooMuch(f"嵌套超过 {self._limits.depth} 层")
        if self._inside:
            begun = self._begun(tag)
        else:
            self._outside.append(_local(tag))
            if not self._is_record():
                return
            self.begun = True
            self._taken = Taken(self._paths, self._limits)
            begun = _Open("", None, False, None)
        self._inside.append(begun)
        if attributes:
            self._take(attributes, begun)

    def data(self, text: str) -> None:
        if self._inside and (belongs := self._inside[-1].text):
            belongs.add(text)

    def end(self, tag: str) -> None:
        if self._inside:
            ended = self._inside.pop()
            if ended.own:
                self._taken.add(ended.part, ended.path, str(ended.text))
            elif ended.part and not ended.path:
                self._taken.end(ended.part)
            if self._inside:
                return
            self._finished.append(self._taken)
        self._outside.pop()

    def close(self) -> None:
        """Nothing is kept that the end of the document would settle."""

    def _is_record(self) -> bool:
        match self._where:
            case ():
                return len(self._outside) == 1
            case (only,):
                return self._outside[-1] == only
            case _:
                return tuple(self._outside[1:]) == self._where

    def _take(self, attributes: Mapping[str, str], begun: _Open) -> None:
        if len(attributes) > self._limits.columns:
            raise TooMuch(f"有元素的属性超过 {self._limits.columns} 个")
        for key, value in attributes.items():
            path = _below(begun.path, key, "@")
            self._taken.add(begun.part, path, value)
            self._see(path, begun.part)

    def _begun(self, tag: str) -> _Open:
        parent = self._inside[-1]
        path = _below(parent.path, tag)
        self._see(path, parent.part)
        if parent.part is None and self._paths.begins_part(path):
            return _Open("", None, False, self._taken.part(path))
        if path in (parent.part.leaves if parent.part else self._paths.leaves):
            return _Open(path, _Text(self._limits.cell_characters), True, parent.part)
        if parent.text is None or path in self._paths.ways:
            return _Open(path, None, False, parent.part)
        if _local(tag) == "br":
            parent.text.add("\n")
        return _Open(path, parent.text, False, parent.part)

    def _see(self, path: str, part: Part | None) -> None:
        if part:
            self._taken.see(part, path)
        elif self._seen is not None and len(self._seen) < self._limits.columns:
            self._seen.add(path)


@lru_cache(maxsize=4_096)
def _below(path: str, tag: str, mark: str = "") -> str:
    name = f"{mark}{_local(tag)}"
    return f"{path}/{name}" if path else name


@lru_cache(maxsize=4_096)
def _local(tag: str) -> str:
    return canonical(tag.rpartition("}")[2])
