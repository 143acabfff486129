"""Making records of what an XML parser reports, element by element."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from adapters.kit.readers.image import Encoded
from adapters.kit.readers.limits import Limits
from adapters.kit.readers.paths import Part, Paths, Taken
from adapters.kit.wanted import canonical

_MOST_NODES: Final = 4_096
# A name with its namespace; paths are made of names, and so many paths are remembered.
_LONGEST_NAME: Final = 400


class TooMuch(Exception):
    """The document is nested too deep, or has too many attributes or too long names; the text
    tells which."""


class DoctypeMet(Exception):
    """The document has a DOCTYPE, and may have entities."""


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


_Words = _Text | Encoded


class _Node:
    """An element of a record as its path tells it, whichever record it stands in: what its path in
    the record or part is, where the part begins if it is in one, and the elements met below it.

    `begins` is that it is a part itself, `wanted` that its text is; `way` that what stands below
    may be, and so nothing of it is text of an element above.
    """

    __slots__ = ("begins", "below", "each", "is_break", "path", "wanted", "way")

    def __init__(self, paths: Paths, parent: "_Node | None", tag: str) -> None:
        self.below: dict[str, _Node] = {}
        self.path: str = _below(parent.path, tag) if parent else ""
        self.each: str = parent.each if parent else ""
        self.begins = not self.each and paths.begins_part(self.path)
        if self.begins:
            self.path, self.each = "", self.path
        self.wanted = not self.begins and self.path in paths.leaves[self.each]
        self.way = not self.each and self.path in paths.ways
        self.is_break = _local(tag) == "br"


class _Open(NamedTuple):
    """An element that has begun inside a record: the text that what it says belongs to, and the
    part it is in."""

    node: _Node
    text: _Words | None
    part: Part | None


class Elements:
    """A target for lxml's parser.

    Text of elements inside a wanted one that are not wanted themselves counts as its own, and
    `<br/>` there as the end of a line. Raises TooMuch or DoctypeMet through the parser. `begun`:
    a record has begun. `seen` are the paths that stand in the records, wanted or not, while
    somebody asks for them.
    """

    def __init__(self, paths: Paths, limits: Limits, seen: set[str] | None = None) -> None:
        self._paths = paths
        self._limits = limits
        self.begun = False
        self._where = tuple(map(canonical, filter(None, paths.wanted.records.split("/"))))
        self._seen = seen
        self._root = _Node(paths, None, "")
        self._nodes = 0
        self._outside: list[str] = []
        self._inside: list[_Open] = []
        self._taken = Taken(paths, limits)
        self._finished: list[Taken] = []

    def finished(self) -> Iterator[Taken]:
        """The records that have ended since this was asked last."""
        finished, self._finished = self._finished, []
        yield from finished

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        """The parser tells where one begins, before it has read what the DOCTYPE declares."""
        raise DoctypeMet

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        inside = self._inside
        expect_short(tag)
        if len(self._outside) + len(inside) > self._limits.depth:
            raise TooMuch(f"嵌套超过 {self._limits.depth} 层")
        if inside:
            parent = inside[-1]
            begun = self._begun(parent, parent.node.below.get(tag) or self._met(parent, tag))
        else:
            self._outside.append(_local(tag))
            if not self._is_record():
                return
            self.begun = True
            self._taken = Taken(self._paths, self._limits)
            begun = _Open(self._root, None, None)
        inside.append(begun)
        if attributes:
            self._take(attributes, begun)

    def data(self, text: str) -> None:
        if self._inside and (belongs := self._inside[-1].text):
            belongs.add(text)

    def end(self, tag: str) -> None:
        if self._inside:
            node, text, part = self._inside.pop()
            if node.wanted:
                self._taken.add(part, node.path, str(text))
            elif node.begins and part:
                self._taken.end(part)
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
            expect_short(key)
            path = _below(begun.node.path, key, "@")
            self._taken.add(begun.part, path, value)
            if begun.part:
                self._taken.see(begun.part, path)
            else:
                self._see(path)

    def _begun(self, parent: _Open, node: _Node) -> _Open:
        if node.begins:
            return _Open(node, None, self._taken.part(node.each))
        if parent.part:
            self._taken.see(parent.part, node.path)
        if node.wanted:
            return _Open(node, self._words(node), parent.part)
        if parent.text is None or node.way:
            return _Open(node, None, parent.part)
        if node.is_break:
            parent.text.add("\n")
        return _Open(node, parent.text, parent.part)

    def _words(self, node: _Node) -> _Words:
        if not node.each and node.path in self._paths.wanted.images:
            return Encoded()
        return _Text(self._limits.cell_characters)

    def _met(self, parent: _Open, tag: str) -> _Node:
        """An element met there for the first time; so many are remembered."""
        node = _Node(self._paths, parent.node, tag)
        if self._nodes < _MOST_NODES:
            self._nodes += 1
            parent.node.below[tag] = node
        if not node.each:
            self._see(node.path)
            if not (parent.text or parent.node.way):
                self._taken.pass_over(parent.node.path)
        return node

    def _see(self, path: str) -> None:
        if self._seen is not None and len(self._seen) < self._limits.columns:
            self._seen.add(path)


def expect_short(name: str) -> None:
    """Raises TooMuch for a name that nobody gives an element or attribute."""
    if len(name) > _LONGEST_NAME:
        raise TooMuch(f"有元素或属性的名称超过 {_LONGEST_NAME} 字")


@lru_cache(maxsize=4_096)
def _below(path: str, tag: str, mark: str = "") -> str:
    name = f"{mark}{_local(tag)}"
    return f"{path}/{name}" if path else name


@lru_cache(maxsize=4_096)
def _local(tag: str) -> str:
    return canonical(tag.rpartition("}")[2])
