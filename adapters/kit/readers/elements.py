"""Making records of what an XML parser reports, element by element."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

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


class _Node:
    """An element as the names above it tell it, whichever of its kind is read: what is to be done
    with all of them is found out once, when the first is met.

    With `record` a record begins; `inside` it is one or stands in one. `path` is below the record,
    or below its part `each`; `begins` tells that it is such a part itself, `listed` that the part
    is a row of a table. `wanted`: its text is a value, of an `image` or as it stands. `owner` is
    the element whose value its text belongs to, itself or one above. `way`: what stands below may
    be wanted, and so nothing of it is text of an element above. `apart`: the text of an element
    above goes on behind it. `turns`: more than a value begins and ends with it.
    """

    __slots__ = (
        "above", "apart", "begins", "below", "depth", "each", "image", "inside", "is_break",
        "listed", "name", "owner", "path", "plain", "record", "turns", "wanted", "way",
    )  # fmt: skip

    def __init__(self, above: "_Node | None" = None, tag: str = "") -> None:
        """The document itself, or an element whose place is still to be told."""
        self.above: _Node = above or self
        self.below: dict[str, _Node] = {}
        self.depth: int = above.depth + 1 if above else 0
        self.name = _local(tag)
        self.path = self.each = ""
        self.owner: _Node | None = None
        self.inside: bool = above is not None and above.inside
        self.record = self.begins = self.listed = self.wanted = self.image = False
        self.way = self.is_break = self.apart = self.plain = self.turns = False

    def place(self, paths: Paths, where: Sequence[str]) -> None:
        """Tell it what it is; records stand at `where`."""
        if not self.inside:
            self.record = self.inside = self.turns = self._stands(where)
            return
        path = f"{self.above.path}/{self.name}" if self.above.path else self.name
        self.begins = not self.above.each and paths.begins_part(path)
        self.path, self.each = ("", path) if self.begins else (path, self.above.each)
        self.listed = not self.begins and self.each in paths.tables
        self.wanted = not self.begins and path in paths.leaves[self.each]
        self.image = self.wanted and not self.each and path in paths.wanted.images
        self.way = not self.each and path in paths.ways
        around = self.above.owner
        if not (self.begins or self.way):
            self.owner = around
            self.is_break = around is not None and not self.wanted and self.name == "br"
        if self.wanted:
            self.owner = self
        self.apart = around is not None and self.owner is not around
        self.plain = self.wanted and not self.image and (not self.each or self.listed)
        self.turns = self.begins or self.listed or self.image or self.is_break or self.apart

    def _stands(self, where: Sequence[str]) -> bool:
        if len(where) == 1:
            return self.name == where[0]
        node = self
        for name in reversed(where):
            if node.name != name:
                return False
            node = node.above
        return node.depth == 1


class Elements:
    """A target for lxml's parser.

    Text of elements inside a wanted one that are not wanted themselves counts as its own, and
    `<br/>` there as the end of a line. Raises TooMuch or DoctypeMet through the parser. `begun`:
    a record has begun. `seen` are the paths that stand in the records, wanted or not, while
    somebody asks for them.
    """

    # Of what is called for each element of a gigabyte, every look-up counts.
    __slots__ = (
        "_around", "_finished", "_here", "_images", "_limits", "_most", "_nodes", "_part", "_paths",
        "_pieces", "_seen", "_taken", "_values", "_where", "begun", "data",
    )  # fmt: skip

    def __init__(self, paths: Paths, limits: Limits, seen: set[str] | None = None) -> None:
        self._paths = paths
        self._limits = limits
        self._most = limits.cell_characters
        self.begun = False
        self._where = tuple(map(canonical, filter(None, paths.wanted.records.split("/"))))
        self._seen = seen
        self._nodes = 0
        self._here = _Node()
        # The text since the last element whose text is wanted began, and of those around it.
        self._pieces: list[str] = []
        self._around: list[list[str]] = []
        self._images: list[Encoded] = []
        self._part: Part | None = None
        self._taken = Taken(paths, limits)
        # Those of the record, or of the part that is being read.
        self._values = self._taken.values
        self._finished: list[Taken] = []
        # Of all that a parser calls this is called most often, and so it is nothing of Python's.
        self.data: Callable[[str], None] = self._pieces.append

    def finished(self) -> Iterator[Taken]:
        """The records that have ended since this was asked last. To be asked after each piece that
        is parsed: no more of a text is kept than a cell may hold."""
        self._shorten()
        finished, self._finished = self._finished, []
        yield from finished

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        """The parser tells where one begins, before it has read what the DOCTYPE declares."""
        raise DoctypeMet

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        try:
            node = self._here.below[tag]
        except KeyError:
            node = self._met(tag)
        self._here = node
        if node.turns:
            self._begin(node)
        if node.wanted and self._pieces:
            self._pieces.clear()
        if attributes and node.inside:
            self._take(attributes, node)

    def end(self, tag: str) -> None:
        node = self._here
        self._here = node.above
        if node.plain:
            text = "".join(self._pieces)
            if node.path not in self._values and len(text) <= self._most:
                self._values[node.path] = text
            else:
                self._taken.add(self._part, node.path, text[: self._most + 1])
        elif node.wanted:
            self._taken.add(self._part, node.path, self._text(node))
        if node.turns:
            self._end(node)

    def close(self) -> None:
        """Nothing is kept that the end of the document would settle."""

    def _begin(self, node: _Node) -> None:
        if node.record:
            self.begun = True
            self._taken = Taken(self._paths, self._limits)
            self._values = self._taken.values
        if node.apart:
            self._around.append(self._pieces.copy())
        if node.begins:
            self._part = self._taken.part(node.each)
            self._values = self._part.values
        if node.listed and self._part:
            self._taken.see(self._part, node.path)
        if node.is_break:
            self._pieces.append("\n")
        if node.image:
            self._images.append(Encoded())

    def _end(self, node: _Node) -> None:
        if node.apart:
            self._pieces[:] = self._around.pop()
        if node.begins and self._part:
            self._taken.end(self._part)
            self._part, self._values = None, self._taken.values
        if node.record:
            self._finished.append(self._taken)

    def _text(self, node: _Node) -> str:
        text = "".join(self._pieces)
        if node.image:
            image = self._images.pop()
            image.add(text)
            return str(image)
        return text[: self._most + 1]

    def _shorten(self) -> None:
        text = "".join(self._pieces)
        self._pieces.clear()
        owner = self._here.owner
        if owner is None:
            return
        if owner.image:
            self._images[-1].add(text)
        else:
            self._pieces.append(text[: self._most + 1])

    def _take(self, attributes: Mapping[str, str], node: _Node) -> None:
        if len(attributes) > self._limits.columns:
            raise TooMuch(f"有元素的属性超过 {self._limits.columns} 个")
        for key, value in attributes.items():
            expect_short(key)
            path = f"{node.path}/@{_local(key)}" if node.path else f"@{_local(key)}"
            self._taken.add(self._part, path, value)
            if self._part:
                self._taken.see(self._part, path)
            else:
                self._see(path)

    def _met(self, tag: str) -> _Node:
        """An element met there for the first time; so many are remembered."""
        above = self._here
        expect_short(tag)
        if above.depth >= self._limits.depth:
            raise TooMuch(f"嵌套超过 {self._limits.depth} 层")
        node = _Node(above, tag)
        node.place(self._paths, self._where)
        if self._nodes < _MOST_NODES:
            self._nodes += 1
            above.below[tag] = node
        if above.inside and not node.each:
            self._see(node.path)
            if not (above.owner or above.way):
                self._taken.pass_over(above.path)
        return node

    def _see(self, path: str) -> None:
        if self._seen is not None and len(self._seen) < self._limits.columns:
            self._seen.add(path)


def expect_short(name: str) -> None:
    """Raises TooMuch for a name that nobody gives an element or attribute."""
    if len(name) > _LONGEST_NAME:
        raise TooMuch(f"有元素或属性的名称超过 {_LONGEST_NAME} 字")


@lru_cache(maxsize=4_096)
def _local(tag: str) -> str:
    return canonical(tag.rpartition("}")[2])
